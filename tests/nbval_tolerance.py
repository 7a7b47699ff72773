"""A plugin for notebooks under test: are the outputs that nbval computes those that were committed, whatever the last
digits of a float?

nbval compares texts to the byte, and has no hook to change that; so its method is replaced while pytest runs. Here
numbers within texts may differ by one part in a million, which is what processors and versions of libraries differ by;
all else must be equal. Pictures are not compared: their alternative texts are. A cell that was never run fails, where
nbval would pass it.
"""

import base64
import math
import re

import pytest
from nbval.plugin import IPyNbCell

TOLERANCE = 1e-6
TEXTS = ("text/plain", "text/html", "text/markdown")
_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ENCODED = re.compile(r"(?<=;base64,)[A-Za-z0-9+/=]+")

_compare_exactly = IPyNbCell.compare_outputs


def pytest_configure():
    """Compare with the tolerance from now on."""
    IPyNbCell.compare_outputs = _compare_outputs


def pytest_unconfigure():
    """Leave nbval as it was."""
    IPyNbCell.compare_outputs = _compare_exactly


def _compare_outputs(cell, found, committed, skip_compare=None):
    """As nbval does, after the texts that are equal within the tolerance have been made equal."""
    skip_compare = (*(skip_compare or cell.parent.skip_compare), "image/png", "image/jpeg", "image/svg+xml")
    if len(found) == len(committed):
        found = [_levelled(*pair) for pair in zip(found, committed, strict=True)]
    return _compare_exactly(cell, found, committed, skip_compare)


def _levelled(found, committed):
    if found.output_type != committed.output_type:
        return found
    levelled = found.copy()
    if "text" in found and is_close(found.text, committed.text):
        levelled["text"] = committed.text
    if "data" in found:
        close = {
            kind: committed.data[kind]
            for kind in TEXTS
            if kind in found.data
            and kind in committed.get("data", {})
            and is_close(found.data[kind], committed.data[kind])
        }
        levelled["data"] = {**found.data, **close}
    return levelled


def is_close(found: str, committed: str) -> bool:
    """Whether two texts are the same but for the last digits of the numbers in them; encoded data are compared as what
    they say."""
    found, committed = _decoded(found), _decoded(committed)
    if _NUMBER.sub("#", found) != _NUMBER.sub("#", committed):
        return False
    pairs = zip(_NUMBER.findall(found), _NUMBER.findall(committed), strict=True)
    return all(one == other or _are_near(one, other) for one, other in pairs)


def _are_near(one: str, other: str) -> bool:
    # Whole numbers are counts, dates, names: they are equal or not.
    if not any(sign in one + other for sign in ".eE"):
        return False
    return math.isclose(
        *(float(text.replace(",", "").replace("−", "-")) for text in (one, other)), rel_tol=TOLERANCE, abs_tol=1e-12
    )


def _decoded(text: str) -> str:
    return _ENCODED.sub(lambda data: base64.b64decode(data[0]).decode("utf-8", errors="backslashreplace"), text)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    """Fail a cell with code that was never run."""
    if isinstance(item, IPyNbCell) and item.cell.source.strip() and item.cell.execution_count is None:
        item.raise_cell_error("This cell was never run. Run the notebook from top to bottom and save it.")
