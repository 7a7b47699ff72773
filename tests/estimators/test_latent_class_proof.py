"""What shows that classes are more than chance: nulls without kinds, resampled rows, what a class leaves open."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from journeylab.estimators.latent_class import (
    Amounts,
    Clouds,
    Encoding,
    LatentClass,
    NullTest,
    Observed,
    Tally,
    against_clouds,
    bootstrap_jaccard,
    local_dependence,
    overlap,
    split_half_jaccard,
)

VARIABLES = np.repeat(np.arange(8), 3)
EVERYBODY = np.ones((400, 1))


def nobody() -> None:
    """Told, and silent."""


def planted(n: int, *, seed: int, favoured: float = 0.75) -> tuple[csr_matrix, np.ndarray]:
    """Rows with one count in each of eight variables of three cells; each of three kinds favours one cell of each."""
    random = np.random.default_rng(seed)
    kind = random.choice(3, size=n, p=[0.5, 0.3, 0.2])
    cells = (kind[:, None] + np.arange(8)) % 3
    cells = np.where(random.random((n, 8)) < favoured, cells, random.integers(3, size=(n, 8))) + 3 * np.arange(8)
    return csr_matrix((np.ones(8 * n), (np.repeat(np.arange(n), 8), cells.ravel())), shape=(n, 24)), kind


def mixed(n: int = 400, *, seed: int = 1) -> Observed:
    """A number that grows with activity, one partly missing, a category that goes with it, counts in three cells."""
    random = np.random.default_rng(seed)
    events = 1.0 + random.poisson(20, n)
    score = random.normal(size=n)
    plan = np.where(score + 0.5 * random.normal(size=n) > 0, "plus", "basic").astype(object)
    counts = random.multinomial(events.astype(int), [0.5, 0.3, 0.2]).astype(float)
    return Observed(
        numbers={
            "events": events,
            "people": np.rint(events / 4),
            "score": np.where(random.random(n) < 0.3, np.nan, score),
        },
        among={"people": "events"},
        categories={"plan": plan},
        tallies={"channel": Tally(csr_matrix(counts), ("web", "phone", "mail"))},
    )


def numbers(values: np.ndarray) -> tuple[Amounts, LatentClass]:
    """Columns of numbers as amounts, and the model with one class."""
    observed = Observed(numbers={f"n{place}": column for place, column in enumerate(values.T)})
    encoding = Encoding.fit(observed)
    model = LatentClass.fit(encoding.encode(observed), encoding.variables, n_classes=1, seed=0)
    return Amounts.of(observed, encoding), model


def test_amounts_are_written_into_the_same_cells_as_what_they_are_of():
    observed = mixed()
    encoding = Encoding.fit(observed)
    amounts = Amounts.of(observed, encoding)
    np.testing.assert_allclose(
        amounts.encode(amounts.values).toarray(), encoding.encode(observed).toarray(), atol=1e-12
    )
    assert (amounts.values == np.rint(amounts.values)).all()


def drawn_from_one_cloud(
    observed: Observed, *, seed: int = 0, when: np.ndarray | None = None
) -> tuple[Amounts, np.ndarray]:
    amounts = Amounts.of(observed, Encoding.fit(observed), when)
    random = np.random.default_rng(seed)
    return amounts, Clouds.fit(amounts, np.ones((observed.n_rows, 1)), random=random).values(random)


def test_a_cloud_keeps_how_many_counts_each_row_has_and_what_is_missing():
    amounts, drawn = drawn_from_one_cloud(mixed())
    np.testing.assert_array_equal(np.add.reduceat(drawn, amounts.edges, axis=1), amounts.totals)
    assert not np.array_equal(drawn, amounts.values)


def test_a_cloud_keeps_the_shares():
    amounts, drawn = drawn_from_one_cloud(mixed(n=3000))
    np.testing.assert_allclose(drawn.mean(axis=0), amounts.values.mean(axis=0), rtol=0.12, atol=0.05)


def tilted(n: int, *, seed: int, spread: float) -> Observed:
    """Counts in two variables of two kinds each, and a third with one hidden number behind all of them."""
    random = np.random.default_rng(seed)
    hidden, tallies = random.normal(size=n) * spread, {}
    for name, sign in (("one", 1.0), ("other", -1.0), ("third", 1.0)):
        first = random.binomial(12, 1 / (1 + np.exp(-sign * hidden)))
        tallies[name] = Tally(csr_matrix(np.stack([first, 12 - first], axis=1).astype(float)), ("a", "b"))
    return Observed(tallies=tallies)


def test_a_cloud_keeps_what_goes_together_in_shares():
    amounts, drawn = drawn_from_one_cloud(tilted(3000, seed=1, spread=0.8))
    wanted, found = (np.corrcoef(values[:, [0, 2, 4]].T) for values in (amounts.values, drawn))
    assert wanted[0, 1] < -0.4
    np.testing.assert_allclose(found, wanted, atol=0.1)


def test_a_cloud_follows_a_trend_in_when_rows_began():
    random = np.random.default_rng(2)
    when = random.uniform(0, 300, 2000)
    first = random.binomial(20, 0.5 + 0.3 * np.sin(2 * np.pi * when / 300))
    counts = csr_matrix(np.stack([first, 20 - first], axis=1).astype(float))
    observed = Observed(tallies={"one": Tally(counts, ("a", "b"))})
    for known, expected in ((when, 6.0), (None, 0.0)):
        _, drawn = drawn_from_one_cloud(observed, when=known)
        in_spring, in_autumn = np.abs(when - 75) < 20, np.abs(when - 225) < 20
        apart = abs(drawn[in_spring, 0].mean() - drawn[in_autumn, 0].mean())
        assert apart == pytest.approx(2 * expected, abs=1.0)


def test_a_factor_is_as_flat_and_as_skewed_as_the_rows_show():
    shapes = {}
    for name, hidden in {
        "gaussian": np.random.default_rng(1).normal(size=4000),
        "even": np.random.default_rng(2).uniform(-np.sqrt(3), np.sqrt(3), 4000),
        "lopsided": np.random.default_rng(3).exponential(size=4000) - 1,
    }.items():
        random, tallies = np.random.default_rng(5), {}
        for variable in ("one", "other", "third"):
            first = random.binomial(30, 1 / (1 + np.exp(-0.8 * hidden)))
            tallies[variable] = Tally(csr_matrix(np.stack([first, 30 - first], axis=1).astype(float)), ("a", "b"))
        observed = Observed(tallies=tallies)
        amounts = Amounts.of(observed, Encoding.fit(observed))
        (cloud,) = Clouds.fit(amounts, np.ones((4000, 1)), random=random).clouds
        shapes[name] = cloud.flatness[0], abs(cloud.skewness[0])
    assert shapes["even"][0] > 0.6
    assert shapes["lopsided"][1] > 0.6
    assert max(shapes["gaussian"]) < 0.4
    assert shapes["even"][1] < 0.4


def test_clouds_keep_the_margins_of_each_class():
    values = np.concatenate([np.random.default_rng(1).normal(size=(200, 2)), 9 + np.zeros((200, 2))])
    values[200:] += np.random.default_rng(2).normal(size=(200, 2))
    amounts, _ = numbers(values)
    belonging = np.repeat(np.eye(2), 200, axis=0)
    random = np.random.default_rng(0)
    drawn = Clouds.fit(amounts, belonging, random=random).values(random)
    # The two classes share no bin but the middle one.
    for rows in (slice(None, 200), slice(200, None)):
        np.testing.assert_array_equal(drawn[rows].any(axis=0), amounts.values[rows].any(axis=0))


def test_kinds_gain_more_than_cutting_a_cloud():
    random = np.random.default_rng(3)
    amounts, one = numbers(3.0 * random.integers(2, size=(400, 1)) + random.normal(size=(400, 6)))
    asked = {"n_classes": 2, "replicates": 19, "seed": 1, "tell": nobody}
    assert against_clouds(amounts, one, **asked).is_beyond


def test_a_cloud_does_not_gain_more_than_a_cloud():
    beyond = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        # Six numbers that go together: two classes describe them better, yet a cut is all it is.
        amounts, one = numbers(random.normal(size=(300, 1)) + 0.5 * random.normal(size=(300, 6)))
        asked = {"n_classes": 2, "replicates": 19, "seed": seed, "tell": nobody}
        beyond.append(against_clouds(amounts, one, **asked).is_beyond)
    # Measured over 160 clouds of four kinds: 4% (level .05).
    assert sum(beyond) <= 1


def test_p_counts_the_observed_gain_among_those_from_nothing():
    test = NullTest(observed=3.0, drawn=np.array([1.0, 2.0, 3.0, 4.0]))
    # Two of four reach 3, or come within a twentieth of it: (2 + 1) / (4 + 1).
    assert test.p == pytest.approx(0.6)
    assert (test.expected, test.is_beyond) == (2.5, False)
    assert test.upper == pytest.approx(3.85)
    assert NullTest(3.0, np.zeros(19)).p == 0.05
    assert NullTest(3.0, np.zeros(19)).is_beyond
    assert not NullTest(3.0, np.zeros(18)).is_beyond
    assert np.isnan(NullTest(3.0, np.empty(0)).p)


@pytest.mark.parametrize(
    ("observed", "drawn", "words"),
    [
        (3.0, np.zeros(20), "at most .048 (0 of 20)"),
        (3.0, [*np.zeros(96), 3.0, 3.0, 3.0], "at most .040 (3 of 99)"),
        (3.0, [4.0], "more than .05 (stopped after 1)"),
        (-1.0, [], "too little was gained"),
    ],
)
def test_what_is_known_of_p_is_told(observed, drawn, words):
    assert NullTest(observed, np.array(drawn)).in_words == words


def test_what_is_barely_beyond_a_cloud_does_not_count():
    assert NullTest(3.16, np.full(19, 3.0)).is_beyond
    assert not NullTest(3.14, np.full(19, 3.0)).is_beyond
    assert not NullTest(-0.5, np.full(19, -0.6)).is_beyond


def test_drawing_stops_when_the_answer_is_clear():
    random = np.random.default_rng(4)
    amounts, one = numbers(random.normal(size=(200, 1)) + 0.5 * random.normal(size=(200, 6)))
    told = []
    test = against_clouds(amounts, one, n_classes=2, replicates=99, seed=3, tell=lambda: told.append(1))
    # With 99 draws p reaches .05 while at most four reach the observed gain: the fifth ends it.
    assert test.observed > 0
    assert test.n_reaching == 5
    assert len(told) == len(test.drawn) < 99


def test_where_nothing_is_gained_nothing_is_drawn():
    amounts, one = numbers(np.random.default_rng(1).normal(size=(200, 8)))
    test = against_clouds(amounts, one, n_classes=2, replicates=19, seed=3, tell=nobody)
    # Two classes of nothing overlap: what they describe better is less than what becomes unclear.
    assert test.observed < 0
    assert len(test.drawn) == 0
    assert np.isnan([test.p, test.expected, test.upper]).all()
    assert not test.is_beyond


def test_overlap_is_customers_in_both_over_customers_in_either():
    found = overlap(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), 3)
    np.testing.assert_allclose(found, [[1 / 3, 2 / 4, 0], [0, 1 / 3, 0], [0, 0, 0]])


def test_planted_classes_are_found_again_and_made_up_ones_are_not():
    asked = {"units": np.arange(600), "seed": 1, "tell": nobody}
    counts, _ = planted(600, seed=3)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    assert bootstrap_jaccard(counts, model, replicates=10, **asked).mean(axis=0).min() > 0.85
    assert split_half_jaccard(counts, model, splits=3, **asked).mean(axis=0).min() > 0.85
    counts, _ = planted(600, seed=3, favoured=0.0)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    assert bootstrap_jaccard(counts, model, replicates=10, **asked).mean(axis=0).max() < 0.6
    assert split_half_jaccard(counts, model, splits=3, **asked).mean(axis=0).max() < 0.6


def test_accounts_are_drawn_whole():
    counts, _ = planted(200, seed=3)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    # All rows are of one account: every resample is that account, and finds the same classes.
    found = bootstrap_jaccard(counts, model, units=np.zeros(200, int), replicates=3, seed=1, tell=nobody)
    np.testing.assert_allclose(found, 1.0)
    halves = split_half_jaccard(counts, model, units=np.zeros(200, int), splits=2, seed=1, tell=nobody)
    assert np.isnan(halves).all()


def test_a_seed_gives_the_same_proof_again():
    counts, _ = planted(200, seed=3)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    asked = {"units": np.arange(200), "replicates": 3, "seed": 5, "tell": nobody}
    first, second = (bootstrap_jaccard(counts, model, **asked) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_refining_a_model_on_its_own_rows_changes_next_to_nothing():
    counts, _ = planted(300, seed=3)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    again = model.refined(counts)
    assert again.log_likelihood == pytest.approx(model.log_likelihood, abs=0.1)
    one = LatentClass.fit(counts, VARIABLES, n_classes=1, seed=1)
    assert one.refined(counts).log_likelihood == one.log_likelihood


def test_what_still_goes_together_within_a_class_is_named():
    random = np.random.default_rng(1)
    cells = random.integers(2, size=(300, 3))
    cells[:, 2] = cells[:, 0]
    filled = cells + np.array([0, 2, 4])
    counts = csr_matrix((np.ones(900), (np.repeat(np.arange(300), 3), filled.ravel())), shape=(300, 6))
    one = LatentClass.fit(counts, np.array([0, 0, 1, 1, 2, 2]), n_classes=1, seed=0)
    (found,) = local_dependence(counts, one)
    assert found.largest == pytest.approx(1.0)
    assert found.between == (0, 2)
    assert found.share == pytest.approx(1 / 3)


def test_little_is_left_where_variables_are_independent_and_nothing_is_said_of_few_rows():
    counts, _ = planted(900, seed=3)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    assert max(each.share for each in local_dependence(counts, model)) < 0.1
    (few,) = local_dependence(counts[:29], LatentClass.fit(counts, VARIABLES, n_classes=1, seed=1))
    assert np.isnan(few.largest)
    assert few.between is None


def test_some_rows_are_written_as_all_rows_are():
    observed = mixed()
    encoding = Encoding.fit(observed)
    whole, rows = encoding.encode(observed).toarray(), np.array([7, 3, 200])
    np.testing.assert_array_equal(encoding.encode(observed.take(rows)).toarray(), whole[rows])
    np.testing.assert_array_equal(encoding.encode(observed.take(slice(300, 500))).toarray(), whole[300:])
    assert (observed.n_rows, observed.take(rows).n_rows, Observed().n_rows) == (400, 3, 0)
