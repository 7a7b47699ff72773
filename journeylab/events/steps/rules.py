"""Rules of a funnel: which events are its steps, in which order and time do they count, and what ends an attempt?"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Strict

from journeylab.base.documents import Document, OneOrList, Text, check_document
from journeylab.base.durations import DAY, microseconds
from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.events.journey import Journey
from journeylab.events.journey.conditions import Condition, Frozen

# Bits of the number that says which conditions an event meets: what an int64 holds without its sign.
MOST_CONDITIONS = 63

Conditions = Annotated[tuple[Condition, ...], OneOrList()]


class _Labelled(Condition):
    """A condition with a label."""

    label: Text | None = Field(None, description="What tables and figures call it; by default its condition.")

    @property
    def title(self) -> str:
        """The label, or the condition in words."""
        return self.label or self.words


class Step(_Labelled):
    """One step of a funnel: the event that reaches it."""

    model_config = ConfigDict(
        title="a step",
        json_schema_extra={"examples": [{"event": "signed_up", "where": {"plan": "team"}, "label": "Signed up"}]},
    )

    optional: Annotated[bool, Strict()] = Field(
        False, description="true: counted where it happens in its place, and needed by no later step."
    )
    or_: Conditions = Field((), alias="or", description="Further conditions that reach the same step.")
    stage: Text | None = Field(None, description="The journey's stage that this step opens, for the journey map.")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What reaches the step: any of these."""
        return (self, *self.or_)

    @property
    def words(self) -> str:
        """The step's conditions as a person says them."""
        return " or ".join((super().words, *(other.words for other in self.or_)))


class Exclusion(_Labelled):
    """An event that ends an attempt between its first and its last step."""

    model_config = ConfigDict(title="an exclusion", json_schema_extra={"examples": [{"event": "cancelled"}]})

    removes: Annotated[bool, Strict()] = Field(
        False, description="true: such attempts are left out of the base instead of counting as lost."
    )


class StepRules(Frozen):
    """What makes a funnel. `steps` in order; `window_us` microseconds; see `read_rules` for the others."""

    model_config = ConfigDict(title="a funnel")

    steps: tuple[Step, ...]
    window_us: int
    order: Literal["ordered", "strict", "unordered"]
    entry: Literal["first", "best", "every"]
    exclude: Annotated[tuple[Exclusion, ...], OneOrList()] = ()
    same: Text | None = None

    @property
    def window_days(self) -> float:
        """The conversion window in days."""
        return self.window_us / DAY

    @cached_property
    def required(self) -> tuple[int, ...]:
        """Positions of the steps that are not optional."""
        return tuple(at for at, step in enumerate(self.steps) if not step.optional)

    @cached_property
    def by_any_way(self) -> bool:
        """Whether one goal is needed, and any way there counts: unordered, the steps between being optional."""
        return self.order == "unordered" and len(self.required) == 2 < len(self.steps)

    def conditions(self) -> Iterator[tuple[int, str, Condition]]:
        """Every condition: its bit (steps, then exclusions), whose it is, and itself."""
        for at, step in enumerate(self.steps):
            for condition in step.conditions:
                yield at, f"step {at + 1} of the funnel", condition
        for at, exclusion in enumerate(self.exclude):
            yield len(self.steps) + at, f"exclusion {at + 1} of the funnel", exclusion


def read_rules(
    steps: Iterable[Any],
    *,
    window: str | timedelta,
    order: str = "ordered",
    entry: str = "first",
    exclude: Any = (),
    same: str | None = None,
) -> StepRules:
    """The rules of a funnel from what a person writes.

    steps: two or more. Each is the name of an event, a list of names (any of them), a condition as in journey.yml, such
        as {"event": "order_placed", "where": {"amount": {"above": 0}}}, that may also hold `label`, `optional` and `or`
        (further conditions), or a `Step`.
    window: how long after entering a step still counts, as “30d”; exactly that long still does.
    order: “ordered”: the steps follow one another, whatever happens between them. “strict”: nothing else that the
        customer does comes between two steps. “unordered”: the first step enters, the others follow in any order.
    entry: “first”: each customer's first attempt. “best”: that which got furthest. “every”: one after the other.
    exclude: what ends an attempt, written like `steps`; a mapping may hold `removes`.
    same: a column of the log that must hold the same value in all steps of an attempt, as “session_id”.

    Raises EstimateError, with every problem of the conditions listed, for less than two steps, an optional step where
    an attempt begins or ends, more than 63 conditions, and an unknown `order` or `entry`; JourneyLabError for a
    `window` that is no duration.
    """
    data: dict[str, Any] = {"steps": _written(steps, Step), "exclude": _written(exclude, Exclusion)}
    if len(data["steps"]) < 2:
        raise EstimateError(
            f"A funnel leads from one step to another, found {counted(len(data['steps']), 'step')}. "
            "Name two or more in order, such as steps=[“signed_up”, “purchased”]."
        )
    data |= {"window_us": microseconds(window), "order": order, "entry": entry, "same": same}
    rules = check_document(Document(data), StepRules, error=EstimateError)
    _check_optional(rules)
    n_conditions = len(rules.steps) + len(rules.exclude)
    if n_conditions > MOST_CONDITIONS:
        raise EstimateError(
            f"The funnel has {counted(n_conditions, 'condition')}, steps and exclusions together, and "
            f"{MOST_CONDITIONS} are possible. Name several events in one step, or cut the funnel in two."
        )
    return rules


def build_steps(journey: Journey) -> list[Step]:
    """The stages of a journey as the steps of a funnel: each is what opens the stage, under the stage's title.

    Where customers move freely they need not pass the stages in order, so all steps between the first and the last are
    optional. With the order “unordered” the funnel then tells who reaches each stage, and the last, by any way.

    Parameters
    ----------
    journey : Journey

    Returns
    -------
    list of Step
        For the stages that something opens, in their order.
    """
    opened = [stage for stage in journey.stages if stage.opened_by]
    between = opened[1:-1] if journey.movement == "free" else []
    return [
        Step(
            **{
                **_plain(stage.opened_by[0]),
                "or": stage.opened_by[1:],
                "label": stage.title,
                "stage": stage.name,
                "optional": stage in between,
            }
        )
        for stage in opened
    ]


def _written(rules: Any, kind: type[Condition]) -> list[Any]:
    """`rules`, one or several, as the model `kind` reads them."""
    rules = [rules] if isinstance(rules, str | Mapping | Condition) else list(rules)
    data = []
    for rule in rules:
        if isinstance(rule, str | list | tuple):
            rule = {"event": rule if isinstance(rule, str) else list(rule)}
        is_plain = isinstance(rule, Condition) and not isinstance(rule, kind)
        data.append(_plain(rule) if is_plain else dict(rule) if isinstance(rule, Mapping) else rule)
    return data


def _plain(condition: Condition) -> dict[str, Any]:
    return {"event": condition.event, "where": condition.where}


def _check_optional(rules: StepRules) -> None:
    first, last = rules.steps[0], rules.steps[-1]
    fix = "Make it a step that counts, or leave it out."
    if first.optional:
        raise EstimateError(f"The first step (“{first.title}”) is optional, but it is where attempts begin. {fix}")
    if rules.order != "unordered" and last.optional:
        raise EstimateError(f"The last step (“{last.title}”) is optional, but it is where attempts convert. {fix}")
    if len(rules.required) < 2:
        raise EstimateError(
            f"All steps but the first (“{first.title}”) are optional, so nothing is left to convert to. "
            "Make one of them a step that counts."
        )
