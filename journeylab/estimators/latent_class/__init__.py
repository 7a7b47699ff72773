"""Latent classes of customers: how their behaviour becomes one sparse matrix of counts, and the mixture fitted to
it."""

from journeylab.estimators.latent_class.cells import Bins, Levels, Shares
from journeylab.estimators.latent_class.encoding import Encoding, Observed, Tally
from journeylab.estimators.latent_class.mixture import (
    MAX_ROWS,
    LatentClass,
    canonical_rows,
    certainty,
    relative_entropy,
)

__all__ = [
    "MAX_ROWS",
    "Bins",
    "Encoding",
    "LatentClass",
    "Levels",
    "Observed",
    "Shares",
    "Tally",
    "canonical_rows",
    "certainty",
    "relative_entropy",
]
