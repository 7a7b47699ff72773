"""Redaction takes out what identifies, whatever the text, keeps the rest, and takes little time for a long text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeylab.base.characters import clean
from journeylab.base.redaction import LABELS, Redactor, redact

NAMES = ["Maria", "José", "Anne Marie", "Studio54", "Li", "email"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Write to maria.lopez+news@mail.example.co.uk, please", "Write to [email], please"),
        ("maria (at) acme (dot) com", "[email]"),
        ("bob@intranet", "[email]"),
        ("Call +49 151 2345678 or (030) 123-4567 today", "Call [phone] or [phone] today"),
        ("tel 0049.151.2345678!", "tel [phone]!"),
        ("I am @bob_x, or @user@social.example", "I am [handle], or [handle]"),
        ("paid with 4111 1111 1111 1111.", "paid with [card]."),
        ("order 123456789012345678901", "order [number]"),
        ("from 192.168.0.1 and fe80::1 and ::1", "from [ip] and [ip] and [ip]"),
        ("see https://x.example/a?b=1 or www.a.example", "see [url] or [url]"),
        ("acme.com/pricing is down", "[url] is down"),
        ("to DE89 3704 0044 0532 0130 00 please", "to [iban] please"),
        ("GB29NWBK60161331926819", "[iban]"),
        ("GB29NWBK60161331926818", "[number]"),
        ("gb29 nwbk 6016 1331 9268 19", "[iban]"),
    ],
)
def test_what_reaches_a_person_becomes_a_mark(text, redacted):
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "It broke at 12:30:45 on 2026-03-02, and on 02.03.2026 14:00.",
        "We plan for 2024-2025.",
        "1,000,000 rows, 250 seats, version 2.10.3",
        "std::dead and a ratio of 3:2:1",
        "I love it 👍🏽 ❤️ 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ™",
        "Two\nlines",
        "",
    ],
)
def test_what_identifies_nobody_stays_as_it_is(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("MARIA's plan, maria, not mariana", "[name]'s plan, [name], not mariana"),
        ("JOSE\u0301 and Jose", "[name] and [name]"),
        ("Anne-Marie and anne  marie, but Anne", "[name] and [name], but Anne"),
        ("Studio 54 or studio54", "[name] or [name]"),
        ("Li is too short a name", "Li is too short a name"),
        ("an email to [email]", "an [name] to [email]"),
    ],
)
def test_known_names_go_as_whole_words_whatever_their_case_and_accents(text, redacted):
    assert redact(text, names=NAMES) == redacted


def test_of_two_names_that_begin_alike_the_longer_goes():
    assert redact("Ann Lee Fox came", names=["Ann", "Ann Lee Fox"]) == "[name] came"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("0151\u200b2345\u200d678", "[phone]"),
        ("maria＠acme．com", "[email]"),
        ("٠١٥١٢٣٤٥٦٧٨", "[phone]"),
        ("abc\u202egnp.exe\u202c\u2066x\u2069", "abcgnp.exex"),
        ("a\x00b\x1bc\u2028d", "a b c d"),
        ("Z" + "\u0301\u0316" * 50, "Ź" + "\u0316" * 2 + "\u0301"),
        ("lone \ud800 half", "lone \ufffd half"),
    ],
)
def test_characters_that_hide_or_turn_text_around_do_not_help(text, redacted):
    found = redact(text)
    assert sorted(found) == sorted(redacted)
    assert found.isprintable()


HOSTILE = [
    "a.",
    "@a",
    "1 ",
    "1.",
    ":",
    "a:",
    "1::",
    "e\u0301\u0316",
    "a@b.c@",
    "(at)",
    "DE89 ",
    "4111 ",
    "maria ",
    "+(",
    "_",
]
HOSTILE += ["http://", "www.", "a-", "[at] ", "\u200d", "[email", "\u0301\u0316", "2024-", "12.3.", "mail to:", "@"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_ten_thousand_hostile_characters_take_little_time(piece):
    redactor = Redactor.of([*NAMES, "maria maria maria maria maria x"])
    text = (piece * 10_000)[:10_000]
    start = time.process_time()
    found = redactor.redact(text)
    assert time.process_time() - start < 1.5
    assert redactor.redact(found) == found


PIECES = [
    "a",
    "1",
    "::",
    ":",
    ".",
    "@",
    "-",
    " ",
    "[",
    "]",
    "(",
    "+",
    "DE89",
    "com",
    "[ip]",
    "[email]",
    "maria",
    "\u0301",
]
PIECES += [
    "\u200d",
    "/",
    "://",
    "www.",
    "_",
    "2024-",
    "0151234",
    "4111",
    "(at)",
    "\u0661",
    "＠",
    "👍",
    "ab12",
    "AB",
    "\u202e",
]


@pytest.mark.slow
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=60).map("".join)))
def test_redacting_twice_changes_nothing_more(text):
    once = redact(text, names=NAMES)
    assert redact(once, names=NAMES) == once


def looked_at_everywhere(redactor, text):
    """What `redactor` makes of `text` where it looks at each place, whether or not a sign of anything is there."""
    rounds = [clean(text)]
    while len(rounds) < 2 or rounds[-1] != rounds[-2]:
        rounds.append(redactor._round(rounds[-1]))
    return rounds[-1]


SIGNS = ["\uff11", "\u00b2", "\u2460", "\uff0e", "\uff1a", "\uff20", "\n", "\u0131", "\u017f", "\u212a"]
SIGNS += ["ma\u0301ria", "MARI\u0301A", "\uff2d\uff21\uff32\uff29\uff21", "anne", "marie", "studio", "54", "name"]
SIGNS += ["a(at", ") ", "[ at ]b", "12", "fe80", "tel:"]


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=120), st.lists(st.sampled_from(PIECES + SIGNS), max_size=25).map("".join)))
def test_a_text_without_a_sign_of_anything_is_left_out_and_nothing_else_is(text):
    redactor = Redactor.of(NAMES)
    assert redactor.redact(text) == looked_at_everywhere(redactor, text)


@given(
    st.lists(st.text(alphabet="abc019@.: \u0301", max_size=12), min_size=1, max_size=6),
    st.lists(st.sampled_from(["c 019", "abc", "a", "\u00e1bc"]), min_size=6, max_size=6),
)
def test_texts_are_redacted_together_as_they_are_one_by_one(texts, owners):
    redactor, owners = Redactor.of(NAMES), owners[: len(texts)]
    one_by_one = [redact(redactor.redact(text), names=[owner]) for text, owner in zip(texts, owners, strict=True)]
    assert redactor.redact_each(texts, owners) == one_by_one


@given(
    st.text(max_size=40),
    st.from_regex(r"[a-z]{1,10}\.[a-z]{1,10}@[a-z]{2,10}\.(com|de)", fullmatch=True),
    st.text(max_size=40),
)
def test_an_address_never_survives(before, address, after):
    assert address not in redact(f"{before} {address} {after}")


@given(st.text(max_size=40), st.integers(10**9, 10**14), st.text(max_size=40))
def test_a_long_number_never_survives(before, number, after):
    found = redact(f"{before} {number} {after}")
    assert str(number) not in found


@given(st.text(alphabet="abcdefghij ,!?ÄÖé", max_size=100))
def test_plain_words_stay(text):
    assert redact(text) == text


def test_the_labels_are_those_documented():
    assert LABELS == ("email", "phone", "handle", "card", "number", "ip", "url", "iban", "name")
