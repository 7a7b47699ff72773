"""The reference for funnels: a plain loop over the events of one customer, one event after the other.

It shares no code with the kernel but the names of the rules' fields, so that both can only agree by being right.
"""

from dataclasses import dataclass

from journeylab.events.steps import StepRules


@dataclass(frozen=True)
class Event:
    """One event of the customer: `time` in microseconds, `value` of the property held constant."""

    time: int
    event: str
    initiator: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Attempt:
    """What became of one attempt: times by position of the step; `begin` is its event's position in the sequence, and
    `free` that of the first event that may begin another."""

    times: dict[int, int]
    ended: str
    ended_at: int | None
    place: tuple[int, int]
    begin: int
    free: int

    @property
    def entered(self) -> int:
        return self.times[0]


def attempts_of(
    events: list[Event], rules: StepRules, *, start: int, end: int, known: int | None = None
) -> list[Attempt]:
    """The attempts of a customer whose `events` come in the log's order, as `rules.entry` names them."""
    placed = sorted(enumerate(events), key=lambda pair: (pair[1].time, pair[0]))
    seen = [(place, event) for place, event in placed if event.time >= start]
    sequences = [seen]
    if rules.same:
        values = sorted({event.value for _, event in seen if event.value is not None})
        sequences = [[pair for pair in seen if belongs(pair[1], value, rules)] for value in values]
    every = [all_of(sequence, rules) for sequence in sequences]
    if rules.entry == "every":
        return [attempt for attempts in every for attempt in one_after_the_other(attempts)]
    listed = [attempt for attempts in every for attempt in attempts]
    if not listed:
        return []
    if rules.entry == "first":
        return [min(listed, key=lambda attempt: attempt.place)]
    return [min(listed, key=lambda attempt: merit(attempt, rules, end, known))]


def belongs(event: Event, value: str, rules: StepRules) -> bool:
    if event.value is None:
        return any(event.event in exclusion.events for exclusion in rules.exclude)
    return event.value == value


def all_of(sequence: list[tuple[int, Event]], rules: StepRules) -> list[Attempt]:
    """Every attempt that could begin in `sequence`."""
    sequence = [pair for pair in sequence if matters(pair[1], rules)]
    begins = [at for at, (_, event) in enumerate(sequence) if enters(event, rules)]
    return [attempt_from(at, sequence, rules) for at in begins]


def matters(event: Event, rules: StepRules) -> bool:
    names = {name for *_, condition in rules.conditions() for name in condition.events}
    return event.event in names or (rules.order == "strict" and event.initiator != "company")


def enters(event: Event, rules: StepRules) -> bool:
    return event.event in rules.steps[0].events and not (rules.same and event.value is None)


def attempt_from(begin: int, sequence: list[tuple[int, Event]], rules: StepRules) -> Attempt:
    place, first = sequence[begin]
    times = {0: first.time}

    def over(ended: str, at: int | None, free: int) -> Attempt:
        return Attempt(times, ended, at, (first.time, place), begin, free)

    for at in range(begin + 1, len(sequence)):
        event = sequence[at][1]
        if event.time - first.time > rules.window_us:
            return over("time passed", None, at)
        for exclusion in rules.exclude:
            if event.event in exclusion.events:
                return over(exclusion.title, event.time, at)
        step = step_of(event, times, rules)
        if step is not None:
            times[step] = event.time
            if all(each in times for each in rules.required):
                return over("converted", event.time, at + 1)
        elif rules.order == "strict":
            return over("something else", event.time, at)
    return over("time passed", None, len(sequence))


def step_of(event: Event, times: dict[int, int], rules: StepRules) -> int | None:
    """The step that `event` reaches after those in `times`."""
    steps = range(len(rules.steps))
    if rules.order == "unordered":
        wanted = [step for step in steps if step not in times]
    else:
        last = max(times)
        following = min(step for step in rules.required if step > last)
        wanted = range(last + 1, following + 1)
    meant = [step for step in wanted if event.event in rules.steps[step].events]
    needed = [step for step in meant if not rules.steps[step].optional]
    return next(iter(needed or meant), None)


def one_after_the_other(attempts: list[Attempt]) -> list[Attempt]:
    """Those of a sequence that begin when none before is running."""
    kept: list[Attempt] = []
    for attempt in attempts:
        if not kept or attempt.begin >= kept[-1].free:
            kept.append(attempt)
    return kept


def merit(attempt: Attempt, rules: StepRules, end: int, known: int | None) -> tuple:
    """Of several attempts that with the least merit tuple is looked at."""
    is_early = known is not None and attempt.entered < known
    is_removed = any(exclusion.title == attempt.ended and exclusion.removes for exclusion in rules.exclude)
    is_open = attempt.entered + rules.window_us >= end
    n_reached = sum(step in attempt.times for step in rules.required)
    return is_early, is_removed, is_open, -n_reached, attempt.place
