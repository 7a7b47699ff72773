"""How are a table and its times written? Said once, in the same words for events, customers and the CRM."""

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from journeylab.base.documents import Document, Frozen, OneOrList, Text, check_document, refused
from journeylab.base.errors import LogError

# What strptime writes of a day; each group is one part of it.
_DAY_PARTS = (("%Y", "%y", "%G"), ("%m", "%b", "%B", "%-m", "%j"), ("%d", "%-d", "%j"))
_OFFSET = r"[+-](0[0-9]|1[0-4]):?[0-5][0-9]"


def _one_sign(written: str) -> str:
    if len(written) != 1 or written.isalnum() or written in "+-":
        raise refused(f"must be one sign, found “{written}”. Write it like “;” or “.”.")
    return written


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise refused(f"must be the name of an encoding, found “{name}”. Write utf-8, utf-16 or cp1252.") from None


def _readable_format(written: str) -> str:
    if "%" not in written:
        raise refused(
            f"must be written with % signs, found “{written}”. Write it like “%d.%m.%Y %H:%M” for 31.01.2025 20:56."
        )
    if "%Z" in written:
        raise refused(
            f"asks for zone letters (%Z) in “{written}”, and the same letters mean several zones. Use %z for offsets "
            "such as +01:00, or write the letters themselves and name the “timezone”."
        )
    if not all(any(part in written for part in parts) for parts in _DAY_PARTS):
        raise refused(
            f"must have year, month and day, found “{written}”. Write it like “%d.%m.%Y” or “%Y-%m-%d %H:%M:%S”."
        )
    return written


def _clear_zones(zones: dict[str, str]) -> dict[str, str]:
    for letters, offset in zones.items():
        if not re.fullmatch(_OFFSET, offset):
            raise refused(f"must give offsets, found “{letters}: {offset}”. Write {{{letters}: “+01:00”}}.")
    return {letters.strip().upper(): offset for letters, offset in zones.items()}


class TableFormat(Frozen):
    """How a file of rows is written. What is left out is found in the file, or an error asks for it.

    separator: the character between two cells. encoding: such as cp1252. skip_rows: how many lines, or rows of a sheet,
    stand above the column names. sheet: which sheet of a workbook. decimal, thousands: the marks inside numbers.
    """

    model_config = ConfigDict(title="how a table is written")

    separator: Annotated[str, AfterValidator(_one_sign)] | None = None
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    skip_rows: Annotated[int, Field(strict=True, ge=0)] = 0
    sheet: Text | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Annotated[str, AfterValidator(_one_sign)] | None = None

    @field_validator("thousands")
    @classmethod
    def _differs(cls, thousands: str | None, info: ValidationInfo) -> str | None:
        if thousands is not None and thousands == info.data.get("decimal"):
            raise refused(f"must differ from “decimal”, found “{thousands}” for both. Correct one of them.")
        return thousands

    @property
    def marks(self) -> tuple[str, str | None] | None:
        """The decimal mark and the one between thousands, where either is said."""
        if self.decimal is None and self.thousands is None:
            return None
        return self.decimal or ("," if self.thousands == "." else "."), self.thousands

    @property
    def table(self) -> "TableFormat":
        """This format without what is said of times and events."""
        return TableFormat(**{name: getattr(self, name) for name in TableFormat.model_fields})


class EventFormat(TableFormat):
    """How a file of events is written: also its times, and what a row of it stands for.

    time_format: how times are written, as strptime has it; several are tried in turn. day_first: true for 31.01.2025,
    false for 01/31/2025. zones: the offset of each kind of zone letters. unfold: columns of dates, each of which
    becomes an event of the given name; “{event}” in a name is the row's own event. snapshots: each row says in which
    state a customer was at that time; an event is where it differs from the row before.
    """

    model_config = ConfigDict(title="how events are written")

    time_format: Annotated[tuple[Annotated[str, AfterValidator(_readable_format)], ...], OneOrList()] = ()
    day_first: bool | None = None
    zones: Annotated[dict[str, str], AfterValidator(_clear_zones)] = Field(default_factory=dict)
    unfold: Annotated[dict[Text, Text], Field(min_length=1)] | None = None
    snapshots: bool = False


def format_of(written: Mapping[str, Any], kind: type[TableFormat] = EventFormat) -> Any:
    """The format that keywords say. Raises one LogError that lists all that is wrong."""
    return check_document(Document(dict(written)), kind, error=LogError)
