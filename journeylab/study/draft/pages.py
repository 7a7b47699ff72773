"""The draft as files: study.yml and journey.yml, in which every guess and every open question is a comment."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from journeylab.base.words import counted, listed
from journeylab.events.journey.contradictions import RESERVED
from journeylab.events.log import EventLog, Window
from journeylab.events.reading import Source, read_events
from journeylab.study.draft.look import look_at
from journeylab.study.draft.sources import DraftCustomers, DraftSource, draft_sources
from journeylab.study.draft.stages import DraftJourney, draft_journey
from journeylab.study.folders import RAW

_EVER = Window(pd.Timestamp("0001-01-02", tz="UTC"), pd.Timestamp("9999-12-30", tz="UTC"))
_MOST_EVENTS = 40
_WORD = re.compile(r"^[A-Za-z_][\w./-]*$")
_RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"}


@dataclass(frozen=True)
class Draft:
    """The texts of study.yml and journey.yml, and what they guess and ask, as lines."""

    study: str
    journey: str

    @property
    def guesses(self) -> int:
        """How many lines are marked as guesses."""
        return (self.study + self.journey).count("# GUESS")

    @property
    def questions(self) -> list[str]:
        """The questions in both files."""
        return re.findall(r"# QUESTION: (.*)", self.study + self.journey)


def draft_study(files: Iterable[Path], *, name: str) -> Draft:
    """A study of `files`, which will lie in its folder `data/raw`.

    Raises LogError for a file that cannot be read, and StudyError where no file holds events of customers.
    """
    sources, customers = draft_sources([look_at(path) for path in files])
    log = read_events([_opened(source) for source in sources], window=_EVER)
    journey = draft_journey(log)
    return Draft(_text(_study(name, sources, customers, log)), _text(_journey(name, journey)))


def _text(lines: Iterable[str]) -> str:
    # A name with a line break in a comment would go on outside it.
    return "".join(f"{' '.join(line.splitlines())}\n" for line in lines)


def _opened(source: DraftSource) -> Source:
    how = {key: value for key, value in source.how.items() if key != "time_unit"}
    how |= {"unfold": source.unfold} if source.unfold else {}
    zone = "UTC" if source.needs_zone else None
    return Source(source.file.path, source.columns, zone, source.how.get("time_unit"), how)


def _study(name: str, sources: list[DraftSource], customers: DraftCustomers | None, log: EventLog) -> Iterator[str]:
    yield "# A first draft, made from the files in data/raw. Look at each line marked GUESS, and answer each QUESTION."
    yield f"study: {quoted(name)} # the title of the reports"
    yield "journey: journey.yml"
    yield "events:"
    for source in sources:
        yield from _entry(source)
    yield ""
    yield from _customers(customers)
    yield ""
    yield from _window(log)
    yield "# QUESTION: from the behaviour of how many first days are personas made? Without this line there are none."
    yield "# personas: {within: 14d, seed: 7}"
    yield "horizons: [30d, 90d, 180d] # the times at which losses are reported; change them to what your decisions need"


def _entry(source: DraftSource) -> Iterator[str]:
    yield f"  - path: {quoted((RAW / source.file.path.name).as_posix())}"
    for reason in source.reasons:
        yield f"    # GUESS: {reason}."
    yield f"    columns: {_mapping(source.columns)}"
    if source.unfold:
        yield "    # GUESS: what happened at each date; remove what is no event (a birthday, an export)."
        yield f"    unfold: {_mapping(source.unfold)}"
    for key, value in source.how.items():
        yield f"    {key}: {quoted(value) if isinstance(value, str) else json.dumps(value)} # GUESS: from the sample"
    if source.needs_zone:
        yield "    # QUESTION: by the clock of which place were the times written, such as Europe/Berlin?"
        yield "    timezone: UTC # GUESS"
    for question in source.questions:
        yield f"    # QUESTION: {question}"


def _customers(customers: DraftCustomers | None) -> Iterator[str]:
    if customers is None:
        yield "# QUESTION: is there a table of what was known of each customer at the start? No file looks like one."
        yield "# customers: {path: data/raw/customers.csv, key: customer_id}"
        return
    yield "# GUESS: known when the customer came; what became known later makes results look better than they are."
    yield "# QUESTION: was each of these columns known then?"
    if customers.later:
        yield f"# Left out, for their names sound like the end: {listed(customers.later)}."
    yield "customers:"
    yield f"  path: {quoted((RAW / customers.file.path.name).as_posix())}"
    yield f"  key: {quoted(customers.key)}"
    for key, value in customers.file.how.items():
        yield f"  {key}: {quoted(value) if isinstance(value, str) else json.dumps(value)}"
    yield f"  attributes: [{', '.join(map(quoted, customers.attributes))}] # GUESS"


def _window(log: EventLog) -> Iterator[str]:
    time = log.events.time
    ends = log.events.aggregate(first=time.min(), last=time.max(), low=time.quantile(0.001)).to_pyarrow().to_pylist()[0]
    first, last = (pd.Timestamp(ends[end]).floor("D") for end in ("first", "last"))
    yield "# GUESS: from the first event to the day after the last."
    yield "# QUESTION: from when to when would every event be in these files?"
    if (low := pd.Timestamp(ends["low"]).floor("D")) - first > pd.Timedelta(days=3650):
        yield f"# QUESTION: some events are dated {first:%Y-%m-%d}, years before the others: are these times right?"
        first = low
    yield f"window: {{start: {first:%Y-%m-%d}, end: {last + pd.Timedelta(days=1):%Y-%m-%d}}}"


def _journey(name: str, journey: DraftJourney) -> Iterator[str]:
    yield "# yaml-language-server: $schema=journey.schema.json"
    yield "# A first draft, by how often and in which order the events come. Only you know what they mean."
    yield "# The events, by frequency:"
    for row in journey.counts.head(_MOST_EVENTS).itertuples():
        yield f"#   {row.event}: {counted(row.rows, 'row')} of {counted(row.customers, 'customer')}"
    if len(journey.counts) > _MOST_EVENTS:
        yield f"#   and {len(journey.counts) - _MOST_EVENTS:,} more"
    yield "journeylab: 1"
    yield f"name: {quoted(name)}"
    yield "# QUESTION: what are customers after, in their words?"
    yield "goal: Not yet written down"
    yield "movement: forward # GUESS: customers only move up; free: any opener moves them"
    yield "# GUESS: what happens about once to a customer opens a stage, in the order in which it mostly comes."
    yield "# QUESTION: what proves that customers do what a stage is about? validated_by: {event: …, within: 14d}"
    yield "stages:"
    names = _names((*journey.stages, *journey.losses))
    for number, event in enumerate(journey.stages, 1):
        yield f"  - name: {quoted(names[event])}"
        yield f"    opened_by: [{{event: {quoted(event)}}}]"
        if number == len(journey.stages) > 1:
            yield "    completes: true # GUESS: the last that is reached"
        else:
            yield f"    silent_after: {journey.silent_days}d # GUESS: 95% of customers never waited longer"
    yield from _losses(journey, names)


def _losses(journey: DraftJourney, names: Mapping[str, str]) -> Iterator[str]:
    if not journey.losses:
        yield "# QUESTION: which event says that a customer is lost? No name sounds like it, so only silence does."
        yield "# loss_branches: [{name: cancelled, when: {event: …}}]"
        return
    yield "# GUESS: their names sound like a loss."
    yield "# QUESTION: is each of these the customer’s last word, or does the customer go on?"
    yield "loss_branches:"
    for event in journey.losses:
        yield f"  - {{name: {quoted(names[event])}, when: {{event: {quoted(event)}}}}}"


def _names(events: Iterable[str]) -> dict[str, str]:
    """A name for what each event opens or ends: short, none twice, and none that tables of results use."""
    names: dict[str, str] = {}
    for number, event in enumerate(events, 1):
        name = re.sub(r"\W+", "_", event).strip("_").lower()
        is_free = name and name not in RESERVED and name not in names.values()
        names[event] = name if is_free else f"{name or 'event'}_{number}"
    return names


def _mapping(pairs: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{quoted(key)}: {quoted(value)}' for key, value in pairs.items())}}}"


def quoted(text: str) -> str:
    """`text` as YAML reads it back, in quotes where it needs them."""
    return text if _WORD.match(text) and text.lower() not in _RESERVED else json.dumps(text, ensure_ascii=False)
