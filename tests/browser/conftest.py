"""A browser that reaches no network, and reports to open in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_study import write_hostile
from playwright.sync_api import Browser, sync_playwright
from typer.testing import CliRunner

from journeylab.cli import app

# Without these Chromium looks for its maker's servers at every start.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]


# Of the module: while it is open, an event loop runs, beside which no other test could start one.
@pytest.fixture(scope="module")
def browser(reports: Path) -> Iterator[Browser]:  # noqa: ARG001 -- the reports are made before that loop runs
    """Chromium as the system has it; where there is none, what needs it is skipped."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs Chromium: install the package “chromium”")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found, chromium_sandbox=False, args=["--disable-gpu", "--no-first-run", *QUIET]
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of a study in which every text tries to be more than text."""
    study = tmp_path_factory.mktemp("hostile") / "study"
    study.mkdir()
    write_hostile(study, customers=80, seed=3)
    result = CliRunner().invoke(app, ["report", "--study", str(study)])
    assert result.exit_code == 0, result.output
    return study / "reports"
