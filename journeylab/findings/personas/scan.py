"""How well do one, two, and more latent classes describe the customers, and what is proven of the number chosen?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from journeylab.base.ordering import largest_of_rows
from journeylab.estimators.latent_class import Encoding, LatentClass, Observed, Tally, relative_entropy
from journeylab.events.features import Features
from journeylab.findings.personas.number import ProofSample, Proving, find_number, sample_rows
from journeylab.findings.personas.proof import SECOND_OPINION, Proof, prove

METHOD = "k-means on logged, scaled features"
COMPARED_ROWS, MIN_PERSONA = 5_000, 30
_BATCH, _STARTS = 100_000, 10


@dataclass(frozen=True)
class Scan:
    """Models compared, the one chosen, and what is proven of it.

    model, encoding: what was chosen; classes ordered by the number of customers assigned.
    probabilities: (customers, personas) for all customers.
    proof: of the number and of each persona, without a second opinion.
    """

    model: LatentClass
    encoding: Encoding
    probabilities: np.ndarray
    proof: Proof

    @classmethod
    def of(
        cls, observed: Observed, encoding: Encoding, *, rows: np.ndarray, max_personas: int, seed: int, proving: Proving
    ) -> "Scan":
        """Fit 1 to `max_personas` classes to the customers at `rows` of those `observed`, choose their number, prove
        them, and assign all customers.

        What a customer's counts are worth is measured within the classes of the largest model, and the same for all
        models, so that they can be compared (as the dispersion in quasi-likelihood comparisons: Burnham and Anderson
        2002, section 2.5).
        """
        fitted = observed.take(rows)
        largest = min(max_personas, max(1, len(rows) // MIN_PERSONA))
        counts = encoding.encode(fitted)
        if largest > 1:
            pilot = LatentClass.fit(counts, encoding.variables, n_classes=largest, seed=seed)
            encoding = encoding.within(fitted, pilot.probabilities(counts))
            counts = encoding.encode(fitted)
        numbers, variables = range(1, largest + 1), encoding.variables
        models = [LatentClass.fit(counts, variables, n_classes=number, seed=seed) for number in numbers]
        table = pd.DataFrame([_row(model, counts, observed.n_rows) for model in models])
        sample = ProofSample.of(fitted, encoding, proving.take(rows), seed=seed)
        number = find_number(models, table, sample)
        model = models[number.personas - 1]
        probabilities = _probabilities(model, encoding, observed)
        sizes = np.bincount(largest_of_rows(probabilities), minlength=model.n_classes)
        order = np.argsort(-sizes, kind="stable")
        model = replace(model, log_shares=model.log_shares[order], log_cells=model.log_cells[:, order])
        probabilities, number = probabilities[:, order], number.ordered(order)
        proof = prove(model, probabilities, table, number=number, sample=sample)
        return cls(model, encoding, probabilities, proof)


def observe(features: Features) -> Observed:
    """`features` as arrays for the model, without those that only repeat another (`features.shown`)."""
    n, shown = len(features.customers), features.shown
    tallies = {}
    for counts in features.counts:
        if counts.name not in shown:
            cells = (counts.counts.astype(float), (counts.rows, counts.columns))
            tallies[counts.name] = Tally(csr_matrix(cells, shape=(n, len(counts.names))), counts.names)
    numbers, categories = features.numbers, features.categories
    return Observed(
        numbers={name: column.to_numpy(dtype=float) for name, column in numbers.items() if name not in shown},
        among=features.among,
        categories={name: column.to_numpy(dtype=object) for name, column in categories.items() if name not in shown},
        tallies=tallies,
    )


def _row(model: LatentClass, fitted: csr_matrix, n_customers: int) -> dict:
    probabilities = model.probabilities(fitted)
    sizes = np.bincount(largest_of_rows(probabilities), minlength=model.n_classes)
    entropy = relative_entropy(probabilities)
    doubt = (1 - entropy) * len(probabilities) * np.log(model.n_classes)
    smallest = int(sizes.min() * n_customers / model.n_rows)
    return {
        "personas": model.n_classes,
        "log_likelihood": model.log_likelihood,
        "n_parameters": model.n_parameters,
        "bic": model.bic,
        "adjusted_bic": model.adjusted_bic,
        "icl": model.bic + 2 * doubt,
        "smallest": smallest,
        "certainty": float(probabilities.max(axis=1).mean()),
        "entropy": entropy,
        "is_large_enough": model.n_classes == 1 or smallest >= MIN_PERSONA,
        "n": model.n_rows,
    }


def _probabilities(model: LatentClass, encoding: Encoding, observed: Observed) -> np.ndarray:
    """(customers, classes) of all customers, encoded some at a time, so that memory follows the batch."""
    batches = (observed.take(slice(first, first + _BATCH)) for first in range(0, observed.n_rows, _BATCH))
    return np.concatenate([model.probabilities(encoding.encode(batch)) for batch in batches])


def second_opinion(features: Features, labels: np.ndarray, n_personas: int, *, seed: int) -> pd.DataFrame:
    """How far k-means with as many groups agrees with `labels`: a row with the columns of `SECOND_OPINION`.

    agreement: the adjusted Rand index, 1 for the same groups, about 0 for no more than chance (Hubert and Arabie 1985).
    n: customers compared, a sample of at most 5,000. With one persona there is nothing to agree on: no row.
    """
    if n_personas < 2:
        return pd.DataFrame(columns=list(SECOND_OPINION)).astype(SECOND_OPINION)
    rows = sample_rows(len(labels), at_most=COMPARED_ROWS, seed=seed)
    groups = KMeans(n_personas, n_init=_STARTS, random_state=seed).fit_predict(logged_and_scaled(features, rows))
    agreement = adjusted_rand_score(labels[rows], groups)
    return pd.DataFrame([(METHOD, n_personas, agreement, len(rows))], columns=list(SECOND_OPINION)).astype(
        SECOND_OPINION
    )


def logged_and_scaled(features: Features, rows: np.ndarray) -> np.ndarray:
    """(rows, columns): the numbers of `features` and its counts among all events (those among some only repeat them),
    log(1 + x), each with mean 0 and spread 1; missing values are the column's mean, negative ones 0."""
    values = np.hstack([features.numbers.to_numpy(dtype=float)[rows], *plain_counts(features, rows)])
    known = np.isfinite(values)
    n_known = known.sum(axis=0).clip(1)
    mean = np.where(known, values, 0.0).sum(axis=0) / n_known
    logged = np.log1p(np.where(known, values, mean).clip(min=0))
    spread = logged.std(axis=0)
    return (logged - logged.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def plain_counts(features: Features, rows: np.ndarray) -> list[np.ndarray]:
    """(rows, names) of each set of counts among all events."""
    position = np.full(len(features.customers), -1)
    position[rows] = np.arange(len(rows))
    blocks = []
    for counts in (counts for counts in features.counts if not counts.given):
        block, is_asked = np.zeros((len(rows), len(counts.names))), position[counts.rows] >= 0
        block[position[counts.rows[is_asked]], counts.columns[is_asked]] = counts.counts[is_asked]
        blocks.append(block)
    return blocks
