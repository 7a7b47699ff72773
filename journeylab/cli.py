"""The command line: how do I start a study, check it, make its reports, or make up customers to try it on?"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.core import TyperGroup

# These packages load their modules when a name in them is first used. So help, `init` and errors answer at once.
import journeylab as jl
from journeylab import base, reporting
from journeylab import study as studies
from journeylab.base.characters import visible
from journeylab.base.errors import JourneyLabError, ReportError, StudyError, did_you_mean, failed_file
from journeylab.base.words import counted
from journeylab.study.folders import DATA, FILE, NOTEBOOKS, PROCESSED, RAW, REPORTS, Folders

if TYPE_CHECKING:
    import pandas as pd

    from journeylab.study.study import Study

PACKAGE = Path(__file__).parent
TEMPLATES = PACKAGE / "study" / "templates"
SCHEMA = PACKAGE / "events" / "journey" / "journey.schema.json"
# The wheel carries the notebooks inside the package; in a checkout they are beside it.
# JupyterLab asks its makers for news and new versions unless it is told not to.
_WITHOUT_NEWS = ("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
_STOPPED = 130  # the exit code of a command that Ctrl-C ended
SHIPPED = (PACKAGE / NOTEBOOKS, PACKAGE.parent / NOTEBOOKS)

# 00 is where an analyst's own question begins; 90 shows methods on a log of its own, which is simulated, and belongs to
# the documentation. A copy of another name is a report.
NO_REPORTS = ("00_", "90_")


class _Commands(TyperGroup):
    """Shows an error that the caller can fix as a sentence; only an unexpected one shows a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (JourneyLabError, OSError) as error:
            text = failed_file(error) if isinstance(error, OSError) else error
            Console(stderr=True).print(f"[bold red]Error:[/] {_escaped(text)}", soft_wrap=True, highlight=False)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("Stopped. Files that were finished stay; run the command again for the others.", err=True)
            raise typer.Exit(_STOPPED) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="A study is a folder with study.yml (which data, which window), journey.yml (stages, triggers, losses) "
    "and data/raw. Start with `journeylab init my-study`.",
)
sprints = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(sprints, name="sprint", help="Save a round of persona research, and compare it with an earlier one.")
Folder = Annotated[
    Path, typer.Option("--study", metavar="DIR", help="The study's folder, the one that holds study.yml.")
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="A folder to read instead of the study's data/raw.")
]


def _say_version(wanted: bool) -> None:
    if wanted:
        _say(f"journeylab {base.version.VERSION}")
        raise typer.Exit


@app.callback()
def main(
    version_: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Customer-journey research: who your customers are, where in their journey you lose them, and how fast.

    journeylab reads interaction logs and a journey that you declare, and answers in notebooks and offline HTML reports.
    """


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new study's folder. It is created if needed.")],
    template: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The journey to start from: trial-to-partner, freemium, e-commerce or services."
        ),
    ] = "trial-to-partner",
    more: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="More files, after --from.")] = None,
    exported: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="An export to draft the study from; may be given several times."),
    ] = None,
) -> None:
    """Start a new study: a folder with study.yml, journey.yml, notes.yml and a place for the data.

    The files say in comments what to change. Editors that know JSON Schema check journey.yml as you type, against
    journey.schema.json beside it.

    With --from, the files are copied into data/raw and looked at: study.yml and a first journey.yml are drafted from
    them. Every guess is marked GUESS, and what the files do not show is a QUESTION. It ends with the same check as
    `journeylab check`.
    """
    if exported:
        _draft(folder, [*exported, *(more or [])])
        return
    if more:
        raise StudyError(f"“{more[0]}” is named without --from. Write: journeylab init {folder} --from {more[0]}")
    source = _template(template)
    copied = sorted(path.name for path in source.iterdir() if path.is_file())
    _new_folder(folder, copied)
    for name in copied:
        shutil.copyfile(source / name, folder / name)
    _say(f"The study is in {folder}. Next:")
    _say(f"  1. Put your events into {folder / RAW}.")
    _say(f"  2. Name their columns and the observed window in {folder / FILE}, and the stages in journey.yml.")
    _say(f"  3. journeylab check --study {folder}, which also proposes horizons that suit your data.")
    _say(f"  4. journeylab report --study {folder}")


def _check_free(folder: Path, names: list[str]) -> None:
    """Raise StudyError where the folder has one of the files `names` already."""
    existing = [name for name in names if (folder / name).exists()]
    if existing:
        raise StudyError(
            f"“{folder}” already has {' and '.join(f'“{name}”' for name in existing)}, and init overwrites nothing. "
            "Name another folder, or move these files."
        )


def _new_folder(folder: Path, names: list[str]) -> None:
    """Make the folders of a study, unless it has one of the files `names` already."""
    _check_free(folder, names)
    for inner in (RAW, PROCESSED, REPORTS):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SCHEMA, folder / SCHEMA.name)


def _draft(folder: Path, exported: list[Path]) -> None:
    """Draft a study from files, and check it."""
    missing = [path for path in exported if not path.is_file()]
    if missing:
        raise StudyError(f"There is no file “{missing[0]}”. Check the path.")
    targets = {path: folder / RAW / path.name for path in exported}
    if len(set(targets.values())) < len(exported):
        raise StudyError("Two of the files have the same name. Rename one, for all are copied into data/raw.")
    from_elsewhere = {path: target for path, target in targets.items() if path.resolve() != target.resolve()}
    taken = [FILE, "journey.yml", *(str(RAW / target.name) for target in from_elsewhere.values())]
    _check_free(folder, taken)
    draft = studies.draft_study(exported, name=folder.resolve().name)
    _new_folder(folder, taken)
    for path, target in from_elsewhere.items():
        shutil.copyfile(path, target)
    (folder / FILE).write_text(draft.study, encoding="utf-8")
    (folder / "journey.yml").write_text(draft.journey, encoding="utf-8")
    _say(f"The draft of a study is in {folder}. Guesses: {draft.guesses}. Questions: {len(draft.questions)}.")
    for question in draft.questions:
        _say(f"  ? {question}")
    _say(f"Look at {folder / FILE} and {folder / 'journey.yml'}, then check again.\n")
    check(folder)


@app.command()
def check(
    study: Folder = Path(),
    data: Data = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
) -> None:
    """Check the journey against the data, the data themselves, and the notes on the map.

    Shows how many rows were read, how many were refused and why, what the lint found in the journey and the data, with
    file and line, or the column, and how to fix it, and which horizons are too short or too long for these data, with
    those that suit them. The exit code is 1 if there is an error (with --strict: or a warning), otherwise 0.
    """
    opened = _open(study, data)
    console = Console()
    console.print(f"[bold]{_escaped(opened.name)}[/]", highlight=False)
    console.print(_escaped(f"Window {opened.window}. {studies.data_in_words(opened)}"), highlight=False)
    console.print(_as_table(studies.rows_read(opened), title="What was read"))
    if len(opened.lint):
        title = "What the lint found in the journey and the data"
        console.print(_as_table(opened.lint.table.drop(columns="rule"), title=title))
    console.print(f"Lint: {' '.join([opened.lint.sentence(), *opened.lint.unjudged])}", highlight=False)
    console.print(_escaped(f"Notes on the map: {opened.notes.sentence()}"), highlight=False)
    n_warnings = len(opened.lint.warnings) + len(opened.notes.doubts())
    # Where the journey is wrong, its spells say nothing of the horizons.
    if not len(opened.lint.errors):
        horizons = opened.horizon_lint
        n_warnings += len(horizons)
        if len(horizons):
            console.print(_as_table(horizons.table.drop(columns="rule"), title="What the horizons cannot show"))
        console.print(f"Horizons: {horizons.sentence()}", highlight=False)
    if len(opened.lint.errors) or (strict and n_warnings):
        raise typer.Exit(1)


@app.command()
def report(
    study: Folder = Path(),
    data: Data = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="How many notebooks run at once; default: one per core."),
    ] = None,
) -> None:
    """Run the notebooks on a study and write each as an offline HTML report. Open reports/index.html first.

    The study's own notebooks are run, or, if it has none, those that come with journeylab. Copies are run, so the
    notebooks do not change. If one fails, the message names the cell, the unfinished copy stays in reports/, the other
    reports are written, and the exit code is 1.
    """
    opened = _open(study, data)
    opened.lint.raise_errors()
    notebooks = _notebooks(study)
    folder = study / REPORTS
    # This finds the spells, so that the notebooks read them from the cache.
    overview = studies.overview_of(opened)
    with _progress(notebooks) as step:
        index = reporting.write_reports(
            notebooks,
            folder=folder,
            masthead=studies.masthead_of(opened),
            overview=overview,
            variables=_variables(data),
            workers=jobs,
            step=step,
        )
    _say(f"{counted(len(notebooks), 'report')} written. Start with {index}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context, study: Folder = Path(), data: Data = None) -> None:
    """Open a study's notebooks in JupyterLab. Options that are not listed here, such as --no-browser, go to JupyterLab.

    A study without notebooks first gets copies of those that come with journeylab. Change them as you like:
    `journeylab report` runs them too. Delete them to go back to those that come with journeylab.
    """
    _open(study, data)
    folder = study / NOTEBOOKS
    if not any(folder.glob("*.ipynb")):
        folder.mkdir(exist_ok=True)
        copied = [shutil.copyfile(notebook, folder / notebook.name) for notebook in _notebooks(study)]
        _say(f"{counted(len(copied), 'notebook')} copied to {folder}. They now belong to the study.")
    # JupyterLab replaces this process, so that it gets Ctrl-C and sets the exit code.
    command = [sys.executable, "-m", "jupyterlab", str(folder), *_WITHOUT_NEWS, *context.args]
    os.execve(sys.executable, command, {**os.environ, **_variables(data)})


@app.command()
def simulate(
    customers: Annotated[int, typer.Option("--customers", metavar="N", min=1, help="How many customers to simulate.")],
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="The same seed gives the same files, to the byte.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write the study to.")],
) -> None:
    """Simulate a study whose truth is known: events, customers, a journey, and a file that says what was planted.

    Use it to try journeylab, or to test whether an analysis finds what is there.
    """
    if (out / FILE).exists():
        raise StudyError(f"“{out}” already has a study, and simulate overwrites nothing. Name another folder.")
    simulation = jl.simulate_log(customers, seed=seed)
    simulation.write(out)
    _say(f"The study is in {out}: {customers:,} simulated customers and {simulation.raw.num_rows:,} rows of events.")


@sprints.command("start")
def start(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sprint's name: small letters, digits and hyphens.")],
    study: Folder = Path(),
    data: Data = None,
) -> None:
    """Save what the study finds now as a sprint, in a dated folder that is never overwritten.

    The folder is sprints/DATE-NAME, where DATE is the end of the study's window. It has fingerprints of all inputs, the
    personas without their customers, and the findings as tables. Personas that survived since the last sprint keep
    their ids.
    """
    sprint = studies.start_sprint(_open(study, data), name)
    _say(f"Sprint {sprint.number}, “{sprint.name}”, is in {sprint.folder}. {sprint.personas.sentence()}")
    if sprint.previous:
        _say(f"Next: journeylab sprint compare {sprint.previous} {sprint.name} --study {study}")


@sprints.command("compare")
def compare(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier sprint's name.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later sprint's name.")],
    study: Folder = Path(),
    data: Data = None,
) -> None:
    """Compare two sprints. The report and its tables go into the folder of the later one.

    This needs the later sprint's customers: the study's data must not have changed since, or --data must name the data
    that it had.
    """
    opened = _open(study, data)
    notebook, *_ = _notebooks(study, studies.NOTEBOOK)
    page = studies.write_comparison(opened, old, new, notebook=notebook, masthead=studies.masthead_of(opened))
    _say(f"What changed from “{old}” to “{new}” is in {page}")


def _open(study: Path, data: Path | None) -> "Study":
    # A folder that is no study is said to be none before the rest of the package is loaded.
    Folders(study, data).check()
    return jl.open_study(study, data)


def _variables(data: Path | None) -> dict[str, str]:
    """The environment variables that tell notebooks which data to read."""
    return {DATA: str(data.resolve())} if data else {}


def _template(name: str) -> Path:
    templates = {_key(path.name): path for path in sorted(TEMPLATES.iterdir()) if (path / FILE).is_file()}
    if _key(name) not in templates:
        offered = [path.name.replace("_", "-") for path in templates.values()]
        raise StudyError(f"There is no template “{name}”. {did_you_mean(name, offered)}")
    return templates[_key(name)]


def _key(name: str) -> str:
    """A template's name however it is written: e-commerce, ecommerce, E_Commerce."""
    return name.lower().replace("-", "").replace("_", "")


def _notebooks(study: Path, pattern: str = "*.ipynb") -> list[Path]:
    """The study's own notebooks that match `pattern`, or else those that come with journeylab, without those that are
    no report of a study: see `NO_REPORTS`."""
    for folder in (study / NOTEBOOKS, *SHIPPED):
        if notebooks := sorted(path for path in folder.glob(pattern) if not path.name.startswith(NO_REPORTS)):
            return notebooks
    raise ReportError(
        f"There is no notebook “{pattern}”, neither in “{study / NOTEBOOKS}” nor in journeylab itself. Install "
        "journeylab again."
    )


def _as_table(rows: "pd.DataFrame", *, title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column, kind in rows.dtypes.items():
        table.add_column(str(column), justify="right" if kind.kind in "iuf" else "left", overflow="fold")
    for row in rows.astype(object).itertuples(index=False):
        table.add_row(*(_escaped(base.html.cell(value)) for value in row))
    return table


@contextmanager
def _progress(notebooks: list[Path]) -> Iterator[Callable[[Path, int, int], None]]:
    """What to call after each cell: it moves a bar in a terminal, and elsewhere prints a line for each notebook."""

    def say(path: Path, done: int, total: int) -> None:
        if done == total:
            _say(f"{path.name}: {counted(total, 'cell')} run")

    if not sys.stdout.isatty():
        yield say
        return
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        tasks = {path: progress.add_task(path.name, total=None) for path in notebooks}
        yield lambda path, done, total: progress.update(tasks[path], completed=done, total=total)


def _say(text: str) -> None:
    typer.echo(visible(text))


def _escaped(text: object) -> str:
    # Rich reads square brackets as styles.
    return visible(str(text).replace("\r", " ")).replace("[", r"\[")
