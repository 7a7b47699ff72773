"""Groupings: who is in which group, and since when anybody can know."""

import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.findings.finding import Grouping, watched, why_nobody

START = pd.Timestamp("2025-01-01", tz="UTC")
ROWS = [
    ("a", "trial", -2, 4, "advanced"),
    ("a", "paid", 4, 9, None),
    ("b", "trial", 1, 2, "price"),
    ("c", "trial", 0, 1, None),
]


def days_since_start(times: pd.Series) -> list[float]:
    return ((times - START) / pd.Timedelta(days=1)).tolist()


def test_customers_without_a_label_are_in_no_group(spells_of):
    found = watched(spells_of(ROWS), pd.Series({"a": "x", "b": None, "z": "x"}))
    assert found["customer_id"].tolist() == ["a", "a"]
    assert found["group"].tolist() == ["x", "x"]


def test_a_column_of_the_customers_groups_by_its_values_as_text(spells_of):
    attributes = pd.DataFrame({"seats": [1, 2, 2]}, index=pd.Index(list("abc"), name="customer_id"))
    found = watched(spells_of(ROWS, attributes=attributes), "seats")
    assert found["group"].tolist() == ["1", "1", "2", "2"]
    assert Grouping.of("seats", spells_of(ROWS, attributes=attributes)).name == "seats"


def test_a_spell_is_watched_from_when_its_label_was_known(spells_of):
    """Known on day 1: a's first spell is watched from then, its second and b's from their start; c's was over."""
    known = pd.Series(START + pd.Timedelta(days=1), index=list("abc"))
    found = watched(spells_of(ROWS), Grouping("persona", pd.Series(dict.fromkeys("abc", "x")), known))
    assert found["customer_id"].tolist() == ["a", "a", "b"]
    assert days_since_start(found["observed_from"]) == [1, 4, 1]


def test_a_spell_of_no_length_counts_if_it_began_when_the_label_was_known(spells_of):
    known = pd.Series(START + pd.Timedelta(days=3), index=["a"])
    found = watched(spells_of([("a", "trial", 3, 3, "price")]), Grouping("persona", pd.Series({"a": "x"}), known))
    assert days_since_start(found["observed_from"]) == [3]


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_the_precision_of_the_times_does_not_matter(spells_of, unit):
    known = pd.Series(START + pd.Timedelta(days=1), index=["a"]).dt.as_unit(unit)
    found = watched(spells_of(ROWS), Grouping("persona", pd.Series({"a": "x"}), known))
    assert days_since_start(found["observed_from"]) == [1, 4]


def test_spells_come_as_they_are_without_groups(spells_of):
    assert "group" not in watched(spells_of(ROWS), None)


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_a_grouping_of_nobody_leaves_no_spell_and_says_why(spells_of, unit):
    nobody = pd.Index([], dtype=object, name="customer_id")
    known = pd.Series([], index=nobody, dtype=f"datetime64[{unit}, UTC]")
    grouping = Grouping("persona", pd.Series([], index=nobody, dtype=object), known)
    spells = spells_of(ROWS)
    found = watched(spells, grouping)
    assert len(found) == 0
    assert found["observed_from"].dtype == spells.to_pandas()["observed_from"].dtype
    assert why_nobody(spells, grouping) == "Nobody has a known persona, so there is nothing to compare by it."
    assert why_nobody(spells_of([]), grouping) == why_nobody(spells_of([]), None)


def test_labels_of_which_none_is_of_a_customer_with_spells_are_refused(spells_of):
    labels = pd.Series({"A": "x", "B": "y"})
    with pytest.raises(EstimateError) as error:
        watched(spells_of(ROWS), Grouping("persona", labels))
    assert str(error.value) == (
        "None of the customers with a label of “persona” (2) has a spell. Index the labels by customer_id."
    )
    assert len(watched(spells_of([]), Grouping("persona", labels))) == 0


def test_two_labels_for_one_customer_are_refused():
    with pytest.raises(EstimateError) as error:
        Grouping("persona", pd.Series(["x", "y"], index=["a", "a"]))
    assert str(error.value) == "Customer “a” has more than one label of “persona”. Give each customer one row."


def test_a_label_without_the_time_when_it_became_known_is_refused():
    with pytest.raises(EstimateError) as error:
        Grouping("persona", pd.Series({"a": "x", "b": "y"}), pd.Series({"a": START, "b": pd.NaT}))
    assert str(error.value) == (
        "Customer “b” has a label of “persona”, but `known_at` does not say since when. "
        "Give a time for each labelled customer."
    )
