"""Template texts: what in a study still says what the template said, and so speaks of somebody else's customers?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from journeylab.base.documents import KeyPath
from journeylab.events.journey import Journey
from journeylab.events.lint import Lint
from journeylab.study.notes import FILE, LANES, Notes

TEMPLATES = Path(__file__).parent / "templates"
# The company of the template that customers are simulated for.
SIMULATED = "(simulated)"
# A remark, or what the whole map is of: `{text: …, owner: …}`, `scenario: … # a comment`.
_NOTED = re.compile(r"\{text: ([^,}]+)|^# (?:scenario|owner): (.+?)(?: #.*)?$", re.MULTILINE)
_FIX = "Say what is so of your customers, or delete the line."


def find_template_texts(journey: Journey, notes: Notes) -> Lint:
    """Warnings on each text in journey.yml and notes.yml that a template of `journeylab init` came with.

    Looked at are the goals, and on the map the scenario and the remarks; the owner only where the scenario, too, is a
    template's, for many have an owner of the same name. Simulated customers are the template's own.
    """
    if journey.name.endswith(SIMULATED):
        return Lint.of_rows([])
    templates = [_read(folder) for folder in sorted(TEMPLATES.iterdir()) if (folder / FILE).is_file()]
    known = {text for template in templates for text in template}
    rows = [*_warnings(_of_journey(journey), journey, known), *_warnings(_of_notes(notes), notes.places, known)]
    return Lint.of_rows(rows)


def _warnings(texts: Iterator[tuple[KeyPath, str | None]], written_in: Any, known: set[str]) -> Iterator[tuple]:
    """A row of a Lint for each of `texts` that is among the `known`."""
    has_scenario = False
    for path, text in texts:
        is_known = text in known and (path != ("owner",) or has_scenario)
        has_scenario |= is_known and path == ("scenario",)
        if is_known:
            problem = f"“{text}” is the example of the template, not a text about your customers."
            yield "warning", written_in.where(*path), problem, _FIX, "template-text"


def _of_journey(journey: Journey) -> Iterator[tuple[KeyPath, str | None]]:
    yield ("name",), journey.name
    yield ("goal",), journey.goal
    for at, stage in enumerate(journey.stages):
        yield ("stages", at, "goal"), stage.goal


def _of_notes(notes: Notes) -> Iterator[tuple[KeyPath, str | None]]:
    yield ("scenario",), notes.scenario
    yield ("owner",), notes.owner
    for stage, of_stage in notes.stages.items():
        for kind in LANES:
            for at, remark in enumerate(getattr(of_stage, kind)):
                yield ("stages", stage, kind, at), remark.text


def _read(folder: Path) -> set[str]:
    """The texts of the template in `folder`. Those of notes.yml stand there in comments."""
    notes = (folder / FILE).read_text(encoding="utf-8")
    journey = yaml.safe_load((folder / "journey.yml").read_text(encoding="utf-8"))
    texts = {journey["name"], journey["goal"], *(stage["goal"] for stage in journey["stages"] if "goal" in stage)}
    return texts | {found[1] or found[2] for found in _NOTED.finditer(notes)}
