"""Latent classes: planted ones are found, none is made up, and the numbers follow from the definitions."""

import re

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import adjusted_rand_score

from journeylab.base.errors import EstimateError
from journeylab.estimators.latent_class import (
    Bins,
    Encoding,
    LatentClass,
    Levels,
    Observed,
    Shares,
    Tally,
    canonical_rows,
    certainty,
    relative_entropy,
)

VARIABLES = np.repeat(np.arange(8), 3)


def planted(n: int, *, seed: int, n_classes: int = 3) -> tuple[csr_matrix, np.ndarray]:
    """Rows with one count in each of eight variables of three cells; the class favours one cell of each variable."""
    random = np.random.default_rng(seed)
    kind = random.choice(n_classes, size=n, p=np.array([0.5, 0.3, 0.2]) if n_classes == 3 else None)
    favoured = (kind[:, None] + np.arange(8)) % 3
    is_favoured = random.random((n, 8)) < (0.75 if n_classes > 1 else 0.0)
    cells = np.where(is_favoured, favoured, random.integers(3, size=(n, 8))) + 3 * np.arange(8)
    return csr_matrix((np.ones(8 * n), (np.repeat(np.arange(n), 8), cells.ravel())), shape=(n, 24)), kind


def customers(n: int, *, seed: int, agreement: float, mixes: np.ndarray | None = None) -> tuple[Observed, np.ndarray]:
    """Customers of very different activity whose events divide over four cells in each of six ways; two events of one
    customer agree by `agreement` more often than chance (Dirichlet-multinomial). `mixes` (kinds, 4) plants kinds."""
    random = np.random.default_rng(seed)
    mixes = np.array([[0.4, 0.3, 0.2, 0.1]]) if mixes is None else mixes
    kind = random.integers(len(mixes), size=n)
    activity = 1 + random.poisson(np.exp(2.5 + random.normal(size=n)))
    strength = (1 - agreement) / agreement
    tallies = {}
    for name in "abcdef":
        own = random.gamma(strength * mixes[kind])
        own /= own.sum(axis=1, keepdims=True)
        tallies[name] = Tally(csr_matrix(random.multinomial(activity, own).astype(float)), ("w", "x", "y", "z"))
    people = 1 + random.binomial(6, 1 - np.exp(-activity / 40))
    numbers = {"events": activity.astype(float), "people": people.astype(float)}
    return Observed(numbers=numbers, among={"people": "events"}, tallies=tallies), kind


def chosen(observed: Observed, *, worth: str) -> int:
    """The number of classes, up to four, with the lowest BIC."""
    encoding = Encoding.fit(observed)
    if worth == "all":
        encoding = Encoding(tuple(Shares(e.name, e.cells) if isinstance(e, Shares) else e for e in encoding.kept))
    counts = encoding.encode(observed)
    models = [LatentClass.fit(counts, encoding.variables, n_classes=number, seed=1) for number in range(1, 5)]
    return 1 + int(np.argmin([model.bic for model in models]))


def test_planted_classes_are_recovered_and_counted():
    counts, kind = planted(900, seed=3)
    models = [LatentClass.fit(counts, VARIABLES, n_classes=number, seed=1) for number in range(1, 6)]
    assert np.argmin([model.bic for model in models]) == 2
    assert adjusted_rand_score(kind, models[2].labels(counts)) > 0.85
    np.testing.assert_allclose(np.exp(models[2].log_shares), [0.5, 0.3, 0.2], atol=0.04)


def test_without_structure_one_class_is_chosen():
    for seed in range(3):
        counts, _ = planted(600, seed=seed, n_classes=1)
        scores = [LatentClass.fit(counts, VARIABLES, n_classes=number, seed=1).bic for number in range(1, 4)]
        assert np.argmin(scores) == 0


@pytest.mark.parametrize("agreement", [0.001, 0.1])
def test_heavy_users_are_not_a_class_of_their_own(agreement):
    observed, _ = customers(1500, seed=5, agreement=agreement)
    assert chosen(observed, worth="measured") == 1


def test_counts_taken_for_independent_would_make_classes_of_nothing():
    observed, _ = customers(1500, seed=5, agreement=0.1)
    assert chosen(observed, worth="all") > 1


def test_kinds_are_found_beneath_the_resemblance_of_each_customers_events():
    mixes = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
    observed, kind = customers(1500, seed=6, agreement=0.1, mixes=mixes)
    encoding = Encoding.fit(observed)
    counts = encoding.encode(observed)
    model = LatentClass.fit(counts, encoding.variables, n_classes=2, seed=1)
    assert adjusted_rand_score(kind, model.labels(counts)) > 0.75


def test_the_order_of_rows_changes_nothing():
    counts, _ = planted(400, seed=4)
    order = np.random.default_rng(0).permutation(400)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=1)
    permuted = LatentClass.fit(counts[order], VARIABLES, n_classes=3, seed=1)
    assert permuted.log_cells.tobytes() == model.log_cells.tobytes()
    assert permuted.probabilities(counts[order]).tobytes() == model.probabilities(counts)[order].tobytes()


def test_a_seed_gives_the_same_bytes_again():
    counts, _ = planted(300, seed=4)
    first, second = (LatentClass.fit(counts, VARIABLES, n_classes=3, seed=9) for _ in range(2))
    assert first.log_cells.tobytes() == second.log_cells.tobytes()
    assert first.log_likelihood == second.log_likelihood


def test_a_sample_depends_on_content_and_seed_alone():
    counts, _ = planted(200, seed=4)
    order = np.random.default_rng(0).permutation(200)
    sample = counts[canonical_rows(counts, at_most=50, seed=3)].toarray()
    again = counts[order][canonical_rows(counts[order], at_most=50, seed=3)].toarray()
    np.testing.assert_array_equal(sample, again)
    assert len(sample) == 50


def test_one_class_has_the_likelihood_of_the_pooled_shares():
    # 30 and 10 counts in two cells, each with half a count added: shares 30.5/41 and 10.5/41.
    counts = csr_matrix(np.repeat([[1.0, 0.0], [0.0, 1.0]], [30, 10], axis=0))
    model = LatentClass.fit(counts, np.array([0, 0]), n_classes=1, seed=0)
    likelihood = 30 * np.log(30.5 / 41) + 10 * np.log(10.5 / 41)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-12)
    assert model.bic == pytest.approx(-2 * likelihood + np.log(40), abs=1e-12)
    assert model.adjusted_bic == pytest.approx(-2 * likelihood + np.log(42 / 24), abs=1e-12)


def test_parameters_are_shares_and_cells_less_one_per_variable():
    counts, _ = planted(100, seed=1)
    model = LatentClass.fit(counts, VARIABLES, n_classes=3, seed=0)
    assert model.n_parameters == 2 + 3 * 8 * 2


def test_probabilities_follow_bayes_and_a_row_without_counts_keeps_the_shares():
    model = LatentClass(
        log_shares=np.log([0.6, 0.4]),
        log_cells=np.log([[0.9, 0.2], [0.1, 0.8]]),
        variables=np.array([0, 0]),
        log_likelihood=0.0,
        n_rows=1,
        converged=True,
    )
    found = model.probabilities(csr_matrix([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]), batch=2)
    wanted = [[0.54 / 0.62, 0.08 / 0.62], [0.006 / 0.262, 0.256 / 0.262], [0.6, 0.4]]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_array_equal(model.labels(csr_matrix([[1.0, 0.0], [0.0, 2.0]])), [0, 1])


def test_certainty_is_the_mean_probability_of_the_own_class():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.7, 0.3, 0.0], [0.4, 0.6, 0.0]])
    np.testing.assert_allclose(certainty(probabilities), [0.8, 0.6, np.nan])


def test_relative_entropy_runs_from_a_toss_up_to_certainty():
    assert relative_entropy(np.array([[0.5, 0.5], [0.5, 0.5]])) == pytest.approx(0.0, abs=1e-12)
    assert relative_entropy(np.array([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(1.0, abs=1e-12)
    assert relative_entropy(np.ones((4, 1))) == 1.0


def test_numbers_fall_into_quantile_bins_and_missing_ones_into_none():
    bins = Bins.fit("seats", np.arange(1.0, 11.0))
    found = bins.encode(np.array([1.0, 5.0, 10.0, 99.0, np.nan])).toarray()
    np.testing.assert_array_equal(found, np.eye(5)[[0, 2, 4, 4, 0]] * [[1], [1], [1], [1], [0]])


def test_a_number_that_never_varies_is_no_variable():
    assert Bins.fit("seats", np.full(9, 3.0)).n_cells == 1
    assert Bins.fit("seats", np.full(9, np.nan)).n_cells == 1


def test_a_number_is_judged_among_the_equally_active():
    activity = np.repeat(np.arange(1.0, 41.0), 25)
    people = activity + np.tile(np.arange(25.0), 40)
    bins = Bins.fit("people", people, ("events", activity))
    lowest = bins.encode(people, activity).toarray()[:, 0]
    # Alone, all those with few people would be those with few events.
    assert lowest[activity <= 2].mean() == pytest.approx(0.2, abs=0.05)
    assert lowest[activity >= 39].mean() == pytest.approx(0.2, abs=0.05)


def test_a_value_that_spans_several_bins_counts_in_equal_parts_in_each():
    activity, people = np.full(10, 3.0), np.array([1.0] * 6 + [2.0] * 4)
    bins = Bins.fit("people", people, ("events", activity))
    np.testing.assert_allclose(bins.edges[0], [1, 1, 1.4, 2])
    np.testing.assert_allclose(bins.encode(np.array([1.0]), np.array([3.0])).toarray(), [[1 / 3, 1 / 3, 1 / 3, 0, 0]])


def test_rare_and_unseen_levels_are_pooled():
    values = np.array(["basic"] * 150 + ["plus"] * 100 + ["trial"] + [None] * 9, dtype=object)
    levels = Levels.fit("plan", values)
    assert levels.levels == ("basic", "plus", "other")
    found = levels.encode(np.array(["plus", "trial", "never seen", None], dtype=object)).toarray()
    np.testing.assert_array_equal(found, [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_a_level_never_seen_is_missing_where_nothing_was_pooled():
    levels = Levels.fit("plan", np.array(["basic", "plus"], dtype=object))
    np.testing.assert_array_equal(levels.encode(np.array(["pro"], dtype=object)).toarray(), [[0, 0]])


def test_counts_that_always_agree_are_worth_one():
    counts = csr_matrix([[4.0, 0.0], [0.0, 6.0], [10.0, 0.0], [0.0, 8.0]])
    shares = Shares.fit("channel", counts, ("web", "phone"))
    assert shares.correlation == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(shares.encode(counts).sum(axis=1), np.ones((4, 1)), rtol=1e-5)


def test_counts_are_worth_n_over_the_design_effect():
    counts = csr_matrix([[2.0, 0.0], [1.0, 1.0]])
    shares = Shares.fit("channel", counts, ("web", "phone"))
    # Agreement, weighted by counts: (2 * 1 + 2 * 0) / 4 = 1/2; chance: (3/4)^2 + (1/4)^2 = 5/8; r is negative, so 0.
    assert shares.correlation == 0.0
    np.testing.assert_array_equal(shares.encode(counts).toarray(), counts.toarray())
    half = Shares("channel", ("web", "phone"), correlation=0.5)
    np.testing.assert_allclose(half.encode(csr_matrix([[3.0, 1.0]])).toarray(), [[3 / 2.5, 1 / 2.5]])


def test_what_differs_between_classes_is_no_resemblance_within_them():
    random = np.random.default_rng(2)
    kind = np.repeat([0, 1], 400)
    counts = csr_matrix(random.multinomial(20, np.array([[0.8, 0.2], [0.2, 0.8]])[kind]).astype(float))
    pooled = Shares.fit("channel", counts, ("phone", "web"))
    assert pooled.correlation == pytest.approx(0.36, abs=0.03)
    assert pooled.measured(counts[:, [0, 1]], np.eye(2)[kind]).correlation == pytest.approx(0.0, abs=0.01)


def test_new_customers_fill_the_cells_that_were_learned():
    learned = Observed(tallies={"channel": Tally(csr_matrix([[3.0, 1.0], [1.0, 3.0]]), ("phone", "web"))})
    encoding = Encoding.fit(learned)
    other = Observed(tallies={"channel": Tally(csr_matrix([[5.0, 2.0, 0.0]]), ("fax", "phone", "web"))})
    assert encoding.kept[0].cells == ("phone", "web")
    np.testing.assert_array_equal(encoding.encode(other).toarray(), [[2.0, 0.0]])


@pytest.mark.parametrize(
    ("counts", "variables", "n_classes", "message"),
    [
        (np.ones((3, 2)), [0, 0], 0, "A latent-class model with “0” classes was asked for. Ask for 1 or more."),
        (
            np.ones((3, 2)),
            [0, 0],
            4,
            "4 classes cannot be fitted to 3 rows. Ask for fewer classes, or give more rows.",
        ),
        (
            np.ones((3, 2)),
            [0, 0, 1],
            1,
            "The counts have 2 cells, but 3 cells were given a variable. Name one variable per cell.",
        ),
        (
            np.ones((3, 2)),
            [1, 0],
            1,
            "The cells are not grouped by variable. Number the variables 0, 0, 1, 1, 1, 2, ... in order.",
        ),
        (
            -np.ones((3, 2)),
            [0, 0],
            1,
            "Some counts are negative or not finite. Leave missing cells out of the matrix.",
        ),
    ],
)
def test_wrong_arguments_are_refused(counts, variables, n_classes, message):
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        LatentClass.fit(csr_matrix(counts), np.array(variables), n_classes=n_classes, seed=0)


def test_customers_without_a_difference_are_refused():
    message = "Nothing differs between these customers. Give features in which they do."
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        Encoding.fit(Observed(numbers={"seats": np.ones(5)}))
