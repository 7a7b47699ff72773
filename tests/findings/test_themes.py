"""Themes are found where words go together, as many as recur, and none where there are none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, v_measure_score

from journeylab.base.redaction import Redactor
from journeylab.findings.thoughts.themes import NONE, Themes, _factorised, _weighed, find_themes

SUBJECTS = {
    "price": "price invoice budget seat charge discount cost paid fee money bill contract",
    "speed": "slow board freeze load crash wait lag page browser hang delay stuck",
    "help": "support answer ticket reply agent phone email person service team hours question",
}
AIRLINES = ["United", "American", "Delta", "Southwest", "Virgin America", "US Airways", "JetBlue"]


def made_up(n=240, *, shuffled=False):
    """Texts of five words out of one subject each; shuffled, out of all."""
    random = np.random.default_rng(3)
    words = [subject.split() for subject in SUBJECTS.values()]
    everything = [word for subject in words for word in subject]
    texts, truth = [], []
    for number in range(n):
        pool = everything if shuffled else words[number % 3]
        texts.append("we have the " + " ".join(random.choice(pool, 5, replace=False)))
        truth.append(number % 3)
    return texts, truth, [f"c{number // 2}" for number in range(n)]


def test_as_many_themes_as_there_are_subjects_are_found_and_texts_are_told_apart():
    texts, truth, customers = made_up()
    found = find_themes(texts, customers, seed=1, language="English")
    assert len(found.words) == 3
    assert adjusted_rand_score(truth, found.of_text) == 1
    assert found.why_none is None
    assert all(0.6 <= each <= 1 for each in found.recurrence)
    for name, words in zip(found.names, found.words, strict=True):
        assert len(words) == 10
        assert name == ", ".join(words[:3])
        assert any(set(words) <= set(subject.split()) for subject in SUBJECTS.values())


def test_themes_that_begin_alike_have_longer_names():
    alike = Themes((("a", "b", "c", "d"), ("a", "b", "c", "e")), (1.0, 1.0), np.zeros(0, int), np.zeros(0))
    assert alike.names == ("a, b, c, d", "a, b, c, e")
    assert Themes((), (), np.zeros(0, int), np.zeros(0)).names == ()


def test_where_words_do_not_go_together_there_are_no_themes():
    texts, _, customers = made_up(shuffled=True)
    found = find_themes(texts, customers, seed=1, language="English")
    assert found.words == ()
    assert found.why_none == "No themes found: no words go together in the same way when texts are left out."
    assert (found.of_text == NONE).all()


def test_small_words_of_the_language_name_no_theme():
    texts, _, customers = made_up()
    told = find_themes(texts, customers, seed=1, language="English")
    assert not {"the", "have"} & {word for words in told.words for word in words}


def test_a_word_that_fewer_than_five_customers_use_is_in_no_theme():
    texts, _, customers = made_up()
    texts = [f"{text} zebulon" if customer in ("c0", "c1", "c2", "c3") else text
             for text, customer in zip(texts, customers, strict=True)]  # fmt: skip
    found = find_themes(texts, customers, seed=1)
    assert "zebulon" not in {word for words in found.words for word in words}


def test_marks_of_what_was_redacted_are_no_words():
    texts, truth, customers = made_up()
    marked = [f"[name] [email] {text} &amp;" for text in texts]
    found = find_themes(marked, customers, seed=1, language="English")
    assert adjusted_rand_score(truth, found.of_text) == 1
    assert not {"name", "amp"} & {word for words in found.words for word in words}


def test_a_text_without_any_of_the_words_belongs_to_no_theme():
    texts, _, customers = made_up()
    found = find_themes([*texts, "unheard"], [*customers, "c0"], seed=1, language="English")
    assert found.of_text[-1] == NONE
    assert found.weight[-1] == 0


def test_the_same_seed_finds_the_same():
    texts, _, customers = made_up()
    first, second = (find_themes(texts, customers, seed=2) for _ in range(2))
    assert first.words == second.words
    assert np.array_equal(first.weight, second.weight)


def test_rounding_decides_nothing():
    """A rounding error in every weight, as another processor makes it, changes the themes by no more than that."""
    texts, _, customers = made_up()
    weights, _ = _weighed(texts, customers, "English")
    moved = weights.copy()
    moved.data *= 1 + 1e-13 * np.random.default_rng(4).standard_normal(weights.nnz)
    for n_themes in range(1, 11):
        first, second = (_factorised(matrix, n_themes) for matrix in (weights, moved))
        assert np.allclose(first, second, rtol=0, atol=1e-9)


def test_two_subjects_of_equal_size_are_told_apart_and_told_in_the_same_order():
    """The two largest singular values are equal, and there is no third."""
    words = ("alpha bravo charlie delta echo foxtrot golf hotel india juliett",
             "kilo lima mike november oscar papa quebec romeo sierra tango")  # fmt: skip
    texts, customers = [words[1], words[0]] * 75, [f"c{number}" for number in range(150)]
    found = [find_themes(texts, customers, seed=1) for _ in range(2)]
    assert [each.words for each in found] == [tuple(tuple(told.split()) for told in words)] * 2
    assert found[0].of_text.tolist() == found[1].of_text.tolist() == [1, 0] * 75


def test_texts_that_differ_in_few_ways_have_no_more_themes_than_that():
    """Three texts of twelve words each, told fifty times: a fourth theme would hold nothing."""
    texts = [*SUBJECTS.values()] * 50
    found = find_themes(texts, [f"c{number}" for number in range(150)], seed=1)
    assert len(found.words) == 3
    assert adjusted_rand_score([0, 1, 2] * 50, found.of_text) == 1


@pytest.mark.parametrize(
    ("texts", "customers", "why"),
    [
        ([], [], "Fewer than 100 texts of 50 customers: too few to look for themes."),
        (["a word"] * 100, ["c1"] * 100, "Fewer than 100 texts of 50 customers: too few to look for themes."),
        (
            ["!!!"] * 100,
            [f"c{number}" for number in range(100)],
            "The texts share too few words to look for themes.",
        ),
        (
            ["same words here"] * 100,
            [f"c{number}" for number in range(100)],
            "The texts share too few words to look for themes.",
        ),
    ],
)
def test_too_little_is_said_to_be_too_little(texts, customers, why):
    assert find_themes(texts, customers, seed=1).why_none == why


@pytest.mark.slow
def test_themes_of_real_complaints_agree_a_little_with_the_reasons_people_saw_in_them(shared):
    """Agreement with ten reasons that people chose is low: themes follow words, people what a complaint is about."""
    tweets = pd.read_parquet(shared / "data/airline_tweets/tweets.parquet")
    tweets = tweets[tweets["airline_sentiment"] == "negative"]
    assert len(tweets) == 9178
    redactor = Redactor.of(AIRLINES)
    texts = [redactor.redact(text) for text in tweets["text"]]
    found = find_themes(texts, tweets["user_hash"].tolist(), seed=1, language="English")
    reasons = tweets["negative_reason"].to_numpy(object)
    is_told = (reasons != "Can't Tell") & (found.of_text != NONE)
    told = (reasons[is_told], found.of_text[is_told])
    purity = pd.crosstab(*told).max().sum() / is_told.sum()
    largest = pd.Series(told[0]).value_counts(normalize=True).iloc[0]
    assert 3 <= len(found.words) <= 10
    assert 0.03 <= adjusted_rand_score(*told) <= 0.2
    assert 0.1 <= normalized_mutual_info_score(*told) <= 0.3
    assert 0.1 <= v_measure_score(*told) <= 0.3
    assert 0.4 <= purity <= 0.65
    assert purity > largest + 0.04
