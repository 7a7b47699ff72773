"""Spells written out by hand, for tests of findings."""

import by_hand
import pytest


@pytest.fixture(scope="session")
def spells_of():
    """A function: rows (customer, stage, entered, left, to), in days, as Spells; see `by_hand.spells_of`."""
    return by_hand.spells_of
