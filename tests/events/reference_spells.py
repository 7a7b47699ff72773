"""The reference for spells: a plain loop over the events of one customer, as DESIGN.md section 5 tells it.

It shares no code with the kernel but the names of the journey's fields, so that both can only agree by being right.
"""

from dataclasses import dataclass, field

from journeylab.base.durations import microseconds
from journeylab.events.journey import Bounds, Condition, Journey, Stage


@dataclass(frozen=True)
class Event:
    """One event of the customer: `time` and the window in microseconds, `cells` by column."""

    time: int
    event: str
    initiator: str | None = None
    cells: dict = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        return self.initiator != "company"


@dataclass
class Spell:
    """A spell while it runs and once it has ended."""

    stage: str
    entered: int
    returned_from: str | None
    left: int | None = None
    outcome: str | None = None
    to: str | None = None
    validated: int | None = None
    last_event: int | None = None
    events: int = 0
    proofs: int = 0


class Customer:
    """Where one customer is while the events pass."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.stages = {stage.name: stage for stage in journey.stages}
        self.order = [stage.name for stage in journey.stages]
        self.spells: list[Spell] = []
        self.current: Spell | None = None
        self.lost_to: str | None = None
        self.silent_in: str | None = None

    def pass_time(self, now: int) -> None:
        """Silence, if it is over by `now`."""
        if self.current is None or self.stage.completes or self.stage.silent_after is None:
            return
        heard = self.current.entered if self.current.last_event is None else self.current.last_event
        silence = microseconds(self.stage.silent_after)
        if now - heard > silence:
            self.silent_in = self.current.stage
            self.end(heard + silence, "lost", "silent")

    def meet(self, event: Event) -> None:
        """Everything that one event does."""
        self.pass_time(event.time)
        self.validate(event)
        self.lose(event)
        for stage in self.journey.stages:
            if any(matches(condition, event) for condition in stage.opened_by):
                self.open(stage.name, event.time)
            if any(matches(condition, event) for condition in stage.reopened_by):
                self.reopen(stage.name, event.time)
        if self.current is None and self.silent_in and event.is_own and not self.is_loss(event):
            self.begin(self.silent_in, event.time)
        if self.current and event.is_own:
            self.current.events += 1
            self.current.last_event = event.time

    def validate(self, event: Event) -> None:
        proof = self.current and self.stage.validated_by
        if not proof or not matches(proof, event):
            return
        self.current.proofs += 1
        in_time = proof.within is None or event.time - self.current.entered <= microseconds(proof.within)
        if self.current.proofs == proof.at_least and in_time:
            self.current.validated = event.time

    def lose(self, event: Event) -> None:
        if self.current is None or self.stage.completes:
            return
        for branch in self.journey.loss_branches:
            if matches(branch.when, event) and (branch.from_ is None or self.current.stage in branch.from_):
                self.end(event.time, "lost", branch.name)
                return

    def is_loss(self, event: Event) -> bool:
        return any(matches(branch.when, event) for branch in self.journey.loss_branches)

    def open(self, name: str, time: int) -> None:
        if self.current is None:
            self.begin(name, time)
        elif self.journey.movement == "free" or self.place(name) > self.place(self.current.stage):
            self.move(name, time)

    def reopen(self, name: str, time: int) -> None:
        if self.current is not None and self.place(name) < self.place(self.current.stage):
            self.move(name, time)

    def move(self, name: str, time: int) -> None:
        if name == self.current.stage or self.stage.completes:
            return
        up = "advanced" if self.place(name) > self.place(self.current.stage) else "regressed"
        self.end(time, "completed" if self.stages[name].completes else up, name)
        self.lost_to = None
        self.begin(name, time)

    def begin(self, name: str, time: int) -> None:
        self.current = Spell(name, time, self.lost_to)
        self.lost_to = self.silent_in = None

    def end(self, time: int, outcome: str, to: str | None) -> None:
        self.current.left, self.current.outcome, self.current.to = time, outcome, to
        self.spells.append(self.current)
        self.current = None
        if outcome == "lost":
            self.lost_to = to

    def place(self, name: str) -> int:
        return self.order.index(name)

    @property
    def stage(self) -> Stage:
        return self.stages[self.current.stage]


def spells_of(events: list[Event], journey: Journey, start: int, end: int) -> list[Spell]:
    """The spells of one customer whose `events` are in order, watched from `start` up to `end` (microseconds)."""
    customer = Customer(journey)
    for event in events:
        customer.meet(event)
    customer.pass_time(end)
    if customer.current:
        customer.end(end, "ongoing", None)
    return [spell for spell in customer.spells if spell.left >= start]


def matches(condition: Condition, event: Event) -> bool:
    """Whether `event` meets `condition`."""
    names = [condition.event] if isinstance(condition.event, str) else condition.event
    return event.event in names and all(
        _is(event.cells.get(column), wanted) for column, wanted in condition.where.items()
    )


def _is(found: object, wanted: object) -> bool:
    if found is None:
        return False
    if isinstance(wanted, Bounds):
        return (wanted.above is None or found > wanted.above) and (wanted.below is None or found < wanted.below)
    return found in wanted if isinstance(wanted, tuple) else found == wanted
