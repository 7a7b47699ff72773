"""How many personas do the data bear? Latent-class models with one class, two classes, and so on, compared."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from journeylab.estimators.latent_class import (
    MAX_ROWS,
    Encoding,
    LatentClass,
    Observed,
    Tally,
    canonical_rows,
    relative_entropy,
)
from journeylab.events.features import Features

MIN_PERSONA = 30
COLUMNS = {
    "personas": int,
    "log_likelihood": float,
    "n_parameters": int,
    **dict.fromkeys(("bic", "adjusted_bic", "icl"), float),
    "smallest": int,
    **dict.fromkeys(("certainty", "entropy"), float),
    "is_large_enough": bool,
    "n": int,
    "is_chosen": bool,
}


@dataclass(frozen=True)
class Scan:
    """Models compared, and the one chosen.

    table: DataFrame, one row per number of personas: `personas`, `log_likelihood`, `n_parameters`, `bic`,
        `adjusted_bic`, `icl` (BIC plus twice the entropy of the assignment: Biernacki, Celeux and Govaert 2000; it asks
        for personas that do not overlap), `smallest` (customers in the smallest persona), `certainty` (mean probability
        of the assigned persona), `entropy` (relative, 1 certain), `is_large_enough`, `n`, the customers fitted, and
        `is_chosen`.
    model, encoding: what was chosen; classes ordered by the number of customers assigned.
    probabilities: (customers, personas) for all customers.
    """

    table: pd.DataFrame
    model: LatentClass
    encoding: Encoding
    probabilities: np.ndarray

    @classmethod
    def of(cls, observed: Observed, encoding: Encoding, *, max_personas: int, seed: int) -> "Scan":
        """Fit 1 to `max_personas` classes to at most 50,000 of the customers `observed`; of those whose personas all
        hold 30 customers or more, the number with the lowest BIC; assign all customers.

        What a customer's counts are worth is measured within the classes of the largest model, and the same for all
        models, so that they can be compared (as the dispersion in quasi-likelihood comparisons: Burnham and Anderson
        2002, section 2.5).
        """
        counts = encoding.encode(observed)
        chosen_rows = canonical_rows(counts, at_most=MAX_ROWS, seed=seed)
        largest = min(max_personas, max(1, counts.shape[0] // MIN_PERSONA))
        if largest > 1:
            pilot = LatentClass.fit(counts[chosen_rows], encoding.variables, n_classes=largest, seed=seed)
            encoding = encoding.within(observed, pilot.probabilities(counts))
            counts = encoding.encode(observed)
        fitted = counts[chosen_rows]
        models = [
            LatentClass.fit(fitted, encoding.variables, n_classes=number, seed=seed) for number in range(1, largest + 1)
        ]
        table = pd.DataFrame([_row(model, fitted, counts.shape[0]) for model in models])
        best = int(table["bic"].where(table["is_large_enough"]).idxmin())
        table["is_chosen"] = table.index == best
        model, probabilities = _by_size(models[best], counts)
        return cls(table, model, encoding, probabilities)


def observe(features: Features) -> Observed:
    """`features` as arrays for the model; numbers that only say again what another says are left out."""
    modelled = [name for name in features.numbers.columns if name not in features.shown]
    return Observed(
        numbers={name: features.numbers[name].to_numpy(dtype=float) for name in modelled},
        among=features.among,
        categories={name: column.to_numpy(dtype=object) for name, column in features.categories.items()},
        tallies={
            each.name: Tally(
                csr_matrix(
                    (each.counts.astype(float), (each.rows, each.columns)),
                    shape=(len(features.customers), len(each.names)),
                ),
                each.names,
            )
            for each in features.counts
            if each.name not in features.shown
        },
    )


def _row(model: LatentClass, fitted: csr_matrix, n_customers: int) -> dict:
    probabilities = model.probabilities(fitted)
    sizes = np.bincount(probabilities.argmax(axis=1), minlength=model.n_classes)
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


def _by_size(model: LatentClass, counts: csr_matrix) -> tuple[LatentClass, np.ndarray]:
    """The model with its classes ordered by the customers assigned to them, and the probabilities of all customers."""
    probabilities = model.probabilities(counts)
    sizes = np.bincount(probabilities.argmax(axis=1), minlength=model.n_classes)
    order = np.argsort(-sizes, kind="stable")
    return replace(model, log_shares=model.log_shares[order], log_cells=model.log_cells[:, order]), probabilities[
        :, order
    ]
