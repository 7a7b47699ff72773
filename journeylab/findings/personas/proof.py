"""What is proven of personas: of their number, and of each of them?"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from journeylab.base.ordering import largest_of_rows, settled
from journeylab.base.tables import table_of
from journeylab.estimators.latent_class import LatentClass, certainty, local_dependence, split_half_jaccard
from journeylab.findings.personas.number import (
    NO_STRUCTURE,
    NOT_PROVEN,
    PATTERN,
    REPEATABLE,
    STRUCTURE,
    Number,
    ProofSample,
    verdict,
)

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
_SPREAD = (0.05, 0.95)
MERGED = "A repeatable persona may still be two merged into one."
# From these adjusted Rand indices on two methods agree, or agree in part.
_AGREES, _AGREES_IN_PART = 0.65, 0.3


@dataclass(frozen=True)
class Proof:
    """How the number of personas was chosen, and what is proven of each.

    Attributes
    ----------
    by_persona : DataFrame
        One row per persona: `persona`; `verdict` (repeatable, pattern, do not use, or why there is none); `n`;
        `jaccard`, the mean Jaccard coefficient with its like in resampled customers; `lower`, `upper`, the spread of
        that over the `replicates`, from 5% to 95% of them, which is no confidence interval; `split_half`, the mean
        Jaccard coefficient of two halves of the customers; `certainty`, the mean probability of the persona among its
        customers; `dependence`, the largest correlation left between two variables within the persona, those two as
        `dependent`, and the share of pairs of variables with one beyond chance, `dependent_pairs`. `n` and `certainty`
        are of all customers, the rest of at most 2,500. A repeatable persona may still be two merged.
    structure : DataFrame
        One row per null model that was tried: `null` in words; `statistic`; `personas`, how many gained; their gain
        `observed`, beside those from nothing, their mean `expected` and 95% quantile `upper`; `p`, and what is known of
        it as `p_in_words`; `replicates`, fewer
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
    floor : str or None
        Why these are not personas, whatever else is proven: too little is known of most customers, or one column tells
        the same groups. A sentence.

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
    floor: str | None = None

    @property
    def verdicts(self) -> pd.DataFrame:
        """`by_persona` in short: `persona`, `verdict`, `n`, `certainty`, `jaccard`, `lower`, `upper`."""
        return self.by_persona[VERDICTS]

    def below(self, floor: str | None) -> "Proof":
        """The same where `floor` says why these are not personas: none is repeatable then."""
        rows = self.by_persona
        capped = rows["verdict"].replace({REPEATABLE: PATTERN} if floor else {})
        return replace(self, floor=floor, by_persona=rows.assign(verdict=capped.astype(object)))

    def second_opinion_in_words(self) -> str | None:
        """Whether the plainer method agrees, and what that means; None where it was not asked."""
        if self.second_opinion.empty:
            return None
        method, agreement = self.second_opinion.iloc[0][["method", "agreement"]]
        index = f"(adjusted Rand index {agreement:.2f}; 1 is full agreement, 0 chance)"
        if agreement >= _AGREES:
            return f"A plainer method, {method}, agrees {index}: it finds nearly the same groups."
        if agreement >= _AGREES_IN_PART:
            return (
                f"A plainer method, {method}, agrees in part {index}: some of the groups depend on how what customers "
                "do is weighed."
            )
        return (
            f"A plainer method, {method}, does not agree {index}: it groups the customers otherwise, so that nobody "
            "would see these personas in plain counts."
        )


def prove(
    model: LatentClass, probabilities: np.ndarray, scan: pd.DataFrame, *, number: Number, sample: ProofSample
) -> Proof:
    """What is proven of the classes of `model`, in its order, which is the one chosen of those in `scan`.

    `probabilities` of all customers give n and certainty; the rest is of the customers of `sample`.
    """
    n_personas = model.n_classes
    is_proven = n_personas > 1 and sample.proving.replicates > 0
    jaccard = number.jaccard[n_personas] if is_proven else np.empty((0, n_personas))
    mean, lower, upper = _spread(jaccard)
    unexplained = local_dependence(sample.counts, model)
    names = [variable.name for variable in sample.amounts.encoding.kept]
    not_proven = [NO_STRUCTURE if n_personas == 1 else NOT_PROVEN] * n_personas
    columns = {
        "persona": [f"P{position}" for position in range(1, n_personas + 1)],
        "verdict": [verdict(value) for value in settled(mean)] if is_proven else not_proven,
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


def _spread(jaccard: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean over replicates, and what 5% and 95% of them stay below; nan without replicates."""
    if not len(jaccard):
        return (np.full(jaccard.shape[1], np.nan),) * 3
    return jaccard.mean(axis=0), *np.quantile(jaccard, _SPREAD, axis=0)


def _split_half(model: LatentClass, sample: ProofSample) -> np.ndarray:
    proving = sample.proving
    return split_half_jaccard(
        sample.counts, model, units=proving.units, splits=SPLITS, seed=sample.seed, tell=proving.tell
    ).mean(axis=0)
