"""A study: which data, which journey and which decisions belong together, and what do they give?

A study is a folder: study.yml, the journey that it names, `data/raw`, `data/processed` (all that can be made again),
`notebooks` and `reports`. `open_study` reads and checks the two files; the rest is found when first asked for.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from journeylab.base import html
from journeylab.base.errors import StudyError
from journeylab.base.files import fingerprint
from journeylab.events.crm_records import CrmRecords, read_crm
from journeylab.events.journey import Journey, read_journey
from journeylab.events.lint import Lint, check_journey
from journeylab.events.log import EventLog, Window
from journeylab.events.reading import Source, read_events
from journeylab.events.spells import Spells, find_spells, read_spells
from journeylab.findings.personas import Personas, find_personas, read_personas
from journeylab.findings.personas.change import compare_personas
from journeylab.notes import Notes, find_notes
from journeylab.settings import FILE, Folders, Settings, read_settings
from journeylab.sprint_record import find_sprints

DATA = "JOURNEYLAB_DATA"
PROCESSED = Path("data/processed")
NOTES = "personas.yml"
# What spells, and personas, are made by: folders of the package.
SPELL_CODE = ("events",)
PERSONA_CODE = ("events", "estimators", "findings/personas")


@dataclass(frozen=True)
class Study:
    """A study folder, opened. What its data give is found once, when first asked for.

    folders: where its files lie.
    settings: what its study.yml says.
    journey: the journey that it names.
    """

    folders: Folders
    settings: Settings
    journey: Journey

    @property
    def name(self) -> str:
        """The study's name."""
        return self.settings.study

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self.folders.study

    @property
    def window(self) -> Window:
        """What was observed."""
        return Window(self.settings.window.start, self.settings.window.end)

    @property
    def horizons(self) -> tuple[str, ...]:
        """How far findings look, as durations such as "30d"."""
        return self.settings.horizons

    @cached_property
    def log(self) -> EventLog:
        """The events, from the files that study.yml names."""
        said, place = self.settings, self.folders.place
        sources = [Source(place(each.path), each.columns, each.timezone, each.time_unit) for each in said.events]
        customers = said.customers and {**said.customers.model_dump(), "path": place(said.customers.path)}
        return read_events(sources, window=self.window, customers=customers, duplicates=said.duplicates)

    @cached_property
    def crm(self) -> CrmRecords | None:
        """The CRM's moves of customers between its buckets, from where study.yml says; None where it says nothing."""
        said = self.settings.crm
        if said is None:
            return None
        if said.column is not None:
            return CrmRecords.from_log(self.log, column=said.column)
        read = {"columns": said.columns.model_dump(), "timezone": said.timezone, "time_unit": said.time_unit}
        return read_crm(self.folders.place(said.path), window=self.window, **read)

    @cached_property
    def lint(self) -> Lint:
        """What is doubtful about the journey, by itself and against the log."""
        return check_journey(self.journey, log=self.log)

    @cached_property
    def notes(self) -> Notes:
        """What people add to the journey map, from notes.yml; empty where the study has no such file."""
        return find_notes(self.folder, journey=self.journey)

    @cached_property
    def spells(self) -> Spells:
        """The customers' visits to each stage.

        They are kept in `data/processed` under a fingerprint of all that they depend on: the contents of the data
        files, how study.yml says to read them, the journey, and journeylab's code. Reading the contents for it costs
        about half a second per gigabyte; in turn, nothing outdated is ever used. Files of other fingerprints are
        removed.
        """
        kept = self.folder / PROCESSED / f"spells-{self._fingerprint(*SPELL_CODE)}.parquet"
        # Another process may be removing the file, or a full disk has cut it: then the spells are found again.
        with suppress(FileNotFoundError, StudyError, pa.ArrowException):
            return read_spells(kept, journey=self.journey, window=self.window, customers=self.log.customers)
        spells = find_spells(self.log, self.journey)
        with suppress(OSError):  # a study may lie where one cannot write
            spells.write(kept)
            _remove_others(kept, "spells-*.parquet")
        return spells

    @cached_property
    def personas(self) -> Personas:
        """The personas, found with the decisions under `personas` in study.yml. Where it has none, there is no persona,
        and `lacking` says how to mend that.

        They are kept in `data/processed` as spells are, under a fingerprint that also covers those decisions; the file
        names the customers, as the data do. Names and notes come from personas.yml, where the study has one; see
        `Personas.named`. After a sprint, personas that survived keep the ids they had there; all others get ids that no
        persona ever had.
        """
        found, notes = self._found_personas(), self.folder / NOTES
        return found.named(notes) if notes.is_file() else found

    def _found_personas(self) -> Personas:
        decisions = self.settings.personas
        if decisions is None:
            why = (
                f"{FILE} of “{self.name}” does not say how they are to be found. "
                "Add a line such as “personas: {within: 30d, seed: 7}”."
            )
            return Personas.none(self.journey, why)
        last = next(reversed(find_sprints(self.folder)), None)
        continues = last.to_json() if last else ""
        found_with = fingerprint(self._fingerprint(*PERSONA_CODE), decisions.model_dump_json(), continues)
        kept = self.folder / PROCESSED / f"personas-{found_with}.persona.json"
        with suppress(OSError, StudyError):
            return read_personas(kept)
        personas = find_personas(self.log, self.journey, within=decisions.within, seed=decisions.seed)
        if last:
            personas = compare_personas(last.personas, personas, log=self.log, used=last.ids).personas
        with suppress(OSError):
            personas.write(kept)
            _remove_others(kept, "personas-*.persona.json")
        return personas

    def _fingerprint(self, *code: str) -> str:
        """Of the data, how they are read, the journey, and the code in the folders `code` of the package."""
        files_of_code = sorted(file for folder in code for file in (Path(__file__).parent / folder).rglob("*.py"))
        written = [source.path for source in self.settings.events]
        written += [self.settings.customers.path] if self.settings.customers else []
        files = [file for path in written for file in self.folders.find(path)]
        names = "\n".join(file.name for file in files)
        return fingerprint(
            version("journeylab"), files_of_code, self.settings.said_of_data(), self.journey.fingerprint(), names, files
        )

    def __repr__(self) -> str:
        return f"Study “{self.name}”: journey “{self.journey.name}”, window {self.window}"

    def _repr_html_(self) -> str:
        horizons = ", ".join(self.horizons)
        return html.card(
            self.name,
            html.paragraph(f"Journey “{self.journey.name}”; window {self.window}; horizons {horizons}."),
            *([html.paragraph(self.settings.notes)] if self.settings.notes else []),
        )


def _remove_others(kept: Path, pattern: str) -> None:
    """Remove the files beside `kept` that lie there by an outdated fingerprint."""
    for old in kept.parent.glob(pattern):
        if old.name != kept.name:
            old.unlink(missing_ok=True)


def open_study(path: str | Path = ".", data: str | Path | None = None) -> Study:
    """The study in the folder `path`.

    Paths in study.yml start from that folder. `data`, or else the environment variable JOURNEYLAB_DATA, names a folder
    that stands in for the study's `data/raw`.

    Raises one StudyError that lists every problem in study.yml by line (see `read_settings`), and JourneyError where
    the journey cannot be read.
    """
    data = data or os.environ.get(DATA)
    folders = Folders(Path(path), Path(data) if data else None)
    settings = read_settings(folders)
    return Study(folders, settings, read_journey(folders.study / settings.journey))
