import numpy as np
import pytest

from journeylab.base.words import counted, listed, percent


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (1.0, "1 day"),
        (1204, "1,204 days"),
        (1.5, "1.5 days"),
        (np.int64(2000), "2,000 days"),
    ],
)
def test_a_count_has_its_noun_in_the_right_number(number, written):
    assert counted(number, "day") == written


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.0, "0%"), (1.0, "100%"), (0.004, "0.4%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.5, "50%"), (0.905, "90.5%")],
)
def test_a_share_has_as_many_digits_as_it_needs(share, written):
    assert percent(share) == written


def test_a_list_ends_with_and():
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
