"""Customers who come back are one in the check of proportional hazards between groups."""

import numpy as np
import pandas as pd
import pytest

from journeylab.estimators.cox import fit_cox
from journeylab.findings.comparison import compare_groups


def checked(spells_of, rows):
    """The p of proportional hazards that a comparison gives, and those of the robust and the exact test."""
    labels = pd.Series({row[0]: row[0][0] for row in rows}, name="plan")
    found = compare_groups(spells_of(rows), stage="plus", by=labels, horizon="200d")
    days, event = np.array([row[3] - row[2] for row in rows]), [row[4] is not None for row in rows]
    is_b = np.array([row[0][0] == "b" for row in rows], float)
    cox = fit_cox(is_b[:, None], entry=0 * days - 1, exit=days, event=event, ids=[row[0] for row in rows])
    tests = [cox.proportional_hazards_test(robust=robust).overall.p_value for robust in (True, False)]
    return found.tests["proportional_p"].iloc[0], *tests


def test_of_repeated_visits_the_check_is_robust(spells_of):
    rows = [
        (f"{plan}{i}", "plus", 40 * visit, 40 * visit + 1 + (i + visit) % days, "other" if i % 4 else None)
        for plan, days in (("a", 20), ("b", 12))
        for i in range(24)
        for visit in range(3)
    ]
    found, robust, exact = checked(spells_of, rows)
    assert found == pytest.approx(robust, rel=1e-9)
    assert abs(robust - exact) > 0.01


def test_of_single_visits_the_check_is_exact(spells_of):
    rows = [
        (f"{plan}{i}", "plus", 0, 1 + i % days, "other" if i % 4 else None)
        for plan, days in (("a", 20), ("b", 12))
        for i in range(40)
    ]
    found, robust, exact = checked(spells_of, rows)
    assert found == pytest.approx(exact, rel=1e-9)
    assert abs(robust - exact) > 0.001
