"""Build: how do spells, findings and what people noted become a journey map?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from journeylab.base.errors import ReportError, did_you_mean
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.reporting.journey_map.cells import ASSUMPTION, LANES, LOSSES, NOT_MEASURED, one_cell, tidy_cells
from journeylab.reporting.journey_map.journey_map import EVERYONE, JourneyMap, MapStage
from journeylab.reporting.journey_map.measured import (
    days_in_stage,
    feelings_curve,
    lane_titles,
    measured_cells,
    river_of,
)

# The columns of the customers' table that say which account a customer belongs to.
ACCOUNTS = ("account", "account_id")
# What the stage that completes the journey says instead of “not measured”.
_END = {"moves": "Nobody moves on: the journey is complete", LOSSES: "Nobody can be lost: the journey is complete"}

_MOMENTS = (
    "Moments that matter: none is measured yet. Note what may be one in notes.yml, as an assumption; fit_hazards, with "
    "Exposure.to the event that marks it, then tells whether customers leave at another rate once they have had it."
)


class Noted(Protocol):
    """What people add: `scenario`, `owner`, and a table of remarks; `journeylab.study.notes` reads one."""

    scenario: str | None
    owner: str | None

    def table(self) -> pd.DataFrame:
        """Columns `stage`, `lane`, `text`, `evidence`, `source`, `date`, `status`, `owner`, `persona`."""


def build_map(
    spells: Spells,
    findings: Iterable[Finding],
    *,
    log: EventLog | None = None,
    notes: Noted | None = None,
    by: Grouping | None = None,
    persona: str | None = None,
    previous: JourneyMap | None = None,
) -> JourneyMap:
    """Build the map of the journey of `spells`, for everyone or for one persona.

    Parameters
    ----------
    spells
        The visits, with the journey that they were found in.
    findings
        What was estimated. Each lane of a finding's `by_stage` goes into the row that the map has for it, or else into
        a row of its own at the end. `losses_by_branch` fills the losses, `feelings_by_stage` the curve of emotions. A
        finding that lacks what it needs leaves “not measured”; the reason is given under the map.
    log
        Used to say how many customers never came to a stage. If it has newer data than `spells`, the map says that it
        is out of date.
    notes
        What people added; see `read_notes`. A remark on one persona is on that persona's map and on everyone's.
    by, persona
        The grouping that the findings were estimated by, and the group to map. Only findings by that grouping are then
        used: what is known of everyone is not known of the persona.
    previous
        The map to compare with. Cells that differ are marked, and `changes` lists them.

    Returns
    -------
    JourneyMap

    Raises
    ------
    ReportError
        If there is no such persona, if `persona` is given without `by`, or if two findings fill the same lane.
    """
    journey, visits = spells.journey, _visits(spells, by, persona)
    name = by.name if by is not None and persona is not None else None
    asked = [finding for finding in findings if getattr(finding, "by", None) == name]
    people = _Remarks.of(notes, persona)
    declared = [row for row in _declared(journey) if (row["lane"], row["stage"]) not in people.owned]
    rows = [*_counted_cells(visits, journey), *declared, *measured_cells(asked, persona, journey.title), *people.rows]
    lanes = tuple(dict.fromkeys([*(lane.name for lane in LANES), *(row["lane"] for row in rows)]))
    titles = {lane.name: lane.title for lane in LANES} | lane_titles(asked)
    built = JourneyMap(
        name=journey.name,
        persona=persona or EVERYONE,
        header=tuple(_header(spells, visits, asked, log, people, persona)),
        stages=tuple(MapStage(stage.name, stage.title, stage.completes) for stage in journey.stages),
        lanes=tuple((lane, titles.get(lane, lane[:1].upper() + lane[1:])) for lane in lanes),
        table=tidy_cells(rows, lanes, journey.stage_names),
        curve=feelings_curve(asked, journey.stage_names, persona),
        river=river_of(asked, persona, journey.title),
        days=days_in_stage(asked, journey.stage_names, persona),
        missing=(*(f"{finding.title}: {finding.lacking}" for finding in asked if finding.lacking), *_unmeasured(rows)),
        definition=journey.fingerprint(),
        data_until=spells.window.end.isoformat(),
    )
    built = built.checked(log) if log is not None else built
    return built.against(previous) if previous is not None else built


def _visits(spells: Spells, by: Grouping | None, persona: str | None) -> pd.DataFrame:
    visits = spells.to_pandas()
    if persona is None:
        return visits
    if by is None:
        raise ReportError(
            f"A map of the persona “{persona}” was asked for without the grouping. Pass `by`, such as "
            "study.personas.grouping(), and findings estimated by it."
        )
    groups = sorted(by.labels.unique())
    if persona not in groups:
        raise ReportError(f"There is no {by.name} “{persona}”. {did_you_mean(persona, groups)}")
    grouped = by.apply(visits)
    return grouped[grouped["group"] == persona]


def _counted_cells(visits: pd.DataFrame, journey: Journey) -> Iterator[dict]:
    """How many came to each stage, and how many are still inside."""
    for stage in journey.stages:
        in_stage = visits[visits["stage"] == stage.name]
        inside = in_stage[in_stage["outcome"] == "ongoing"]
        for part, rows in (("Entered", in_stage), ("Inside now", inside)):
            customers = rows["customer_id"].nunique()
            few = 0 < customers < MIN_SHOWN
            words = f"fewer than {MIN_SHOWN} customers" if few else counted(customers, "customer")
            visited = f" in {counted(len(rows), 'visit')}" if not few and len(rows) != customers else ""
            numbers = {"estimate": None if few else customers, "n": None if few else len(rows)}
            yield one_cell("stage", stage.name, words + visited, part=part) | numbers


def _declared(journey: Journey) -> Iterator[dict]:
    """What journey.yml says of each stage: written by people, so an assumption until measured."""
    for stage, row in zip(journey.stages, journey.summary().to_dict("records"), strict=True):
        texts = {
            "Trigger": ("trigger", row["opened_by"]),
            "Proof": ("trigger", stage.validated_by.words if stage.validated_by else "none is declared"),
            "": ("goal", stage.goal),
        }
        for part, (lane, text) in texts.items():
            if text:
                yield one_cell(lane, stage.name, text, part=part, evidence=ASSUMPTION, source="journey.yml")
        if stage.crm_bucket:
            yield one_cell(
                "trigger", stage.name, stage.crm_bucket, part="CRM bucket", evidence=ASSUMPTION, source="journey.yml"
            )
        if stage.owner:
            yield one_cell("owner", stage.name, stage.owner, evidence=ASSUMPTION, source="journey.yml")
        for lane, text in _END.items() if stage.completes else ():
            yield one_cell(lane, stage.name, text, evidence=ASSUMPTION, source="journey.yml")


def _unmeasured(rows: Iterable[dict]) -> Iterator[str]:
    """How to measure what no finding measures by itself."""
    if not any(row["lane"] == "moments" and row["evidence"] != ASSUMPTION for row in rows):
        yield _MOMENTS


@dataclass(frozen=True)
class _Remarks:
    scenario: str | None
    owner: str | None
    rows: tuple[dict, ...]

    @property
    def owned(self) -> set[tuple[str, str]]:
        """The stages, after their lane, whose owner somebody noted: that stands instead of the declared one."""
        return {(row["lane"], row["stage"]) for row in self.rows if row["lane"] == "owner"}

    @classmethod
    def of(cls, notes: Noted | None, persona: str | None) -> "_Remarks":
        if notes is None:
            return cls(None, None, ())
        table = notes.table()
        if persona is not None:
            table = table[table["persona"].isna() | (table["persona"] == persona)]
        return cls(notes.scenario, notes.owner, tuple(_remark(row) for row in table.to_dict("records")))


def _remark(row: Mapping[str, Any]) -> dict:
    details = [row["status"] and f"assumed, {row['status']}", row["owner"], row["persona"] and f"of {row['persona']}"]
    bracket = ", ".join(detail for detail in details if detail)
    source = ", ".join(detail for detail in (row["source"], row["date"]) if detail)
    text = f"{row['text']} [{bracket}]" if bracket else row["text"]
    return one_cell(row["lane"], row["stage"], text, evidence=row["evidence"], source=source or "notes.yml")


def _header(
    spells: Spells,
    visits: pd.DataFrame,
    findings: list[Finding],
    log: EventLog | None,
    people: _Remarks,
    persona: str | None,
) -> Iterator[tuple[str, str]]:
    """What the map is of, in pairs of a word and what it says."""
    customers = visits["customer_id"].nunique()
    of_log = f" of {log.n_customers:,} in the log" if log is not None else ""
    yield "Goal", spells.journey.goal
    yield "Scenario", people.scenario or "not noted"
    yield "Owner", people.owner or "not noted"
    yield "Period", f"{_day(spells.window.start)} up to {_day(spells.window.end)}"
    is_few = 0 < customers < MIN_SHOWN
    yield (
        "Customers",
        f"fewer than {MIN_SHOWN}" if is_few else f"{customers:,}{of_log}, {counted(len(visits), 'visit')}",
    )
    for column in ACCOUNTS:
        if column in spells.customers:
            accounts = spells.customers.reindex(visits["customer_id"].unique())[column].nunique()
            yield "Accounts", f"{accounts:,}" if accounts >= MIN_SHOWN or not accounts else f"fewer than {MIN_SHOWN}"
            break
    sources = (finding.coverage_in_words(persona) for finding in findings)
    yield "Customers seen, by source", next((words for words in sources if words), NOT_MEASURED)
    yield "Definition", f"{spells.journey.name}, {spells.journey.fingerprint()}"


def _day(time: pd.Timestamp) -> str:
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"
