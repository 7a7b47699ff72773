"""What is known of each customer at the landmark, and by which plan?"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from journeylab.base.durations import all_since_1970, microseconds
from journeylab.events.features.attributes import Attributes, check_known_by_landmark
from journeylab.events.features.counts import Counts, count, count_events
from journeylab.events.features.first_events import FirstEvents
from journeylab.events.features.habits import Habits
from journeylab.events.features.numbers import numbers
from journeylab.events.features.plan import FeaturePlan, Vocabulary, unseen_table
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells

ONCE = 0.95
STAGE_PATH = "stage path"
ARROW, LONGEST = " > ", 8
SHOWN = (
    *("typical_gap_days", "active_days", "longest_gap_days", "out_of_hours_share", "roles_in_play"),
    *("event", "process", "channel", "initiator", "group", STAGE_PATH),
)


@dataclass(frozen=True)
class Features:
    """What is known of each customer at the landmark.

    customers: Index `customer_id`, sorted.
    numbers: DataFrame, index customers, floats, missing as nan. `events`: number of events not initiated by the
        company; `contacts`: number of people; `roles_in_play`: number of different roles; `typical_gap_days`: geometric
        mean of the time between events in a row (plus a second; of dates, plus a day, which is taken off again);
        `active_days`: number of UTC dates with an event; `longest_gap_days`; `out_of_hours_share`, unless the log has
        only dates: of the events, those in the evening, at night or at the weekend;
        `company_events`; `score`: mean survey score; `value`: sum of values; then attributes and extra features.
    among: numbers that grow with activity -> "events", the number of activity that they are to be judged against.
    shown: names of numbers, categories and counts for people to read, not for models: what they say the others say
        already, or say better. All events by channel, for one, follow from the events and the channel of each.
    categories: DataFrame, index customers, text, missing as None: `stage path`, the stages entered by the landmark,
        where spells were given; then attributes and extra features.
    counts: events by group, by what followed, by kind, channel, process, initiator and hour; contacts by role.
    milestones: events that are in none of the counts but “event”, “process”, “channel”, “initiator” and “hours”.
    unused: DataFrame `column`, `reason`: attributes that cannot serve.
    plan: what these features are, for other customers; see `apply_plan`.
    unseen: DataFrame `feature`, `value`, `n`, `of`, `unit`: what the plan did not know; see `apply_plan`. Empty where
        the plan was learned from these customers.
    """

    customers: pd.Index
    numbers: pd.DataFrame
    among: dict[str, str]
    shown: tuple[str, ...]
    categories: pd.DataFrame
    counts: tuple[Counts, ...]
    milestones: tuple[str, ...]
    unused: pd.DataFrame
    plan: FeaturePlan
    unseen: pd.DataFrame = field(default_factory=lambda: unseen_table([]))

    @property
    def table(self) -> pd.DataFrame:
        """One row per customer: numbers, categories, and each count as the column `name: what`."""
        columns = {}
        for counts in self.counts:
            for number, name in enumerate(counts.names):
                column, is_here = np.zeros(len(self.customers), np.int64), counts.columns == number
                column[counts.rows[is_here]] = counts.counts[is_here]
                columns[f"{counts.name}: {name}"] = column
        return pd.concat([self.numbers, self.categories, pd.DataFrame(columns, index=self.customers)], axis=1)


def find_features(
    log: EventLog,
    entries: pd.DataFrame | pa.Table,
    *,
    within: str | timedelta,
    milestones: tuple[str, ...] = (),
    spells: Spells | None = None,
    extra: pd.DataFrame | None = None,
) -> Features:
    """What each customer of `entries` did from entering until, not including, `within` later, and what was known of
    them then.

    entries: one row per customer, `customer_id` and `entered` (UTC).
    milestones: events that mark how far a customer came, as those that open a stage. Of these, the ones that hardly any
        customer repeats (95% have them once) are not counted among kinds and moves: beside a customer's other events
        their share shows only how active the customer was.
    spells: for the stages that each customer had entered by then.
    extra: further features, one row per customer (index or column `customer_id`), with the column `known_at` (UTC), or
        `NAME_known_at` beside the feature NAME: when each value became known.

    Working hours are weekdays from 8 to 18 o'clock UTC. Events of the company count only as `company_events`. Groups of
    events are the processes if the log names 2 to 8 of them, else the events (the seven most frequent, the rest as
    one).
    Moves are the embedded chain, without steps from a group to itself: how long a burst of events is says how busy a
    customer was, and is in the gaps already. Raises EstimateError for an extra feature that was known only after the
    landmark, or not known when.
    """
    first = FirstEvents.of(log, entries, within)
    measured, among = numbers(first)
    attributes = Attributes.of(log.customers, first.customers)
    if extra is not None:
        attributes = attributes.joined(check_known_by_landmark(extra, first.landmarks, within=within))
    attributes = attributes.renamed(taken=(*measured.columns, STAGE_PATH))
    habits = Habits.learn(first.kinds, _hardly_repeated(first, milestones))
    counts = tuple(count(first, habits))
    plan = FeaturePlan(
        within=microseconds(within),
        habits=habits,
        counts=tuple(Vocabulary(kind.name, kind.given, kind.names) for kind in counts),
        numbers=tuple(measured.columns),
        among=among,
        attributes=tuple(attributes.numbers.columns),
        levels={str(name): tuple(sorted(set(column.dropna()))) for name, column in attributes.categories.items()},
    )
    return _features(plan, first, measured, attributes, counts=plan.keep_counts(counts)[0], spells=spells)


def apply_plan(
    plan: FeaturePlan,
    log: EventLog,
    entries: pd.DataFrame | pa.Table,
    *,
    spells: Spells | None = None,
    extra: pd.DataFrame | None = None,
) -> Features:
    """The features that `plan` names, of the customers of `entries`; see `find_features` for the arguments.

    Nothing is learned: groups, milestones, counted names, attributes and their kinds are those of the plan. What the
    plan does not know is missing in the features, counts as nothing, and stands in `unseen`: how many of the first
    events, contacts, moves or customers have it. An unseen event still counts in `events`, gaps and hours: it happened.
    What the log lacks as a whole is missing for everyone, and stands there with the value None.
    """
    within = timedelta(microseconds=plan.within)
    first = FirstEvents.of(log, entries, within)
    measured, _ = numbers(first)
    table = log.customers.reindex(first.customers)
    if extra is not None:
        further = check_known_by_landmark(extra, first.landmarks, within=within).reindex(first.customers)
        table = pd.concat([table.drop(columns=list(further.columns), errors="ignore"), further], axis=1)
    attributes, strange = plan.keep_attributes(table)
    counted = tuple(count(first, plan.habits))
    counts, unnamed = plan.keep_counts(counted)
    lacking = plan.lacking(counts=counted, numbers=measured.columns, columns=table.columns, n=len(first.customers))
    planned = measured.reindex(columns=list(plan.numbers))
    features = _features(plan, first, planned, attributes, counts=counts, spells=spells)
    return replace(features, unseen=unseen_table([*unnamed, *strange, *lacking]))


def _features(
    plan: FeaturePlan,
    first: FirstEvents,
    measured: pd.DataFrame,
    attributes: Attributes,
    *,
    counts: tuple[Counts, ...],
    spells: Spells | None,
) -> Features:
    path = pd.DataFrame(index=first.customers) if spells is None else stage_paths(spells, first.landmarks).to_frame()
    return Features(
        customers=first.customers,
        numbers=pd.concat([measured, attributes.numbers], axis=1),
        among=dict(plan.among),
        shown=SHOWN,
        categories=pd.concat([path, attributes.categories], axis=1),
        counts=counts,
        milestones=plan.habits.milestones,
        unused=attributes.unused,
        plan=plan,
    )


def _hardly_repeated(first: FirstEvents, milestones: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `milestones` that at least 95% of the customers who have them have once."""
    counts = count_events(first, "event")
    shares = zip(counts.names, counts.shares_once(), strict=True)
    return tuple(sorted(name for name, share in shares if name in milestones and share >= ONCE))


def stage_paths(spells: Spells, landmarks: pd.Series) -> pd.Series:
    """The stages that each customer entered before their landmark, in order, as text: “evaluating > onboarding”.

    landmarks: UTC times by customer_id. A stage stands each time it was entered, however short the visit; a path of
    more than eight ends with “> …”. None for a customer who entered none by then. What the visits came to is no part of
    it, only that the next one began: that is known at the landmark.
    """
    visits = spells.table.select(["customer_id", "entered", "stage"])
    position = pc.index_in(visits["customer_id"], value_set=pa.array(landmarks.index, pa.string()))
    has_landmark = position.is_valid().to_numpy()
    position = position.fill_null(0).to_numpy()[has_landmark]
    entered = visits["entered"].cast(pa.int64()).to_numpy()[has_landmark]
    is_before = entered < all_since_1970(landmarks)[position]
    stage, names = pd.factorize(visits["stage"].to_pandas().astype(object))
    paths = _paths(position[is_before], stage[has_landmark][is_before], list(names), len(landmarks))
    return pd.Series(paths, index=landmarks.index, name=STAGE_PATH)


def _paths(position: np.ndarray, stage: np.ndarray, names: list[str], n: int) -> np.ndarray:
    """(n,) the path of each customer. `position` is sorted, visits in order of time."""
    starts = np.flatnonzero(np.diff(position, prepend=-1))
    visit = np.arange(len(position)) - np.repeat(starts, np.diff(starts, append=len(position)))
    path, texts = np.zeros(n, np.int64), np.array([None], dtype=object)
    for step in range(min(int(visit.max(initial=-1)) + 1, LONGEST + 1)):
        is_here = visit == step
        pair = path * (len(names) + 1)
        pair[position[is_here]] += stage[is_here] + 1
        pairs, path = np.unique(pair, return_inverse=True)
        longer = []
        for old, new in zip(*np.divmod(pairs, len(names) + 1), strict=True):
            name = "…" if step == LONGEST else names[new - 1]
            longer.append(ARROW.join((texts[old], name) if step else (name,)) if new else texts[old])
        texts = np.array(longer, dtype=object)
    return texts[path]
