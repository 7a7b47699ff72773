"""What is proven of each persona?"""

import numpy as np
import pandas as pd
from scipy.stats import t

from journeylab.base.ordering import largest_of_rows, settled
from journeylab.estimators.latent_class import LatentClass, certainty, local_dependence, split_half_jaccard
from journeylab.findings.personas.number import NO_STRUCTURE, NOT_PROVEN, Number, NumberEvidence, verdict

SPLITS = 5
PROOF = {
    **dict.fromkeys(("persona", "verdict"), object),
    "n": int,
    **dict.fromkeys(("jaccard", "lower", "upper"), float),
    "replicates": int,
    **dict.fromkeys(("split_half", "certainty", "dependence"), float),
    "dependent": object,
    "dependent_pairs": float,
}
VERDICTS = {name: PROOF[name] for name in ("persona", "verdict", "n", "certainty", "jaccard", "lower", "upper")}
SCANNED = {**dict.fromkeys(("gain", "gain_by_chance", "p", "stability"), float), "is_chosen": bool}


def prove(model: LatentClass, probabilities: np.ndarray, *, number: Number, evidence: NumberEvidence) -> pd.DataFrame:
    """One row per class of `model`, in its order, with the columns of `PROOF`; see `Personas.proof`.

    `probabilities` of all customers give n and certainty; the rest is of the customers of `evidence`.
    """
    n_personas = model.n_classes
    is_proven = n_personas > 1 and evidence.proving.replicates > 0
    jaccard = number.jaccard[n_personas] if is_proven else np.empty((0, n_personas))
    mean, lower, upper = _mean(jaccard)
    unexplained = local_dependence(evidence.counts, model)
    names = [each.name for each in evidence.amounts.encoding.kept]
    rows = {
        "persona": [f"P{place}" for place in range(1, n_personas + 1)],
        "verdict": [NO_STRUCTURE if n_personas == 1 else NOT_PROVEN] * n_personas,
        "n": np.bincount(largest_of_rows(probabilities), minlength=n_personas),
        "jaccard": mean,
        "lower": lower,
        "upper": upper,
        "replicates": len(jaccard),
        "split_half": np.nan,
        "certainty": certainty(probabilities),
        "dependence": [each.largest for each in unexplained],
        "dependent": [" and ".join(names[place] for place in each.between or ()) for each in unexplained],
        "dependent_pairs": [each.share for each in unexplained],
    }
    if is_proven:
        beyond = {
            "is_beyond_independence": number.is_beyond(clouds=False),
            "is_beyond_clouds": number.is_beyond(clouds=True),
        }
        rows["verdict"] = [verdict(each, **beyond) for each in settled(mean)]
        rows["split_half"] = _split_half(model, evidence)
    return pd.DataFrame(rows)[list(PROOF)].astype(PROOF)


def scanned(table: pd.DataFrame, number: Number) -> pd.DataFrame:
    """The rows of the scan with what was found of each number: what its last persona gains, beside what cutting a cloud
    gains, with p; the Jaccard coefficient of its least stable persona; nan where nothing was asked."""
    found = table.assign(gain=np.nan, gain_by_chance=np.nan, p=np.nan, stability=np.nan).set_index("personas")
    for personas, test in number.steps.items():
        found.loc[personas, ["gain", "gain_by_chance", "p"]] = test.observed, test.expected, test.p
    for personas, jaccard in number.jaccard.items():
        found.loc[personas, "stability"] = jaccard.mean(axis=0).min()
    found["is_chosen"] = found.index == number.personas
    return found.reset_index()


def _mean(jaccard: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over replicates, with its 95% interval by Student's t, within 0 and 1; nan without replicates."""
    n = len(jaccard)
    if n < 2:
        missing = np.full(jaccard.shape[1], np.nan)
        return missing, missing, missing
    mean = jaccard.mean(axis=0)
    margin = t.ppf(0.975, n - 1) * jaccard.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, (mean - margin).clip(0, 1), (mean + margin).clip(0, 1)


def _split_half(model: LatentClass, evidence: NumberEvidence) -> np.ndarray:
    return split_half_jaccard(
        evidence.counts,
        model,
        units=evidence.proving.units,
        splits=SPLITS,
        seed=evidence.seed,
        tell=evidence.proving.tell,
    ).mean(axis=0)
