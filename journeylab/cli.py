"""The command line: how do I start a study, check it, make its reports, or make up customers to try it on?"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.core import TyperGroup

from journeylab.base.errors import JourneyLabError, ReportError, StudyError, did_you_mean
from journeylab.base.html import cell
from journeylab.base.words import counted
from journeylab.events.simulate import simulate_log
from journeylab.reporting.export import write_reports
from journeylab.reporting.index import NAME
from journeylab.study.method_page import masthead_of, overview_of, reading, sentence
from journeylab.study.settings import FILE, RAW
from journeylab.study.sprints.page import NOTEBOOK, write_comparison
from journeylab.study.sprints.sprints import start_sprint
from journeylab.study.study import DATA, PROCESSED, open_study

PACKAGE = Path(__file__).parent
TEMPLATES = PACKAGE / "templates"
SCHEMA = PACKAGE / "events" / "journey.schema.json"
# The wheel carries the notebooks inside the package; in a checkout they lie beside it.
NOTEBOOKS = (PACKAGE / "notebooks", PACKAGE.parent / "notebooks")


class _Commands(TyperGroup):
    """Tells what the caller can mend in plain words; only what nobody foresaw shows a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except JourneyLabError as error:
            Console(stderr=True).print(f"[bold red]Error:[/] {_escaped(error)}", soft_wrap=True, highlight=False)
            raise typer.Exit(1) from None


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
app.add_typer(sprints, name="sprint", help="Keep a round of persona research, and compare it with an earlier one.")
Folder = Annotated[
    Path, typer.Option("--study", metavar="DIR", help="The study's folder, the one that holds study.yml.")
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="A folder that stands in for the study's data/raw.")
]


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"journeylab {version('journeylab')}")
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
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The new study's folder; it is made if it is not there.")
    ],
    template: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="What the journey starts from: trial-to-partner, freemium, e-commerce or services."
        ),
    ] = "trial-to-partner",
) -> None:
    """Start a new study: a folder with study.yml, journey.yml, notes.yml and a place for the data.

    The files say in comments what to change. Editors that know JSON Schema check journey.yml as you type, against
    journey.schema.json beside it.
    """
    source = _template(template)
    copied = sorted(path.name for path in source.iterdir() if path.is_file())
    standing = [name for name in copied if (folder / name).exists()]
    if standing:
        raise StudyError(
            f"“{folder}” holds {' and '.join(f'“{name}”' for name in standing)} already, and nothing is written over. "
            "Name another folder, or move what is there."
        )
    for inner in (RAW, PROCESSED, Path("reports")):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    for name in copied:
        shutil.copyfile(source / name, folder / name)
    shutil.copyfile(SCHEMA, folder / SCHEMA.name)
    typer.echo(f"A study lies in {folder}. Next:")
    typer.echo(f"  1. Put your events into {folder / RAW}.")
    typer.echo(
        f"  2. Say in {folder / FILE} which columns they have and what was observed, in journey.yml what the stages are"
    )
    typer.echo(f"  3. journeylab check --study {folder}")
    typer.echo(f"  4. journeylab report --study {folder}")


@app.command()
def check(
    study: Folder = Path(),
    data: Data = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
) -> None:
    """Check the journey against the data, the data themselves, and the notes on the map.

    Shows how many rows were read, how many were refused and why, and what the lint says of the journey: with file, line
    and how to fix it. The exit code is 1 if there is an error (with --strict, if there is a warning), and else 0.
    """
    opened = open_study(study, data)
    console = Console()
    console.print(f"[bold]{_escaped(opened.name)}[/]", highlight=False)
    console.print(_escaped(f"Window {opened.window}. {sentence(opened)}"), highlight=False)
    console.print(_as_table(reading(opened), title="What was read"))
    if len(opened.lint):
        console.print(_as_table(opened.lint.table.drop(columns="rule"), title="What the lint says of the journey"))
    console.print(f"Lint: {opened.lint.sentence()}", highlight=False)
    console.print(_escaped(f"Notes on the map: {opened.notes.sentence()}"), highlight=False)
    if len(opened.lint.errors) or (strict and len(opened.lint.warnings)):
        raise typer.Exit(1)


@app.command()
def report(
    study: Folder = Path(),
    data: Data = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", metavar="N", min=1, help="Notebooks run at once; by default, one per core.")
    ] = None,
) -> None:
    """Run the notebooks on a study and write one offline HTML report of each, led by reports/index.html.

    The study's own notebooks are run if it has any, and else those that come with journeylab. Copies are run: the
    notebooks stay as they are. If one fails, the message names its cell, a copy as far as it came is kept in reports/,
    and the others are finished; the exit code is then 1.
    """
    opened = open_study(study, data)
    opened.lint.raise_errors()
    notebooks = _notebooks(study)
    folder = study / "reports"
    # Found once here, the spells lie ready for every notebook.
    overview = overview_of(opened)
    with _progress(notebooks) as step:
        write_reports(
            notebooks,
            folder=folder,
            masthead=masthead_of(opened),
            overview=overview,
            variables={DATA: str(data.resolve())} if data else {},
            workers=jobs,
            step=step,
        )
    typer.echo(f"{counted(len(notebooks), 'report')} written. Start with {folder / NAME}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context, study: Folder = Path(), data: Data = None) -> None:
    """Open a study's notebooks in JupyterLab. What follows and is not known here, such as --no-browser, goes to it.

    A study without notebooks is first given copies of those that come with journeylab. They are its own from then on,
    to change as you like: `journeylab report` runs them too. Delete them to go back to those that come with journeylab.
    """
    open_study(study, data)
    folder = study / "notebooks"
    if not any(folder.glob("*.ipynb")):
        folder.mkdir(exist_ok=True)
        copied = [shutil.copyfile(notebook, folder / notebook.name) for notebook in _notebooks(study)]
        typer.echo(f"{counted(len(copied), 'notebook')} copied to {folder}; they are the study’s own from now on.")
    # JupyterLab takes the place of this process, so that Ctrl-C and the exit code are its own.
    chosen = {DATA: str(data.resolve())} if data else {}
    command = [sys.executable, "-m", "jupyterlab", str(folder), *context.args]
    os.execve(sys.executable, command, {**os.environ, **chosen})


@app.command()
def simulate(
    customers: Annotated[int, typer.Option("--customers", metavar="N", min=1, help="How many customers to make up.")],
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="The same seed makes the same customers, to the byte.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The study's folder to write.")],
) -> None:
    """Make up a study whose truth is known: events, customers, journey, and what was planted in them.

    For trying journeylab, and for testing whether an analysis finds what is there.
    """
    if (out / FILE).exists():
        raise StudyError(
            f"“{out}” holds a study already, and nothing is written over. Name another folder, or move what is there."
        )
    simulation = simulate_log(customers, seed=seed)
    simulation.write(out)
    typer.echo(f"A study of {customers:,} made-up customers lies in {out}: {simulation.raw.num_rows:,} rows of events.")


@sprints.command("start")
def start(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it: small letters, digits, hyphens.")],
    study: Folder = Path(),
    data: Data = None,
) -> None:
    """Keep what the study finds now as a sprint, in a dated folder that nothing writes over.

    The folder is sprints/DATE-NAME, DATE being the end of the study's window. It holds fingerprints of all inputs, the
    personas without their customers, and the findings as tables. Personas that survived since the last sprint keep
    their ids.
    """
    sprint = start_sprint(open_study(study, data), name)
    typer.echo(f"Sprint {sprint.number}, “{sprint.name}”, lies in {sprint.folder}. {sprint.personas.sentence()}")
    if sprint.previous:
        typer.echo(f"Next: journeylab sprint compare {sprint.previous} {sprint.name} --study {study}")


@sprints.command("compare")
def compare(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier sprint's name.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later sprint's name.")],
    study: Folder = Path(),
    data: Data = None,
) -> None:
    """Compare two sprints: a report and its tables, in the folder of the later one.

    The later sprint's customers are needed: the study's data must still be those that it had, or --data must name them.
    """
    opened = open_study(study, data)
    notebook = _notebook(NOTEBOOK, study)
    page = write_comparison(opened, old, new, notebook=notebook, masthead=masthead_of(opened))
    typer.echo(f"What changed from “{old}” to “{new}” is in {page}")


def _template(name: str) -> Path:
    known = {_key(path.name): path for path in sorted(TEMPLATES.iterdir()) if (path / FILE).is_file()}
    if _key(name) not in known:
        offered = [path.name.replace("_", "-") for path in known.values()]
        raise StudyError(f"There is no template “{name}”. {did_you_mean(name, offered)}")
    return known[_key(name)]


def _key(name: str) -> str:
    """A template's name however it is written: e-commerce, ecommerce, E_Commerce."""
    return name.lower().replace("-", "").replace("_", "")


def _notebooks(study: Path) -> list[Path]:
    for folder in (study / "notebooks", *NOTEBOOKS):
        if found := sorted(folder.glob("*.ipynb")):
            return found
    raise ReportError(
        f"There is no notebook to run: none in “{study / 'notebooks'}”, and none came with journeylab. Put one there."
    )


def _notebook(name: str, study: Path) -> Path:
    """The study's own notebook of this name, or else the one that came with journeylab."""
    for folder in (study / "notebooks", *NOTEBOOKS):
        if (folder / name).is_file():
            return folder / name
    raise ReportError(f"There is no notebook “{name}” to run, and none came with journeylab. Install journeylab again.")


def _as_table(rows: pd.DataFrame, *, title: str) -> Table:
    shown = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in rows.columns:
        is_number = pd.api.types.is_numeric_dtype(rows[column])
        shown.add_column(str(column), justify="right" if is_number else "left", overflow="fold")
    for row in rows.astype(object).itertuples(index=False):
        shown.add_row(*(_escaped(cell(value)) for value in row))
    return shown


@contextmanager
def _progress(notebooks: list[Path]) -> Iterator[Callable[[Path, int, int], None]]:
    """What to call after each cell: it moves a bar in a terminal; elsewhere a finished notebook is a line."""

    def say(path: Path, done: int, total: int) -> None:
        if done == total:
            typer.echo(f"{path.name}: {counted(total, 'cell')} run")

    if not sys.stdout.isatty():
        yield say
        return
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        tasks = {path: progress.add_task(path.name, total=None) for path in notebooks}
        yield lambda path, done, total: progress.update(tasks[path], completed=done, total=total)


def _escaped(text: object) -> str:
    # Rich reads square brackets as styles; ours are cells and lists.
    return str(text).replace("[", r"\[")
