"""Remarks: what did the lint find, how does it show it, and when does it raise it?"""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from journeylab.base.documents import KeyPath
from journeylab.base.errors import JourneyError
from journeylab.base.html import card, paragraph, table
from journeylab.base.words import counted
from journeylab.events.journey import Journey

COLUMNS = ("severity", "where", "problem", "fix", "rule")
_CLEAN = "Nothing to fix."


@dataclass(frozen=True)
class Remark:
    """One thing that the lint found at `path` of the journey.

    rule: stable id, such as `unreachable-stage`. severity: `error` or `warning`. problem: what is wrong, with the names
    and values. fix: what to do about it.
    """

    rule: str
    severity: str
    path: KeyPath
    problem: str
    fix: str


def error(rule: str, path: KeyPath, problem: str, fix: str) -> Remark:
    """A remark on what would make results wrong."""
    return Remark(rule, "error", path, problem, fix)


def warning(rule: str, path: KeyPath, problem: str, fix: str) -> Remark:
    """A remark on what a reader of the results should know."""
    return Remark(rule, "warning", path, problem, fix)


@dataclass(frozen=True)
class Lint:
    """What the lint found, errors first, then in the order of the journey. Empty, and so false, if it found nothing.

    table: DataFrame, one row per remark; columns `severity` (error or warning), `where` (journey.yml:12), `problem`
        (what is wrong), `fix` (what to do about it), and `rule`, a stable id.
    """

    table: pd.DataFrame

    @classmethod
    def of(cls, journey: Journey, remarks: Iterable[Remark]) -> "Lint":
        """The lint of `journey` from `remarks` in any order."""
        in_order = sorted(remarks, key=lambda remark: (remark.severity, *_position(remark.path)))
        where = [journey.where(*one.path) if one.path else "the log" for one in in_order]
        return cls.of_rows(
            (one.severity, place, one.problem, one.fix, one.rule) for one, place in zip(in_order, where, strict=True)
        )

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[str, str, str, str, str]]) -> "Lint":
        """The lint of `rows`, each with what `table` has as columns, in order."""
        return cls(pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object))

    def joined(self, *others: "Lint") -> "Lint":
        """This lint and `others`, errors first."""
        table = pd.concat([self.table, *(other.table for other in others)], ignore_index=True)
        return Lint(table.sort_values("severity", kind="stable", ignore_index=True))

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
            raise JourneyError("\n".join(f"{row.where}: {row.problem} {row.fix}" for row in self.errors.itertuples()))

    def sentence(self) -> str:
        """How many errors and warnings there are: “1 error, 2 warnings.”"""
        counts = [(len(self.errors), "error"), (len(self.warnings), "warning")]
        return ", ".join(counted(count, noun) for count, noun in counts if count) + "." if len(self) else _CLEAN

    def __str__(self) -> str:
        rows = self.table.itertuples()
        lines = [f"{row.where}: {row.severity}: {row.problem} {row.fix} [{row.rule}]" for row in rows]
        return "\n".join([*lines, self.sentence()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [table(self.table, csv=False)] if len(self) else []
        return card("Lint of the journey", paragraph(self.sentence()), *rows)


def _position(path: KeyPath) -> tuple[int, int]:
    section = {"stages": 1, "loss_branches": 2}.get(str(path[0]), 0) if path else 0
    return section, path[1] if len(path) > 1 and isinstance(path[1], int) else -1
