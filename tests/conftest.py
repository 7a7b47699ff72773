"""What all tests share: real logs and reference numbers that lie beside the project, never in it; every noun, found
once; how properties are tried."""

from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).parents[1]

# The same examples each time: a test that fails here fails everywhere. A test that needs more or fewer says so.
settings.register_profile("journeylab", max_examples=30, deadline=None, derandomize=True, database=None)
settings.load_profile("journeylab")


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


# The modules of the nouns are imported only where a test asks for them: they import the whole package.
@pytest.fixture(scope="session")
def noun_study(tmp_path_factory: pytest.TempPathFactory):
    """A study of simulated customers in whose names and stages somebody wrote a script."""
    from nouns import write_study

    return write_study(tmp_path_factory.mktemp("nouns"))


@pytest.fixture(scope="session")
def findings(noun_study):
    """Every finding of that study, in all customers together, by the name of its class."""
    from nouns import FINDINGS, find_in

    return {name: find_in(noun_study, name) for name in FINDINGS}


@pytest.fixture(scope="session")
def nouns(noun_study, findings):
    """An instance of every noun, by the name of its class."""
    from nouns import build_nouns

    return build_nouns(noun_study, findings)
