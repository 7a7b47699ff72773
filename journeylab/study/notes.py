"""Notes: what do people add to the journey map that no log shows, and what is it based on?

notes.yml, beside study.yml, lists them under the names of the journey's stages:

    scenario: A team lead tries the product for the weekly planning
    owner: research
    stages:
      evaluating:
        owner: growth
        opportunities:
          - {text: Invite the whole team on the first day, owner: growth}
          - {text: Ask who is silent, evidence: data, source: compare_silence}
        pain_points:
          - {text: Nobody knows who may pay, evidence: interview, source: Interview with a planner, date: 2026-03-02}
        assumptions:
          - {text: Trials fail where the lead is alone, status: open}
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import ConfigDict, Field

from journeylab.base import html
from journeylab.base.documents import (
    Day,
    Frozen,
    OneOrList,
    Places,
    Problem,
    Text,
    check_document,
    described,
    read_document,
)
from journeylab.base.errors import StudyError, did_you_mean
from journeylab.base.words import counted, listed
from journeylab.events.journey import Journey
from journeylab.reporting.journey_map.cells import ASSUMPTION, DATA, EVIDENCE, INTERVIEW, SURVEY

FILE = "notes.yml"
# What gives a finding: the source of a remark that rests on data.
FINDINGS = (
    *("compare_crm", "compare_groups", "compare_leavers", "compare_personas", "compare_silence", "estimate_dropoff"),
    *("estimate_feelings", "estimate_flow", "estimate_funnel", "estimate_occupancy", "estimate_recovery"),
    "estimate_river",
    *("estimate_survival", "estimate_touchpoints", "estimate_validation", "find_personas", "find_thoughts"),
    "fit_hazards",
)
# Each kind of remark, as notes.yml writes it, and the lane of the map in which it stands.
LANES = {
    "goals": "goal",
    "actions": "actions",
    "touchpoints": "touchpoints",
    "moments": "moments",
    "thoughts": "thoughts",
    "pain_points": "pain points",
    "opportunities": "opportunities",
    "assumptions": "assumptions",
}
COLUMNS = ("stage", "lane", "text", "evidence", "source", "date", "status", "owner", "persona")


class Note(Frozen):
    """What somebody adds to one stage. `evidence` is what it is based on: data where `source` begins with
    the name of what gives the finding, such as estimate_dropoff; an interview, and a survey too, where a source and a
    date are given. All else is an assumption, which has a `status`."""

    model_config = described("a remark", text="Nobody knows who may pay", status="open")

    text: Text
    evidence: Literal["data", "survey", "interview", "assumption"] = "assumption"
    source: Text | None = None
    date: Day | None = None
    status: Literal["open", "supported", "refuted"] | None = None
    owner: Text | None = None
    persona: Text | None = None

    @property
    def rests_on(self) -> str:
        """The evidence that it has, whatever is written: without what shows it, it is an assumption."""
        return ASSUMPTION if self.doubt else self.evidence

    @property
    def doubt(self) -> str | None:
        """What is missing for the evidence that is written; None where nothing is."""
        name = re.split(r"\W", self.source or "", maxsplit=1)[0]
        if self.evidence not in (DATA, SURVEY) or name in FINDINGS:
            return None
        if self.evidence == SURVEY:
            return None if self.source and self.date else "no source with its date is given. Add both"
        found = (
            f"“{self.source}” is no finding. {did_you_mean(name, FINDINGS)}" if self.source else "no source is given."
        )
        return f"{found} Name what shows it, such as “source: estimate_dropoff”"


Remarks = Annotated[tuple[Note, ...], OneOrList()]


class StageNotes(Frozen):
    """What people say of one stage."""

    model_config = described("a stage", owner="growth")

    owner: Text | None = None
    goals: Remarks = ()
    actions: Remarks = ()
    touchpoints: Remarks = ()
    moments: Remarks = ()
    thoughts: Remarks = ()
    pain_points: Remarks = ()
    opportunities: Remarks = ()
    assumptions: Remarks = ()


class _File(Frozen):
    model_config = ConfigDict(title="notes.yml")

    scenario: Text | None = None
    owner: Text | None = None
    stages: dict[Annotated[str, Field(strict=True)], StageNotes] = Field(default_factory=dict)


@dataclass(frozen=True)
class Notes:
    """What people add to the map.

    scenario: the situation in which customers set out. owner: who is responsible for the map. stages: notes by stage.
    unknown: the notes on stages that the journey does not have, by line; they are not on the map.
    """

    scenario: str | None = None
    owner: str | None = None
    stages: Mapping[str, StageNotes] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    unknown: tuple[str, ...] = ()

    def fitted(self, journey: Journey) -> "Notes":
        """These notes without those on stages that `journey` does not have; `unknown` names them."""
        unknown = [stage for stage in self.stages if stage not in journey.stage_names]
        lines = [self._unknown(("stages", stage), "stage", stage, journey.stage_names) for stage in unknown]
        stages = {stage: notes for stage, notes in self.stages.items() if stage not in unknown}
        return replace(self, stages=stages, unknown=tuple(lines))

    def check(self, personas: Iterable[str]) -> None:
        """Raise one StudyError that lists by line every persona that is not among `personas`."""
        names = list(personas)
        wrong = [self._unknown((*path, "persona"), "persona", remark.persona, names)
                 for path, remark in self._remarks()
                 if remark.persona is not None and remark.persona not in names]  # fmt: skip
        if wrong:
            raise StudyError("\n".join(wrong))

    def doubts(self) -> tuple[str, ...]:
        """What is doubtful, by line, with what to do: notes on unknown stages, which the map leaves out, and what is
        written as evidence but counts as an assumption."""
        unfit = [f"{line} The map leaves this out." for line in self.unknown]
        return tuple(unfit) + tuple(
            f"{self.places.where(*path, 'evidence')}: The evidence is “{remark.evidence}”, but {remark.doubt}, or "
            "leave out “evidence”. Until then the map shows an assumption."
            for path, remark in self._remarks()
            if remark.doubt
        )

    def table(self) -> pd.DataFrame:
        """One row per remark: the columns of `COLUMNS`; `lane` as the map calls it, `date` as text. The owner of a
        stage is the row of lane `owner`."""
        return pd.DataFrame(self._rows(), columns=list(COLUMNS), dtype=object)

    def sentence(self) -> str:
        """How many remarks on how many stages, on what evidence, and from when to when."""
        rows = self.table()
        rows = rows[rows["lane"] != "owner"]
        if rows.empty:
            return " ".join([f"No remark. Add what no log shows in {FILE}.", *self.doubts()])
        kinds = rows["evidence"].value_counts()
        resting = listed([f"{kind} {kinds[kind]}" for kind in EVIDENCE if kind in kinds])
        days = sorted(rows["date"].dropna().unique())
        dated = f"; dated {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}" if days else ""
        remarks = f"{counted(len(rows), 'remark')} on {counted(rows['stage'].nunique(), 'stage')} ({resting}){dated}."
        return " ".join([remarks, *self.doubts()])

    def __repr__(self) -> str:
        return f"Notes: {self.sentence()}"

    def _repr_html_(self) -> str:
        lines = [f"Scenario: {self.scenario or 'not noted'}.", f"Owner: {self.owner or 'not noted'}."]
        rows = self.table().dropna(axis="columns", how="all")
        table = html.table(rows, csv=False) if len(rows) else ""
        return html.card("Notes on the map", html.listing(lines), html.paragraph(self.sentence()), table)

    def _rows(self) -> Iterator[tuple]:
        for stage, notes in self.stages.items():
            if notes.owner:
                yield stage, "owner", notes.owner, ASSUMPTION, FILE, None, None, None, None
        for (_, stage, kind, _), note in self._remarks():
            day = note.date.isoformat() if note.date else None
            yield stage, LANES[kind], note.text, note.rests_on, note.source, day, note.status, note.owner, note.persona

    def _remarks(self) -> Iterator[tuple[tuple[str, str, str, int], Note]]:
        for stage, notes in self.stages.items():
            for kind in LANES:
                for at, remark in enumerate(getattr(notes, kind)):
                    yield ("stages", stage, kind, at), remark

    def _unknown(self, path: tuple[str | int, ...], noun: str, name: str, known: Iterable[str]) -> str:
        return f"{self.places.where(*path)}: There is no {noun} “{name}”. {did_you_mean(name, known)}"


def read_notes(
    source: str | Path | Mapping[str, Any], *, journey: Journey, personas: Iterable[str] | None = None
) -> Notes:
    """Read what people add to the journey map.

    Parameters
    ----------
    source
        A YAML file, or a mapping with the same keys.
    journey
        The journey whose stages the notes are about.
    personas
        The personas that notes may name; without them, any name is accepted.

    Returns
    -------
    Notes
        Without those on stages that the journey does not have; its ``doubts()`` name them.

    Raises
    ------
    StudyError
        Lists every problem by line: no such file, not YAML, unknown keys, values of the wrong kind, an interview
        without source and date, a status of something that is not an assumption. If there is none of these: unknown
        personas.
    """
    document = read_document(source, error=StudyError)
    checked = check_document(document, _File, error=StudyError, contradictions=_contradictions)
    notes = Notes(checked.scenario, checked.owner, checked.stages, document.places)
    if personas is not None:
        notes.check(personas)
    return notes.fitted(journey)


def _contradictions(written: Any) -> Iterator[Problem]:
    """What no single key shows. `written` is plain data that may be wrong in any way; the model reports the rest."""
    for path, remark in _written_remarks(written):
        evidence = remark.get("evidence", ASSUMPTION)
        missing = [key for key in ("source", "date") if not remark.get(key)]
        if evidence == INTERVIEW and missing:
            text = f"The evidence is an interview, but “{missing[0]}” is missing. Say with whom it was, and when."
            yield Problem((*path, "evidence"), text)
        if isinstance(remark.get("status"), str) and evidence != ASSUMPTION:
            text = (
                f"“status” is given for evidence “{evidence}”; only an assumption has a status. "
                "Leave it out, or leave out “evidence”."
            )
            yield Problem((*path, "status"), text)


def _written_remarks(document: Any) -> Iterator[tuple[tuple[str | int, ...], Mapping]]:
    stages = document.get("stages") if isinstance(document, Mapping) else None
    for stage, notes in stages.items() if isinstance(stages, Mapping) else ():
        for kind in LANES if isinstance(notes, Mapping) else ():
            written = notes.get(kind)
            for at, remark in enumerate(written if isinstance(written, list) else [written]):
                if isinstance(remark, Mapping):
                    yield ("stages", stage, kind, at), remark


def find_notes(folder: str | Path, *, journey: Journey, personas: Iterable[str] | None = None) -> Notes:
    """The notes in the `folder` of a study; none if it has no notes.yml. Raises what `read_notes` raises."""
    path = Path(folder) / FILE
    return read_notes(path, journey=journey, personas=personas) if path.is_file() else Notes()
