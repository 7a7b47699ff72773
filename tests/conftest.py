"""What all tests share: real logs and reference numbers that lie beside the project, never in it."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real logs, golden cases and reference numbers; where it is absent, what needs it is skipped."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(
            "needs the folder ../shared (real logs, golden cases, reference numbers), which is not part of the project"
        )
    return folder
