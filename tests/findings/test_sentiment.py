"""Sentiment: read by a machine, in English only, labelled so, and never an asked score."""

import re

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.estimators.means import clustered_mean
from journeylab.events.journey import Journey
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells
from journeylab.findings.feelings import Sentiment, estimate_sentiment, sentiment

START = pd.Timestamp("2025-01-01", tz="UTC")
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "by hand",
        "goal": "Say what I think",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}]},
            {"name": "paid", "opened_by": [{"event": "buy"}], "completes": True},
        ],
        "loss_branches": [{"name": "price", "when": {"event": "cancel"}}],
    }
)
GLAD, CROSS = "this is a wonderful board and we love it", "this is a terrible board and we hate it"
needs_vader = pytest.mark.skipif(
    sentiment.SentimentIntensityAnalyzer is None, reason="needs the extra [text]: pip install 'journeylab[text]'"
)


def read(texts, *, attributes=None, **asked) -> Sentiment:
    """Each customer writes one of `texts` in the trial, and the next one in paid."""
    rows = []
    for number in range(len(texts)):
        name = f"c{number:02}"
        later = texts[(number + 1) % len(texts)]
        rows += [(name, "start", 0, None), (name, "say", 1, texts[number])]
        rows += [(name, "buy", 5, None), (name, "say", 6, later)] if number < 5 else []
    table = pd.DataFrame(rows, columns=["customer_id", "event", "day", "text"])
    table["time"] = START + pd.to_timedelta(table["day"], unit="D")
    names = {name: name for name in ("customer_id", "event", "time")}
    window = (START, START + pd.Timedelta(days=30))
    log = read_events(table.drop(columns="day"), columns=names, window=window, customers=attributes)
    return estimate_sentiment(log, find_spells(log, JOURNEY), seed=1, **asked)


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(sentiment, "SentimentIntensityAnalyzer", None)
    message = (
        "The tone of texts is read by the package vaderSentiment, which is not installed. Install journeylab with its "
        "extra, as in “pip install 'journeylab[text]'”, or ask customers for scores."
    )
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        read([GLAD])


@needs_vader
def test_the_mean_tone_is_told_by_stage_with_clustered_limits():
    found = read([GLAD, CROSS] * 10)
    trial = found.table.iloc[0]
    tones = sentiment.tone_of([GLAD, CROSS] * 10)
    assert tones[0] > 0.5 > -0.5 > tones[1]
    expected = clustered_mean(tones, np.arange(20), bounds=(-1, 1))
    assert trial[["estimate", "lower", "upper"]].astype(float).tolist() == pytest.approx(expected)
    assert (trial["n"], trial["customers"], trial["left_out"]) == (20, 20, 0)


@needs_vader
def test_too_few_writers_are_a_gap():
    found = read([GLAD, CROSS] * 10)
    paid = found.table.iloc[1]
    assert np.isnan(paid["estimate"])
    assert (paid["n"], paid["note"]) == (5, "fewer than 10 customers wrote in English")
    assert found.by_stage().loc["paid"].isna().all()


@needs_vader
def test_it_says_that_a_machine_has_read_it():
    found = read([GLAD, CROSS] * 10)
    assert found.by_stage().columns.tolist() == ["tone of texts (machine-read)"]
    assert "read by machine" in found.by_stage().iloc[0, 0]
    assert found.sentence().endswith(
        "Read by a machine (VADER, English only), which takes many complaints for neutral or better: these are no "
        "answers that customers gave."
    )
    assert "as a machine reads it" in found.plot().alt
    assert "machine-read" in found.title


@needs_vader
def test_other_languages_are_refused_and_counted():
    german = "Das war gut und ist es noch"
    found = read([GLAD] * 12 + [german] * 3 + ["ok"])
    assert found.table.iloc[0][["n", "left_out"]].tolist() == [12, 4]
    none = read([german] * 12)
    assert (
        none.lacking
        == none.sentence()
        == (
            "None of the 17 texts is told to be in English, and the tone of texts is read in no other language. "
            "Ask customers for scores."
        )
    )
    assert none.plot().alt == none.lacking
    assert none.table.empty
    assert none.by_stage().isna().all(axis=None)


@needs_vader
def test_groups_are_told_apart():
    plans = pd.DataFrame({"plan": ["<b>a</b>", "b"] * 10}, index=[f"c{number:02}" for number in range(20)])
    found = read([GLAD, CROSS] * 10, attributes=plans.rename_axis("customer_id"), by="plan")
    trial = found.table[found.table["stage"] == "trial"].set_index("group")["estimate"]
    # every even customer is glad in the trial
    assert trial["<b>a</b>"] > 0.5 > -0.5 > trial["b"]
    assert "<b>" not in found._repr_html_()
    assert f"Observed from {found.period}." in found._repr_html_()


@needs_vader
def test_on_real_tweets_it_agrees_with_people_but_takes_many_complaints_for_neutral_or_better(shared):
    tweets = pd.read_parquet(shared / "data/airline_tweets/tweets.parquet")[["text", "airline_sentiment"]]
    tweets = tweets.sample(4000, random_state=1)
    tone = sentiment.tone_of(tweets["text"].tolist())
    by_label = pd.Series(tone).groupby(tweets["airline_sentiment"].to_numpy())
    middle = by_label.median()
    assert middle["negative"] < middle["neutral"] < middle["positive"]
    missed = by_label.apply(lambda each: (each >= 0).mean())
    # people called every one of these a complaint
    assert 0.4 <= missed["negative"] <= 0.6
    assert missed["positive"] > 0.9
