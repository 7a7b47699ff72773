"""How is one text file written: in which encoding, with which separator, and where do its column names stand?"""

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from journeylab.base.errors import LogError
from journeylab.events.reading.format import TableFormat

SEPARATORS = (",", ";", "\t", "|")
_BEGINNING = 1 << 16
# Excel's own way of naming the separator, in a line above the column names.
_SEP_LINE = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or an Excel workbook. Unpack it, or let its name end in .xlsx",
    b"PAR1": "a Parquet file. Let its name end in .parquet",
    b"\x1f\x8b": "compressed by gzip. Let its name end in .gz",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save it as .xlsx",
    b"%PDF": "a PDF. Export the table itself",
    b"SQLite format 3": "an SQLite database. Export the table as CSV",
}
_WEB_PAGE = re.compile(rb"^\s*<(!doctype|html|table|\?xml)", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a text file is written. `skip` counts the lines above the column names; `lines` are its first lines."""

    path: str
    encoding: str
    separator: str
    skip: int
    lines: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The column names, as written."""
        rows = csv.reader(self.lines[self.skip :], delimiter=self.separator)
        return next(rows, [])

    @property
    def last_sign(self) -> str | None:
        """The last character that is not blank; None for a compressed file, which would have to be read for it."""
        if self.path.lower().endswith(".gz"):
            return None
        with Path(self.path).open("rb") as raw:
            raw.seek(max(0, raw.seek(0, 2) - 4096))
            return raw.read().decode("latin-1").replace("\0", "").strip()[-1:]

    @property
    def likely_header(self) -> int:
        """How many lines stand above the first that has as many filled cells as any of the first lines."""
        filled = [sum(bool(cell.strip()) for cell in row) for row in csv.reader(self.lines[:20], delimiter=self.best)]
        return filled.index(max(filled)) if filled else 0

    @property
    def best(self) -> str:
        """The separator that cuts the first lines into most cells; titles above the names hide it from the first."""
        return max((self.separator, *SEPARATORS), key=lambda one: sum(line.count(one) for line in self.lines[1:20]))

    def line_with(self, names: Iterable[str]) -> int | None:
        """The line, from 1, that holds all of `names`, where it is not the one that was taken for the column names."""
        wanted = set(names)
        for number, line in enumerate(self.lines):
            if number != self.skip and wanted <= set(next(csv.reader([line], delimiter=self.best_for(line)), [])):
                return number + 1
        return None

    def best_for(self, line: str) -> str:
        """The separator of this file, or where `line` lacks it, the one that cuts it into most cells."""
        return self.separator if self.separator in line else _separator([line])


def find_dialect(path: str, written: TableFormat) -> Dialect:
    """How the text file at `path` is written, where `written` does not say.

    Raises LogError for a file that is no text, and for an encoding that it does not name and that is not clear.
    """
    beginning = _beginning(path)
    encoding = written.encoding or _encoding(path, beginning)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(beginning)
    lines = tuple(text.removeprefix("\ufeff").splitlines()[: written.skip_rows + 40])
    n_blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    sep_line = _SEP_LINE.match(lines[n_blank]) if lines else None
    skip = written.skip_rows or n_blank + bool(sep_line)
    separator = written.separator or (sep_line and sep_line[1]) or _separator(lines[skip:])
    return Dialect(path, encoding, separator, skip, lines)


def decoded(path: str, encoding: str, target: Path) -> None:
    """Write the text file at `path` to `target` in UTF-8. Raises LogError where it does not have that `encoding`."""
    try:
        with _opened(path) as raw, target.open("w", encoding="utf-8", newline="") as copy:
            text = codecs.getreader(encoding)(raw)
            while chunk := text.read(1 << 20):
                copy.write(chunk)
    except UnicodeError as problem:
        raise LogError(f"“{path}” is not written in {encoding}: {problem}. Correct “encoding”.") from problem


def not_utf8(path: str, line: int) -> LogError:
    """The error for a file whose encoding nobody named; `line` is the first that is not UTF-8."""
    return LogError(
        f"“{path}” is not written in UTF-8, first in line {line}. Files of Excel on Windows often have the encoding "
        'cp1252: say encoding="cp1252" and look at the names it gives, or save the file as “CSV UTF-8”.'
    )


def _beginning(path: str) -> bytes:
    try:
        with _opened(path) as raw:
            beginning = raw.read(_BEGINNING)
    except (OSError, EOFError, zlib.error) as problem:
        raise LogError(f"“{path}” cannot be read: {problem}. Fix it, or leave it out.") from problem
    for start, kind in _NO_TEXT.items():
        if beginning.startswith(start):
            raise LogError(f"“{path}” is no text file: it is {kind}.")
    if _WEB_PAGE.match(beginning):
        raise LogError(
            f"“{path}” is a web page or XML, not a table of cells. Open it in a spreadsheet, and save as CSV."
        )
    return beginning


def _encoding(path: str, beginning: bytes) -> str:
    for mark, name in _MARKS:
        if beginning.startswith(mark):
            return name
    if b"\0" in beginning:
        zeros = beginning.count(b"\0")
        if zeros > len(beginning) // 4:
            name = "utf-16-le" if beginning[1:2] == b"\0" else "utf-16-be"
            raise LogError(f'“{path}” looks as if it was written in UTF-16, without its mark. Say encoding="{name}".')
        raise LogError(f"“{path}” is no text file: it holds bytes that no text has. Export it as CSV again.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError as problem:
        raise not_utf8(path, beginning[: problem.start].count(b"\n") + 1) from problem
    return "utf-8"


def _separator(lines: Iterable[str]) -> str:
    """The separator that cuts most lines into as many cells as the first, and that into most."""
    written = [line for line in lines if line.strip()][:20]

    def cells(separator: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(written, delimiter=separator)]
        return (counts.count(counts[0]), counts[0]) if counts and counts[0] > 1 else (0, 0)

    return max(SEPARATORS, key=cells)


def _opened(path: str) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.lower().endswith(".gz") else Path(path).open("rb")
