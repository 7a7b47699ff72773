"""Cache: was this result made before, from the same data, decisions and code? Then it is read instead of made again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from journeylab.base.errors import StudyError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cache:
    """Results that can be made again, as files in `folder`.

    The name of a file has a fingerprint of all that the result depends on, so an outdated file is never used; it is
    removed when a new one is written. In a folder that cannot be written to, nothing is cached.
    """

    folder: Path

    def get_or_make(
        self,
        name: str,
        fingerprint: str,
        ending: str,
        *,
        read: Callable[[Path], Result],
        make: Callable[[], Result],
        write: Callable[[Result, Path], object],
    ) -> Result:
        """The result `name`, from its file by `read`, or else by `make`; it is then written by `write`."""
        path = self.folder / f"{name}-{fingerprint}{ending}"
        # The file may be missing, cut short by a full disk, or just being removed by another process.
        with suppress(OSError, StudyError, pa.ArrowException):
            return read(path)
        result = make()
        with suppress(OSError):  # the folder may be read-only
            write(result, path)
            for other in self.folder.glob(f"{name}-{'?' * len(fingerprint)}{ending}"):
                if other.name != path.name:
                    other.unlink(missing_ok=True)
        return result
