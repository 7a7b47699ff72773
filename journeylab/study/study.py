"""A study: which data, which journey and which decisions belong together, and what do they give?

A study is a folder: study.yml, the journey that it names, `data/raw`, `data/processed` (the cache), `notebooks` and
`reports`. `open_study` reads and checks the two files. All else is read or found when it is first used.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from journeylab.base import html
from journeylab.base.documents import read_document
from journeylab.base.durations import days
from journeylab.base.errors import StudyError
from journeylab.base.files import fingerprint
from journeylab.base.version import VERSION
from journeylab.base.words import counted
from journeylab.events.journey import Journey, read_journey
from journeylab.events.lint import Lint, lint_journey, lint_spells
from journeylab.events.log import EventLog, Window
from journeylab.events.queries.crm_records import CrmRecords, read_crm
from journeylab.events.reading import Source, read_events, read_log, write_log
from journeylab.events.spells import Spells, find_spells, read_spells
from journeylab.findings.grouping import lint_attributes
from journeylab.findings.horizons import lint_horizons
from journeylab.findings.personas import Personas, find_personas, read_personas
from journeylab.findings.personas.change import compare_personas, continue_ids
from journeylab.reporting.journey_map.build import ACCOUNTS
from journeylab.study.cache import Cache
from journeylab.study.folders import DATA, FILE, PROCESSED, Folders
from journeylab.study.notes import Notes, find_notes
from journeylab.study.settings import PersonaDecisions, Settings, read_settings
from journeylab.study.sprints.record import Sprint, find_sprints
from journeylab.study.template_texts import find_template_texts

NOTES = "personas.yml"
PACKAGE = Path(__file__).parents[1]
# The folders of the package whose code makes log and spells, and personas.
EVENT_CODE = ("base", "events")
PERSONA_CODE = ("base", "estimators", "events", "findings/personas")


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
        """The events, from the files that study.yml names.

        They are cached in `data/processed` as they were read, under a fingerprint of all that this depends on: the
        contents of the data files, how study.yml says to read them, and journeylab's code. Reading the contents for the
        fingerprint costs about half a second per gigabyte. In return, an outdated file is never used.
        """
        settings, place = self.settings, self.folders.place
        sources = [Source(place(one.path), one.columns, one.timezone, one.time_unit, one) for one in settings.events]
        customers = settings.customers and {**settings.customers.model_dump(), "path": place(settings.customers.path)}
        return self._cache.get_or_make(
            "log",
            self._fingerprint_of_data(EVENT_CODE),
            ".duckdb",
            read=lambda path: read_log(path, window=self.window, customers=customers),
            make=lambda: read_events(sources, window=self.window, customers=customers, duplicates=settings.duplicates),
            write=write_log,
        )

    @cached_property
    def crm(self) -> CrmRecords | None:
        """The CRM's moves of customers between its buckets, from where study.yml says; None where it says nothing."""
        source = self.settings.crm
        if source is None:
            return None
        if source.column is not None:
            return CrmRecords.from_log(self.log, column=source.column)
        assert source.path is not None, "“crm” in study.yml names a table or a column"
        options = source.model_dump(exclude={"path", "column"})
        return read_crm(self.folders.place(source.path), window=self.window, **options)

    @cached_property
    def lint(self) -> Lint:
        """What is doubtful about the journey, by itself, against the log, and, unless that shows an error, by the
        visits to its stages; about the log itself, and the customers' attributes; and which texts are still those of a
        template."""
        lint = lint_journey(self.journey, log=self.log)
        watched = [] if len(lint.errors) else [lint_spells(self.log, self.spells), lint_attributes(self.spells)]
        return lint.joined(*watched, find_template_texts(self.journey, self.notes))

    @cached_property
    def horizon_lint(self) -> Lint:
        """Which of the study's horizons are too short or too long for its data, by line of study.yml."""
        places = read_document(self.folder / FILE, error=StudyError).places
        return lint_horizons(self.horizons, self.spells, where=lambda at: places.where("horizons", at))

    @cached_property
    def notes(self) -> Notes:
        """What people add to the journey map, from notes.yml; empty where the study has no such file."""
        return find_notes(self.folder, journey=self.journey)

    @cached_property
    def spells(self) -> Spells:
        """The customers' visits to each stage.

        They are cached in `data/processed` as the log is, under a fingerprint that also covers the journey.
        """
        return self._cache.get_or_make(
            "spells",
            self._fingerprint(EVENT_CODE),
            ".parquet",
            read=lambda path: read_spells(path, journey=self.journey, window=self.window, customers=self.log.customers),
            make=lambda: find_spells(self.log, self.journey),
            write=Spells.write,
        )

    @cached_property
    def personas(self) -> Personas:
        """The personas, found with the decisions under `personas` in study.yml. Where it has none, there is no persona,
        and `lacking` says how to change that.

        They are cached in `data/processed` as spells are, under a fingerprint that also covers those decisions. The
        file names the customers, as the data do. Names and notes come from personas.yml, if there is one; see
        `Personas.named`. After a sprint, personas that survived keep the ids they had there; all others get ids that no
        persona ever had.
        """
        return self._named(self._unnamed_personas, gone=self._former_ids)

    def personas_within(self, part: Window, *, cached_as: str, beside: Sequence[Personas] = ()) -> Personas:
        """The personas that a `part` of the window shows, found by the same decisions as if it were all there is.

        An id means one persona in the whole study: what is a persona of the study has its id and name, what is one of
        those found in other parts, `beside`, has the id that it has there, and all others have letters.

        Events before the part are history. They too are cached in `data/processed`, one result for each name
        `cached_as`.
        """
        decisions = self.settings.personas
        if decisions is None:
            return Personas.none(self.journey, self._undecided)
        if days(decisions.within) > part.days:
            why = (
                f"that part of the window, {part.days:g} days, is shorter than the {days(decisions.within):g} days by "
                "which personas are told. Widen the window."
            )
            return Personas.none(self.journey, why)
        log = replace(self.log.before(part.end), window=part)
        found = self._personas(cached_as, log, decisions)
        if found.lacking:
            return found
        known = [personas for personas in (self._unnamed_personas, *beside) if not personas.lacking]
        return self.with_names(continue_ids(found, known, log=log))

    def with_names(self, personas: Personas) -> Personas:
        """`personas` of a sprint, or of a part of the window, with the names and notes that personas.yml has now."""
        return self._named(personas, gone=[*self._former_ids, *self._unnamed_personas.table["persona"]])

    @cached_property
    def _unnamed_personas(self) -> Personas:
        decisions = self.settings.personas
        if decisions is None:
            return Personas.none(self.journey, self._undecided)
        return self._personas("personas", self.log, decisions, last=self._last_sprint)

    def _named(self, personas: Personas, *, gone: Iterable[str]) -> Personas:
        """`personas` with what personas.yml says of them; what it says of those that are `gone` is passed over."""
        notes = self.folder / NOTES
        return personas.named(notes, gone=gone) if notes.is_file() else personas

    @property
    def _former_ids(self) -> tuple[str, ...]:
        """Ids that personas had in sprints."""
        return self._last_sprint.ids if self._last_sprint else ()

    @cached_property
    def _last_sprint(self) -> Sprint | None:
        return next(reversed(find_sprints(self.folder)), None)

    @property
    def _undecided(self) -> str:
        return (
            f"{FILE} of “{self.name}” does not say how they are to be found. "
            "Add a line such as “personas: {within: 30d, seed: 7}”."
        )

    def _personas(
        self, name: str, log: EventLog, decisions: PersonaDecisions, *, last: Sprint | None = None
    ) -> Personas:
        """The personas of `log`, with the ids that they had in the sprint `last`."""

        def make() -> Personas:
            personas = find_personas(log, self.journey, **decisions.model_dump(), protected=self.settings.protected)
            return compare_personas(last.personas, personas, log=log, used=last.ids).personas if last else personas

        decided = (decisions.model_dump_json(), *self.settings.protected)
        depends_on = (str(log.window), *decided, last.to_json() if last else "")
        return self._cache.get_or_make(
            name,
            fingerprint(self._fingerprint(PERSONA_CODE), *depends_on),
            ".persona.json",
            read=lambda path: read_personas(path, period=log.window),
            make=make,
            write=Personas.write,
        )

    @property
    def _cache(self) -> Cache:
        return Cache(self.folder / PROCESSED)

    def _fingerprint(self, code: Iterable[str]) -> str:
        """Of the data, how they are read, the journey, and the code in the folders `code` of the package."""
        return fingerprint(self._fingerprint_of_data(code), self.journey.fingerprint())

    def _fingerprint_of_data(self, code: Iterable[str]) -> str:
        """The same without the journey."""
        files_of_code = sorted(file for folder in code for file in (PACKAGE / folder).rglob("*.py"))
        written = [source.path for source in self.settings.events]
        written += [self.settings.customers.path] if self.settings.customers else []
        files = [file for path in written for file in self.folders.find(path)]
        names = "\n".join(file.name for file in files)
        return fingerprint(VERSION, files_of_code, self.settings.data_settings(), names, files)

    def __repr__(self) -> str:
        return f"Study “{self.name}”: journey “{self.journey.name}”, window {self.window}"

    def _repr_html_(self) -> str:
        """The study's data and decisions. This reads the log and finds nothing: it tells about spells and personas only
        if they were used before."""
        horizons = ", ".join(self.horizons)
        return html.card(
            self.name,
            html.paragraph(f"Journey “{self.journey.name}”; window {self.window}; horizons {horizons}."),
            html.listing(self._held()),
            *([html.paragraph(self.settings.notes)] if self.settings.notes else []),
        )

    def _held(self) -> Iterator[str]:
        """How much of what there is."""
        yield f"Log: {self.log.sentence()}"
        for column in ACCOUNTS:
            if column in self.log.customers:
                yield f"Accounts: {self.log.customers[column].nunique():,}, by the customers’ “{column}”."
                break
        yield f"Journey: {self.journey.sentence()}"
        cached = vars(self)  # the properties that were used before
        yield f"Spells: {cached['spells'].sentence()}" if "spells" in cached else "Spells: study.spells finds them."
        if "personas" in cached:
            personas = cached["personas"]
            yield personas.lacking or f"Personas: {len(personas.table)} of {counted(len(personas.labels), 'customer')}."
        else:
            yield "Personas: study.personas finds them."


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
