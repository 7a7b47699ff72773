"""Which written forms of a phone number or an address are caught, and which are not? Shown as a table (pytest -s)."""

import pytest

from journeylab.base.redaction import redact

# Separators between the groups of a number.
SIGNS = [
    " ",
    ".",
    "-",
    "/",
    "·",
    "•",
    "‧",
    "∙",
    "⋅",
    "・",
    "_",
    "~",
    "*",
    "|",
    "\u00a0",
    "\u202f",
    "‐",
    "‑",
    "–",
    "—",
    "−",
]
SIGNS += [" - ", " / ", " . ", ". "]
NUMBERS = [("06", "12", "34", "56", "78"), ("01", "42", "68", "53", "00"), ("415", "555", "2671")]
WRITTEN = [sign.join(groups) for groups in NUMBERS for sign in SIGNS]
WRITTEN += ["0612345678", "+33 6 12 34 56 78", "+33.6.12.34.56.78", "0033.6.12.34.56.78", "0033 6 12 34 56 78"]
WRITTEN += ["+33 (0)6 12 34 56 78", "(01) 42 68 53 00", "06,12,34,56,78", "06.12 34-56/78", "06.12.3456.78"]
WRITTEN += ["+49 30 123456", "030/1234567", "030-123-4567", "+1 (415) 555-2671", "1-800-555-0199", "+44 20 7946 0958"]
WRITTEN += ["07700 900123", "+34 612 34 56 78", "612.34.56.78", "+39 06 698 12345", "06 12 34 56 78.", "tel:0612345678"]
ADDRESSES = ["maria@example.com", "maria@example", "maria (at) example (dot) com", "maria [at] example [dot] com"]
ADDRESSES += ["maria{at}example{dot}com", "maria <at> example <dot> com", "maria[@]example.com", "maria @ example.com"]
ADDRESSES += ["maria @ example . com", "a at example dot com", "maria AT example DOT com", "maria-at-example-dot-com"]
ADDRESSES += ["maria_at_example_dot_com", "maria dot lopez at example dot com", "maria arobase example point fr"]
ADDRESSES += [
    "maria (arobase) example (point) fr",
    "maria klammeraffe example punkt de",
    "maria arroba example punto es",
]
ADDRESSES += ["maria&#64;example.com", "maria%40example.com", "maria＠example．com", "maria@exam\u200bple.com"]
ADDRESSES += ["maria at mail dot example dot co dot uk"]
# What no rule here finds: numbers in words or with letters in them, short ones, signs that also stand between amounts.
MISSED = ["zero six twelve thirty-four fifty-six seventy-eight", "O6 I2 34 S6 78", "12 34 56"]
MISSED += ["06, 12, 34, 56, 78", "06 then 12 34 then 56 78", "maria at example", "maria, example, com"]
# What looks like one and identifies nobody.
HARMLESS = ["06.12.2024", "06.12.34", "06/12/24", "2026-03-02", "2026-03-02/2026-03-05", "12.05.2024-14.05.2024"]
HARMLESS += [
    "2026-03-02-14",
    "2024-2025",
    "1,000,000",
    "10,000,000,000",
    "1, 2, 3, 4, 5, 6, 7",
    "12,14,15,16,17",
    "1,5",
]
HARMLESS += ["meet @ noon", "We looked at this point in time", "at that point we met", "look at the dot on it"]


@pytest.mark.parametrize("written", [*WRITTEN, *ADDRESSES])
def test_what_reaches_a_person_is_caught_however_it_is_written(written):
    redacted = redact(f"Call {written} now")
    assert any(mark in redacted for mark in ("[phone]", "[email]", "[url]"))
    assert not any(character.isdigit() for character in redacted)
    assert "example" not in redacted


@pytest.mark.parametrize("written", HARMLESS)
def test_what_only_looks_like_it_stays(written):
    assert redact(f"On {written} it was") == f"On {written} it was"


def test_the_table_shows_what_is_caught_and_what_is_not(capsys):
    rows = [(written, redact(written)) for written in (*WRITTEN, *ADDRESSES, *MISSED)]
    caught = [written for written, redacted in rows if redacted != written]
    with capsys.disabled():
        print(f"\n{len(rows)} forms: {len(caught)} caught, {len(rows) - len(caught)} not")
        print("\n".join(f"  {written:<56} {redacted}" for written, redacted in rows))
    assert len(rows) >= 111
    assert [written for written, redacted in rows if redacted == written] == MISSED


def test_the_time_grows_with_the_length_of_a_text():
    for piece in ("1.2", "a_at_b_dot_", "06.12.34.56.78 at point dot "):
        assert len(redact(piece * 4000)) > 0
