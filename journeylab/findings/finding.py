"""What do all findings share? The contract they keep, and the tidy tables they hold."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import pandas as pd

from journeylab.base import html
from journeylab.base.charts import Chart
from journeylab.base.words import counted, percent
from journeylab.events.log import Window
from journeylab.findings.arguments import MIN_CUSTOMERS

# A column has the same type in every table; those not named here hold floats.
_TEXTS = (
    "group reference stage to kind state branch measure covariate level validated model test note among bucket ended "
    "ended_by after event high initiator label low mark month name origin place quote reason source theme way words"
)
_COUNTS = (
    "n customers events at_risk n_reference customers_reference groups degrees_of_freedom events_before "
    "events_after customers_seen again agreeing attempts compared controls earlier entered exposed_cases "
    "exposed_controls first had in_progress in_progress_reached last lost moved movers n_others not_yet reached "
    "recorded returned step timed variants"
)


# What a lane says, and why after a colon, where a reader must know why nothing is there.
NOT_MEASURED = "not measured"


class LaneName:
    """What `Finding.by_stage` calls its columns, as far as the journey map has a row for them."""

    TIME_IN_STAGE, MEAN_TIME, EVER_REACHED = "time in stage", "mean time", "ever reached"
    TRIGGER_SEEN, VALIDATED, CRM_AGREEMENT = "trigger seen", "validated", "CRM agreement"
    ACTIONS, TOUCHPOINTS, PROACTIVE = "actions", "touchpoints", "reactive : proactive"
    MOMENTS, THOUGHTS, EMOTIONS = "moments", "thoughts", "emotions"
    PAIN_POINTS, BEFORE_A_LOSS = "pain points", "before a loss"
    FORWARD, SKIP, BACK, STILL_INSIDE = "forward", "skip", "back", "still inside"
    LOST, MAIN_BRANCH, DECLARED_LOSSES = "lost", "main branch", "declared losses"
    SILENCE, BACK_AFTER_LOSS, BACK_AFTER_SILENCE = "lost by silence window", "back after loss", "back after silence"
    ROLES, VALUE = "roles", "value"


@dataclass(frozen=True)
class Finding(ABC):
    """An answer: a title, a tidy table, a sentence and a figure.

    Attributes
    ----------
    title : str
        What was asked, in a few words.
    table : DataFrame
        Tidy: one row per estimate, with `lower`, `upper` and its base (`n` or `at_risk`).
    lacking : str or None
        Where the data lack what the question needs, a sentence that says what is missing. The finding is then empty:
        its tables have their columns but no estimates, and its sentence and figure say what is missing.
    period : Window or None
        What was observed: the window of the spells or the log. None where it is not known.
    notes : tuple of str
        Sentences on what makes the whole answer doubtful, such as groups that look computed from the future.
    """

    title: str
    table: pd.DataFrame
    lacking: str | None = field(default=None, kw_only=True)
    period: Window | None = field(default=None, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def __init_subclass__(cls) -> None:
        """A finding's sentence says what the finding lacks; else it ends with its notes, however it is made."""
        super().__init_subclass__()
        if "sentence" in vars(cls):
            cls.sentence = _with_notes(cls.sentence)  # type: ignore[method-assign]

    @abstractmethod
    def sentence(self) -> str:
        """The main result in plain words: number, interval, base."""

    @abstractmethod
    def by_stage(self) -> pd.DataFrame:
        """Index `stage` in journey order; a column per lane of the journey map."""

    @abstractmethod
    def plot(self, ax=None) -> Chart:
        """Draw the main result, into matplotlib `ax` if given."""

    def losses_by_branch(self) -> pd.DataFrame | None:
        """The shares lost, for a finding that estimates them; None otherwise.

        One row per (`group`,) `stage`, branch `to` and `horizon_days`: `estimate`, `lower`, `upper` and `n` visits.
        """
        return None

    def feelings_by_stage(self) -> pd.DataFrame | None:
        """The mean feeling from -2 to 2, for a finding that estimates it; None otherwise.

        One row per (`group` and) `stage`, with `estimate`, `lower`, `upper`, `n` answers and `mark` (“high”, “low”); it
        may have `gone`, `gone_lower`, `gone_upper`, `gone_n`: the same of customers who had been lost from the stage.
        """
        return None

    def days_by_stage(self) -> pd.DataFrame | None:
        """After how many days half have left each stage, for a finding that estimates it; None otherwise.

        One row per (`group` and) `stage`, with `estimate`, `lower`, `upper` and `n` visits.
        """
        return None

    def whereabouts(self) -> pd.DataFrame | None:
        """Where those who set out are on one day, for a finding that estimates it; None otherwise.

        One row per (`group`,) `stage` and `kind` (“inside”; “lost”, with the branch in `to`): `days`, `estimate`,
        `lower`, `upper` and `n` customers. The estimates of one group sum to 1.
        """
        return None

    def coverage_in_words(self, group: str | None = None) -> str | None:  # noqa: ARG002
        """Which source of the log covers which share of customers (of `group`), separated by semicolons; None for a
        finding that does not tell."""
        return None

    def _repr_html_(self) -> str:
        tables = (html.table(table, caption=caption) for caption, table in self._tables().items())
        return self._card(html.paragraph(self.sentence()), *tables)

    def _tables(self) -> dict[str, pd.DataFrame]:
        """The tables that the finding is shown with, by their captions."""
        return {"": self.table}

    def _card(self, *parts: str) -> str:
        """The card of every finding: title, the period in small print where it is known, and `parts`, already HTML."""
        if self.period is None:
            return html.card(self.title, *parts)
        observed = html.escape(f"Observed from {self.period}.")
        return html.card(self.title, f"<p><small>{observed}</small></p>", *parts)


@dataclass(frozen=True)
class StageFinding(Finding):
    """An answer that is given stage by stage, for all customers together or group by group.

    Attributes
    ----------
    stages : tuple of str
        All stages, in the journey's order.
    confidence : float
        The level of all intervals.
    by : str or None
        What the groups are, such as “persona”; None without groups. With groups, tables have a column `group`.
    """

    stages: tuple[str, ...] = field(kw_only=True, repr=False)
    confidence: float = field(kw_only=True)
    by: str | None = field(default=None, kw_only=True)

    @property
    def _level(self) -> str:
        return f"{self.confidence:.0%} interval "

    def _lanes(self, lanes: Mapping[str, Mapping[str, str | None]]) -> pd.DataFrame:
        """`lanes`, each with its text by stage, as `by_stage` gives them; None where a lane has no text."""
        filled = {lane: [texts.get(stage) for stage in self.stages] for lane, texts in lanes.items()}
        return pd.DataFrame(filled, index=pd.Index(self.stages, name="stage"), dtype=object)

    def _by_group(self, first: pd.DataFrame, *others: pd.DataFrame) -> Iterator[tuple]:
        """For each group in `first` a suffix that names it, and its rows of each table; without groups, all rows."""
        if not self.by:
            yield "", first, *others
            return
        for group in dict.fromkeys(first["group"]):
            yield f" ({group})", *(table[table["group"] == group] for table in (first, *others))

    def _of_group(self, rows: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
        """Those of `rows` that are of the same group as `row`."""
        return rows[rows["group"] == row["group"]] if self.by else rows

    def _with_group(self, row: pd.Series) -> str:
        """The group of `row` in a sentence, as in “ with plan “large””."""
        return f" with {self.by} “{row['group']}”" if self.by else ""


def _with_notes(sentence: Callable[..., str]) -> Callable[..., str]:
    """`sentence`, a method of a finding, with the finding's notes after it; what the finding lacks comes instead."""

    @wraps(sentence)
    def with_notes(self: Finding, *args: Any, **named: Any) -> str:
        return self.lacking or " ".join([sentence(self, *args, **named), *self.notes])

    return with_notes


def tidy(rows: Iterable[Mapping], columns: Mapping[str, type] | str, *, by: str | None = None) -> pd.DataFrame:
    """`rows` as a table with these columns, also where there are no rows; without `by`, without the column `group`.

    `columns`: the types by name, or the names alone, with spaces between them.
    """
    types = {name: _type_of(name) for name in columns.split()} if isinstance(columns, str) else columns
    types = {name: kind for name, kind in types.items() if by or name != "group"}
    return pd.DataFrame(list(rows), columns=list(types)).astype(types)


def _type_of(column: str) -> type:
    if column in _TEXTS.split():
        return object
    if column.startswith("is_"):
        return bool
    return int if column in _COUNTS.split() else float


def joined_notes(*notes: str | None) -> str | None:
    """The notes there are, as one; None where there is none."""
    return "; ".join(note for note in notes if note) or None


def share_in_words(
    row: pd.Series, digits: int | None = None, *, within: str = "", level: str = "", base: str = ""
) -> str:
    """The share in `row` with its limits, such as “12% within 30 days (95% interval 9% to 15%; 524 visits)”."""
    limits = f"{level}{percent(row['lower'], digits)} to {percent(row['upper'], digits)}"
    return f"{percent(row['estimate'], digits)}{within} ({f'{limits}; {base}' if base else limits})"


def with_few_named(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """`rows` with a column `is_few`; where few `customers` are behind one, its name in `column` says how many."""
    is_few = rows["customers"] < MIN_CUSTOMERS
    names = rows[column] + " (few: " + rows["customers"].map(lambda n: counted(n, "customer")) + ")"
    return rows.assign(**{column: rows[column].where(~is_few, names)}, is_few=is_few)


def left_out_in_words(n_left_out: int) -> str:
    """That so many journeys were left out; empty where none was."""
    return f" Left out: {counted(n_left_out, 'customer')} whose journey began before the window." if n_left_out else ""


def p_in_words(p_value: float) -> str:
    """A p-value in a sentence."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
