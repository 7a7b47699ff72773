"""What is proven of personas: of their number, and of each of them?"""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import t

from journeylab.base.ordering import largest_of_rows, settled
from journeylab.base.tables import table_of
from journeylab.estimators.latent_class import LatentClass, certainty, local_dependence, split_half_jaccard
from journeylab.findings.personas.number import NO_STRUCTURE, NOT_PROVEN, STRUCTURE, Number, ProofSample

SPLITS = 5
BY_PERSONA = {
    **dict.fromkeys(("persona", "verdict"), object),
    "n": int,
    **dict.fromkeys(("jaccard", "lower", "upper"), float),
    "replicates": int,
    **dict.fromkeys(("split_half", "certainty", "dependence"), float),
    "dependent": object,
    "dependent_pairs": float,
}
VERDICTS = ["persona", "verdict", "n", "certainty", "jaccard", "lower", "upper"]
SCAN = {
    "personas": int,
    "log_likelihood": float,
    "n_parameters": int,
    **dict.fromkeys(("bic", "adjusted_bic", "icl"), float),
    "smallest": int,
    **dict.fromkeys(("certainty", "entropy"), float),
    "is_large_enough": bool,
    "n": int,
    **dict.fromkeys(("gain", "gain_by_chance", "p", "stability"), float),
    "is_chosen": bool,
}
SECOND_OPINION = {"method": object, "personas": int, "agreement": float, "n": int}


@dataclass(frozen=True)
class Proof:
    """How the number of personas was chosen, and what is proven of each.

    Attributes
    ----------
    by_persona : DataFrame
        One row per persona: `persona`; `verdict` (solid, pattern, do not use, or why there is none); `n`; `jaccard`,
        the mean Jaccard coefficient with its like in resampled customers, with its 95% interval `lower`, `upper` over
        the `replicates`; `split_half`, the mean Jaccard coefficient of two halves of the customers; `certainty`, the
        mean probability of the persona among its customers; `dependence`, the largest correlation left between two
        variables within the persona, those two as `dependent`, and the share of pairs of variables with one beyond
        chance, `dependent_pairs`. `n` and `certainty` are of all customers, the rest of at most 5,000.
    structure : DataFrame
        One row per null model that was tried: `null` in words; `statistic`; `personas`, how many gained; their gain
        `observed`, beside those from nothing, their mean `expected` and 95% quantile `upper`; `p`; `replicates`, fewer
        than were asked for where the answer was clear before, none where nothing was gained (`p` is then missing);
        `is_beyond` (a gain, and p of at most .05).
    scan : DataFrame
        One row per number of personas tried: `personas`, `log_likelihood`, `n_parameters`, `bic`, `adjusted_bic`,
        `icl`, `smallest` (customers in the smallest persona), `certainty`, `entropy` (relative, 1 certain),
        `is_large_enough`, `n` (the customers fitted); then, where it was asked, `gain` (in classification
        log-likelihood per customer by the last persona), `gain_by_chance` (by cutting one of as many continuous clouds
        as there are without it), `p`, and `stability` (Jaccard coefficient of the least stable persona); and
        `is_chosen`.
    second_opinion : DataFrame
        `method`, `personas`, `agreement` (adjusted Rand index), `n`: how far a plainer method agrees.
    seed : int or None
        Of the search.

    Notes
    -----
    ICL is BIC plus twice the entropy of the assignment, and favours personas that do not overlap (Biernacki, Celeux and
    Govaert 2000).
    """

    by_persona: pd.DataFrame = field(default_factory=partial(table_of, (), BY_PERSONA))
    structure: pd.DataFrame = field(default_factory=partial(table_of, (), STRUCTURE))
    scan: pd.DataFrame = field(default_factory=partial(table_of, (), SCAN))
    second_opinion: pd.DataFrame = field(default_factory=partial(table_of, (), SECOND_OPINION))
    seed: int | None = None

    @property
    def verdicts(self) -> pd.DataFrame:
        """`by_persona` in short: `persona`, `verdict`, `n`, `certainty`, `jaccard`, `lower`, `upper`."""
        return self.by_persona[VERDICTS]


def prove(
    model: LatentClass, probabilities: np.ndarray, scan: pd.DataFrame, *, number: Number, sample: ProofSample
) -> Proof:
    """What is proven of the classes of `model`, in its order, which is the one chosen of those in `scan`.

    `probabilities` of all customers give n and certainty; the rest is of the customers of `sample`.
    """
    n_personas = model.n_classes
    is_proven = n_personas > 1 and sample.proving.replicates > 0
    jaccard = number.jaccard[n_personas] if is_proven else np.empty((0, n_personas))
    mean, lower, upper = _mean(jaccard)
    unexplained = local_dependence(sample.counts, model)
    names = [variable.name for variable in sample.amounts.encoding.kept]
    not_proven = [NO_STRUCTURE if n_personas == 1 else NOT_PROVEN] * n_personas
    columns = {
        "persona": [f"P{position}" for position in range(1, n_personas + 1)],
        "verdict": [number.verdict(value) for value in settled(mean)] if is_proven else not_proven,
        "n": np.bincount(largest_of_rows(probabilities), minlength=n_personas),
        "jaccard": mean,
        "lower": lower,
        "upper": upper,
        "replicates": len(jaccard),
        "split_half": _split_half(model, sample) if is_proven else np.nan,
        "certainty": certainty(probabilities),
        "dependence": [dependence.largest for dependence in unexplained],
        "dependent": [" and ".join(names[place] for place in dependence.between or ()) for dependence in unexplained],
        "dependent_pairs": [dependence.share for dependence in unexplained],
    }
    return Proof(
        by_persona=pd.DataFrame(columns).astype(BY_PERSONA),
        structure=number.structure,
        scan=_scanned(scan, number),
        seed=sample.seed,
    )


def _scanned(scan: pd.DataFrame, number: Number) -> pd.DataFrame:
    """`scan` with what the proof found of each number of personas; nan where nothing was asked."""
    table = scan.assign(gain=np.nan, gain_by_chance=np.nan, p=np.nan, stability=np.nan).set_index("personas")
    for personas, test in number.steps.items():
        table.loc[personas, ["gain", "gain_by_chance", "p"]] = test.observed, test.expected, test.p
    for personas, jaccard in number.jaccard.items():
        table.loc[personas, "stability"] = jaccard.mean(axis=0).min()
    table["is_chosen"] = table.index == number.personas
    return table.reset_index()


def _mean(jaccard: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over replicates, with its 95% interval by Student's t, within 0 and 1; nan without replicates."""
    n = len(jaccard)
    if n < 2:
        missing = np.full(jaccard.shape[1], np.nan)
        return missing, missing, missing
    mean = jaccard.mean(axis=0)
    margin = t.ppf(0.975, n - 1) * jaccard.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, (mean - margin).clip(0, 1), (mean + margin).clip(0, 1)


def _split_half(model: LatentClass, sample: ProofSample) -> np.ndarray:
    proving = sample.proving
    return split_half_jaccard(
        sample.counts, model, units=proving.units, splits=SPLITS, seed=sample.seed, tell=proving.tell
    ).mean(axis=0)
