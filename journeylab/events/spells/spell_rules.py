"""Flaws: what can be wrong with spells, and which of them have it?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base.durations import DAY
from journeylab.events.journey import SILENT, Journey
from journeylab.events.log import Window, written
from journeylab.events.spells.exits import MOVES
from journeylab.events.spells.kernel import OUTCOMES

_NEEDED = ("customer_id", "spell", "stage", "entered", "left", "observed_from", "outcome", "days")
_MICROSECOND = pd.Timedelta(microseconds=1)
# Which rows have the flaw, and what was found in one of them, given as a tuple with names.
Found = tuple[np.ndarray, Callable[[Any], str]]


@dataclass(frozen=True, eq=False)
class Look:
    """What is looked at: the spells, with the columns that `with_neighbours` adds, and what they were found with."""

    rows: pd.DataFrame
    journey: Journey
    window: Window


@dataclass(frozen=True)
class Flaw:
    """One kind of flaw.

    severity: `error` if results would be wrong, `remark` if it is allowed and worth knowing. problem: its name.
    meaning: what it is. find: the ways to have it.
    """

    severity: str
    problem: str
    meaning: str
    find: tuple[Callable[[Look], Found], ...]


def with_neighbours(spells: pd.DataFrame) -> pd.DataFrame:
    """Spells by customer and time, each with what comes before and after it in the same customer's journey.

    New columns: `rank` from 1; `is_first`, `is_last`; `previous_left`, `previous_outcome`, `previous_to`,
    `previous_stage`; `previous_row`; `left_so_far`, the latest end of all before; `next_stage`, `next_returned_from`.
    """
    keys = ["customer_id", "entered", "left", "spell"]
    spells = spells.sort_values(keys, kind="stable", ignore_index=True)
    spells = spells.assign(
        **{name: spells[name].astype(object) for name in ("stage", "outcome", "to", "returned_from")}
    )
    by_customer = spells.groupby("customer_id", sort=False)
    before = by_customer[["left", "outcome", "to", "stage", "row"]].shift(1).add_prefix("previous_")
    after = by_customer[["stage", "returned_from"]].shift(-1).add_prefix("next_")
    rank = by_customer.cumcount() + 1
    ends = spells["left"].dt.as_unit("us").astype("int64").groupby(spells["customer_id"], sort=False).cummax()
    so_far = ends.groupby(spells["customer_id"], sort=False).shift(1)
    return spells.assign(
        rank=rank,
        is_first=rank == 1,
        is_last=rank == by_customer["row"].transform("size"),
        left_so_far=so_far.to_numpy(),
        **before,
        **after,
    )


def _missing(look: Look) -> Found:
    lacks = {column: look.rows[column].isna() for column in _NEEDED}
    lacks["to"] = look.rows["to"].isna() & (look.rows["outcome"] != "ongoing")
    mask = np.logical_or.reduce([each.to_numpy() for each in lacks.values()])
    return mask, lambda row: "missing: " + ", ".join(name for name in lacks if lacks[name].iloc[row.row])


def _unknown(look: Look) -> Found:
    known = {
        "stage": look.journey.stage_names,
        "outcome": OUTCOMES,
        "to": (*look.journey.stage_names, *look.journey.branches),
        "returned_from": look.journey.branches,
    }
    wrong = {name: ~look.rows[name].isin(names) & look.rows[name].notna() for name, names in known.items()}
    mask = np.logical_or.reduce([each.to_numpy() for each in wrong.values()])

    def told(row: Any) -> str:
        return "unknown: " + ", ".join(f"{name} “{getattr(row, name)}”" for name in wrong if wrong[name].iloc[row.row])

    return mask, told


def _misnumbered(look: Look) -> Found:
    mask = (look.rows["spell"] != look.rows["rank"]).to_numpy()
    return mask, lambda row: f"numbered {row.spell}, and the customer's number {row.rank} in time"


def _misplaced(look: Look) -> Found:
    mask = (~look.rows["is_first"] & (look.rows["row"] != look.rows["previous_row"] + 1)).to_numpy()
    return mask, lambda row: f"in row {row.row}, and the customer's spell before it in row {row.previous_row:.0f}"


def _backwards(look: Look) -> Found:
    mask = look.rows["left"] < look.rows["entered"]
    return mask.to_numpy(), lambda row: f"left {written(row.left)}, before it was entered, {written(row.entered)}"


def _overlapping(look: Look) -> Found:
    entered = look.rows["entered"].dt.as_unit("us").astype("int64").to_numpy()
    mask = entered < look.rows["left_so_far"].fillna(-np.inf).to_numpy()

    def told(row: Any) -> str:
        until = pd.Timestamp(int(row.left_so_far), unit="us", tz="UTC")
        return f"“{row.stage}” entered {written(row.entered)}, while an earlier spell lasted until {written(until)}"

    return mask, told


def _gapped(look: Look) -> Found:
    mask = look.rows["previous_outcome"].isin(MOVES) & (look.rows["entered"] > look.rows["previous_left"])
    return (
        mask.to_numpy(),
        lambda row: (
            f"“{row.previous_stage}” was left {written(row.previous_left)} by moving on, “{row.stage}” entered "
            f"{written(row.entered)}"
        ),
    )


def _forbidden_move(look: Look) -> Found:
    allowed = {
        (here.name, there.name): _outcome(look.journey, here.name, there.name)
        for here in look.journey.stages
        for there in look.journey.stages
        if _may_move(look.journey, here.name, there.name)
    }
    pairs = pd.MultiIndex.from_arrays([look.rows["stage"], look.rows["to"]])
    expected = np.array([allowed.get(pair) for pair in allowed], dtype=object)
    place = pd.MultiIndex.from_tuples(list(allowed) or [("", "")]).get_indexer(pairs)
    right = np.append(expected, None)[place] if allowed else np.full(len(look.rows), None)
    mask = look.rows["outcome"].isin(MOVES).to_numpy() & (look.rows["outcome"].to_numpy() != right)

    def told(row: Any) -> str:
        wanted = allowed.get((row.stage, row.to))
        said = f"{row.outcome} from “{row.stage}” to “{row.to}”"
        return f"{said}, which is to be called {wanted}" if wanted else f"{said}, which no rule of the journey does"

    return mask, told


def _forbidden_loss(look: Look) -> Found:
    allowed = {
        f"{stage}\n{branch}" for stage in look.journey.stage_names for branch in look.journey.branches_from(stage)
    }
    said = look.rows["stage"].str.cat(look.rows["to"].astype(object), sep="\n", na_rep="")
    mask = (look.rows["outcome"] == "lost") & ~said.isin(allowed)
    return mask.to_numpy(), lambda row: f"lost from “{row.stage}” to “{row.to}”, which no rule of the journey does"


def _forbidden_entry(look: Look) -> Found:
    opened = [stage.name for stage in look.journey.stages if stage.opened_by]
    from_outside = (
        look.rows["is_first"] & (look.rows["entered"] >= look.window.start) & look.rows["returned_from"].isna()
    )
    back = look.rows["returned_from"].notna()
    same = (look.rows["returned_from"] == SILENT) & (
        look.rows["is_first"] | (look.rows["previous_stage"] == look.rows["stage"])
    )
    mask = (from_outside | (back & ~same)) & ~look.rows["stage"].isin(opened)

    def told(row: Any) -> str:
        origin = f"after a loss to “{row.returned_from}”" if pd.notna(row.returned_from) else "from outside"
        return f"“{row.stage}” entered {origin}, though nothing opens that stage"

    return mask.to_numpy(), told


def _broken_move(look: Look) -> Found:
    mask = look.rows["outcome"].isin(MOVES) & (look.rows["to"] != look.rows["next_stage"])
    return mask.to_numpy(), lambda row: f"{row.outcome} to “{row.to}”, and {_next_in_words(row)}"


def _broken_end(look: Look) -> Found:
    mask = (look.rows["outcome"] == "ongoing") & ~look.rows["is_last"]
    return mask.to_numpy(), lambda row: f"ongoing in “{row.stage}”, and {_next_in_words(row)}"


def _broken_return(look: Look) -> Found:
    lost_to = look.rows["previous_to"].where(look.rows["previous_outcome"] == "lost")
    said = look.rows["returned_from"]
    differs = (said != lost_to) & (said.notna() | lost_to.notna())
    mask = differs & ~look.rows["is_first"]

    def told(row: Any) -> str:
        back = f"back from “{row.returned_from}”" if pd.notna(row.returned_from) else "back from no loss"
        return f"{back}, and the spell before {row.previous_outcome} to “{row.previous_to}”"

    return mask.to_numpy(), told


def _outside(look: Look) -> Found:
    mask = (
        (look.rows["left"] > look.window.end)
        | (look.rows["left"] < look.window.start)
        | (look.rows["entered"] >= look.window.end)
    )
    return mask.to_numpy(), lambda row: f"{written(row.entered)} to {written(row.left)}, the window {look.window}"


def _unfinished(look: Look) -> Found:
    mask = (look.rows["outcome"] == "ongoing") & (look.rows["left"] < look.window.end)
    return mask.to_numpy(), lambda row: f"ongoing, and left {written(row.left)}, before the window's end"


def _misdated(look: Look) -> Found:
    entered = look.rows["entered"]
    mask = look.rows["observed_from"] != entered.where(entered >= look.window.start, look.window.start)

    def told(row: Any) -> str:
        return (
            f"entered {written(row.entered)}, observed from {written(row.observed_from)}, in the window {look.window}"
        )

    return mask.to_numpy(), told


def _mismeasured(look: Look) -> Found:
    length = ((look.rows["left"] - look.rows["entered"]) // _MICROSECOND).to_numpy() / DAY
    mask = ~(np.abs(look.rows["days"].to_numpy(dtype=float) - length) < 1 / DAY)
    return mask, lambda row: f"{row.days:g} days, and {(row.left - row.entered) / pd.Timedelta(days=1):g} by its times"


def _mistimed_silence(look: Look) -> Found:
    lengths = {stage.name: stage.silent_after_us for stage in look.journey.stages if stage.silent_after_us}
    longest = pd.to_timedelta(look.rows["stage"].map(lengths).astype(float), unit="us")
    last = look.rows["last_event"].where(look.rows["last_event"] >= look.rows["entered"], look.rows["entered"])
    quiet = look.rows["left"] - last
    is_known = longest.notna() & (look.rows["last_event"].notna() | (look.rows["events"] == 0))
    is_silent = (look.rows["outcome"] == "lost") & (look.rows["to"] == SILENT)
    mask = is_known & ((is_silent & (quiet != longest)) | (~is_silent & (quiet > longest)))
    return (
        mask.to_numpy(),
        lambda row: (
            f"{row.outcome} {(quiet[row.Index] / pd.Timedelta(days=1)):g} days after the last event, and silence in "
            f"“{row.stage}” is a loss after {look.journey.stage(row.stage).silent_after}"
        ),
    )


def _empty(look: Look) -> Found:
    mask = look.rows["left"] == look.rows["entered"]
    return mask.to_numpy(), lambda row: f"entered and left {written(row.entered)}"


def _late(look: Look) -> Found:
    return (look.rows["entered"] < look.window.start).to_numpy(), lambda row: f"entered {written(row.entered)}"


def _may_move(journey: Journey, here: str, there: str) -> bool:
    target = journey.stage(there)
    if journey.stage(here).completes or here == there:
        return False
    if journey.movement == "free":
        return bool(target.opened_by or target.reopened_by)
    is_later = journey.position(there) > journey.position(here)
    return bool(target.opened_by if is_later else target.reopened_by)


def _outcome(journey: Journey, here: str, there: str) -> str:
    if journey.stage(there).completes:
        return "completed"
    return "advanced" if journey.position(there) > journey.position(here) else "regressed"


def _next_in_words(row: Any) -> str:
    return "no spell follows" if row.is_last else f"the next spell is in “{row.next_stage}”"


# What makes a row unusable, which is looked for first; then what can be wrong with usable ones.
UNUSABLE = (
    Flaw("error", "missing cell", "A cell that every spell needs is empty.", (_missing,)),
    Flaw("error", "unknown name", "The journey has no such stage or branch, or there is no such outcome.", (_unknown,)),
)
FLAWS = (
    Flaw("error", "out of order", "Rows are not by customer and time, or not numbered so.", (_misnumbered, _misplaced)),
    Flaw("error", "backwards", "The spell ends before it begins.", (_backwards,)),
    Flaw("error", "overlap", "The spell begins before an earlier one of the customer has ended.", (_overlapping,)),
    Flaw(
        "error", "gap", "The customer moved on, and the next spell begins later; only a loss may do that.", (_gapped,)
    ),
    Flaw(
        "error",
        "impossible move",
        "No rule of the journey moves, loses or brings in a customer so.",
        (_forbidden_move, _forbidden_loss, _forbidden_entry),
    ),
    Flaw(
        "error",
        "broken sequence",
        "What a spell says of where the customer goes or came from is not what the neighbouring spell says.",
        (_broken_move, _broken_end, _broken_return),
    ),
    Flaw(
        "error",
        "outside the window",
        "The spell ended before the window or lasts beyond it, or is ongoing and ends before it.",
        (_outside, _unfinished),
    ),
    Flaw("error", "wrong clock", "“observed_from” or “days” do not follow from the times.", (_misdated, _mismeasured)),
    Flaw(
        "error", "wrong silence", "The loss to silence is not at the last event + “silent_after”.", (_mistimed_silence,)
    ),
    Flaw(
        "remark", "zero length", "The stage was passed through in no time, as by one event that acts twice.", (_empty,)
    ),
    Flaw("remark", "late entry", "The spell was running when the window began.", (_late,)),
)
