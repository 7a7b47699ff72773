"""Remarks: what did the lint find, how does it show it, and when does it raise it?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from journeylab.base import html
from journeylab.base.documents import KeyPath
from journeylab.base.errors import JourneyError
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted
from journeylab.events.journey import Journey

COLUMNS = ("severity", "where", "problem", "fix", "rule")
_CLEAN = "Nothing to fix."
# How many customers, of how many, in percent: what no report may say of few.
_FEW = re.compile(rf"(?<![\d,.])[1-{MIN_SHOWN - 1}] customers?( of [\d,]+)?( \([^)]*%\))?")
_FEWER = rf"fewer than {MIN_SHOWN} customers\1"


@dataclass(frozen=True)
class Remark:
    """One thing that the lint found at `path` of the journey, or, where that is a text, in that part of the data.

    rule: stable id, such as `unreachable-stage`. severity: `error` or `warning`. problem: what is wrong, with the names
    and values. fix: what to do about it. example: a sentence with the ids of customers, which no report may show.
    """

    rule: str
    severity: str
    path: KeyPath | str
    problem: str
    fix: str
    example: str = ""


def error(rule: str, path: KeyPath | str, problem: str, fix: str) -> Remark:
    """A remark on what would make results wrong."""
    return Remark(rule, "error", path, problem, fix)


def warning(rule: str, path: KeyPath | str, problem: str, fix: str, example: str = "") -> Remark:
    """A remark on what a reader of the results should know."""
    return Remark(rule, "warning", path, problem, fix, example)


@dataclass(frozen=True)
class Lint:
    """What the lint found: errors first, then in the order of the journey, then of the data. Empty, and so false, if it
    found nothing.

    table: DataFrame, one row per remark; columns `severity` (error or warning), `where` (journey.yml:12, or a column of
        the events), `problem` (what is wrong), `fix` (what to do about it), and `rule`, a stable id.
    shown: the same for reports: without the ids of customers, and with “fewer than 5” where there are so few.
    unjudged: sentences on what these data cannot show, so that nothing was looked for.
    """

    table: pd.DataFrame
    shown: pd.DataFrame
    unjudged: tuple[str, ...] = ()

    @classmethod
    def of(cls, journey: Journey, remarks: Iterable[Remark], unjudged: tuple[str, ...] = ()) -> "Lint":
        """The lint of `journey` from `remarks` in any order."""
        in_order = sorted(remarks, key=lambda remark: (remark.severity, *_position(remark.path)))
        places = [_place(journey, one.path) for one in in_order]
        rows = [(one.severity, at, one.problem, one.fix, one.rule) for one, at in zip(in_order, places, strict=True)]
        whole = [f"{one.problem} {one.example}".strip() for one in in_order]
        shown = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
        few = [_FEW.sub(_FEWER, one.problem) for one in in_order]
        return cls(
            shown.assign(problem=pd.Series(whole, dtype=object)),
            shown.assign(problem=pd.Series(few, dtype=object)),
            unjudged,
        )

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[str, str, str, str, str]]) -> "Lint":
        """The lint of `rows`, each with what `table` has as columns, in order; all of it may be shown."""
        table = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object)
        return cls(table, table)

    def joined(self, *others: "Lint") -> "Lint":
        """This lint and `others`, errors first."""
        every = (self, *others)
        tables = (pd.concat([getattr(one, name) for one in every], ignore_index=True) for name in ("table", "shown"))
        table, shown = (one.sort_values("severity", kind="stable", ignore_index=True) for one in tables)
        return Lint(table, shown, tuple(text for one in every for text in one.unjudged))

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
        return "\n".join([*lines, " ".join([self.sentence(), *self.unjudged])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [html.table(self.table, csv=False)] if len(self) else []
        return html.card(
            "Lint of the journey and the data", *map(html.paragraph, [self.sentence(), *self.unjudged]), *rows
        )


def _place(journey: Journey, path: KeyPath | str) -> str:
    if isinstance(path, str):
        return path
    return journey.where(*path) if path else "the log"


def _position(path: KeyPath | str) -> tuple[int, int]:
    if isinstance(path, str):
        return 3, 0
    section = {"stages": 1, "loss_branches": 2}.get(str(path[0]), 0) if path else 0
    return section, path[1] if len(path) > 1 and isinstance(path[1], int) else -1
