"""Habits: which events are habits, in which groups, and for which of them does the channel say more? Learned once."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MAX_GROUPS = 8
MAX_CONDITIONS, DECIDED = 12, 0.98
OTHER = "other"


@dataclass(frozen=True)
class Habits:
    """How events are put in groups.

    milestones: events that mark how far a customer came and that hardly anyone repeats; they are no habit.
    by: “process” or “event”, what the groups are made of.
    groups: the processes, or the events that are a group of their own; further ones are in the group “other” if it is
        among the groups, and in none if it is not.
    events: all events there were; others are in no group.
    told: column (process, channel, initiator) -> the events that do not decide its value, so that it is counted.
    """

    milestones: tuple[str, ...]
    by: str
    groups: tuple[str, ...]
    events: tuple[str, ...]
    told: Mapping[str, tuple[str, ...]]

    @classmethod
    def learn(cls, kinds: pd.DataFrame, milestones: tuple[str, ...]) -> "Habits":
        """From `FirstEvents.kinds`: groups are the processes if there are 2 to 8 of them and they name half of the
        events, else the events (the seven most frequent, the rest as one)."""
        own = kinds[~kinds["by_company"]]
        habits = own[~own["event"].isin(milestones)]
        by, groups = _groups(habits)
        columns = [column for column in ("process", "channel", "initiator") if column in own and column != by]
        undecided = {column: events for column in columns if (events := _undecided(habits, column))}
        return cls(milestones, by, groups, tuple(sorted(set(own["event"]))), undecided)

    def groups_of(self, kinds: pd.DataFrame) -> pd.Series:
        """The group of each of `kinds`, None for what is no habit: the company's, milestones, and what was never seen
        when the groups were learned."""
        is_habit = ~kinds["by_company"] & kinds["event"].isin(self.events) & ~kinds["event"].isin(self.milestones)
        rest = OTHER if OTHER in self.groups else None
        if self.by == "process":
            named = kinds["process"] if "process" in kinds else pd.Series(None, index=kinds.index, dtype=object)
            group = named.where(named.isin(self.groups), None).where(named.notna(), rest)
        else:
            group = kinds["event"].where(kinds["event"].isin(self.groups), rest)
        return group.astype(object).where(is_habit & group.notna(), None)


def _groups(habits: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    if "process" in habits:
        named = habits.dropna(subset="process")
        if 2 <= named["process"].nunique() <= MAX_GROUPS and named["n"].sum() >= habits["n"].sum() / 2:
            groups = set(named["process"]) | ({OTHER} if len(named) < len(habits) else set())
            return "process", tuple(sorted(groups))
    # Names break ties: the engine's order of rows must not.
    events = habits.groupby("event")["n"].sum().sort_values(ascending=False, kind="stable")
    if len(events) <= MAX_GROUPS:
        return "event", tuple(sorted(map(str, events.index)))
    return "event", (*sorted(map(str, events.index[: MAX_GROUPS - 1])), OTHER)


def _undecided(habits: pd.DataFrame, column: str) -> tuple[str, ...]:
    """The events, of the twelve most frequent, that do not decide the value of `column` in 98% of the cases."""
    counts = habits.dropna(subset=column).groupby(["event", column])["n"].sum().unstack(fill_value=0)
    total = counts.sum(axis=1)
    frequent = total.sort_values(ascending=False, kind="stable").index[:MAX_CONDITIONS]
    decided = counts.max(axis=1) >= DECIDED * total
    return tuple(sorted(str(event) for event in frequent if not decided[event]))
