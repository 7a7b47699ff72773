"""How surely does each row belong to the class that it was assigned to?"""

import numpy as np

from journeylab.base.ordering import largest_of_rows


def certainty(probabilities: np.ndarray) -> np.ndarray:
    """(classes,): mean probability of their own class among the rows assigned to each class; nan where none is.

    1 means that every row clearly belongs to its class (average posterior probability; Nagin 2005 asks for .7).
    """
    labels = largest_of_rows(probabilities)
    n_classes = probabilities.shape[1]
    n = np.bincount(labels, minlength=n_classes)
    total = np.bincount(labels, weights=probabilities.max(axis=1), minlength=n_classes)
    return np.divide(total, n, out=np.full(n_classes, np.nan), where=n > 0)


def relative_entropy(probabilities: np.ndarray) -> float:
    """1 - entropy / log(classes), averaged over rows: 1 where all rows are certain, 0 where all are a toss-up; 1 for
    one class (Ramaswamy et al. 1993)."""
    n_classes = probabilities.shape[1]
    if n_classes == 1:
        return 1.0
    information = probabilities * np.log(np.clip(probabilities, 1e-300, None))
    return float(1 + information.sum() / (len(probabilities) * np.log(n_classes)))
