"""Steadiness: does the same exit stay the largest at other horizons, and if silence had to last shorter or longer?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest, settled
from journeylab.base.words import counted, in_days, listed, percent, times_in_words
from journeylab.events.log import EventLog
from journeylab.events.queries.silences import scale_silence
from journeylab.events.spells import Spells, find_spells_under
from journeylab.findings.dropoff import sentences, tables

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

    @classmethod
    def of(cls, estimates: dict[float, tuple[pd.DataFrame, pd.DataFrame]]) -> "Steadiness":
        """From the places and losses by factor."""
        both = [
            pd.concat([pair[at].assign(factor=factor) for factor, pair in sorted(estimates.items())], ignore_index=True)
            for at in (0, 1)
        ]
        return cls(*both)

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
        of the stage that depends most on them change; empty where only the windows as declared were looked at."""
        firsts = self._firsts(day, by)
        if not {1.0, *FACTORS}.issubset(firsts):
            return ""
        parts = [_largest_by_factor(firsts, noun), self._spread(day, by)]
        return " ".join(part for part in parts if part)

    def doubts(self, day: float, horizons: Sequence[float], *, by: str | None) -> str:
        """Whether the exit that comes first within `day` days also does at the other horizons and with other silence
        windows; empty where nothing else was looked at."""
        is_same: dict[str, bool] = {}
        first = dict(self._firsts(day, by))
        if 1.0 not in first:
            return ""
        for _, row in self.first_places(horizons, by=by).iterrows():
            name, is_here = sentences.exit_of(row, by), row["horizon_days"] == day
            if row["factor"] == 1 and not is_here:
                is_same[f"within {in_days(row['horizon_days'])}"] = name == first[1.0][0]
            elif row["factor"] != 1 and is_here:
                is_same[f"with {_windows(row['factor'])}"] = name == first[1.0][0]
        differ = [words for words, same in is_same.items() if not same]
        if differ:
            return f"Another exit comes first {listed(differ)}."
        return f"It comes first {listed(list(is_same))}, too." if is_same else ""

    def _firsts(self, day: float, by: str | None) -> dict[float, tuple[str, pd.Series]]:
        rows = self.first_places([day], by=by)
        return {row["factor"]: (sentences.exit_of(row, by), row) for _, row in rows.iterrows()}

    def _spread(self, day: float, by: str | None) -> str:
        """The stage whose losses change most, with the share lost at each factor."""
        rows = self.losses[(self.losses["horizon_days"] == day) & self.losses["estimate"].notna()]
        keys = ["group", "stage"] if by else ["stage"]
        known = rows.groupby(keys, sort=False)["estimate"].agg(["min", "max", "size"])
        known = known[known["size"] == len(FACTORS) + 1]
        spread = known["max"] - known["min"]
        if spread.empty or settled(spread.max()) < _WORTH_TELLING:
            return ""
        chosen = rows.set_index(keys).loc[[spread.index[largest(spread)]]].reset_index().sort_values("factor")
        shares = listed([f"{percent(row['estimate'])} {_briefly(row['factor'])}" for _, row in chosen.iterrows()])
        first = chosen.iloc[0]
        group = f" among customers with {by} “{first['group']}”" if by else ""
        late = [row for _, row in chosen.iterrows() if row["note"] and "“silent” cannot show" in row["note"]]
        never = "".join(
            f" With {_windows(row['factor'])} nobody can be lost to silence there within {in_days(day)}." for row in late
        )
        return f"The losses from “{first['stage']}”{group} depend most on the silence windows: {shares}.{never}"


def recut_spells(log: EventLog, spells: Spells) -> dict[float, Spells]:
    """The spells of the same customers with every silence window shorter and longer, by factor; none where no stage has
    a silence window. Raises EstimateError where `log` has another window than the spells."""
    if log.window != spells.window:
        raise EstimateError(
            f"The log was observed from {log.window}, the spells from {spells.window}. Give the log of these spells."
        )
    if not any(stage.silent_after for stage in spells.journey.stages):
        return {}
    cut = find_spells_under(log, [scale_silence(spells.journey, factor) for factor in FACTORS])
    return {
        factor: recut.only(customers=spells.customers.index) for factor, recut in zip(FACTORS, cut, strict=True)
    }


def with_silence(
    found: Callable[[Spells], tuple[pd.DataFrame, pd.DataFrame]],
    as_declared: tuple[pd.DataFrame, pd.DataFrame],
    log: EventLog | None,
    spells: Spells,
) -> Steadiness:
    """The steadiness of an estimate. `found` gives places and losses of spells; `as_declared`: those of `spells`."""
    recut = {} if log is None else recut_spells(log, spells)
    return Steadiness.of({1.0: as_declared} | {factor: found(other) for factor, other in recut.items()})


def _largest_by_factor(firsts: dict[float, tuple[str, pd.Series]], noun: str) -> str:
    names = {factor: name for factor, (name, _) in firsts.items()}
    if len(set(names.values())) == 1:
        return "It is also the largest with every silence window half as long, and with every one twice as long."
    parts = [
        f"{_briefly(factor)} it is {name} ({percent(row['lost'] / row['n'])} of {counted(int(row['n']), noun)})"
        for factor, (name, row) in sorted(firsts.items())
    ]
    return f"Which exit is largest depends on the silence windows: {', '.join(parts)}."


def _windows(factor: float) -> str:
    return "the silence windows as declared" if factor == 1 else f"silence windows {times_in_words(factor)} as long"


def _briefly(factor: float) -> str:
    return "with them as declared" if factor == 1 else f"with all {times_in_words(factor)} as long"
