"""Quotes: typical, unlike each other, one per customer, redacted, short, and none where too few wrote."""

import re

import pandas as pd
import pytest

from journeylab.base.errors import JourneyLabError
from journeylab.findings.quotes import Quotes, find_quotes, shortened

SLOW = [
    "the board is slow today",
    "the board is so slow again",
    "our board is slow and slow",
    "a slow board on mondays",
]
PRICE = ["the price is too high", "your price went up again", "we cannot pay this price"]
ODD = ["where is my purple elephant"]


def texts_of(texts, *, customers=None, **columns) -> pd.DataFrame:
    n = len(texts)
    customers = customers or [f"customer-{number}" for number in range(n)]
    time = pd.date_range("2025-03-01", periods=n, freq="D", tz="UTC")
    return pd.DataFrame({"customer_id": customers, "time": time, "text": texts, **columns})


def test_quotes_are_typical_and_unlike_each_other():
    quotes = find_quotes(texts_of([*SLOW, *PRICE, *ODD]), n=2, seed=1).quotes
    assert quotes[0].text in SLOW
    assert quotes[1].text in PRICE


def test_what_everybody_says_is_quoted_once():
    found = find_quotes(texts_of(["the board is slow today"] * 9 + PRICE[:1]), n=5, seed=1)
    assert [each.text for each in found.quotes] == ["the board is slow today", "the price is too high"]


def test_each_customer_is_quoted_once_and_counts_once():
    many = [
        "the price is too high",
        "the price rose and rose",
        "no price like this price",
        "price, price and price again",
    ]
    texts = texts_of([*many, *SLOW], customers=["loud"] * 4 + list("abcd"))
    found = find_quotes(texts, n=8, seed=1)
    assert found.quotes[0].text in SLOW
    assert sum(each.text in many for each in found.quotes) == 1
    assert (found.n_texts, found.customers) == (8, 5)


def test_source_and_month_are_told():
    texts = texts_of(SLOW + PRICE, channel=["chat", None, "chat", "chat", "chat", "chat", "chat"])
    quotes = find_quotes(texts, n=7, seed=1).quotes
    assert {each.origin for each in quotes} == {"chat, 2025-03", "2025-03"}
    assert {each.origin for each in find_quotes(texts_of(SLOW + PRICE), n=7, seed=1).quotes} == {"2025-03"}


def test_quotes_are_redacted_and_do_not_tell_the_customers_id():
    texts = [f"{text}, says Maria of customer-{number}, maria@acme.example" for number, text in enumerate(SLOW + PRICE)]
    found = find_quotes(texts_of(texts), n=3, seed=1, names=["Maria"])
    assert all(each.text.endswith("says [name] of [name], [email]") for each in found.quotes)


def test_texts_that_say_nothing_beside_what_is_redacted_are_not_quoted():
    empty = ["a@b.example c@d.example +49 151 2345678 @bob hi", "!!! ??? 1 2 3", "ok thanks bye"]
    found = find_quotes(texts_of(empty + SLOW + PRICE), n=9, seed=1)
    assert found.n_texts == 7
    assert all(each.text in SLOW + PRICE for each in found.quotes)


def test_only_texts_with_consent_are_quoted_where_it_is_told():
    texts = texts_of([*SLOW, *PRICE, *ODD, *ODD], consent=[True] * 5 + [False, None, "yes", 1])
    found = find_quotes(texts, n=9, seed=1)
    assert found.customers == 5
    assert {each.text for each in found.quotes} <= {*SLOW, PRICE[0]}


def test_the_order_of_the_rows_changes_nothing():
    texts = texts_of(SLOW + PRICE + ODD)
    assert find_quotes(texts, n=4, seed=1) == find_quotes(texts[::-1], n=4, seed=1)


@pytest.mark.parametrize(
    ("n", "why"),
    [
        (4, "No quote: fewer than 5 customers wrote four words or more that may be quoted, and 5 are needed."),
        (0, "No quote: no customer wrote four words or more that may be quoted, and 5 are needed."),
    ],
)
def test_without_five_writers_there_is_no_quote(n, why):
    found = find_quotes(texts_of(SLOW[:n]), n=3, seed=1)
    assert (found.quotes, found.sentence()) == ((), why)
    assert found.table.columns.tolist() == ["quote", "source", "month"]


def test_five_writers_are_enough():
    found = find_quotes(texts_of(SLOW + PRICE[:1]), n=1, seed=1)
    assert found.sentence() == (
        "1 quote of as many customers, chosen from 5 texts of 5 customers because they are typical and unlike each "
        "other. What would tell who wrote them is redacted."
    )
    assert len(found.table) == 1


def test_what_is_shown_is_escaped():
    texts = [f"<b>{text}</b> & more" for text in SLOW + PRICE]
    shown = find_quotes(texts_of(texts, channel="<i>"), n=1, seed=1)._repr_html_()
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "&lt;b&gt;" in shown


@pytest.mark.parametrize(
    ("at_most", "expected"),
    [
        (17, "the board is slow"),
        (16, "the board is …"),
        (9, "the …"),
        (3, "th…"),
    ],
)
def test_long_texts_are_cut_at_a_word(at_most, expected):
    assert shortened("the board is slow", at_most) == expected
    assert len(expected) <= at_most


def test_a_mark_is_never_cut():
    assert shortened("[email]" * 9, 20) == "[email][email]…"
    assert shortened("x" * 50, 10) == "xxxxxxxxx…"


def test_quotes_are_not_longer_than_asked_for():
    texts = [f"{text} and so on for as long as anybody cares to read it" for text in SLOW + PRICE]
    found = find_quotes(texts_of(texts), n=3, seed=1, at_most=40)
    assert all(len(each.text) <= 40 and each.text.endswith(" …") for each in found.quotes)


def test_a_hostile_text_neither_breaks_nor_slows_the_search():
    texts = [*SLOW, *PRICE, "\u202e" * 5_000 + "abc " * 1_200, "a@" * 5_000, "\ud800 lone half of a pair", "👍" * 3_000]
    found = find_quotes(texts_of(texts), n=20, seed=1)
    assert isinstance(found, Quotes)
    assert all(len(each.text) <= 160 and each.text.isprintable() for each in found.quotes)


def test_a_table_without_texts_is_refused():
    message = "The table of texts lacks the column “text”. Did you mean “texts”?"
    with pytest.raises(JourneyLabError, match=f"^{re.escape(message)}$"):
        find_quotes(texts_of(SLOW).rename(columns={"text": "texts"}), n=1, seed=1)
