"""Folders: where do the files of a study lie?"""

import os
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from journeylab.base.errors import StudyError

FILE = "study.yml"
RAW, PROCESSED, REPORTS, NOTEBOOKS = Path("data/raw"), Path("data/processed"), Path("reports"), Path("notebooks")
# The environment variable that names a folder to read instead of `RAW`.
DATA = "JOURNEYLAB_DATA"


@dataclass(frozen=True)
class Folders:
    """Where the files of a study are: in the folder `study`, but those under `data/raw` in `data` if that is given."""

    study: Path
    data: Path | None = None

    def check(self) -> None:
        """Raise StudyError if there is no study.yml, or no folder `data`."""
        if not (self.study / FILE).is_file():
            raise StudyError(
                f"There is no {FILE} in “{self.study}”. Name a study's folder, or make one with “journeylab init DIR”."
            )
        if self.data is not None and not self.data.is_dir():
            raise StudyError(
                f"There is no folder “{self.data}” to read instead of {RAW.as_posix()}. Name the folder with the data."
            )

    def find(self, path: str) -> list[Path]:
        """The files that `path`, a path or a pattern in study.yml, names: sorted by name, perhaps none."""
        named = self.place(path)
        # Other than Path.is_file, this says of a name that is too long that there is no such file.
        matching = [str(named)] if os.path.isfile(named) else sorted(glob(str(named), recursive=True))
        return [Path(file) for file in matching if os.path.isfile(file)]

    def place(self, path: str) -> Path:
        """Where to find `path`, as written in study.yml."""
        if self.data is not None and Path(path).is_relative_to(RAW):
            return self.data / Path(path).relative_to(RAW)
        return self.study / path
