"""Characters that are not seen go, those that are seen stay, and unusual forms are read as the usual ones."""

import pytest

from journeylab.base.characters import clean, compared, usual_forms


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("a\u202eb\u200bc", "abc"),
        ("tab\there\nand there", "tab here\nand there"),
        ("e\u0301", "é"),
        ("👨\u200d👩\u200d👧 a\u200db", "👨\u200d👩\u200d👧 ab"),
        ("\ud800", "\ufffd"),
    ],
)
def test_only_what_is_seen_is_kept(text, cleaned):
    assert clean(text) == cleaned


def test_a_letter_keeps_at_most_four_marks():
    assert clean("x" + "\u0316" * 9) == "x" + "\u0316" * 4


def test_each_character_stays_in_its_place_in_its_usual_form():
    assert usual_forms("ｍａｒｉａ＠１②ﬁ") == "maria@12ﬁ"


def test_words_are_compared_without_case_and_accents():
    assert compared("JOSÉ") == compared("josé") == compared("jose") == "jose"
    assert compared("Straße") == "strasse"
