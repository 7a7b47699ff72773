"""Plain rules and examples: found where there are some, checked on others, in words that a reader can follow."""

import numpy as np
import pandas as pd
import pytest

from journeylab.findings.personas.description import about, find_exemplars, tenths
from journeylab.findings.personas.measures import LEVEL, NEXT, NUMBER, SHARE, Measured, bound_in_words
from journeylab.findings.personas.rules import RULES, find_rules, rule_in_words


def measured(feature: str, kind: str, amounts, family: str | None = None) -> Measured:
    return Measured(feature, family or feature.split(": ")[0], kind, np.asarray(amounts, dtype=float))


@pytest.mark.parametrize(
    ("feature", "kind", "bound", "above", "below"),
    [
        ("events", NUMBER, 6, "at least 6 events", "fewer than 6 events"),
        ("survey score", NUMBER, 7.5, "survey score of at least 7.5", "survey score below 7.5"),
        ("plan: basic", LEVEL, 1, "plan “basic”", "plan other than “basic”"),
        ("event: called", SHARE, 0.4, "at least 40% of events are “called”", "less than 40% of events are “called”"),
        ("event: called", SHARE, 0, "some events “called”", "no events “called”"),
        ("channel: chat", SHARE, 0.5, "at least 50% of events by “chat”", "less than 50% of events by “chat”"),
        ("channel: chat", SHARE, 0, "some events by “chat”", "no events by “chat”"),
        (
            "role: buyer",
            SHARE,
            0.5,
            "at least 50% of people in the role “buyer”",
            "less than 50% of people in the role “buyer”",
        ),
        ("colour: red", SHARE, 0.5, "at least 50% of colour “red”", "less than 50% of colour “red”"),
    ],
)
def test_bounds_read_as_words(feature, kind, bound, above, below):
    each = measured(feature, kind, [])
    assert bound_in_words(each, bound, is_above=True) == above
    assert bound_in_words(each, bound, is_above=False) == below


def test_moves_read_as_words():
    each = measured("next after sales: service", SHARE, [], NEXT)
    assert bound_in_words(each, 0.2, is_above=True) == "at least 20% of moves from “sales” go to “service”"
    assert bound_in_words(each, 0, is_above=False) == "no moves from “sales” to “service”"


@pytest.fixture(scope="module")
def planted():
    """400 customers: P2, the last hundred, have at least 6 events and at least 30% chat; the others one of the two."""
    random = np.random.default_rng(1)
    events = np.concatenate([random.integers(6, 20, 150), random.integers(1, 6, 150), random.integers(6, 20, 100)])
    chat = np.concatenate([random.uniform(0, 0.29, 150), random.uniform(0, 1, 150), random.uniform(0.31, 1, 100)])
    noise = random.normal(size=400)
    measures = (
        measured("events", NUMBER, events),
        measured("channel: chat", SHARE, chat),
        measured("seats", NUMBER, np.where(noise > 1, np.nan, noise)),
    )
    return measures, np.repeat([0, 1], [300, 100])


def test_a_planted_rule_is_found_and_checked_on_the_other_half(planted):
    rules = find_rules(*planted, ["P1", "P2"], seed=7)
    row = rules.iloc[1]
    # Which customers are in the other half is drawn; that half of each persona is.
    assert (row["n"], row["customers"]) == (50, 200)
    assert "at least 30% of events by “chat”" in row["rule"]
    assert row["f1"] > 0.9
    assert row["precision_lower"] <= row["precision"] <= row["precision_upper"]
    assert row["f1"] == pytest.approx(2 * row["precision"] * row["recall"] / (row["precision"] + row["recall"]))
    assert rule_in_words(row) == (
        f"{row['rule'][0].upper()}{row['rule'][1:]}: {row['precision']:.0%} ({row['precision_lower']:.0%} to "
        f"{row['precision_upper']:.0%}) of the {row['n_matching']} customers like that are P2 (precision), and "
        f"{row['recall']:.0%} ({row['recall_lower']:.0%} to {row['recall_upper']:.0%}) of 50 P2 are like that "
        "(recall); checked on 200 customers who did not help to find the rule."
    )


def test_the_precision_is_that_of_the_half_that_was_not_used(planted):
    measures, labels = planted
    random = np.random.default_rng(7)
    order = random.permutation(400)
    order = order[np.argsort(labels[order], kind="stable")]
    checking = order[1::2]
    fits = (measures[0].amounts >= 6) & (measures[1].amounts >= 0.3)
    row = find_rules(measures, labels, ["P1", "P2"], seed=7).iloc[1]
    if row["rule"] == "at least 6 events, and at least 30% of events by “chat”":
        assert row["n_matching"] == fits[checking].sum()
        assert row["precision"] == labels[checking][fits[checking]].mean()
        assert row["recall"] == fits[checking][labels[checking] == 1].mean()
    else:
        pytest.fail(f"another rule was found: {row['rule']}")


def test_a_persona_that_no_rule_tells_says_so(planted):
    measures, labels = planted
    rules = find_rules(measures[2:], np.random.default_rng(2).permutation(labels), ["P1", "P2"], seed=7)
    row = rules.iloc[1]
    assert row["f1"] < 0.6
    assert rule_in_words(row) == (
        f"No rule of at most three conditions describes P2 well: the best reaches an F1 of {row['f1']:.2f}, "
        "and 0.60 is needed."
    )


def test_a_rule_that_fits_nobody_else_has_no_precision():
    row = find_rules([measured("events", NUMBER, np.zeros(40))], np.repeat([0, 1], 20), ["P1", "P2"], seed=1).iloc[1]
    assert (row["rule"], row["conditions"], row["n_matching"]) == ("", 0, 0)
    assert np.isnan(row["precision"])
    assert "reaches an F1 of 0.00" in rule_in_words(row)


def test_one_persona_needs_no_rule(planted):
    rules = find_rules(planted[0], np.zeros(400, dtype=int), ["P1"], seed=7)
    assert len(rules) == 0
    assert rules.dtypes.to_dict() == {name: np.dtype(kind) for name, kind in RULES.items()}


def test_rules_depend_on_the_seed_alone(planted):
    first, second = (find_rules(*planted, ["P1", "P2"], seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_exemplar_lies_in_the_middle_and_is_rounded():
    amounts = {
        "events": [1, 2, 44, 80, 90],
        "active days": [1, 2, 7, 8, 9],
        "days between events": [9, 8, 0.137, 0.1, 0.1],
    }
    families = {"active days": "active_days", "days between events": "typical_gap_days"}
    measures = [measured(name, NUMBER, each, families.get(name)) for name, each in amounts.items()]
    measures += [
        measured("channel: chat", SHARE, [0, 0, 0.72, 1, 1]),
        measured("channel: web", SHARE, [1, 1, 0.28, 0, 0]),
    ]
    measures += [measured("seats", NUMBER, [1, 2, 3, 4, 5]), measured("plan: basic", LEVEL, [0, 0, 1, 1, 1])]
    told = find_exemplars(measures, np.zeros(5, dtype=int), ["P1"], seed=1)
    assert told.to_numpy().tolist() == [
        ["P1", "events", "about 40"],
        ["P1", "active days", "7"],
        ["P1", "days between events", "about 0.1"],
        ["P1", "main channel", "chat (about 70%)"],
    ]


def test_no_attribute_of_the_example_is_shown_however_many_share_it():
    measures = [measured("events", NUMBER, [5] * 100), measured("plan: basic", LEVEL, [1] * 100)]
    told = find_exemplars(measures, np.zeros(100, dtype=int), ["P1"], seed=1)
    assert told[["feature", "value"]].to_numpy().tolist() == [["events", "5"]]


def test_each_persona_has_its_own_exemplar_and_an_empty_one_none():
    measures = [measured("events", NUMBER, [1, 1, 60, 60])]
    told = find_exemplars(measures, np.array([0, 0, 2, 2]), ["P1", "P2", "P3"], seed=1)
    assert told.to_numpy().tolist() == [["P1", "events", "1"], ["P3", "events", "about 60"]]


def test_numbers_are_told_to_one_digit():
    assert [about(each) for each in (44, 0.137, 4_400)] == ["about 40", "about 0.1", "about 4,000"]
    assert (about(7, whole=True), about(12, whole=True)) == ("7", "about 10")
    assert [tenths(each) for each in (0.31, 0.04, 0.96)] == ["about 30%", "under 5%", "about 100%"]


def test_a_rule_that_fits_everybody_alike_is_not_shown_however_large_the_persona():
    # It fits 99% of P1 and of the others; only because P1 is large F1 is .75.
    row = pd.Series({"persona": "P1", "rule": "stage path other than “a”", "f1": 0.75, "n": 2427, "customers": 4000})
    row = pd.concat([row, pd.Series({"precision": 0.61, "precision_lower": 0.59, "n_matching": 3956, "recall": 0.99})])
    assert rule_in_words(row) == (
        "No rule of at most three conditions describes P1: of those whom the best one fits 61% are P1, of all 61%."
    )
