"""The journey map: what is known of each stage, on what evidence, and what is not known?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import ReportError
from journeylab.base.files import sha256_of, write_text
from journeylab.base.sheets import write_csv
from journeylab.base.words import counted
from journeylab.reporting.journey_map import drawing
from journeylab.reporting.journey_map.cells import COLUMNS, EMOTIONS, EVIDENCE, NO_EVIDENCE
from journeylab.reporting.journey_map.change import MapChange, find_change
from journeylab.reporting.journey_map.file import FORMAT, plain, read_content, to_table

EVERYONE = "everyone"
_GONE = dict.fromkeys(("gone", "gone_lower", "gone_upper", "gone_n"), float)
CURVE = {"stage": object, **dict.fromkeys(("estimate", "lower", "upper", "n"), float), "mark": object, **_GONE}


class MapStage(NamedTuple):
    """A column of the map: its name in tables, what the map calls it, and whether it completes the journey."""

    name: str
    title: str
    completes: bool


@dataclass(frozen=True)
class JourneyMap:
    """A journey on one sheet: stages across, lanes down.

    Attributes
    ----------
    name, persona : str
        The journey's name; the persona, or “everyone”.
    header : tuple of (str, str)
        Pairs of a word and what it says.
    stages, lanes : tuple
        The columns and the rows, in order; a lane is a pair of name and title.
    table : DataFrame
        A row per `lane`, `stage` and `part` (“Proven”; may be empty): `text` in full, with interval and base;
        `evidence`: data, survey, interview, assumption, or none where it is “not measured”; `source`: what it is based
        on; `estimate`, `lower`, `upper`, `n` where the part is one number.
    curve : DataFrame
        A row per stage with the mean feeling from -2 to 2, its interval, n, and `mark` (high, low); `gone` and its
        limits: the mean of those who had been lost from the stage. Missing where nothing was asked.
    missing : why findings could not say anything
    definition, data_until, stale : str or None
        The fingerprint of journey.yml, the end of the data (ISO 8601), and why the map is out of date.
    changes : MapChange or None
        What differs from an earlier map.
    """

    name: str
    persona: str
    header: tuple[tuple[str, str], ...]
    stages: tuple[MapStage, ...]
    lanes: tuple[tuple[str, str], ...]
    table: pd.DataFrame
    curve: pd.DataFrame
    missing: tuple[str, ...]
    definition: str
    data_until: str
    stale: str | None = None
    changes: MapChange | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """What heads the map: the journey, and whose."""
        return f"{self.name}: {self.persona}"

    @property
    def until(self) -> str:
        """The day on which the data end."""
        return html.cell(pd.Timestamp(self.data_until))

    @property
    def sha256(self) -> str:
        """The SHA-256 of all that the map says, in hexadecimal digits; staleness and changes do not count."""
        return sha256_of(self._content())

    def sentence(self) -> str:
        """How much of the map is measured, by what evidence, and up to when."""
        cells = self.table.drop_duplicates(["lane", "stage"])
        n, unknown = len(cells), int((cells["evidence"] == NO_EVIDENCE).sum())
        kinds = [f"{kind} {count}" for kind in EVIDENCE if (count := self._n_cells(kind))]
        measured = f"Something is known in {n - unknown} of {counted(n, 'cell')} ({', '.join(kinds)})"
        feelings = "" if self.curve["estimate"].notna().any() else " How customers feel was not measured."
        changed = f" {self.changes.sentence()}" if self.changes else ""
        stale = f" {self.stale}" if self.stale else ""
        return f"{measured}; data up to {self.until}.{feelings}{changed}{stale}"

    def named(self, persona: str) -> "JourneyMap":
        """The map with another name for its persona, such as that of its card instead of the id."""
        return replace(self, persona=persona)

    def checked(self, known: Any) -> "JourneyMap":
        """The map, stale where `known` has newer data or another definition of the journey: a log, spells or a study,
        whatever has a `window` and perhaps a `journey`."""
        end, journey = known.window.end, getattr(known, "journey", None)
        why = []
        if end > pd.Timestamp(self.data_until):
            why.append(f"The data now reach {html.cell(end)}; this map ends {self.until}.")
        if journey is not None and journey.fingerprint() != self.definition:
            why.append("The journey’s definition has changed since.")
        return replace(self, stale=" ".join([*why, "Build the map again."]) if why else None)

    def compare(self, previous: "JourneyMap") -> MapChange:
        """What differs from the `previous` map, cell by cell."""
        n_cells = len(self.table.drop_duplicates(["lane", "stage"]))
        is_redefined = self.definition != previous.definition
        return MapChange(find_change(previous.table, self.table), previous.until, self.until, n_cells, is_redefined)

    def against(self, previous: "JourneyMap") -> "JourneyMap":
        """The map with the cells marked that differ from `previous`."""
        return replace(self, changes=self.compare(previous))

    def plot(self, ax=None) -> Chart:
        """The map as one figure, to hang on a wall or put on a slide."""
        curve = self.curve if self.curve["estimate"].notna().any() else None
        titles = dict(self.lanes)
        stages = {stage.name: stage.title for stage in self.stages}
        cells = self.table.assign(
            lane=self.table["lane"].map(titles),
            stage=self.table["stage"].map(stages),
            text=[drawing.line(row) for row in self.table.itertuples(index=False)],
        )
        return charts.sheet(
            cells,
            curve=curve if curve is None else curve.assign(stage=curve["stage"].map(stages)),
            curve_lane=titles.get(EMOTIONS, ""),
            header=[f"{word}: {said}" for word, said in drawing.in_short(self.header)],
            title=f"{self.title} (data up to {self.until})",
            alt=f"Journey map of {self.title}. {self.sentence()}",
            ax=ax,
        )

    def to_page(self) -> str:
        """The map as an HTML page of its own, complete in itself, that prints on one sheet of A3."""
        return drawing.page([self])

    def write(self, path: str | Path) -> Path:
        """Write the map; the ending of `path` tells how: `json` for `read_map`, `html` a page, `csv` the tidy table,
        `svg`, `png` or `pdf` the figure. Returns the path. Raises ReportError for another ending."""
        path = Path(path)
        ways: dict[str, Callable[[], Path]] = {
            ".json": lambda: FORMAT.write(path, self._content()),
            ".html": lambda: write_text(path, self.to_page()),
            ".csv": lambda: write_csv(self.table, path),
            **dict.fromkeys((".svg", ".png", ".pdf"), lambda: self.plot().write(path)),
        }
        if path.suffix not in ways:
            raise ReportError(f"A map cannot be written as “{path.name}”. Let the name end in {', '.join(ways)}.")
        return ways[path.suffix]()

    def __repr__(self) -> str:
        return f"JourneyMap “{self.title}”: {self.sentence()}"

    def _repr_html_(self) -> str:
        return drawing.fragment([self])

    def _n_cells(self, evidence: str) -> int:
        return len(self.table[self.table["evidence"] == evidence].drop_duplicates(["lane", "stage"]))

    def _content(self) -> dict[str, Any]:
        texts = {item: getattr(self, item) for item in ("name", "persona", "missing", "definition", "data_until")}
        pairs = {"header": [list(item) for item in self.header], "lanes": [list(item) for item in self.lanes]}
        stages = [list(stage) for stage in self.stages]
        tables = {"table": plain(self.table), "curve": plain(self.curve)}
        return texts | pairs | {"missing": list(self.missing), "stages": stages} | tables


@dataclass(frozen=True)
class MapComparison:
    """Two maps, such as of two personas, lane by lane one above the other under the same stages."""

    first: JourneyMap
    second: JourneyMap

    def to_page(self) -> str:
        """Both maps as an HTML page of its own."""
        return drawing.page([self.first, self.second])

    def write(self, path: str | Path) -> Path:
        """Write the page to `path`; returns it."""
        return write_text(path, self.to_page())

    def _repr_html_(self) -> str:
        return drawing.fragment([self.first, self.second])


def compare_maps(first: JourneyMap, second: JourneyMap) -> MapComparison:
    """Both maps under the same stages. Raises ReportError where their stages differ."""
    if [stage.name for stage in first.stages] != [stage.name for stage in second.stages]:
        raise ReportError(
            f"The maps “{first.title}” and “{second.title}” have different stages, so they cannot stand side by side. "
            "Compare maps of one journey, or look at first.compare(second)."
        )
    return MapComparison(first, second)


def read_map(path: str | Path) -> JourneyMap:
    """The map that `JourneyMap.write` wrote to a `json` file.

    Raises ReportError where there is none, or the file was changed after it was written.
    """
    content = read_content(path)
    return JourneyMap(
        name=content["name"],
        persona=content["persona"],
        header=tuple(map(tuple, content["header"])),
        stages=tuple(MapStage(*stage) for stage in content["stages"]),
        lanes=tuple(map(tuple, content["lanes"])),
        table=to_table(content["table"], COLUMNS),
        curve=to_table(content["curve"], CURVE),
        missing=tuple(content["missing"]),
        definition=content["definition"],
        data_until=content["data_until"],
    )
