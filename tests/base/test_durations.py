from datetime import timedelta

import pytest

from journeylab.base.durations import DAY, days, microseconds
from journeylab.base.errors import JourneyLabError


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("14d", 14 * DAY),
        ("2w", 14 * DAY),
        ("12h", DAY // 2),
        ("90m", DAY // 16),
        ("1.5 d", DAY * 3 // 2),
        ("1s", 10**6),
    ],
)
def test_durations_are_read_in_their_unit(written, found):
    assert microseconds(written) == found
    assert days(written) == found / DAY


def test_a_timedelta_is_a_duration():
    assert days(timedelta(hours=36)) == 1.5


@pytest.mark.parametrize("written", ["30", "d", "-3d", "0d", "3 months", "", 30, None, timedelta(0)])
def test_what_is_no_duration_is_refused_with_its_mend(written):
    with pytest.raises(JourneyLabError) as error:
        microseconds(written)
    assert str(error.value) == (
        f"“{written}” is not a duration. Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."
    )
