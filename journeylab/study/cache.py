"""What was found once need not be found again: results that lie in `data/processed`, each under a fingerprint of all
that it depends on."""

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
    """Results that can be made again, kept in `folder`.

    A result's file is called after its name and a fingerprint, so that nothing outdated is ever used; files of other
    fingerprints are removed. Where one cannot write, nothing is kept.
    """

    folder: Path

    def found(
        self,
        name: str,
        fingerprint: str,
        ending: str,
        *,
        read: Callable[[Path], Result],
        find: Callable[[], Result],
        write: Callable[[Result, Path], object],
    ) -> Result:
        """The result `name` as `read` from its file, or else as `find` finds it, which is then written."""
        path = self.folder / f"{name}-{fingerprint}{ending}"
        # Another process may be removing the file, or a full disk has cut it: then the result is found again.
        with suppress(OSError, StudyError, pa.ArrowException):
            return read(path)
        result = find()
        with suppress(OSError):  # a study may lie where one cannot write
            write(result, path)
            for other in self.folder.glob(f"{name}-{'?' * len(fingerprint)}{ending}"):
                if other.name != path.name:
                    other.unlink(missing_ok=True)
        return result
