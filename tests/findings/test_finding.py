"""Groupings: who is in which group, and since when anybody can know."""

import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.findings.grouping import Grouping, watched, why_nobody

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


def customers(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index(list("abc"), name="customer_id"))


DAY_1 = START + pd.Timedelta(days=1)


@pytest.mark.parametrize(
    "known",
    [
        {"tier_known_at": [DAY_1, DAY_1, pd.NaT]},
        {"tier_known_at": ["2025-01-02", "2025-01-02T01:00+01:00", None]},
        {"known_at": [DAY_1] * 3},
        {"tier_known_at": [DAY_1] * 3, "known_at": [START + pd.Timedelta(days=5)] * 3},
    ],
    ids=["times", "text", "of the whole row", "its own before that of the row"],
)
def test_customers_are_watched_from_when_an_attribute_of_theirs_was_known(spells_of, known):
    """Immortal time: a's first spell had begun two days before the window, its tier was known on day 1."""
    spells = spells_of(ROWS, attributes=customers(tier=["x", "y", None], **known))
    found = watched(spells, "tier")
    assert found["customer_id"].tolist() == ["a", "a", "b"]
    assert days_since_start(found["observed_from"]) == [1, 4, 1]


def test_what_only_the_future_tells_can_group_from_when_it_is_told(spells_of):
    attributes = customers(tenure=["long", "short", "short"], tenure_known_at=[DAY_1] * 3)
    assert days_since_start(watched(spells_of(ROWS, attributes=attributes), "tenure")["observed_from"]) == [1, 4, 1]


@pytest.mark.parametrize(
    ("attributes", "by", "message"),
    [
        (
            {"tenure": [1, 2, 3]},
            "tenure",
            "The customers’ attribute “tenure” is named for something that only the future tells, so customers "
            "would be grouped by how they end up. Say in a column “tenure_known_at” when each value became known, "
            "rename it for what it holds, or group by something else.",
        ),
        (
            {"tier": ["x", "y", "x"], "tier_known_at": ["2025-01-02", None, "2025-01-02"]},
            "tier",
            "Customer “b” has a label of “tier”, but `known_at` does not say since when. "
            "Give a time for each labelled customer.",
        ),
        (
            {"tier": ["x", "y", "x"], "tier_known_at": ["2025-01-02", "soon", "2025-01-02"]},
            "tier",
            "“tier_known_at” of customer “b” is “soon”, which is not a time. "
            "Write times as in “2025-01-31 14:00”, in UTC.",
        ),
        (
            {"tier": ["x", "y", "x"], "tier_known_at": ["2025-01-02"] * 3},
            "teir",
            "The customers have no attribute “teir” to group by. Did you mean “tier”?",
        ),
    ],
)
def test_attributes_that_would_lend_time_or_cannot_be_dated_are_refused(spells_of, attributes, by, message):
    with pytest.raises(EstimateError) as error:
        Grouping.of(by, spells_of(ROWS, attributes=customers(**attributes)))
    assert str(error.value) == message


def test_each_name_that_only_the_future_can_fill_is_refused(spells_of):
    for name in ("churned", "days_since_login", "loss_branch", "last_seen", "lifetime_value", "total_orders"):
        with pytest.raises(EstimateError, match="only the future tells"):
            Grouping.of(name, spells_of(ROWS, attributes=customers(**{name: ["x", "y", "x"]})))


def test_a_grouping_shows_how_many_are_in_each_group_and_since_when_it_was_known():
    labels, known = pd.Series({"a": "x", "b": "<y>", "c": "x"}), pd.Series(START, index=list("abc"))
    shown = Grouping("persona", labels)._repr_html_()
    assert "3 customers; each label became known at the first event of the customer." in shown
    assert '<td>x</td><td class="number">2</td>' in shown
    assert "&lt;y&gt;" in shown
    assert f"known between {START:%Y-%m-%d} and {START:%Y-%m-%d}." in Grouping("persona", labels, known)._repr_html_()
