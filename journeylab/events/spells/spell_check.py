"""Check of the spells: do they tile each customer's time in the journey, as its rules allow, and if not, where not?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base import html
from journeylab.base.durations import DAY
from journeylab.base.words import counted
from journeylab.events.journey import SILENT, Journey
from journeylab.events.log import Window, written
from journeylab.events.spells.exits import MOVES
from journeylab.events.spells.kernel import OUTCOMES
from journeylab.events.spells.spells import Spells

# Severity and meaning of each flaw. `error`: results would be wrong; `remark`: it is allowed, and worth knowing.
FLAWS = {
    "missing cell": ("error", "A cell that every spell needs is empty."),
    "unknown name": ("error", "The journey has no such stage or branch, or there is no such outcome."),
    "out of order": ("error", "Rows are not sorted by customer and time, or not numbered in that order."),
    "backwards": ("error", "The spell ends before it begins."),
    "overlap": ("error", "The spell begins before an earlier one of the customer has ended."),
    "gap": ("error", "The customer moved on, but the next spell begins later; only a loss may do that."),
    "impossible move": ("error", "No rule of the journey moves, loses or brings in a customer like this."),
    "broken sequence": ("error", "The spell names another stage before or after it than the spell next to it."),
    "outside the window": ("error", "The spell ended before the window, outlasts it, or is ongoing but ends early."),
    "wrong clock": ("error", "“observed_from” or “days” do not follow from the times."),
    "wrong silence": ("error", "The loss to silence is not at the last event + “silent_after”."),
    "zero length": ("remark", "The customer passed through the stage in no time, as when one event acts twice."),
    "late entry": ("remark", "The spell was running when the window began."),
}
_COLUMNS = ["severity", "flaw", "customer_id", "spell", "stage", "entered", "left", "problem", "row"]
_NEEDED = ("customer_id", "spell", "stage", "entered", "left", "observed_from", "outcome", "days")
_ONE_DAY = pd.Timedelta(days=1)
# A flaw, which rows have it, and the problem of one of them in words: a template for its cells, or a function of it.
_Case = tuple[str, pd.Series, str | Callable[[Any], str]]


@dataclass(frozen=True)
class SpellFlaws:
    """What is wrong with which spells.

    Parameters
    ----------
    table : DataFrame
        A row per flaw looked for, those without a case too: ``severity`` (``error``: results would be wrong;
        ``remark``: it is allowed, and worth knowing), ``flaw``, ``spells``, ``customers``, ``example`` (the first), and
        what the flaw is (``meaning``).
    cases : DataFrame
        A row per spell and flaw that it has: ``severity``, ``flaw``, ``customer_id``, ``spell``, ``stage``,
        ``entered``, ``left``, and the ``problem`` in words.
    transitions : DataFrame
        How often each move occurs: ``stage``, ``to`` (a stage, a branch, or “ongoing”), ``spells``, ``customers``, and
        ``median_days`` in the stage before it.
    n_spells, n_customers : int
        How many were looked at.
    """

    table: pd.DataFrame
    cases: pd.DataFrame = field(repr=False)
    transitions: pd.DataFrame = field(repr=False)
    n_spells: int
    n_customers: int

    @property
    def is_valid(self) -> bool:
        """Whether no spell has an error."""
        return not (self.cases["severity"] == "error").any()

    def sentence(self) -> str:
        """How many spells have which flaw."""
        base = f"{counted(self.n_spells, 'spell')} of {counted(self.n_customers, 'customer')}"
        present = self.table[self.table["spells"] > 0]
        flaws = present["flaw"] + present["spells"].map(" ({:,})".format)
        errors, remarks = (", ".join(flaws[present["severity"] == severity]) for severity in ("error", "remark"))
        verdict = f"Errors in {base}: {errors}." if errors else f"{base} without overlap, gap or impossible move."
        return verdict + (f" Worth knowing: {remarks}." if remarks else "")

    def __repr__(self) -> str:
        return f"SpellFlaws: {self.sentence()}"

    def _repr_html_(self) -> str:
        # Who the first case is stands in `table`: what is shown may be handed on, and names no customer.
        shown = self.table.drop(columns="example")
        tables = (html.table(shown, csv=False), html.table(self.transitions, caption="How often each move occurs"))
        return html.card("Check of the spells", html.paragraph(self.sentence()), *tables)


def find_flaws(spells: Spells) -> SpellFlaws:
    """Look at every spell for what cannot be: overlaps, gaps, moves that the journey's rules forbid, and more.

    Parameters
    ----------
    spells : Spells
        From elsewhere (a CRM's stage history, another tool), or changed by hand: those of `find_spells` have no errors.

    Returns
    -------
    SpellFlaws
        A spell may have several flaws. Where rows lack a cell, or name what the journey does not have, their customers
        are left out of the other checks. Silence is checked where ``last_event`` is known.

    Notes
    -----
    In the spirit of ``survcheck`` in R's package survival.
    """
    visits = spells.to_pandas()
    rows = visits.assign(row=range(len(visits)))
    parts = [_cases(rows, case) for case in _unusable_rows(rows, spells.journey)]
    unusable = rows.loc[rows["row"].isin(pd.concat(parts)["row"]), "customer_id"]
    usable = _with_neighbours(rows[rows["customer_id"].notna() & ~rows["customer_id"].isin(unusable)])
    parts += [_cases(usable, case) for case in _flawed_rows(usable, spells.journey, spells.window)]
    cases = pd.concat([part for part in parts if len(part)] or parts[:1])
    return SpellFlaws(
        table=pd.DataFrame([_counts(flaw, cases[cases["flaw"] == flaw]) for flaw in FLAWS]),
        cases=cases.drop(columns="row").reset_index(drop=True),
        transitions=_transitions(visits, spells.journey),
        n_spells=len(visits),
        n_customers=visits["customer_id"].nunique(),
    )


def _cases(rows: pd.DataFrame, case: _Case) -> pd.DataFrame:
    """The rows that have a flaw, with their problem in words."""
    flaw, has_flaw, words = case
    flawed = rows[has_flaw.to_numpy(dtype=bool)]
    problem = pd.Series([_in_words(words, row) for row in flawed.itertuples()], index=flawed.index, dtype=object)
    named = flawed.assign(severity=FLAWS[flaw][0], flaw=flaw, problem=problem)
    return named[_COLUMNS].astype({"stage": object})


def _counts(flaw: str, cases: pd.DataFrame) -> dict[str, object]:
    severity, meaning = FLAWS[flaw]
    first = [f"spell {row.spell} of customer “{row.customer_id}”: {row.problem}" for row in cases.head(1).itertuples()]
    return {
        "severity": severity,
        "flaw": flaw,
        "spells": cases["row"].nunique(),
        "customers": cases["customer_id"].nunique(),
        "example": first[0] if first else None,
        "meaning": meaning,
    }


def _transitions(visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """How often customers went from each stage to where, in the journey's order."""
    to = visits["to"].astype(object).where(visits["outcome"] != "ongoing", "ongoing")
    visits = visits.assign(stage=visits["stage"].astype(object), to=to)
    moves = visits.groupby(["stage", "to"], as_index=False, sort=True)
    counts = moves.agg(spells=("spell", "size"), customers=("customer_id", "nunique"), median_days=("days", "median"))
    order = {name: at for at, name in enumerate((*journey.stage_names, *journey.branches, "ongoing"))}
    return counts.sort_values(["stage", "to"], key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _unusable_rows(rows: pd.DataFrame, journey: Journey) -> Iterator[_Case]:
    """Which of `rows` (spells) lack a cell, or name what the journey does not have."""
    lacks = rows[list(_NEEDED)].isna().assign(to=rows["to"].isna() & (rows["outcome"] != "ongoing"))

    def missing(row: Any) -> str:
        return "missing: " + ", ".join(column for column in lacks if lacks[column][row.Index])

    yield "missing cell", lacks.any(axis=1), missing
    states = (*journey.stage_names, *journey.branches)
    names = {"stage": journey.stage_names, "outcome": OUTCOMES, "to": states, "returned_from": journey.branches}
    strange = pd.DataFrame(
        {column: ~rows[column].isin(known) & rows[column].notna() for column, known in names.items()}
    )

    def unknown(row: Any) -> str:
        return "unknown: " + ", ".join(f"{name} “{getattr(row, name)}”" for name in names if strange[name][row.Index])

    yield "unknown name", strange.any(axis=1), unknown


def _flawed_rows(spells: pd.DataFrame, journey: Journey, window: Window) -> Iterator[_Case]:
    """Which rows of `_with_neighbours` have which of the further flaws, in the order of `FLAWS`."""
    yield from _wrong_order(spells)
    yield from _impossible_moves(spells, journey, window)
    yield from _broken_sequences(spells)
    yield from _wrong_times(spells, window)
    yield _wrong_silence(spells, journey)
    yield "zero length", spells["left"] == spells["entered"], "entered and left {entered}"
    yield "late entry", spells["entered"] < window.start, "entered {entered}"


def _with_neighbours(spells: pd.DataFrame) -> pd.DataFrame:
    """Spells by customer and time, each with what comes before and after it in the same customer's journey.

    New columns: `rank` from 1; `is_first`, `is_last`; `previous_left`, `previous_outcome`, `previous_to`,
    `previous_stage`; `previous_row`; `left_so_far`, the latest end of all before; `next_stage`.
    """
    spells = spells.sort_values(["customer_id", "entered", "left", "spell"], kind="stable", ignore_index=True)
    spells = spells.astype(dict.fromkeys(("stage", "outcome", "to", "returned_from"), object))
    by_customer = spells.groupby("customer_id", sort=False)
    rank = by_customer.cumcount() + 1
    left = spells["left"].dt.as_unit("us").astype("int64").groupby(spells["customer_id"], sort=False).cummax()
    so_far = left.groupby(spells["customer_id"], sort=False).shift(1)
    return spells.assign(
        rank=rank,
        is_first=rank == 1,
        is_last=rank == by_customer["row"].transform("size"),
        left_so_far=pd.to_datetime(so_far, unit="us", utc=True),
        next_stage=by_customer["stage"].shift(-1),
        **by_customer[["left", "outcome", "to", "stage", "row"]].shift(1).add_prefix("previous_"),
    )


def _wrong_order(spells: pd.DataFrame) -> Iterator[_Case]:
    misnumbered = "numbered {spell}, but it is the customer's number {rank} in time"
    yield "out of order", spells["spell"] != spells["rank"], misnumbered
    is_misplaced = ~spells["is_first"] & (spells["row"] != spells["previous_row"] + 1)
    yield "out of order", is_misplaced, "in row {row}, but the customer's spell before it is in row {previous_row:.0f}"
    yield "backwards", spells["left"] < spells["entered"], "left {left}, before it was entered, {entered}"
    overlap = "“{stage}” was entered {entered}, but an earlier spell lasted until {left_so_far}"
    yield "overlap", spells["entered"] < spells["left_so_far"], overlap
    gap = "“{previous_stage}” was left by moving on {previous_left}, but “{stage}” was entered {entered}"
    yield "gap", spells["previous_outcome"].isin(MOVES) & (spells["entered"] > spells["previous_left"]), gap


def _impossible_moves(spells: pd.DataFrame, journey: Journey, window: Window) -> Iterator[_Case]:
    outcomes = _possible_outcomes(journey)
    # One text for each pair: those are looked up without a loop over the rows.
    right = spells["stage"].str.cat(spells["to"], sep="\n", na_rep="").map(outcomes)

    def wrong_outcome(row: Any) -> str:
        outcome = outcomes.get(f"{row.stage}\n{row.to}")
        verdict = f"should be called {outcome}" if outcome else "no rule of the journey allows"
        return f"{row.outcome} from “{row.stage}” to “{row.to}”, which {verdict}"

    yield "impossible move", (spells["outcome"] != "ongoing") & (spells["outcome"] != right), wrong_outcome
    opened = [stage.name for stage in journey.stages if stage.opened_by]
    is_back = spells["returned_from"].notna()
    is_new = spells["is_first"] & (spells["entered"] >= window.start) & ~is_back
    # After silence a customer comes back to the stage they fell silent in, which needs no opener.
    is_same = spells["is_first"] | (spells["previous_stage"] == spells["stage"])
    is_opened = is_new | (is_back & ~((spells["returned_from"] == SILENT) & is_same))

    def wrong_entry(row: Any) -> str:
        origin = f"after a loss to “{row.returned_from}”" if pd.notna(row.returned_from) else "from outside"
        return f"“{row.stage}” was entered {origin}, but nothing opens that stage"

    yield "impossible move", is_opened & ~spells["stage"].isin(opened), wrong_entry


def _possible_outcomes(journey: Journey) -> dict[str, str]:
    """How each visit ends that may lead from one stage to another or to a branch, by the two names in two lines."""
    outcomes = {
        f"{stage}\n{branch}": "lost" for stage in journey.stage_names for branch in journey.branches_from(stage)
    }
    for (at, here), (to, there) in product(enumerate(journey.stages), repeat=2):
        is_open = there.opened_by and (to > at or journey.movement == "free")
        if (is_open or (to < at and there.reopened_by)) and to != at and not here.completes:
            onward = "advanced" if to > at else "regressed"
            outcomes[f"{here.name}\n{there.name}"] = "completed" if there.completes else onward
    return outcomes


def _broken_sequences(spells: pd.DataFrame) -> Iterator[_Case]:
    def wrong_next(row: Any) -> str:
        end = f"ongoing in “{row.stage}”" if row.outcome == "ongoing" else f"{row.outcome} to “{row.to}”"
        return f"{end}, but " + ("no spell follows" if row.is_last else f"the next spell is in “{row.next_stage}”")

    def wrong_return(row: Any) -> str:
        origin = f"“{row.returned_from}”" if pd.notna(row.returned_from) else "no loss"
        return f"back from {origin}, but the spell before says: {row.previous_outcome} to “{row.previous_to}”"

    yield "broken sequence", spells["outcome"].isin(MOVES) & (spells["to"] != spells["next_stage"]), wrong_next
    yield "broken sequence", (spells["outcome"] == "ongoing") & ~spells["is_last"], wrong_next
    lost_to = spells["previous_to"].where(spells["previous_outcome"] == "lost")
    back_from = spells["returned_from"]
    differs = (back_from != lost_to) & (back_from.notna() | lost_to.notna())
    yield "broken sequence", differs & ~spells["is_first"], wrong_return


def _wrong_times(spells: pd.DataFrame, window: Window) -> Iterator[_Case]:
    entered, left = spells["entered"], spells["left"]
    is_outside = (left > window.end) | (left < window.start) | (entered >= window.end)
    yield "outside the window", is_outside, f"lasted {{entered}} to {{left}}, but the window is {window}"
    is_early = (spells["outcome"] == "ongoing") & (left < window.end)
    yield "outside the window", is_early, "ongoing, but left {left}, before the window's end"
    is_misdated = spells["observed_from"] != entered.where(entered >= window.start, window.start)
    yield "wrong clock", is_misdated, f"entered {{entered}}, observed from {{observed_from}}, the window is {window}"
    days = (left - entered) // pd.Timedelta(microseconds=1) / DAY

    def wrong_days(row: Any) -> str:
        return f"{row.days:g} days, but {(row.left - row.entered) / _ONE_DAY:g} by its times"

    yield "wrong clock", ~((spells["days"].astype(float) - days).abs() < 1 / DAY), wrong_days


def _wrong_silence(spells: pd.DataFrame, journey: Journey) -> _Case:
    lengths = {stage.name: stage.silent_after_us for stage in journey.stages if stage.silent_after_us}
    longest = pd.to_timedelta(spells["stage"].map(lengths).astype(float), unit="us")
    last = spells["last_event"].where(spells["last_event"] >= spells["entered"], spells["entered"])
    quiet = spells["left"] - last
    is_dated = longest.notna() & (spells["last_event"].notna() | (spells["events"] == 0))
    is_silent = (spells["outcome"] == "lost") & (spells["to"] == SILENT)

    def wrong_silence(row: Any) -> str:
        days, silent_after = quiet[row.Index] / _ONE_DAY, journey.stage(row.stage).silent_after
        end = f"{row.outcome} {days:g} days after the last event"
        return f"{end}, but silence in “{row.stage}” is a loss after {silent_after}"

    return "wrong silence", is_dated & np.where(is_silent, quiet != longest, quiet > longest), wrong_silence


def _in_words(words: str | Callable[[Any], str], row: Any) -> str:
    """The problem of `row`, a tuple with names."""
    if callable(words):
        return words(row)
    cells = row._asdict().items()
    return words.format(**{name: written(cell) if isinstance(cell, pd.Timestamp) else cell for name, cell in cells})
