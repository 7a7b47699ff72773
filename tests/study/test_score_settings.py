"""study.yml may say on which scale scores were asked."""

import pytest

from journeylab.base.errors import StudyError
from journeylab.study.folders import Folders
from journeylab.study.settings import read_settings

HEAD = """\
study: Trials
journey: journey.yml
events: [{path: events.csv, columns: {customer_id: who, event: what, time: when}, timezone: UTC}]
window: {start: 2025-01-01, end: 2025-07-01}
horizons: [30d]
"""


def settings(folder, score):
    for name in ("journey.yml", "events.csv"):
        (folder / name).touch()
    (folder / "study.yml").write_text(HEAD + score)
    return read_settings(Folders(folder))


def test_the_scale_is_read_and_an_event_where_one_is_named(tmp_path):
    said = settings(tmp_path, "score: {scale: NPS, event: survey_answered}\n").score
    assert (said.scale, said.event) == ("nps", "survey_answered")
    assert settings(tmp_path, "score: {scale: -2..2}\n").score.scale == "-2..2"
    assert settings(tmp_path, "").score is None


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("score: {scale: npss}\n", "study.yml:6: “scale” is wrong: There is no scale “npss”. Did you mean “nps”? Or "
         "write its two ends, the worst answer first, such as “1..5”."),
        ("score: {event: survey}\n", "study.yml:6: The key “scale” of “score” is missing. Add “scale: …” here."),
    ],
)  # fmt: skip
def test_a_wrong_scale_is_told_by_line(tmp_path, score, message):
    with pytest.raises(StudyError) as caught:
        settings(tmp_path, score)
    assert str(caught.value) == message
