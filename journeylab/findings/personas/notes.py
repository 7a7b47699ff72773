"""Notes: what do people call each persona, what do they add to it, and on which interviews does that rest?

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

FILE = "personas.yml"
NOTE, EVIDENCE = "note", "evidence"
COLUMNS = ("persona", "kind", "text", "source", "date")


class NoteEvidence(Frozen):
    """An interview or another source on which a name or a note rests, and its date."""

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

    def check(self, known: Iterable[str]) -> None:
        """Raise one StudyError that lists, by line, every id that is not among the `known` personas."""
        known = list(known)
        unknown = [
            f"{self.places.where('personas', persona)}: There is no persona “{persona}”. "
            f"{did_you_mean(persona, known)} Ids come from the analysis and stay; what may be changed is the name."
            for persona in self.personas
            if persona not in known
        ]
        if unknown:
            raise StudyError("\n".join(unknown))

    def names(self) -> dict[str, str]:
        """The name of each persona that was given one."""
        return {persona: " ".join(each.name.split()) for persona, each in self.personas.items() if each.name}

    def table(self) -> pd.DataFrame:
        """One row per note and piece of evidence: the columns of `COLUMNS`; `date` as text, “2026-03-02”."""
        return pd.DataFrame(self._rows(), columns=list(COLUMNS), dtype=object)

    def _rows(self) -> Iterator[tuple]:
        for persona, each in self.personas.items():
            if each.note:
                yield persona, NOTE, each.note, None, None
            for found in each.evidence:
                yield persona, EVIDENCE, found.note, found.source, found.date.isoformat()


def no_notes() -> pd.DataFrame:
    """The table without a row."""
    return PersonaNotes({}).table()


def read_persona_notes(source: str | Path | Mapping[str, Any]) -> PersonaNotes:
    """The names and notes in a YAML file, or in a mapping with the same keys.

    Raises one StudyError that lists every problem by line: a file that is not there or no YAML, unknown keys, values of
    the wrong kind, a name that two personas share.
    """
    document = read_document(source, error=StudyError)
    checked = check_document(document, _File, error=StudyError, contradictions=_shared_names)
    return PersonaNotes(checked.personas, document.places)


def _shared_names(said: Any) -> Iterator[Problem]:
    personas = said.get("personas") if isinstance(said, Mapping) else None
    owner: dict[str, str] = {}
    for persona, each in personas.items() if isinstance(personas, Mapping) else ():
        name = each.get("name") if isinstance(each, Mapping) else None
        if isinstance(name, str) and name.strip():
            first = owner.setdefault(name.strip().casefold(), persona)
            if first != persona:
                text = f"“{name}” is the name of “{first}” already. Give each persona a name of its own."
                yield Problem(("personas", persona, "name"), text)
