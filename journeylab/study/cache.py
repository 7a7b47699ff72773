"""Cache: was this result made before, from the same data, decisions and code? Then it is read instead of made again."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from journeylab.base import files
from journeylab.base.errors import StudyError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cache:
    """Results that can be made again, as files in `folder`.

    The name of a file has a fingerprint of all that the result depends on, so an outdated file is never used, and one
    of what is in the file, so neither is one that was damaged or changed. Outdated files are removed when a new one is
    written. In a folder that cannot be written to, nothing is cached.
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
        pattern = f"{name}-{'?' * len(fingerprint)}-{'?' * len(fingerprint)}{ending}"
        # A file may be cut short by a full disk, or just being removed by another process.
        for path in sorted(self.folder.glob(f"{name}-{fingerprint}-*{ending}")):
            with suppress(OSError, StudyError, pa.ArrowException):
                if path.name == f"{name}-{fingerprint}-{files.fingerprint(path)}{ending}":
                    return read(path)
        result = make()
        made = self.folder / f".{name}-{fingerprint}-{os.getpid()}{ending}"
        with suppress(OSError):  # the folder may be read-only
            try:
                write(result, made)
                path = made.replace(self.folder / f"{name}-{fingerprint}-{files.fingerprint(made)}{ending}")
            finally:
                made.unlink(missing_ok=True)
            for other in self.folder.glob(pattern):
                if other.name != path.name:
                    other.unlink(missing_ok=True)
        return result
