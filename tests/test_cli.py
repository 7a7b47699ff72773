"""The commands do what their help says, tell mistakes in plain words, and leave with an honest exit code."""

import sys

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from journeylab import cli
from journeylab.cli import app

STUDY = """\
study: Trials of 2025
journey: journey.yml
events:
  - {path: data/raw/events.csv, columns: {customer_id: account, event: action, time: ts}, timezone: UTC}
window: {start: 2025-01-01, end: 2025-04-01}
horizons: [30d]
notes: Cancelled trials are called back.
"""
JOURNEY = """\
journeylab: 1
name: Trial to partner
goal: Plan the week
stages:
  - name: trying
    opened_by: [{event: started}]
    validated_by: {event: planned}
    silent_after: 30d
  - {name: paying, opened_by: [{event: paid}], completes: true}
loss_branches:
  - {name: price, when: {event: cancelled}}
"""
EVENTS = """\
account,action,ts
ann,started,2025-01-02
ann,planned,2025-01-03
ann,paid,2025-01-12
bob,started,2025-01-03
bob,cancelled,2025-01-08
,started,2025-01-09
"""


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    # What is printed must not depend on the terminal of those who test.
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("JOURNEYLAB_DATA", raising=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data/raw").mkdir(parents=True)
    for name, text in {"study.yml": STUDY, "journey.yml": JOURNEY, "data/raw/events.csv": EVENTS}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_help_names_the_commands_and_where_to_start():
    said = run("--help").output
    assert all(f" {command} " in said for command in ("init", "check", "report", "lab", "simulate"))
    assert "Start with journeylab init my-study." in said


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("trial-to-partner", "Team workspace, trial to partner"),
        ("e-commerce", None),
        ("ecommerce", None),
        ("freemium", None),
        ("services", None),
    ],
)
def test_init_makes_a_study_that_lacks_only_its_data(tmp_path, written, name):
    made = run("init", tmp_path / "new", "--template", written)
    assert made.exit_code == 0, made.output
    assert {path.name for path in (tmp_path / "new").iterdir()} >= {
        "study.yml",
        "journey.yml",
        "journey.schema.json",
        "data",
        "reports",
    }
    assert (tmp_path / "new/data/raw").is_dir()
    assert (tmp_path / "new/data/processed").is_dir()
    assert name in (None, yaml.safe_load((tmp_path / "new/journey.yml").read_text())["name"])
    checked = run("check", "--study", tmp_path / "new")
    assert checked.exit_code == 1
    assert all(
        line.endswith("is not there. Put the file there, or correct the path.") for line in checked.stderr.splitlines()
    )


def test_init_writes_over_nothing(folder):
    made = run("init", folder)
    assert made.exit_code == 1
    assert made.stderr == (
        f"Error: “{folder}” already has “journey.yml” and “study.yml”, and init overwrites nothing. "
        "Name another folder, or move these files.\n"
    )
    assert (folder / "study.yml").read_text() == STUDY


def test_init_knows_its_templates(tmp_path):
    made = run("init", tmp_path / "new", "--template", "fremium")
    assert (made.exit_code, made.stderr) == (1, "Error: There is no template “fremium”. Did you mean “freemium”?\n")
    assert not (tmp_path / "new").exists()


def test_check_says_what_was_read_and_refused(folder):
    checked = run("check", "--study", folder)
    assert checked.exit_code == 0, checked.output
    lines = [" ".join(line.split()) for line in checked.output.splitlines()]
    assert lines[0] == "Trials of 2025"
    assert " ".join(lines[1:]).startswith(
        "Window 2025-01-01 to 2025-04-01. 5 events of 2 customers. 6 rows read, 1 refused (1 missing customer). "
        "The log has only dates: days are days on the calendar"
    )
    assert "read 6 100" in lines
    assert "refused: missing customer 1 16.7" in lines
    assert "refused: duplicate 0 0" in lines
    assert "Notes on the map: No remark. Add what no log shows in notes.yml." in lines


def test_check_warns_of_a_note_that_fits_no_stage_with_its_line(folder):
    (folder / "notes.yml").write_text("stages:\n  tryng: {owner: growth}\n")
    checked = run("check", "--study", folder)
    assert checked.exit_code == 0
    assert (
        "Notes on the map: No remark. Add what no log shows in notes.yml. "
        "notes.yml:2: There is no stage “tryng”. Did you mean “trying”? The map leaves this out."
    ) in " ".join(checked.output.split())
    assert run("check", "--study", folder, "--strict").exit_code == 1


def test_warnings_are_shown_and_count_as_errors_only_when_asked(folder):
    (folder / "journey.yml").write_text(JOURNEY.replace("    validated_by: {event: planned}\n", ""))
    checked = run("check", "--study", folder)
    assert checked.exit_code == 0
    assert "Lint: 1 warning." in checked.output
    assert "journey.yml:5" in checked.output
    assert run("check", "--study", folder, "--strict").exit_code == 1


def test_refusals_that_gather_and_ids_of_nobody_fail_only_the_strict_check(folder):
    events = folder / "data/raw/events.csv"
    lines = events.read_text().splitlines()
    account = lines[0].split(",").index("account")
    spoilt = [line.split(",") for line in lines[1:] for _ in range(3)]
    for at, cells in enumerate(spoilt):
        cells[account] = ("", "undefined", cells[account])[at % 3]
    events.write_text("\n".join([lines[0], *map(",".join, spoilt)]) + "\n")
    checked = run("check", "--study", folder)
    said = " ".join(checked.output.split())
    assert checked.exit_code == 0, checked.output
    assert "What the lint found in the journey and the data" in said
    assert "undefined" in said
    assert "cannot be judged" in said
    assert run("check", "--study", folder, "--strict").exit_code == 1


def test_errors_of_the_lint_fail_check_and_stop_report(folder):
    (folder / "journey.yml").write_text(JOURNEY.replace("{event: started}", "{event: started, where: {plan: team}}"))
    checked = run("check", "--study", folder)
    assert checked.exit_code == 1
    assert "journey.yml:6" in checked.output
    assert "asks for the column “plan”, which the log lacks." in " ".join(checked.output.split())
    reported = run("report", "--study", folder)
    assert reported.exit_code == 1
    assert "journey.yml:6" in reported.stderr
    assert not (folder / "reports").exists()


@pytest.mark.slow
def test_report_runs_the_studys_notebooks_on_the_data_that_stand_in(folder, tmp_path_factory):
    data = tmp_path_factory.mktemp("elsewhere")
    (data / "events.csv").write_text(EVENTS + "cyd,started,2025-02-01\n")
    (folder / "notebooks").mkdir()
    source = "from journeylab.study.study import open_study\nprint(open_study('..').log.n_customers, 'customers')"
    cells = [new_markdown_cell("# Who comes?"), new_code_cell(source)]
    nbformat.write(new_notebook(cells=cells), folder / "notebooks/01_who.ipynb")
    reported = run("report", "--study", folder, "--data", data)
    assert reported.exit_code == 0, reported.output
    assert reported.output.splitlines() == [
        "01_who.ipynb: 1 cell run",
        f"1 report written. Start with {folder / 'reports' / 'index.html'}",
    ]
    assert "3 customers" in (folder / "reports/01_who.html").read_text()
    index = (folder / "reports/index.html").read_text()
    assert "4 visits to the stages of the journey, from 6 events of 3 customers. 7 rows read, 1 refused" in index
    assert "Cancelled trials are called back." in index
    assert '<a href="01_who.html">Who comes?</a>' in index
    assert str(folder) not in index


@pytest.mark.slow
def test_report_names_the_cell_that_failed_and_leaves_with_1(folder):
    (folder / "notebooks").mkdir()
    cells = [new_markdown_cell("# Who?"), new_code_cell("customers = 0\n1 / customers")]
    nbformat.write(new_notebook(cells=cells), folder / "notebooks/01_who.ipynb")
    reported = run("report", "--study", folder)
    assert reported.exit_code == 1
    assert reported.stderr == (
        "Error: 1 of 1 notebooks failed; all other reports are written.\n\n"
        "01_who.ipynb, Cell [1] of 1 failed: ZeroDivisionError: division by zero\n"
        "    customers = 0\n    1 / customers\n"
        "Its copy, as far as it came: reports/01_who.failed.ipynb\n\n"
        "Fix the cells, then make the reports again.\n"
    )


@pytest.fixture
def started(monkeypatch):
    """What `lab` would have become: program, arguments and environment."""
    calls = []
    monkeypatch.setattr("journeylab.cli.os.execve", lambda *call: calls.append(call))
    return calls


def test_the_pages_of_the_documentation_are_no_reports_of_a_study(folder):
    reports = {path.name[:2] for path in cli._notebooks(folder)}
    assert {"01", "07"} <= reports
    assert not {"00", "90"} & reports


def test_lab_gives_a_study_notebooks_of_its_own_once_and_opens_them(folder, started):
    opened = run("lab", "--study", folder, "--no-browser")
    assert opened.exit_code == 0, opened.output
    copied = sorted(path.name for path in (folder / "notebooks").iterdir())
    assert opened.output == (
        f"{len(copied)} notebooks copied to {folder / 'notebooks'}. They now belong to the study.\n"
    )
    assert "01_read_the_log.ipynb" in copied
    (folder / "notebooks/01_read_the_log.ipynb").write_text("mine")
    assert run("lab", "--study", folder).output == ""
    assert (folder / "notebooks/01_read_the_log.ipynb").read_text() == "mine"
    commands = [command for _, command, _ in started]
    quiet = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    lab = [sys.executable, "-m", "jupyterlab", str(folder / "notebooks"), *quiet]
    assert commands == [[*lab, "--no-browser"], lab]


def test_lab_hands_on_the_data_that_stand_in_and_opens_no_study_that_is_none(folder, started, tmp_path_factory):
    data = tmp_path_factory.mktemp("elsewhere")
    (data / "events.csv").write_text(EVENTS)
    run("lab", "--study", folder, "--data", data)
    assert started[0][2]["JOURNEYLAB_DATA"] == str(data)
    assert run("lab", "--study", data).exit_code == 1
    assert len(started) == 1


def test_simulate_makes_the_same_study_from_the_same_seed(tmp_path):
    first, second = (run("simulate", "--customers", 30, "--seed", 7, "--out", tmp_path / name) for name in "ab")
    assert first.exit_code == 0, first.output
    assert ": 30 simulated customers and" in first.output
    assert second.exit_code == 0
    for name in ("study.yml", "journey.yml", "data/raw/events.parquet", "data/raw/customers.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    again = run("simulate", "--customers", 30, "--seed", 7, "--out", tmp_path / "a")
    assert (again.exit_code, again.stderr) == (
        1,
        f"Error: “{tmp_path / 'a'}” already has a study, and simulate overwrites nothing. Name another folder.\n",
    )


def test_what_the_caller_can_mend_comes_without_a_traceback_and_usage_leaves_with_2(tmp_path):
    said = run("check", "--study", tmp_path)
    assert (said.exit_code, said.stdout, said.stderr) == (
        1,
        "",
        f"Error: There is no study.yml in “{tmp_path}”. "
        "Name a study's folder, or make one with “journeylab init DIR”.\n",
    )
    assert isinstance(said.exception, SystemExit)
    assert run("check", "--nonsense").exit_code == 2


def test_what_nobody_foresaw_shows_a_traceback(folder, monkeypatch):
    monkeypatch.setattr("journeylab.cli._open", lambda *_: 1 / 0)
    assert isinstance(run("check", "--study", folder).exception, ZeroDivisionError)


def test_check_says_which_notes_count_as_assumptions_and_strict_counts_them(folder):
    remark = "{text: Ask first, evidence: data, source: Loss branches}"
    stage = yaml.safe_load((folder / "journey.yml").read_text())["stages"][0]["name"]
    (folder / "notes.yml").write_text(f"stages:\n  {stage}:\n    opportunities:\n      - {remark}\n")
    checked, strict = run("check", "--study", folder), run("check", "--study", folder, "--strict")
    assert "notes.yml:4: The evidence is “data”, but “Loss branches” is no finding." in " ".join(checked.output.split())
    assert checked.exit_code == 0
    assert strict.exit_code == 1


def test_check_names_horizons_that_cannot_show_what_they_ask(folder):
    (folder / "study.yml").write_text(STUDY.replace("[30d]", "[7d, 120d]"))
    checked = run("check", "--study", folder)
    said = " ".join(checked.output.split())
    assert checked.exit_code == 0
    assert "Horizons: 2 warnings." in said
    assert "Within 7 days nobody can be lost to silence in “trying” (silent after 30 days). Write 30d or longer" in said
    assert "120 days is longer than what was observed: 90 days." in said
    assert "study.yml:6" in said
    assert run("check", "--study", folder, "--strict").exit_code == 1
