"""Remarks: how is what the lint found kept, shown and raised?"""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from journeylab.base.documents import KeyPath
from journeylab.base.errors import JourneyError
from journeylab.base.html import card, paragraph, table
from journeylab.events.journey import Journey

COLUMNS = ("severity", "where", "found", "mend", "rule")


@dataclass(frozen=True)
class Remark:
    """One thing that the lint found at `path` of the journey.

    rule: stable id, such as `unreachable-stage`. severity: `error` or `warning`. found: what is wrong, with the names
    and values. mend: what to do about it.
    """

    rule: str
    severity: str
    path: KeyPath
    found: str
    mend: str


def error(rule: str, path: KeyPath, found: str, mend: str) -> Remark:
    """A remark on what would make results wrong."""
    return Remark(rule, "error", path, found, mend)


def warning(rule: str, path: KeyPath, found: str, mend: str) -> Remark:
    """A remark on what a reader of the results should know."""
    return Remark(rule, "warning", path, found, mend)


@dataclass(frozen=True)
class Lint:
    """What the lint found, errors first, then in the order of the journey. Empty, and so false, if there is nothing.

    table: DataFrame, one row per finding; columns `severity` (error or warning), `where` (journey.yml:12), `found`,
        `mend`, and `rule`, a stable id.
    """

    table: pd.DataFrame

    @classmethod
    def of(cls, journey: Journey, remarks: Iterable[Remark]) -> "Lint":
        """The lint of `journey` from `remarks` in any order."""
        placed = sorted(remarks, key=lambda remark: (remark.severity, *_place(remark.path)))
        rows = [(each.severity, journey.where(*each.path), each.found, each.mend, each.rule) for each in placed]
        return cls(pd.DataFrame(rows, columns=list(COLUMNS), dtype=object))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def errors(self) -> pd.DataFrame:
        """The rows that would make results wrong."""
        return self.table[self.table["severity"] == "error"].reset_index(drop=True)

    @property
    def warnings(self) -> pd.DataFrame:
        """The rows that a reader of the results should know."""
        return self.table[self.table["severity"] == "warning"].reset_index(drop=True)

    def raise_errors(self) -> None:
        """Raise one JourneyError with every error, if there is any."""
        if len(self.errors):
            raise JourneyError("\n".join(f"{row.where}: {row.found} {row.mend}" for row in self.errors.itertuples()))

    def sentence(self) -> str:
        """How much was found: “1 error, 2 warnings.”"""
        counts = [(len(self.errors), "error"), (len(self.warnings), "warning")]
        said = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count)
        return f"{said}." if said else "Nothing to mend."

    def __str__(self) -> str:
        lines = [f"{row.where}: {row.severity}: {row.found} {row.mend} [{row.rule}]" for row in self.table.itertuples()]
        return "\n".join([*lines, self.sentence()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [table(self.table, csv=False)] if len(self) else []
        return card("Lint of the journey", paragraph(self.sentence()), *rows)


def _place(path: KeyPath) -> tuple[int, int]:
    section = {"stages": 1, "loss_branches": 2}.get(str(path[0]), 0) if path else 0
    return section, path[1] if len(path) > 1 and isinstance(path[1], int) else -1
