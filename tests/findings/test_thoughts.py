"""Thoughts: redacted quotes and themes by stage; nobody quoted twice; consent, language, groups."""

import numpy as np
import pandas as pd
import pytest
from by_hand import LOST_TO_PRICE, journey_of

from journeylab.estimators.shares import clustered_share
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells
from journeylab.findings.thoughts import Thoughts, find_thoughts

START = pd.Timestamp("2025-01-01", tz="UTC")
STAGES = ["trial", "paid", "partner"]
JOURNEY = journey_of(
    [
        {"name": "trial", "opened_by": [{"event": "start"}]},
        {"name": "paid", "opened_by": [{"event": "buy"}]},
        {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
    ],
    [LOST_TO_PRICE],
)
SUBJECTS = {
    "price": "price invoice budget seat charge discount cost paid fee money bill contract",
    "speed": "slow board freeze load crash wait lag page browser hang delay stuck",
}
N = 80


def rows_of(*, signed="") -> list[dict]:
    """In the trial customers write of speed, in paid of the price; every tenth of the other."""
    random, rows = np.random.default_rng(3), []
    for number in range(N):
        name = f"customer-{number:02}"
        rows += [{"customer_id": name, "event": "start", "day": 0}, {"customer_id": name, "event": "buy", "day": 10}]
        for day, subjects in ((3, ("speed", "price")), (20, ("price", "speed"))):
            words = random.choice(SUBJECTS[subjects[number % 10 == 0]].split(), 6, replace=False)
            text = f"I must say that {' '.join(words)} <b>&</b> {signed.format(name)}"
            rows.append(
                {"customer_id": name, "event": "ticket", "day": day + number / N, "text": text, "channel": "chat"}
            )
    return rows


def thoughts(rows=None, *, attributes=None, **asked) -> Thoughts:
    table = pd.DataFrame(rows_of() if rows is None else rows)
    table["time"] = START + pd.to_timedelta(table["day"], unit="D")
    names = {name: name for name in ("customer_id", "event", "time")}
    window = (START, START + pd.Timedelta(days=120))
    log = read_events(table.drop(columns="day"), columns=names, window=window, customers=attributes)
    return find_thoughts(log, find_spells(log, JOURNEY), seed=1, **asked)


@pytest.fixture(scope="module")
def found() -> Thoughts:
    return thoughts()


def test_themes_are_told_by_stage_with_base_and_interval(found):
    assert found.themes["theme"].tolist()[-1] == "none of these"
    assert len(found.themes) == 3
    here = found.table[found.table["stage"] == "trial"].set_index("theme")
    of_speed = next(name for name in here.index if set(name.split(", ")) <= set(SUBJECTS["speed"].split()))
    expected = clustered_share([number % 10 > 0 for number in range(N)], range(N))
    assert here.loc[of_speed, ["estimate", "lower", "upper"]].astype(float).tolist() == pytest.approx(expected)
    assert here.loc[of_speed, ["n", "customers"]].tolist() == [N, N]


def test_a_stage_where_nobody_wrote_is_a_gap(found):
    partner = found.table[found.table["stage"] == "partner"]
    assert partner["estimate"].isna().all()
    assert set(partner["note"]) == {"nobody wrote"}
    assert found.by_stage().loc["partner", "thoughts"] is None
    assert found.by_stage().loc["partner", "pain points"] == (
        "not measured: fewer than 10 customers wrote near a loss or with a low score"
    )


def lost_rows(*, of_leavers="price", of_others="speed") -> list[dict]:
    """As `rows_of`, but a third of the customers cancel in paid on day 30; what they and the others write there."""
    random, rows = np.random.default_rng(5), []
    for row in rows_of():
        is_lost = int(row["customer_id"][-2:]) % 3 == 0
        if "text" in row and row["day"] >= 20:
            words = random.choice(SUBJECTS[of_leavers if is_lost else of_others].split(), 6, replace=False)
            row = row | {"text": f"I must say that {' '.join(words)}"}
        rows.append(row)
        if is_lost and row["event"] == "buy":
            rows.append({"customer_id": row["customer_id"], "event": "cancel", "day": 30})
    return rows


def pains_of(found: Thoughts, stage: str) -> set[str]:
    rows = found.pains[(found.pains["stage"] == stage) & found.pains["is_pain"]]
    return {next(name for name, words in SUBJECTS.items() if set(theme.split(", ")) <= set(words.split()))
            for theme in rows["theme"]}  # fmt: skip


def test_a_pain_is_a_theme_that_is_more_frequent_near_a_loss_than_among_those_who_stayed():
    found = thoughts(lost_rows())
    assert pains_of(found, "paid") == {"price"}
    assert found.by_stage().loc["paid", "pain points"].split(": ", 1)[1] == (
        "100% near a loss or with a low score, 0% of others (88% to 100%; 27 texts)"
    )
    # Nobody is lost from the trial, whatever is written there.
    assert found.by_stage().loc["trial", "pain points"].startswith("not measured: fewer than 10 customers wrote near")


def test_a_text_written_long_before_a_loss_is_no_pain():
    assert pains_of(thoughts(lost_rows(), near="5d"), "paid") == set()


def test_a_theme_that_leavers_and_others_share_is_no_pain():
    found = thoughts(lost_rows(of_leavers="price", of_others="price"))
    assert len(found.pains) > 0
    assert pains_of(found, "paid") == set()
    assert found.by_stage().loc["paid", "pain points"] == "not measured: no theme is more frequent near a loss"


def test_a_low_score_makes_a_text_count_only_where_the_scale_is_known():
    rows = rows_of()
    for row in rows:
        if "text" in row:
            row["score"] = 2.0 if {"price", "invoice"} & set(row["text"].split()) else 9.0
    assert pains_of(thoughts(rows, scale="nps"), "paid") == {"price"}
    assert pains_of(thoughts(rows), "paid") == set()


def test_nobody_is_quoted_twice():
    quotes = thoughts(rows_of(signed="{0}"), n_quotes=9).quotes
    # the customer's own id would be redacted; the two texts of a customer hold different words, so look them up
    texts = {}
    for row in rows_of():
        if "text" in row:
            texts[row["text"].split("<b>")[0]] = row["customer_id"]
    writers = [texts[quote.split("<b>")[0]] for quote in quotes["quote"]]
    assert len(writers) > 8
    assert len(set(writers)) == len(writers)


def test_quotes_are_of_the_stage_and_say_when_and_where(found):
    of_stage = found.quotes.dropna(subset=["stage"])
    assert set(of_stage["stage"]) == {"trial", "paid"}
    assert found.quotes["source"].eq("chat").all()
    assert found.quotes["month"].eq("2025-01").all()
    assert "(chat, 2025-01)" in found.by_stage().loc["trial", "thoughts"]


def test_what_tells_who_wrote_is_taken_out_before_anything_is_read():
    attributes = pd.DataFrame({"first_name": "Maria"}, index=[f"customer-{number:02}" for number in range(N)])
    signed = rows_of(signed="yours Maria of {0}, maria@acme.example, zorro")
    found = thoughts(signed, attributes=attributes.rename_axis("customer_id"), names=["Zorro"])
    shown = found._repr_html_() + found.by_stage().to_string() + found.plot().alt
    assert not [word for word in ("maria", "acme", "customer-0", "zorro") if word in shown.lower()]
    assert "[name]" in shown
    assert "[email]" in shown


def test_customers_words_are_shown_as_text(found):
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()


def test_only_texts_with_consent_are_read():
    rows = [{**row, "consent": row["customer_id"] < "customer-60"} for row in rows_of()]
    assert thoughts(rows).customers == 60
    assert thoughts([{**row, "consent": False} for row in rows_of()]).lacking == (
        "No customer wrote anything that may be shown while in a stage, so nothing is known of what they say."
    )


def test_themes_are_sought_in_the_commonest_language_only():
    rows = rows_of()
    for row in rows[:60]:
        if "text" in row:
            row["text"] = "Das Board ist schon wieder langsam und keiner antwortet"
    found = thoughts(rows)
    assert found.language == "English"
    assert found.languages["language"].tolist() == ["English", "German"]
    n_german = found.languages["n"].iloc[1]
    assert found.themes["n"].iloc[0] == found.n_texts - n_german == 2 * N - 30
    assert not {"langsam", "wieder"} & set(", ".join(found.themes["words"].dropna()).split(", "))


def test_groups_have_lanes_of_their_own():
    names = pd.Index([f"customer-{number:02}" for number in range(N)], name="customer_id")
    found = thoughts(attributes=pd.DataFrame({"plan": ["<i>small</i>", "large"] * (N // 2)}, index=names), by="plan")
    assert set(found.table["group"]) == {"<i>small</i>", "large"}
    assert found.table["n"].iloc[0] == N / 2
    assert found.by_stage().columns.tolist() == [
        "thoughts (<i>small</i>)",
        "pain points (<i>small</i>)",
        "thoughts (large)",
        "pain points (large)",
    ]
    assert found.by_stage().loc["trial"].notna().all()
    assert "<i>" not in found._repr_html_()


def test_the_sentence_tells_how_much_was_written_and_the_commonest_theme(found):
    first = found.themes.iloc[0]
    assert found.sentence() == (
        "160 texts of 80 customers written while in a stage, 100% of them in English. 2 themes recur in them. The "
        f"commonest is “{first['theme']}”, with {first['estimate']:.0%} of 160 texts (95% interval "
        f"{first['lower']:.0%} to {first['upper']:.0%})."
    )


def test_without_themes_quotes_are_shown_still():
    few = [row for row in rows_of() if row["customer_id"] < "customer-20"]
    found = thoughts(few)
    assert found.why_no_themes == "Fewer than 100 texts of 50 customers: too few to look for themes."
    assert found.sentence().endswith(found.why_no_themes)
    assert found.table.empty
    assert found.plot().alt == found.sentence()
    assert found.by_stage()["thoughts"].notna().tolist() == [True, True, False]
    assert set(found.by_stage()["pain points"]) == {"not measured: no theme recurs in what customers write"}


def test_it_keeps_the_contract(found):
    assert not found.table.duplicated(["stage", "theme"]).any()
    known = found.table.dropna(subset=["estimate"])
    assert ((known["lower"] <= known["estimate"]) & (known["estimate"] <= known["upper"])).all()
    assert list(found.by_stage().index) == STAGES
    again = thoughts()
    assert again.plot().png() == found.plot().png()
    assert again._repr_html_() == found._repr_html_()
    assert any(character.isdigit() for character in found.plot().alt)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (
            [{"customer_id": "a", "event": "start", "day": 1}],
            "The log has no texts, so nothing is known of what customers say. Name their column “text” when reading.",
        ),
        (
            [{"customer_id": "a", "event": "look", "day": 1, "text": "hello to all of you"}],
            "Nobody was in a stage while it was watched, so there is nothing to estimate. Look whether the log holds "
            "events that open the stages: lint_journey(journey, log=log) tells.",
        ),
    ],
)
def test_what_is_lacking_is_said(rows, why):
    found = thoughts(rows)
    assert (found.lacking, found.sentence(), found.plot().alt) == (why, why, why)
    assert found.by_stage().columns.tolist() == ["thoughts", "pain points"]
    assert found.by_stage().isna().all(axis=None)
    assert found.table.empty
    assert found.languages.empty
