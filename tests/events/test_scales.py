"""Scales: answers asked on whatever scale run from -2, the worst, to 2, the best."""

import re

import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.queries.scales import Scale, promotion


@pytest.mark.parametrize(
    ("scale", "answers", "expected"),
    [
        ("nps", [0, 5, 10, 7.5], [-2, 0, 2, 1]),
        ("NPS ", [10], [2]),
        ("csat", [1, 2, 3, 4, 5], [-2, -1, 0, 1, 2]),
        ("csat7", [1, 4, 7], [-2, 0, 2]),
        ("ces", [1, 7], [-2, 2]),
        ("-2..2", [-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2]),
        ("7..1", [7, 4, 1], [-2, 0, 2]),
        ("0 .. 0.5", [0.25], [0]),
    ],
)
def test_answers_run_from_the_worst_to_the_best(scale, answers, expected):
    assert Scale.of(scale).feeling(answers).tolist() == expected


def test_a_scale_has_room_for_its_ends_and_all_between():
    assert Scale.of("7..1").holds([0.9, 1, 4.5, 7, 7.1, float("inf"), float("nan")]).tolist() == [
        False, True, True, True, False, False, False,
    ]  # fmt: skip


def test_a_scale_is_told_in_words():
    assert Scale.of("nps").words == "NPS, 0 (worst) to 10 (best)"
    assert Scale.of("csat7").words == "CSAT, 1 (worst) to 7 (best)"
    assert Scale.of("5..1").words == "5 (worst) to 1 (best)"
    assert Scale.of(Scale.of("5..1")).name == "5..1"


def test_promoters_are_told_only_on_the_scale_declared_as_nps():
    assert Scale.of("nps").is_recommendation
    assert not Scale.of("0..10").is_recommendation


def test_promoters_give_9_or_10_detractors_0_to_6():
    assert promotion(range(11)).tolist() == [-100] * 7 + [0, 0, 100, 100]


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ("csat9", "There is no scale “csat9”. Did you mean “csat”? Or write its two ends, the worst answer first, such "
         "as “1..5”."),
        ("stars", "There is no scale “stars”. Known: nps, csat, csat7, ces. Or write its two ends, the worst answer "
         "first, such as “1..5”."),
        ("3..3", "The scale “3..3” has one answer only. Write its two ends, the worst answer first."),
    ],
)  # fmt: skip
def test_what_is_no_scale_is_refused(scale, message):
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        Scale.of(scale)
