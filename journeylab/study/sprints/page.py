"""The page of a sprint: what changed since an earlier one, as a report in the folder of the later one."""

from pathlib import Path

from journeylab.base.errors import ReportError, StudyError
from journeylab.base.files import write_text
from journeylab.base.sheets import write_csv
from journeylab.base.suppression import MIN_SHOWN
from journeylab.reporting.notebook_page import to_html
from journeylab.reporting.page import Masthead
from journeylab.reporting.running import run_notebooks
from journeylab.study.folders import DATA
from journeylab.study.sprints.record import SPRINTS, find_sprints, pick_sprint
from journeylab.study.sprints.sprints import COMPARED, compare_sprints
from journeylab.study.study import Study

NOTEBOOK = "05_what_changed_since_last_sprint.ipynb"


def write_comparison(study: Study, old: str, new: str, *, notebook: Path, masthead: Masthead) -> Path:
    """Run a copy of `notebook` for the sprints `old` and `new`, and write its page and the tables of the change into
    the new sprint's folder; returns the page.

    Raises StudyError as `compare_sprints` does and where the two were compared already, and ReportError if the notebook
    fails.
    """
    sprints = find_sprints(study.folder)
    earlier, later = pick_sprint(sprints, old), pick_sprint(sprints, new)
    folder = later.folder / f"compared-with-{earlier.name}"
    if folder.exists():
        raise StudyError(
            f"“{later.folder.name}” already has “{folder.name}”, and it is not overwritten. Move it elsewhere first."
        )
    change = compare_sprints(study, earlier.name, later.name).change.for_export()
    variables = {COMPARED: f"{earlier.name},{later.name}"}
    if study.folders.data:
        variables[DATA] = str(study.folders.data.resolve())
    run = run_notebooks([notebook], folder=study.folder / SPRINTS, variables=variables)[0]
    if run.failure:
        raise ReportError(f"{notebook.name}, {run.failure}. Fix the cell, then compare again.")
    page = to_html(run.notebook, name=notebook.name, masthead=masthead, reports="../../../reports/")
    tables = {"lineage": change.lineage, "matching": change.cross, "shares": change.table, "drift": change.drift}
    tables["unseen"] = change.unseen.assign(n=change.unseen["n"].where(change.unseen["n"] >= MIN_SHOWN))
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
    return write_text(folder / "index.html", page)
