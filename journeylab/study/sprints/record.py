"""A sprint: one round of research, saved. Which inputs did it have, and which personas did it find?

Each is a folder of the study, `sprints/2026-01-01-NAME`. The date is the end of the observed window, not the day on
which it was run, so that the same data give the same folder, to the byte.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from journeylab.base import html
from journeylab.base.errors import StudyError, did_you_mean
from journeylab.base.words import counted
from journeylab.events.log import Window
from journeylab.findings.personas import Personas, read_personas

SPRINTS = Path("sprints")
RECORD, PERSONAS = "sprint.json", "personas.persona.json"
FORMAT, VERSION = "journeylab sprint", 1
_KEYS = ("format", "version", "name", "number", "previous", "window", "decisions", "reading", "ids", "inputs")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, eq=False)
class Sprint:
    """A sprint that was started.

    folder: its folder. name: its name. number: from 1 on, in order. previous: name of the sprint before it, or None.
    window: start and end of what was observed, as text. decisions: those of study.yml for personas and horizons.
    reading: fingerprint of the data, how they were read, and the journey.
    ids: every id that a persona of this or an earlier sprint has had.
    inputs: DataFrame `input` (settings, journey, notes, remarks, data), `file`, `bytes`, `sha256`.
    """

    folder: Path
    name: str
    number: int
    previous: str | None
    window: tuple[str, str]
    decisions: dict
    reading: str
    ids: tuple[str, ...]
    inputs: pd.DataFrame

    @cached_property
    def personas(self) -> Personas:
        """The personas that it found, without their customers."""
        return read_personas(self.folder / PERSONAS, period=Window.from_times(*self.window))

    def to_json(self) -> str:
        """What the file sprint.json holds."""
        content = {key: getattr(self, key) for key in _KEYS if key not in ("format", "version", "inputs")}
        inputs = self.inputs.astype(object).to_dict("records")
        return json.dumps(
            {"format": FORMAT, "version": VERSION, **content, "inputs": inputs}, indent=2, ensure_ascii=False
        )

    def __repr__(self) -> str:
        return f"Sprint {self.number} “{self.name}”: window {self.window[0]} to {self.window[1]}"

    def _repr_html_(self) -> str:
        n = len(self.personas.table)
        sentence = (
            f"Window {self.window[0]} to {self.window[1]}; {counted(n, 'persona')}; "
            f"{counted(len(self.inputs), 'input')}, each with its fingerprint"
            f"{f'; the sprint before it is “{self.previous}”' if self.previous else ''}."
        )
        return html.card(
            f"Sprint {self.number}: {self.name}", html.paragraph(sentence), html.table(self.inputs, csv=False)
        )


def read_sprint(folder: Path) -> Sprint:
    """The sprint in `folder`. Raises StudyError if its record cannot be read or is not complete."""
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT or record["version"] != VERSION or set(record) != set(_KEYS):
            raise KeyError("format")
        fields = {key: record[key] for key in _KEYS[2:]}
        inputs = pd.DataFrame(fields["inputs"], columns=["input", "file", "bytes", "sha256"])
        fields |= {"window": tuple(fields["window"]), "ids": tuple(fields["ids"]), "inputs": inputs}
        return Sprint(folder=folder, **fields)
    except (OSError, ValueError, KeyError, TypeError):
        raise StudyError(
            f"“{folder.name}” in “{folder.parent.name}” has no valid {RECORD}. Restore it from a copy, or move the "
            "folder elsewhere and start the sprint again."
        ) from None


def find_sprints(study: Path) -> tuple[Sprint, ...]:
    """The sprints of the study in the folder `study`, in the order in which they were started."""
    # A folder whose name begins with a point is one that was never finished.
    folders = sorted(path.parent for path in (study / SPRINTS).glob(f"[!.]*/{RECORD}"))
    return tuple(sorted((read_sprint(folder) for folder in folders), key=lambda sprint: sprint.number))


def pick_sprint(sprints: Sequence[Sprint], name: str) -> Sprint:
    """The one of `sprints` with this name, or whose folder is called so. Raises StudyError where there is none."""
    for sprint in sprints:
        if name in (sprint.name, sprint.folder.name):
            return sprint
    if not sprints:
        raise StudyError(
            f"There is no sprint “{name}”, and no other either. Start one with “journeylab sprint start NAME”."
        )
    raise StudyError(f"There is no sprint “{name}”. {did_you_mean(name, [sprint.name for sprint in sprints])}")


def check_name(name: str, sprints: Sequence[Sprint]) -> None:
    """Raise StudyError unless a new sprint can be called `name`."""
    if not _NAME.fullmatch(name):
        raise StudyError(
            f"A sprint cannot be called “{name}”. Take small letters, digits and hyphens, as in “spring-2026”."
        )
    if any(sprint.name == name for sprint in sprints):
        raise StudyError(f"There is already a sprint “{name}”, and it is not overwritten. Take another name.")
