"""Conditions: which events does a rule of the journey mean, and what must their columns hold?"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    model_validator,
)

from journeylab.base.documents import Duration, Text, refused
from journeylab.base.durations import microseconds
from journeylab.base.problems import in_words


class Frozen(BaseModel):
    """What journey.yml declares: fixed once read, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain(value: Any) -> Any:
    if not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise refused(
            f"must be text, a number, true or false, found {in_words(value)}. Write such a value, or put it in quotes."
        )
    return value


def _named_events(value: Any) -> Any:
    names = value if isinstance(value, list | tuple) else [value]
    if not names:
        raise refused("is empty. Name at least one event.")
    for name in names:
        if not isinstance(name, str):
            raise refused(
                f"must be the name of an event, or a list of names, found {in_words(name)}. Put it in quotes."
            )
        if not name.strip():
            raise refused("holds an empty name. Write the event's name as the log has it.")
    return names[0] if len(names) == 1 else tuple(names)


class Bounds(Frozen):
    """A range of numbers, bounds excluded."""

    model_config = ConfigDict(title="a range of numbers", json_schema_extra={"minProperties": 1})

    above: Annotated[float, Strict(), Field(allow_inf_nan=False)] | None = Field(
        None, description="Only values greater than this number."
    )
    below: Annotated[float, Strict(), Field(allow_inf_nan=False)] | None = Field(
        None, description="Only values less than this number."
    )

    @model_validator(mode="after")
    def _holds_something(self) -> "Bounds":
        if self.above is None and self.below is None:
            raise refused("has neither “above” nor “below”. Write one of them, or both.")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise refused(
                f"asks for more than {self.above:g} and less than {self.below:g}, which no number is. "
                "Swap the two, or move one."
            )
        return self


def _kind(value: Any) -> str:
    if isinstance(value, Mapping | Bounds):
        return "a range"
    return "a list" if isinstance(value, list | tuple) else "a value"


def _unwrapped(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


Value = Annotated[str | bool | int | float, BeforeValidator(_plain)]
Wanted = Annotated[
    Annotated[Bounds, Tag("a range")]
    | Annotated[tuple[Value, ...], Field(min_length=1), Tag("a list")]
    | Annotated[Value, Tag("a value")],
    Discriminator(_kind),
    AfterValidator(_unwrapped),
]


def _in_order(where: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(where.items()))


class Condition(Frozen):
    """An event by name, and what its columns must hold."""

    model_config = ConfigDict(title="a condition", json_schema_extra={"examples": [{"event": "trial_started"}]})

    event: Annotated[
        Text | Annotated[tuple[Text, ...], Field(min_length=1)],
        BeforeValidator(_named_events),
        Field(description="Name of the event as the log has it, or a list of names: any of them."),
    ]
    where: Annotated[dict[Text, Wanted], AfterValidator(_in_order)] = Field(
        {},
        description="What columns of the event must hold, all of them: a value, a list (any of them), or a range of "
        "numbers {above: x, below: y}, bounds excluded. An empty cell never matches.",
    )

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events, always a tuple."""
        return (self.event,) if isinstance(self.event, str) else self.event

    @property
    def words(self) -> str:
        """The condition as a person says it: “cancelled, where reason is price or budget”."""
        asked = " and ".join(f"{column} is {_wanted_words(wanted)}" for column, wanted in self.where.items())
        return " or ".join(self.events) + (f", where {asked}" if asked else "")


def _wanted_words(wanted: Wanted) -> str:
    if isinstance(wanted, Bounds):
        ends = (("above", wanted.above), ("below", wanted.below))
        return " and ".join(f"{side} {number:g}" for side, number in ends if number is not None)
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


class ValidationRule(Condition):
    """A measurable proof that customers do what the stage is about: `at_least` events `within` a time of entering."""

    model_config = ConfigDict(
        title="a validation",
        json_schema_extra={"examples": [{"event": "project_created", "at_least": 2, "within": "14d"}]},
    )

    at_least: Annotated[int, Strict()] = Field(
        1, ge=1, description="How often the event must happen in the stage. The event that opens it does not count."
    )
    within: Duration | None = Field(
        None, description="Time from entering the stage, such as 14d, 12h or 2w; exactly that long still counts."
    )

    @cached_property
    def within_us(self) -> int | None:
        """`within` in microseconds, or None for any time."""
        return None if self.within is None else microseconds(self.within)

    @property
    def words(self) -> str:
        """The validation as a person says it: “project_created at least 2 times within 14d”."""
        often = "" if self.at_least == 1 else f" at least {self.at_least} times"
        return super().words + often + (f" within {self.within}" if self.within else "")
