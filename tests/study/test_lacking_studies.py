"""Studies that lack what the notebooks ask for: each notebook runs to its end on them, and says what is lacking."""

import ast
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import nbformat
import pytest
from IPython.display import Markdown

from journeylab.base.charts import Chart

pytestmark = pytest.mark.slow

NOTEBOOKS = {path.stem: path for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))}
# Where an analyst's own question begins, on data that have what it asks for; no report.
del NOTEBOOKS["00_your_own_question"]
STUDY = """\
study: Lacking
journey: journey.yml
events:
  - {path: data/raw/events.csv, columns: {customer_id: who, event: what, time: when}, timezone: UTC}
window: {start: 2025-01-01, end: 2025-12-31}
horizons: [30d, 90d]
"""
PERSONAS = "personas: {within: 30d, seed: 7}\n"
HEAD = "journeylab: 1\nname: Lacking\ngoal: Plan the week\nstages:\n"
TRYING = "  - {name: trying, opened_by: [{event: started}]}\n"
SILENT = TRYING.replace("]}", "], silent_after: 60d}")
PAYING = "  - {name: paying, opened_by: [{event: paid}], completes: true}\n"
LOSSES = "loss_branches:\n  - {name: price, when: {event: cancelled}}\n"
NOBODY = "Nobody was in a stage while it was watched, so there is nothing to estimate."
NO_PERSONA = "Nobody has a known persona, so there is nothing to compare by it."
NO_WAY_OUT = "Nobody entered a stage that can be left."


def events(n: int) -> list[tuple[str, str, date]]:
    """`n` customers start in February; by thirds they pay, cancel and look around 40 days later."""
    rows = []
    for number in range(n):
        day, then = date(2025, 2, 1) + timedelta(days=number % 28), ("paid", "cancelled", "looked")[number % 3]
        rows += [(f"c{number}", "started", day), (f"c{number}", then, day + timedelta(days=40))]
    return rows


def on(day: date, *kinds: str) -> list[tuple[str, str, date]]:
    """40 customers of whom each has one event of each of `kinds` on one day; of the last kind only every other."""
    return [(f"c{n}", kind, day) for n in range(40) for kind in kinds[: len(kinds) - n % 2]]


@dataclass(frozen=True)
class Lacking:
    """A study: its events (customer, event, day), its files, and what a notebook must say on it, by the notebook's
    number."""

    rows: list[tuple[str, str, date]]
    says: dict[str, str] = field(default_factory=dict)
    journey: str = HEAD + SILENT + PAYING + LOSSES
    study: str = STUDY + PERSONAS


STUDIES = {
    "whole": Lacking(
        events(60),
        {"02": "No personas: nothing differs between the 60 customers", "03": "“trying” after", "04": "to “price”"},
    ),
    "no_personas_asked_for": Lacking(
        events(60),
        {"02": "No personas: study.yml of “Lacking” does not say how", "03": NO_PERSONA, "04": NO_PERSONA},
        study=STUDY,
    ),
    "twelve_customers": Lacking(
        events(12),
        {"02": "No personas: only 12 of 12 customers can be judged", "03": NO_PERSONA, "04": NO_PERSONA},
    ),
    "one_customer": Lacking(
        events(1), {"02": "No personas: only 1 of 1 customer can", "03": NO_PERSONA, "04": "only 1 visit of 1 customer"}
    ),
    "nobody_watched_long_enough": Lacking(
        on(date(2025, 12, 5), "started", "looked"),
        {"02": "(left out: 40 watched for less than 30 days), and 30 are needed", "03": NO_PERSONA, "04": NO_PERSONA},
    ),
    "no_difference": Lacking(
        on(date(2025, 2, 1), "started", "started"),
        {"02": "No personas: nothing differs between the 40 customers", "03": NO_PERSONA, "04": NO_PERSONA},
    ),
    "personas_known_when_the_window_ends": Lacking(
        on(date(2025, 12, 1), "started", "looked"),
        {
            "02": "these 40 customers are one kind",
            "03": "Nobody was in a stage when their persona was known or after",
            "04": "Nobody was in a stage when their persona was known or after",
        },
    ),
    "one_stage_without_loss": Lacking(
        events(60), {"03": NO_WAY_OUT, "04": "Nobody can be lost"}, journey=HEAD + TRYING
    ),
    "one_stage_with_silence_only": Lacking(
        events(60), {"03": "“trying” after", "04": "No customer was lost within 90 days"}, journey=HEAD + SILENT
    ),
    "one_stage_which_completes": Lacking(
        events(60),
        {"02": "none of 60 customers can be judged", "03": NO_WAY_OUT, "04": "Nobody can be lost"},
        journey=HEAD + PAYING,
    ),
    "most_in_a_stage_without_a_way_out": Lacking(
        [*on(date(2025, 2, 1), "paid", "paid"), ("a", "started", date(2025, 3, 1)), ("a", "paid", date(2025, 4, 1))],
        {"03": "Nobody can be lost: no stage that customers entered", "04": "Nobody can be lost"},
        journey=HEAD + TRYING + PAYING,
    ),
    "nothing_opens_a_stage": Lacking(
        on(date(2025, 2, 1), "looked", "asked"),
        {"01": "0 spells of 0 customers", "02": "none of 40 customers can be judged", "03": NOBODY, "04": NOBODY},
    ),
    "all_was_over_when_the_window_began": Lacking(
        [("a", "started", date(2024, 12, 1)), ("a", "cancelled", date(2025, 1, 1)), ("a", "looked", date(2025, 2, 1))],
        {"02": "none of 1 customer can be judged", "03": NOBODY, "04": NOBODY},
    ),
}


# Notebooks that read no study, but simulate one, lack nothing; nbval runs them.
READING = [name for name, path in NOTEBOOKS.items() if "open_study" in path.read_text(encoding="utf-8")]
# On each study those notebooks that have something to say of what is lacking, and of the others every third in turn.
RUNS = [
    (name, notebook)
    for number, (name, study) in enumerate(STUDIES.items())
    for place, notebook in enumerate(READING)
    if notebook[:2] in study.says or (number + place) % 3 == 0
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folder of each of the studies."""
    return {name: written(study, tmp_path_factory.mktemp("study")) for name, study in STUDIES.items()}


def written(study, folder):
    for inner in ("data/raw", "reports"):
        (folder / inner).mkdir(parents=True)
    (folder / "study.yml").write_text(study.study)
    (folder / "journey.yml").write_text(study.journey)
    lines = ["who,what,when", *(",".join(map(str, row)) for row in study.rows)]
    (folder / "data/raw/events.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(("name", "notebook"), RUNS)
def test_every_notebook_runs_to_its_end_and_says_what_is_lacking(folders, name, notebook, monkeypatch, capsys):
    monkeypatch.delenv("JOURNEYLAB_DATA", raising=False)
    monkeypatch.chdir(folders[name] / "reports")
    cells = nbformat.read(NOTEBOOKS[notebook], as_version=4).cells
    namespace = {}
    shown = [run(cell.source, namespace, notebook) for cell in cells if cell.cell_type == "code"]
    text = "\n".join([*shown, capsys.readouterr().out])
    assert STUDIES[name].says.get(notebook[:2], "") in text
    assert "nan" not in text.lower().split()


def run(source: str, namespace: dict, notebook: str) -> str:
    """Execute a cell as JupyterLab would, and show what it ends in; the text that is shown."""
    tree = ast.parse(source)
    if isinstance(tree.body[-1], ast.Expr):
        tree.body[-1] = ast.Assign([ast.Name("shown", ast.Store())], tree.body[-1].value)
    exec(compile(ast.fix_missing_locations(tree), notebook, "exec"), namespace)
    shown = namespace.pop("shown", "")
    if isinstance(shown, Markdown):
        return shown.data
    if isinstance(shown, Chart):
        # Laid out, so that it could be drawn, and not drawn: pictures take longest, and nobody looks at these.
        shown.axes.figure.figure.draw_without_rendering()
        return f"{shown.axes.get_title(loc='left')}\n{shown.alt}"
    return shown._repr_html_() if hasattr(shown, "_repr_html_") else repr(shown)
