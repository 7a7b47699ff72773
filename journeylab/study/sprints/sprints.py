"""Sprints: how is a round of research saved, and what changed since the one before?"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from journeylab.base import html
from journeylab.base.errors import StudyError
from journeylab.base.files import fingerprint, write_text
from journeylab.base.sheets import write_csv
from journeylab.base.suppression import without_few
from journeylab.events.log import Window, written
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.personas import Personas
from journeylab.findings.personas.change import PersonaChange, compare_personas
from journeylab.findings.survival import estimate_survival
from journeylab.study.folders import FILE
from journeylab.study.sprints.record import (
    PERSONAS,
    RECORD,
    SPRINTS,
    Sprint,
    check_name,
    find_sprints,
    pick_sprint,
    read_sprint,
)
from journeylab.study.study import NOTES, Study

# Which two sprints a notebook compares, as OLD,NEW; without it, the last ones.
COMPARED = "JOURNEYLAB_SPRINTS"


@dataclass(frozen=True)
class SprintChange:
    """What changed from one sprint to the next.

    old, new: what was compared, in words. why: why these two, in a sentence. change: see `PersonaChange`.
    """

    old: str
    new: str
    why: str
    change: PersonaChange

    def _repr_html_(self) -> str:
        compared = html.card(f"From {self.old} to {self.new}", html.paragraph(self.why))
        return compared + self.change._repr_html_()


def start_sprint(study: Study, name: str) -> Sprint:
    """Save what the study finds now as the sprint `name`, in a folder that is never overwritten.

    The folder has sprint.json (fingerprints of all inputs, decisions, ids), copies of study.yml and journey.yml, the
    personas without their customers (`personas.persona.json`) and findings as tables (CSV, counts of fewer than five
    left out).
    Personas that survived since the last sprint keep their ids; all others have ids that were never used.

    Raises StudyError for a name that cannot be one or is taken, and where the study's window ends before that of the
    last sprint; JourneyError for errors in the journey.
    """
    sprints = find_sprints(study.folder)
    check_name(name, sprints)
    last = sprints[-1] if sprints else None
    end = written(study.window.end)
    if last and study.window.end < pd.Timestamp(last.window[1], tz="UTC"):
        raise StudyError(
            f"The study’s window ends {end}, before that of the last sprint, “{last.name}”: {last.window[1]}. "
            f"Sprints go forward: correct the window in {FILE}."
        )
    study.lint.raise_errors()
    personas = study.personas
    sprint = Sprint(
        folder=study.folder / SPRINTS / f"{study.window.end:%Y-%m-%d}-{name}",
        name=name,
        number=last.number + 1 if last else 1,
        previous=last.name if last else None,
        window=(written(study.window.start), end),
        decisions={
            "horizons": list(study.horizons),
            "personas": study.settings.personas and study.settings.personas.model_dump(),
        },
        reading=_reading(study),
        ids=tuple(dict.fromkeys([*(last.ids if last else ()), *personas.table["persona"]])),
        inputs=pd.DataFrame(_inputs(study), columns=["input", "file", "bytes", "sha256"]),
    )
    _write(sprint, study, personas)
    return read_sprint(sprint.folder)


def compare_sprints(study: Study, old: str | None = None, new: str | None = None) -> SprintChange:
    """What changed from the sprint `old` to the sprint `new`; without names, since the last sprint.

    The new sprint's customers are not kept, only fingerprints of its data: they must still be the study's, or this
    raises StudyError. Without names, and unless the environment variable JOURNEYLAB_SPRINTS has two (“OLD,NEW”), these
    are compared: the last sprint with the study's personas, where the data have changed since; else the last two
    sprints; where there are no two, the first half of the window with the second, by the study's decisions.
    """
    sprints = find_sprints(study.folder)
    names = [old, new] if old and new else [name.strip() for name in os.environ.get(COMPARED, "").split(",")]
    if len(names) == 2:
        return _between(study, *(pick_sprint(sprints, name) for name in names), why="These two were asked for.")
    if not sprints:
        return _halves(study, "This study has no sprint yet")
    last = sprints[-1]
    if last.reading != _reading(study):
        change = compare_personas(last.personas, study.personas, log=study.log, ids="kept")
        why = f"The data, how they are read, or the journey have changed since the last sprint, “{last.name}”."
        return SprintChange(f"sprint “{last.name}”", "the study now", why, change)
    if len(sprints) > 1:
        return _between(study, sprints[-2], last, why="These are the last two sprints.")
    return _halves(study, f"This study has one sprint, “{last.name}”, and nothing has changed since")


def _between(study: Study, old: Sprint, new: Sprint, *, why: str) -> SprintChange:
    if old.number >= new.number:
        raise StudyError(f"Sprint “{old.name}” is not earlier than “{new.name}”. Name the earlier one first.")
    if new.reading != _reading(study):
        raise StudyError(
            f"The study’s data, how they are read, or its journey have changed since the sprint “{new.name}”, whose "
            f"customers are needed for this. Name the data that it had with --data, or start a new sprint."
        )
    change = compare_personas(old.personas, new.personas, log=study.log, ids="kept")
    return SprintChange(f"sprint “{old.name}”", f"sprint “{new.name}”", why, change)


def _halves(study: Study, why: str) -> SprintChange:
    """The first half of the window compared with the second: personas are found in each as if it were all there is."""
    window = study.window
    middle = window.start + (window.end - window.start) / 2
    middle = middle.normalize() if middle.normalize() > window.start else middle
    first, second = Window(window.start, middle), Window(middle, window.end)
    change = compare_personas(
        study.personas_within(first, cached_as="personas-of-first-half"),
        study.personas_within(second, cached_as="personas-of-second-half"),
        log=replace(study.log, window=second),
    )
    sentence = f"{why}: the personas of {first} are compared with those of {second}."
    return SprintChange("first half of the window", "second half", sentence, change)


def _reading(study: Study) -> str:
    """Fingerprint of the data, how they are read, the journey and the decisions for personas."""
    data = [(file, sha256) for kind, file, _, sha256 in _inputs(study) if kind == "data"]
    decisions = study.settings.personas
    decided = decisions.model_dump_json() if decisions else ""
    return fingerprint(str(data), study.settings.data_settings(), study.journey.fingerprint(), decided)


def _inputs(study: Study) -> Iterator[tuple[str, str, int, str]]:
    """Each file that the study is made from: what it is, its path as in the study, its bytes and their SHA-256."""
    documents = {"settings": FILE, "journey": study.settings.journey, "notes": NOTES}
    for kind, name in documents.items():
        if (study.folder / name).is_file():
            yield kind, name, *_size_and_sha256(study.folder / name)
    settings = study.settings
    paths = [source.path for source in settings.events]
    paths += [source.path for source in (settings.customers, settings.crm) if source and source.path]
    for path in paths:
        for file in study.folders.find(path):
            yield "data", (Path(path).parent / file.name).as_posix(), *_size_and_sha256(file)


def _size_and_sha256(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _write(sprint: Sprint, study: Study, personas: Personas) -> None:
    sprint.folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=sprint.folder.parent, prefix=".new-"))
    try:
        write_text(made / RECORD, sprint.to_json() + "\n")
        personas.write(made / PERSONAS, customers="left out")
        for name in (FILE, study.settings.journey):
            shutil.copyfile(study.folder / name, made / Path(name).name)
        for name, table in _findings(study, personas).items():
            write_csv(table, made / "findings" / f"{name}.csv")
        made.chmod(0o755)
        made.rename(sprint.folder)
    except BaseException:
        shutil.rmtree(made)
        raise


def _findings(study: Study, personas: Personas) -> dict[str, pd.DataFrame]:
    """The findings as tables, by the name of their file."""
    dropoff = estimate_dropoff(study.spells, horizons=study.horizons).for_export()
    files = {"dropoff": dropoff.table, "ledger": dropoff.ledger}
    files["time_in_stage"] = without_few(estimate_survival(study.spells).medians())
    if not personas.lacking:
        by = personas.grouping()
        files["dropoff_by_persona"] = estimate_dropoff(study.spells, horizons=study.horizons, by=by).for_export().table
    proof = personas.proof
    tables = {"verdicts": proof.verdicts, "structure": proof.structure, "left_out": personas.left_out}
    tables["profiles"] = personas.description.profiles
    return {**files, "personas": personas.table, **{name: without_few(table) for name, table in tables.items()}}
