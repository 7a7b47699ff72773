"""Export: run the notebooks and write all reports, or say which could not be written and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import nbformat

from journeylab.base.errors import ReportError
from journeylab.base.files import replaced, write_text
from journeylab.reporting.index import Summary, summarise, to_index
from journeylab.reporting.method import Overview, to_glossary, to_method
from journeylab.reporting.notebook_page import to_html
from journeylab.reporting.page import PAGES, Masthead
from journeylab.reporting.running import Run, run_notebooks


def write_reports(
    notebooks: Sequence[Path],
    *,
    folder: Path,
    masthead: Masthead,
    overview: Overview,
    variables: Mapping[str, str] | None = None,
    workers: int | None = None,
    step: Callable[[Path, int, int], None] | None = None,
) -> Path:
    """Run copies of the notebooks in `folder` and write there a page of each, NN_name.html, index.html, the page on
    data and method, and the glossary.

    Every page is whole or absent; nothing else in the folder is touched. For `variables`, `workers` and `step` see
    `run_notebooks`. Returns the path of index.html.

    Raises ReportError if there is no notebook, or one whose page would be index.html, data-and-method.html or
    glossary.html; and, after everything else is written, if any notebook failed: it names the notebooks, their cells
    and the errors. A failed notebook's copy is kept as NN_name.failed.ipynb, and the index says that its report is
    missing.
    """
    _check_names(notebooks)
    folder.mkdir(parents=True, exist_ok=True)
    runs = run_notebooks(notebooks, folder=folder, variables=variables, workers=workers, step=step)
    outcomes = [_write(run, folder, masthead) for run in runs]
    write_text(folder / PAGES["method"], to_method(overview.parts, masthead=masthead))
    write_text(folder / PAGES["glossary"], to_glossary(masthead=masthead))
    summaries = [summary for summary, _ in outcomes]
    index = write_text(folder / PAGES["index"], to_index(summaries, masthead=masthead, overview=overview))
    failures = [failure for _, failure in outcomes if failure]
    if failures:
        counted = f"{len(failures)} of {len(runs)} notebooks failed; all other reports are written."
        raise ReportError("\n\n".join([counted, *failures, "Fix the cells, then make the reports again."]))
    return index


def _check_names(notebooks: Sequence[Path]) -> None:
    if not notebooks:
        raise ReportError("There is no notebook to run. Put one into the study's folder “notebooks”.")
    taken = [path.name for path in notebooks if f"{path.stem}.html" in PAGES.values()]
    if taken:
        raise ReportError(
            f"The page of “{taken[0]}” would be {Path(taken[0]).stem}.html, which every study has already. "
            "Give the notebook another name, such as 08_who_comes_back.ipynb."
        )


def _write(run: Run, folder: Path, masthead: Masthead) -> tuple[Summary, str | None]:
    """Write what became of one notebook; what the index says of it, and what to tell if it failed."""
    name, failed_copy = run.path.name, folder / f"{run.path.stem}.failed.ipynb"
    summary = summarise(run.notebook, name=name, file=f"{run.path.stem}.html")
    if run.failure is None:
        try:
            write_text(folder / summary.file, to_html(run.notebook, name=name, masthead=masthead))
        except ReportError as error:
            return replace(summary, failure=str(error)), str(error)
        failed_copy.unlink(missing_ok=True)
        return summary, None
    with replaced(failed_copy) as temporary:
        nbformat.write(run.notebook, temporary)
    begins = "\n".join(f"    {line}" for line in run.failure.begins.splitlines())
    message = f"{name}, {run.failure}\n{begins}\nIts copy, as far as it came: {folder.name}/{failed_copy.name}"
    return replace(summary, failure=str(run.failure)), message
