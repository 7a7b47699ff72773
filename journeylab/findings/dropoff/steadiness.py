"""Steadiness: does the same exit stay the largest at other horizons, and if silence had to last shorter or longer?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from journeylab.base.ordering import largest, settled
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, in_days, listed, percent, times_in_words
from journeylab.events.journey import SILENT
from journeylab.events.log import EventLog
from journeylab.events.queries.silences import scale_silence
from journeylab.events.spells import Spells, find_spells_under
from journeylab.events.spells.exits import TOO_EARLY
from journeylab.findings.arguments import check_window
from journeylab.findings.dropoff import sentences, tables
from journeylab.findings.finding import share_in_words

# Every silence window is looked at so many times as long.
FACTORS = (0.5, 2.0)
# A difference of a share below this is not worth a sentence.
_WORTH_TELLING = 0.01


@dataclass(frozen=True)
class Steadiness:
    """What is lost with shorter and longer silence windows.

    places, losses: as in `DropOff`, with a column `factor`: how many times as long every silence window is; 1 as
    declared. Where no log was given, or no stage has a silence window, that is all.
    """

    places: pd.DataFrame
    losses: pd.DataFrame

    def first_places(self, horizons: Sequence[float], *, by: str | None) -> pd.DataFrame:
        """A row for each factor and horizon with a loss: the exit where most are lost."""
        keys = ["factor", "horizon_days", *(["group"] if by else []), "stage", "branch"]
        rows = [
            row.to_dict()
            for _, places in self.places.groupby("factor")
            for row in tables.first_places(places, horizons).values()
        ]
        return pd.DataFrame(rows, columns=[*keys, "lost", "estimate", "lower", "upper", "n", "customers", "note"])

    def sentence(self, day: float, *, by: str | None, noun: str) -> str:
        """Whether the largest exit within `day` days is the same with other silence windows, and how much the losses
        of the stage that depends most on them change; empty where only the windows as declared were looked at, or
        where nobody can be lost to silence so soon."""
        firsts = self._firsts(day, by)
        factors = [factor for factor in FACTORS if factor in firsts and self._can_be_silent(factor, day)]
        if 1.0 not in firsts or not factors:
            return ""
        parts = [_largest_by_factor(firsts, factors, noun), self._spread(day, by)]
        return " ".join(part for part in parts if part)

    def doubts(self, day: float, horizons: Sequence[float], *, by: str | None) -> str:
        """Whether the exit that comes first within `day` days also does at the other horizons and with other silence
        windows; empty where nothing else was looked at."""
        firsts = self._firsts(day, by)
        if 1.0 not in firsts:
            return ""
        declared = self.first_places(horizons, by=by).query("factor == 1 and horizon_days != @day")
        days = {f"{row['horizon_days']:g}": sentences.exit_of(row, by) for _, row in declared.iterrows()}
        windows = {
            times_in_words(factor): firsts[factor][0]
            for factor in FACTORS
            if factor in firsts and self._can_be_silent(factor, day)
        }
        first = firsts[1.0][0]
        if differ := _where(days, windows, lambda name: name != first):
            return f"Another exit comes first {differ}."
        same = _where(days, windows, lambda name: name == first)
        return f"It comes first {same}, too." if same else ""

    def _can_be_silent(self, factor: float, day: float) -> bool:
        """Whether anybody can be lost to silence within `day` days with such windows."""
        rows = self.places[(self.places["factor"] == factor) & (self.places["horizon_days"] == day)]
        return bool((rows["to"].eq(SILENT) & ~rows["note"].fillna("").str.startswith(TOO_EARLY)).any())

    def _firsts(self, day: float, by: str | None) -> dict[float, tuple[str, pd.Series]]:
        rows = self.first_places([day], by=by)
        return {row["factor"]: (sentences.exit_of(row, by), row) for _, row in rows.iterrows()}

    def _spread(self, day: float, by: str | None) -> str:
        """The stage whose losses change most, with the share lost at each factor; one where silence can show with all
        windows, if there is one."""
        rows = self.losses[(self.losses["horizon_days"] == day) & self.losses["estimate"].notna()]
        rows = rows.assign(is_early=rows["note"].fillna("").str.contains(TOO_EARLY))
        keys = ["group", "stage"] if by else ["stage"]
        known = rows.groupby(keys, sort=False).agg(
            low=("estimate", "min"), high=("estimate", "max"), size=("estimate", "size"), is_early=("is_early", "any")
        )
        spread = (known["high"] - known["low"])[known["size"] == len(FACTORS) + 1]
        spread = spread[settled(spread) >= _WORTH_TELLING]
        if spread.empty:
            return ""
        fair = spread[~known["is_early"].loc[spread.index]]
        stage = (spread if fair.empty else fair).index[largest(spread if fair.empty else fair)]
        chosen = rows.set_index(keys).loc[[stage]].reset_index().sort_values("factor")
        shares = listed([f"{share_in_words(row)} with {_windows(row['factor'])}" for _, row in chosen.iterrows()])
        early = listed([_windows(factor) for factor in chosen.loc[chosen["is_early"], "factor"]] or [""])
        never = f" With {early} nobody can be lost to silence there within {in_days(day)}." if early else ""
        first = chosen.iloc[0]
        group = f" among customers with {by} “{first['group']}”" if by else ""
        return (
            f"The losses from “{first['stage']}”{group} depend most on the silence windows: within {in_days(day)} "
            f"{shares}.{never}"
        )


def with_silence(
    found: Callable[[Spells], tuple[pd.DataFrame, pd.DataFrame]],
    as_declared: tuple[pd.DataFrame, pd.DataFrame],
    log: EventLog | None,
    spells: Spells,
) -> Steadiness:
    """The steadiness of an estimate. `found` gives places and losses of spells; `as_declared`: those of `spells`.

    Raises EstimateError where `log` has another window than the spells.
    """
    estimates = {1.0: as_declared}
    if log is not None:
        check_window(log, spells.window)
    if log is not None and any(stage.silent_after for stage in spells.journey.stages):
        cut = find_spells_under(log, [scale_silence(spells.journey, factor) for factor in FACTORS])
        others = (found(recut.only(customers=spells.customers.index)) for recut in cut)
        estimates |= dict(zip(FACTORS, others, strict=True))
    tables_by_factor = ([pair[at].assign(factor=factor) for factor, pair in sorted(estimates.items())] for at in (0, 1))
    return Steadiness(*(pd.concat(parts, ignore_index=True) for parts in tables_by_factor))


def _largest_by_factor(firsts: dict[float, tuple[str, pd.Series]], factors: Sequence[float], noun: str) -> str:
    declared, _ = firsts[1.0]
    parts = []
    for factor in factors:
        name, row = firsts[factor]
        if name != declared:
            share = f" ({percent(row['lost'] / row['n'])} of {counted(int(row['n']), noun)})"
            parts.append(f"with {_windows(factor)} it is {name}{share if row['lost'] >= MIN_SHOWN else ''}")
    if parts:
        return f"Which exit is largest depends on the silence windows: {listed(parts)}."
    return f"It is also the largest with silence {_windows(*factors)}."


def _where(days: dict[str, str], windows: dict[str, str], holds: Callable[[str], bool]) -> str:
    """At which horizons, and with which windows, that `holds` for the exit that comes first there."""
    at = [day for day, name in days.items() if holds(name)]
    such = [words for words, name in windows.items() if holds(name)]
    parts = [f"within {listed(at)} days"] if at else []
    return " and ".join([*parts, *([f"with silence windows {listed(such)} as long"] if such else [])])


def _windows(*factors: float) -> str:
    words = [times_in_words(factor) for factor in factors]
    return "the windows as declared" if words == ["once"] else f"windows {listed(words)} as long"
