"""Description: what are customers of each persona like, by effect sizes, by a rule, and by an example?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.events.features import Features
from journeylab.findings.personas.exemplar import find_exemplars
from journeylab.findings.personas.measures import find_measures
from journeylab.findings.personas.profile import compare_measures
from journeylab.findings.personas.rules import find_rules


@dataclass(frozen=True)
class Description:
    """Tables that tell of personas.

    profiles: see `profile.profile`. rules: see `rules.find_rules`. exemplars: see `exemplar.find_exemplars`.
    """

    profiles: pd.DataFrame
    rules: pd.DataFrame
    exemplars: pd.DataFrame


def describe(features: Features, labels: np.ndarray, ids: list[str], *, rows: np.ndarray, seed: int) -> Description:
    """`labels` numbers the persona, in `ids`, of each customer of `features`; only `rows` are looked at (a sample of
    many)."""
    measures, own = tuple(find_measures(features, rows)), labels[rows]
    return Description(
        profiles=compare_measures(measures, own, ids),
        rules=find_rules(measures, own, ids, seed=seed),
        exemplars=find_exemplars(measures, own, ids, seed=seed),
    )
