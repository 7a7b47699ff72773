"""Settings: what does study.yml say, and do the files that it names exist?"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer

from journeylab.base.documents import Duration, Frozen, Problem, Text, check_document, described, read_document, refused
from journeylab.base.durations import days
from journeylab.base.errors import EstimateError, JourneyLabError, LogError, StudyError
from journeylab.base.problems import in_words
from journeylab.events.features import PROTECTED, is_protected
from journeylab.events.log import Window, as_utc, check_timezone
from journeylab.events.queries.scales import Scale
from journeylab.events.reading.format import EventFormat, TableFormat
from journeylab.study.folders import FILE, Folders


def _moment(value: Any) -> pd.Timestamp:
    if isinstance(value, date | str):
        with suppress(LogError):
            return as_utc(value)
    raise refused(
        f"must be a date or a time, found {in_words(value)}. Write it like 2025-01-31; without a zone it is UTC."
    )


def _checked(check: Callable[[Any], Any]) -> AfterValidator:
    """Validates by `check`, whose error goes on after the key."""

    def validate(value: Any) -> Any:
        try:
            return check(value)
        except (EstimateError, LogError) as error:
            raise refused(f"is wrong: {error}") from None

    return AfterValidator(validate)


Moment = Annotated[pd.Timestamp, BeforeValidator(_moment), PlainSerializer(str)]


class EventSource(EventFormat):
    """Events in one file, or in several that a pattern names (`events-*.csv.gz`), and how to read them; see
    `read_events`, whose keywords are the same."""

    model_config = described("“events”", path="data/raw/events.csv", columns="…")

    path: Text
    columns: dict[str, str | dict[str, str]]
    timezone: Annotated[str | None, _checked(check_timezone)] = None
    time_unit: Literal["s", "ms", "us"] | None = None


class CustomerSource(TableFormat):
    """The customers' table, its column with the customer's id, and which of its columns were known at the start of each
    customer's journey (all, unless `attributes` names them)."""

    model_config = described("“customers”", path="data/raw/customers.csv", key="account")

    path: Text
    key: Text
    attributes: tuple[Text, ...] | None = None


class CrmColumns(Frozen):
    """The columns of the CRM's table: who was moved, when, and into which bucket."""

    model_config = described("“columns”", customer_id="account")

    customer_id: Text = "customer_id"
    time: Text = "time"
    bucket: Text = "bucket"


class CrmSource(EventFormat):
    """Where the CRM's moves of customers between its buckets are told: in a table of its own (`path`; see `read_crm`),
    or in a `column` of the events."""

    model_config = described("“crm”", path="data/raw/crm.csv", columns={"customer_id": "account"})

    path: Text | None = None
    columns: CrmColumns = CrmColumns()
    timezone: Annotated[str | None, _checked(check_timezone)] = None
    time_unit: Literal["s", "ms", "us"] | None = None
    column: Text | None = None


class ObservedWindow(Frozen):
    """What was observed: from `start` up to, not including, `end`."""

    model_config = ConfigDict(arbitrary_types_allowed=True) | described(
        "“window”", start="2025-01-01", end="2026-01-01"
    )

    start: Moment
    end: Moment


class PersonaDecisions(Frozen):
    """Decisions for personas: behaviour `within` which time from entry tells them, the seed of all that is random, the
    attributes that make them together with behaviour, and the protected attributes that may describe them."""

    model_config = described("“personas”", within="30d", seed=7)

    within: Duration
    seed: Annotated[int, Field(strict=True, ge=0)]
    make_from_attributes: tuple[Text, ...] = ()
    show_protected: tuple[Text, ...] = ()


class ScoreDecisions(Frozen):
    """How scores were asked: on which `scale` (nps, csat, csat7, ces, or its two ends, the worst answer first, as in
    “-2..2”), and where several kinds of event carry a score, which `event` is meant."""

    model_config = described("“score”", scale="nps")

    scale: Annotated[Text, _checked(lambda name: Scale.of(name).name)]
    event: Text | None = None


class Settings(Frozen):
    """What study.yml says. Paths are as written; `Folders` finds the files. `duplicates` is what `read_events` does
    with them. `protected` are the names of attributes that never make, name or rule a persona."""

    model_config = ConfigDict(title="a study")

    study: Text
    journey: Text
    events: Annotated[tuple[EventSource, ...], Field(min_length=1)]
    duplicates: Literal["quarantine", "keep"] = "quarantine"
    customers: CustomerSource | None = None
    crm: CrmSource | None = None
    window: ObservedWindow
    personas: PersonaDecisions | None = None
    protected: tuple[Text, ...] = PROTECTED
    score: ScoreDecisions | None = None
    horizons: Annotated[tuple[Duration, ...], Field(min_length=1)]
    notes: str | None = None

    def data_settings(self) -> str:
        """All that decides how the data are read, as text."""
        return json.dumps(self.model_dump(include={"events", "duplicates", "customers", "window"}), sort_keys=True)


def read_settings(folders: Folders) -> Settings:
    """The settings in the study's folder.

    Raises one StudyError that lists every problem by line: no study.yml, unknown keys, values of the wrong kind, files
    that are not there, a window that ends before it starts.
    """
    folders.check()
    document = read_document(folders.study / FILE, error=StudyError)
    return check_document(
        document, Settings, error=StudyError, contradictions=lambda written: _contradictions(written, folders)
    )


def _contradictions(written: Any, folders: Folders) -> Iterator[Problem]:
    """What no single key shows. `written` is plain data that may be wrong in any way; the model reports the rest."""
    for path, name in _named_files(written):
        if not folders.find(name):
            file = folders.place(name)
            here = "" if file == folders.study / name else f", here “{file}”,"
            yield Problem(path, f"“{name}”{here} is not there. Put the file there, or correct the path.")
    if isinstance(written, Mapping) and isinstance(written.get("crm"), Mapping):
        yield from _two_places(written["crm"])
    if isinstance(written, Mapping):
        yield from _protected_makers(written.get("personas"), written.get("protected", PROTECTED))
    if isinstance(written, Mapping) and isinstance(written.get("window"), Mapping):
        try:
            window = Window(*(_moment(written["window"].get(end)) for end in ("start", "end")))
        except LogError as error:
            yield Problem(("window", "end"), str(error))
        except ValueError:  # not readable as times: the model says so
            return
        else:
            yield from _too_long(written.get("personas"), window)


def _two_places(crm: Mapping) -> Iterator[Problem]:
    """The CRM's moves are told in one place: a table or a column."""
    keys = [key for key in ("path", "column") if crm.get(key) is not None]
    if len(keys) == 2:
        yield Problem(
            ("crm", "column"),
            f"“crm” names both a table (“{crm['path']}”) and a column of the events (“{crm['column']}”). "
            "Keep one of them.",
        )
    if not keys:
        yield Problem(
            ("crm",),
            "“crm” says neither in which table (“path”) nor in which column of the events (“column”) the CRM’s buckets "
            "are. Add one of them.",
        )


def _protected_makers(personas: Any, protected: Any) -> Iterator[Problem]:
    """Attributes that are to make personas and must not."""
    makers = personas.get("make_from_attributes") if isinstance(personas, Mapping) else None
    if not isinstance(makers, list) or not isinstance(protected, list | tuple):
        return
    names = [name for name in protected if isinstance(name, str)]
    for number, maker in enumerate(makers):
        if isinstance(maker, str) and is_protected(maker, names):
            text = (
                f"“{maker}” is protected: a protected attribute never makes a persona. Leave it out, or write under "
                "“protected” what is."
            )
            yield Problem(("personas", "make_from_attributes", number), text)


def _too_long(personas: Any, window: Window) -> Iterator[Problem]:
    """A time from entry that nobody can be watched for."""
    within = personas.get("within") if isinstance(personas, Mapping) else None
    with suppress(JourneyLabError):  # not readable as a duration: the model says so
        if within is not None and days(within) > window.days:
            text = f"“{within}” is longer than the window, {window.days:g} days. Ask for less, or widen the window."
            yield Problem(("personas", "within"), text)


def _named_files(written: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each file that the plain data `written` name, with its path of keys."""
    if not isinstance(written, Mapping):
        return
    events = written.get("events")
    holders: dict[tuple[str | int, ...], Any] = {(key,): written.get(key) for key in ("customers", "crm")}
    holders |= {("events", number): source for number, source in enumerate(events if isinstance(events, list) else [])}
    named: dict[tuple[str | int, ...], Any] = {("journey",): written.get("journey")}
    named |= {(*path, "path"): holder.get("path") for path, holder in holders.items() if isinstance(holder, Mapping)}
    yield from ((path, name) for path, name in named.items() if isinstance(name, str) and name.strip())
