"""Notes: what do people call each persona, what do they add to it, and which interviews support that?

personas.yml, beside study.yml, holds them by the persona's id, which never changes:

    personas:
      P1:
        name: Plans on Monday
        note: One person plans for the whole team.
        evidence:
          - {source: "Interview, head of operations", date: 2026-03-02, note: Plans for forty people}
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import ConfigDict, Field

from journeylab.base.documents import Day, Frozen, Places, Problem, Text, check_document, described, read_document
from journeylab.base.errors import StudyError, did_you_mean
from journeylab.base.tables import table_of

NOTE, EVIDENCE = "note", "evidence"
NOTES = dict.fromkeys(("persona", "kind", "text", "source", "date"), object)


class NoteEvidence(Frozen):
    """An interview or another source that supports a name or a note, and its date."""

    model_config = described("“evidence”", source="Interview with a planner", date="2026-03-02")

    source: Text
    date: Day
    note: Text | None = None


class PersonaNote(Frozen):
    """What people say of one persona."""

    model_config = described("a persona", name="Plans on Monday")

    name: Text | None = None
    note: Text | None = None
    evidence: tuple[NoteEvidence, ...] = ()


class _File(Frozen):
    model_config = ConfigDict(title="personas.yml")

    personas: dict[Annotated[str, Field(strict=True)], PersonaNote]


@dataclass(frozen=True)
class PersonaNotes:
    """Names, notes and evidence by the id of the persona, and where each was written."""

    personas: Mapping[str, PersonaNote]
    places: Places = field(default_factory=Places)

    def check(self, known: Iterable[str], *, gone: Iterable[str] = ()) -> None:
        """Raise one StudyError that lists, by line, every id that is not among the `known` personas, nor among those
        that are `gone`: what was written of these stays, and is shown again should one come back."""
        known, gone = list(known), set(gone)
        unknown = [
            f"{self.places.where('personas', persona)}: There is no persona “{persona}”. "
            f"{did_you_mean(persona, known)} Ids come from the analysis and stay; what may be changed is the name."
            for persona in self.personas
            if persona not in known and persona not in gone
        ]
        if unknown:
            raise StudyError("\n".join(unknown))

    def names(self) -> dict[str, str]:
        """The name of each persona that was given one."""
        return {persona: " ".join(written.name.split()) for persona, written in self.personas.items() if written.name}

    def table(self) -> pd.DataFrame:
        """One row per note and piece of evidence: the columns of `NOTES`; `date` as text, “2026-03-02”."""
        return table_of(self._rows(), NOTES)

    def _rows(self) -> Iterator[tuple]:
        for persona, written in self.personas.items():
            if written.note:
                yield persona, NOTE, written.note, None, None
            for evidence in written.evidence:
                yield persona, EVIDENCE, evidence.note, evidence.source, evidence.date.isoformat()


def read_persona_notes(source: str | Path | Mapping[str, Any]) -> PersonaNotes:
    """The names and notes in a YAML file, or in a mapping with the same keys.

    Raises one StudyError that lists every problem by line: a file that is not there or no YAML, unknown keys, values of
    the wrong kind, a name that two personas share.
    """
    document = read_document(source, error=StudyError)
    checked = check_document(document, _File, error=StudyError, contradictions=_shared_names)
    return PersonaNotes(checked.personas, document.places)


def _shared_names(document: Any) -> Iterator[Problem]:
    personas = document.get("personas") if isinstance(document, Mapping) else None
    owner: dict[str, str] = {}
    for persona, written in personas.items() if isinstance(personas, Mapping) else ():
        name = written.get("name") if isinstance(written, Mapping) else None
        if isinstance(name, str) and name.strip():
            first = owner.setdefault(name.strip().casefold(), persona)
            if first != persona:
                text = f"“{name}” is the name of “{first}” already. Give each persona a name of its own."
                yield Problem(("personas", persona, "name"), text)
