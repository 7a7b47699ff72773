"""Latent classes of customers: how their behaviour becomes one sparse matrix of counts, the mixture fitted to it, and
what shows that its classes are more than chance."""

from journeylab.estimators.latent_class.amounts import Amounts
from journeylab.estimators.latent_class.assignment import certainty, relative_entropy
from journeylab.estimators.latent_class.cells import Bins, Levels, Shares
from journeylab.estimators.latent_class.clouds import Clouds
from journeylab.estimators.latent_class.dependence import Dependence, local_dependence
from journeylab.estimators.latent_class.encoding import Encoding, Observed, Tally
from journeylab.estimators.latent_class.mixture import MAX_ROWS, LatentClass, canonical_rows
from journeylab.estimators.latent_class.nulls import NullTest, against_clouds
from journeylab.estimators.latent_class.stability import bootstrap_jaccard, overlap, split_half_jaccard

__all__ = [
    "MAX_ROWS",
    "Amounts",
    "Bins",
    "Clouds",
    "Dependence",
    "Encoding",
    "LatentClass",
    "Levels",
    "NullTest",
    "Observed",
    "Shares",
    "Tally",
    "against_clouds",
    "bootstrap_jaccard",
    "canonical_rows",
    "certainty",
    "local_dependence",
    "overlap",
    "relative_entropy",
    "split_half_jaccard",
]
