"""The journey: which stages, external triggers, measurable validations and loss branches does journey.yml declare?"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, Strict, model_validator
from pydantic_core import PydanticCustomError

from journeylab.base.documents import Duration, KeyPath, OneOrList, Places, Text, check_document, read_document, refused
from journeylab.base.durations import microseconds
from journeylab.base.errors import JourneyError, did_you_mean
from journeylab.base.files import fingerprint, write_text
from journeylab.base.html import card, paragraph, table
from journeylab.base.problems import in_words
from journeylab.base.words import counted
from journeylab.events.journey.conditions import Condition, Frozen, ValidationRule
from journeylab.events.journey.contradictions import SILENT, contradictions

Conditions = Annotated[tuple[Condition, ...], OneOrList()]


def _as_condition(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


Contact = Annotated[Condition, BeforeValidator(_as_condition, json_schema_input_type=str | Condition)]
Contacts = Annotated[tuple[Contact, ...], OneOrList()]


def _this_version(value: Any) -> Any:
    if type(value) is not int or value != 1:
        raise refused(
            f"must be 1, the version of the format, found {in_words(value)}. "
            "Write “journeylab: 1”, or install a journeylab that reads this version."
        )
    return value


def readable(name: str) -> str:
    """`name` as a title: `missing_feature` becomes “Missing feature”."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


class Stage(Frozen):
    """One stage of the journey."""

    model_config = ConfigDict(
        title="a stage",
        json_schema_extra={"examples": [{"name": "evaluating", "opened_by": [{"event": "trial_started"}]}]},
    )

    name: Text = Field(description="Name of the stage in tables and in “from”; no other stage or branch has it.")
    label: Text | None = Field(None, description="What figures and reports call the stage; by default its name.")
    opened_by: Conditions = Field(
        (), description="External triggers: what the customer does that brings them into the stage. Any of them."
    )
    reopened_by: Conditions = Field(
        (), description="What brings a customer back here from a later stage. Does nothing for customers outside."
    )
    validated_by: ValidationRule | None = Field(
        None, description="The measurable proof that a customer does what the stage is about."
    )
    silent_after: Duration | None = Field(
        None, description="No customer event for longer than this, such as 21d, is a loss to the branch “silent”."
    )
    completes: Annotated[bool, Strict()] = Field(
        False, description="true: reaching this stage completes the journey; no customer is lost from it or moves on."
    )
    goal: Text | None = Field(None, description="What the customer wants in this stage, in the customer's words.")
    crm_bucket: Text | None = Field(None, description="The stage of your CRM that these customers are in.")
    owner: Text | None = Field(None, description="Who in the company answers for this stage.")

    @property
    def title(self) -> str:
        """The label, or the name made readable."""
        return self.label or readable(self.name)

    @cached_property
    def silent_after_us(self) -> int | None:
        """`silent_after` in microseconds, or None if no customer falls silent here."""
        return None if self.silent_after is None else microseconds(self.silent_after)


class LossBranch(Frozen):
    """A named way of being lost."""

    model_config = ConfigDict(
        title="a loss branch", json_schema_extra={"examples": [{"name": "other", "when": {"event": "cancelled"}}]}
    )

    name: Text = Field(description="Name of the branch in tables; no other branch or stage has it.")
    label: Text | None = Field(None, description="What figures and reports call the branch; by default its name.")
    from_: Annotated[tuple[Text, ...], Field(min_length=1), OneOrList()] | None = Field(
        None, alias="from", description="The stages from which this branch takes customers; by default all."
    )
    when: Condition = Field(description="The event that loses the customer. The first branch that matches wins.")
    reason: Text | None = Field(
        None, description="Why these customers leave, where the event itself says so and no column has to be asked."
    )
    by: Literal["customer", "company"] = Field(
        "customer", description="company: the company decides it, as when it declines; such losses are ranked apart."
    )

    @property
    def title(self) -> str:
        """The label, or the name made readable."""
        return self.label or readable(self.name)

    def takes_from(self, stage: str) -> bool:
        """Whether `from` names the stage, or names none and so means all."""
        return self.from_ is None or stage in self.from_


class Journey(Frozen):
    """A journey: a series of interactions in pursuit of a goal."""

    model_config = ConfigDict(title="the journey")
    _places: Places = PrivateAttr(default_factory=Places)

    journeylab: Annotated[Literal[1], BeforeValidator(_this_version)] = Field(description="Version of this format: 1.")
    name: Text = Field(description="Name of the journey, for titles.")
    goal: Text = Field(description="What the customer is after, in the customer's words.")
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = Field(
        description="The stages in the order in which a customer grows through them."
    )
    movement: Literal["forward", "free"] = Field(
        "forward",
        description="forward: openers move a customer up or in, and only reopened_by moves back. "
        "free: any opener moves the customer to its stage (CRM stage histories). The stages have an order then too: it "
        "says what is ahead, back or skipped, and which stage is the goal, but no customer has to keep to it.",
    )
    loss_branches: tuple[LossBranch, ...] = Field(
        (), description="The named ways of being lost, besides silence, tried in this order."
    )
    contacts: Contacts = Field(
        (),
        description="Which events are contacts between customer and company, such as a call or a ticket: names, or "
        "conditions. Who began one is what the log’s column “initiator” says.",
    )

    @model_validator(mode="after")
    def _without_contradictions(self) -> "Journey":
        problems = "\n".join(problem.text for problem in contradictions(self.to_dict()))
        if problems:
            raise PydanticCustomError("contradiction", "{problems}", {"problems": problems})
        return self

    @cached_property
    def branches(self) -> tuple[str, ...]:
        """Names of all ways to be lost, in file order; `silent` last where any stage has `silent_after`."""
        named = tuple(branch.name for branch in self.loss_branches)
        return (*named, SILENT) if any(stage.silent_after for stage in self.stages) else named

    @cached_property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, in file order."""
        return tuple(stage.name for stage in self.stages)

    def position(self, name: str) -> int:
        """Position of the stage called `name`, from 0; JourneyError if there is none."""
        if name not in self.stage_names:
            raise JourneyError(f"The journey has no stage “{name}”. {did_you_mean(name, self.stage_names)}")
        return self.stage_names.index(name)

    def stage(self, name: str) -> Stage:
        """The stage called `name`; JourneyError if there is none."""
        return self.stages[self.position(name)]

    def branches_from(self, name: str) -> tuple[str, ...]:
        """Names of the ways to be lost from the stage `name`, in file order, `silent` last; none where it completes."""
        stage = self.stage(name)
        if stage.completes:
            return ()
        named = tuple(branch.name for branch in self.loss_branches if branch.takes_from(name))
        return (*named, SILENT) if stage.silent_after else named

    def title(self, name: str) -> str:
        """What figures call the stage or branch `name`: its label, or its name made readable."""
        parts: tuple[Stage | LossBranch, ...] = (*self.stages, *self.loss_branches)
        titles = {part.name: part.title for part in parts}
        return titles.get(name, readable(name))

    def where(self, *path: str | int) -> str:
        """Where `path`, as in `("stages", 1, "opened_by")`, was written: “journey.yml:12”, or “stages[1].opened_by”."""
        return self._places.where(*path)

    def conditions(self) -> Iterator[tuple[KeyPath, str, Condition]]:
        """Every condition: its path of keys, whose it is (`“opened_by” of stage “trial”`), and itself."""
        for at, stage in enumerate(self.stages):
            for key in ("opened_by", "reopened_by"):
                for item, condition in enumerate(getattr(stage, key)):
                    yield ("stages", at, key, item), f"“{key}” of stage “{stage.name}”", condition
            if stage.validated_by:
                yield ("stages", at, "validated_by"), f"“validated_by” of stage “{stage.name}”", stage.validated_by
        for at, branch in enumerate(self.loss_branches):
            yield ("loss_branches", at, "when"), f"“when” of loss branch “{branch.name}”", branch.when

    def contact_conditions(self) -> Iterator[tuple[KeyPath, str, Condition]]:
        """The conditions of “contacts”, as `conditions` has the others, which make spells."""
        for at, contact in enumerate(self.contacts):
            yield ("contacts", at), "“contacts”", contact

    def to_dict(self) -> dict[str, Any]:
        """Plain values, defaults left out; `read_journey` takes it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def to_yaml(self) -> str:
        """Canonical text: the same journey gives the same text, whatever comments and order its file had."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=120)

    def fingerprint(self) -> str:
        """16 hexadecimal digits that are the same for the same journey."""
        return fingerprint(self.to_yaml())

    def write(self, path: str | Path) -> Path:
        """Write the journey as YAML to `path`; `read_journey(path)` gives an equal one. Comments are not kept."""
        return write_text(path, self.to_yaml())

    def summary(self) -> pd.DataFrame:
        """One row per stage, in words: stage, opened_by, validated_by, silent_after, lost_to."""
        return pd.DataFrame(
            {
                "stage": [stage.title for stage in self.stages],
                "opened_by": [_opening_words(stage) for stage in self.stages],
                "validated_by": [stage.validated_by.words if stage.validated_by else "–" for stage in self.stages],
                "silent_after": [stage.silent_after or "–" for stage in self.stages],
                "lost_to": [_loss_words(self, stage) for stage in self.stages],
            }
        )

    def __repr__(self) -> str:
        lines = [f"Journey “{self.name}” ({self.movement}): {self.goal}"]
        for number, row in enumerate(self.summary().itertuples(), start=1):
            lines.append(f"  {number} {row.stage}: opened by {row.opened_by}; validated by {row.validated_by}; ")
            is_last = self.stages[number - 1].completes
            lines[-1] += row.lost_to if is_last else f"silent after {row.silent_after}; lost to {row.lost_to}"
        return "\n".join(lines)

    __str__ = __repr__

    def sentence(self) -> str:
        """How many stages and ways to be lost there are, and which version of the definition this is."""
        silent = [stage for stage in self.stages if stage.silent_after and not stage.completes]
        silence = f", and silence in {counted(len(silent), 'stage')}" if silent else ""
        return (
            f"{counted(len(self.stages), 'stage')}, from “{self.stages[0].title}” to “{self.stages[-1].title}”; "
            f"{counted(len(self.loss_branches), 'named way')} of being lost{silence}; movement {self.movement}; "
            f"definition {self.fingerprint()}."
        )

    def _repr_html_(self) -> str:
        return card(
            self.name, paragraph(f"Goal: {self.goal}"), paragraph(self.sentence()), table(self.summary(), csv=False)
        )


def _opening_words(stage: Stage) -> str:
    opened = "; or ".join(condition.words for condition in stage.opened_by)
    reopened = "; or ".join(condition.words for condition in stage.reopened_by)
    return "; reopened by ".join(part for part in (opened, reopened) if part) or "–"


def _loss_words(journey: Journey, stage: Stage) -> str:
    if stage.completes:
        return "completes the journey"
    return ", ".join(journey.title(branch) for branch in journey.branches_from(stage.name)) or "–"


def read_journey(source: str | Path | Mapping[str, Any]) -> Journey:
    """Read a journey from a YAML file, or from a mapping with the same keys.

    Parameters
    ----------
    source : path or mapping
        The file, or its content as a mapping with the same keys.

    Returns
    -------
    Journey

    Raises
    ------
    JourneyError
        One error that lists every problem of the file: where it is (file and line, or for a mapping the path of keys),
        what was found, and how to fix it.

    Notes
    -----
    A journey that can be read may still make no sense; `lint_journey` looks for that.
    """
    document = read_document(source, error=JourneyError)
    journey = check_document(document, Journey, error=JourneyError, contradictions=contradictions)
    journey._places = document.places
    return journey


def journey_schema() -> dict[str, Any]:
    """JSON schema of journey.yml, with the help texts that editors show; journey.schema.json holds the same.

    It accepts what `read_journey` accepts, and a little more: that names differ, for one, no schema can say.
    """
    schema = _without_field_titles(Journey.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "journey.yml of journeylab"}


def _without_field_titles(schema: Any) -> Any:
    # Pydantic makes a title of every field's name, which editors then show instead of the description.
    if isinstance(schema, list):
        return [_without_field_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _without_field_titles(value) for key, value in schema.items()}
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    return schema
