"""Arrays: can an estimator compute with what it was handed?

Each function gives back clean float64 or int64 arrays, or raises EstimateError. The error says what is wrong, where,
and how to fix it.
"""

import numpy as np
from numpy.typing import ArrayLike

from journeylab.base.errors import EstimateError

CENSORED = -1
ROUNDING = 1e-12  # numbers that differ by less than this differ only because floating point rounds


def one_length(**arrays: ArrayLike | None) -> dict[str, np.ndarray]:
    """The arrays by name, without those not given (None); each must be one-dimensional, and all of one length."""
    given = {name: np.asarray(values) for name, values in arrays.items() if values is not None}
    for name, values in given.items():
        if values.ndim != 1:
            raise EstimateError(f"“{name}” has {values.ndim} dimensions, not 1. Give one value per row.")
    if len({len(values) for values in given.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in given.items())
        raise EstimateError(f"The arrays differ in length: {lengths}. Give one value per row to each.")
    return given


def rows_where(is_wrong: np.ndarray) -> str:
    """“in 2 of 9 rows, first in row 4”: how often and where something is wrong, for an error."""
    return f"in {is_wrong.sum()} of {len(is_wrong)} rows, first in row {is_wrong.argmax()}"


def numbers(name: str, values: np.ndarray) -> np.ndarray:
    """`values` as float64, none missing or infinite."""
    if values.dtype.kind not in "iufb" and len(values):
        try:
            if values.dtype.kind != "O":
                raise TypeError
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            message = f"“{name}” is not numeric. Convert it to numbers, times to one unit such as days."
            raise EstimateError(message) from None
    values = values.astype(np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        raise EstimateError(
            f"“{name}” is missing or infinite {rows_where(bad)}. Leave these rows out, or fill them in."
        )
    return values


def refuse(what: str, values: np.ndarray, is_wrong: np.ndarray, fix: str) -> None:
    """Raise EstimateError where any of `values` is wrong: `what` is, how often, the first such value, and the `fix`."""
    if is_wrong.any():
        raise EstimateError(f"{what} {rows_where(is_wrong)}: {values[is_wrong][0]:g}. {fix}")


def times_at_risk(entry: np.ndarray, exit_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entry and exit of each row: exit at or after 0 and at or after entry, which alone may be negative."""
    entry, exit_ = numbers("entry", entry), numbers("exit", exit_)
    fix = "Count time from 0; only “entry” may be negative, for rows watched from their start."
    refuse("“exit” is negative", exit_, exit_ < 0, fix)
    backwards = exit_ < entry
    if backwards.any():
        row = backwards.argmax()
        raise EstimateError(
            f"{backwards.sum()} of {len(exit_)} rows end before they begin, first row {row}: "
            f"entry {entry[row]:g}, exit {exit_[row]:g}. Swap the two, or leave the rows out."
        )
    return entry, exit_


def states(origin: np.ndarray, destination: np.ndarray, n_states: int) -> tuple[np.ndarray, np.ndarray]:
    """State codes 0 to n_states - 1, the destination also -1; no row moves from a state to itself."""
    if n_states < 1:
        raise EstimateError(f"There must be at least 1 state, not {n_states}. Set n_states to how many there are.")
    codes = []
    for name, values, lowest in (("origin", origin, 0), ("destination", destination, CENSORED)):
        values = numbers(name, values)
        unknown = (values < lowest) | (values >= n_states) | (values != np.floor(values))
        ended = ", or -1 where watching ended" if lowest == CENSORED else ""
        fix = f"With n_states={n_states} use 0 to {n_states - 1}{ended}."
        refuse(f"“{name}” has an unknown state", values, unknown, fix)
        codes.append(values.astype(np.int64))
    same = codes[0] == codes[1]
    if same.any():
        raise EstimateError(
            f"{same.sum()} of {len(same)} rows move from a state to itself, first row {same.argmax()}: state "
            f"{codes[0][same.argmax()]}. End such a row with destination -1 and go on with a new row from there."
        )
    return codes[0], codes[1]


def row_weights(weights: np.ndarray) -> np.ndarray:
    """Weights, 0 or more."""
    weights = numbers("weights", weights)
    refuse("“weights” is negative", weights, weights < 0, "Use 0 to leave a row out.")
    return weights


def distinct(name: str, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct labels, sorted, and the position of each row's label among them; none may be missing."""
    missing = np.array([_is_missing(label) for label in labels] if labels.dtype.kind in "OfMm" else [], dtype=bool)
    if missing.any():
        raise EstimateError(f"“{name}” is missing {rows_where(missing)}. Fill it in, or leave these rows out.")
    if labels.dtype.kind in "iu" and len(labels) and int(labels.max()) - int(labels.min()) < 4 * len(labels):
        # Whole numbers close together: marking which occur is far faster than sorting.
        offset = labels.astype(np.int64) - labels.min().astype(np.int64)
        present = np.zeros(offset.max() + 1, dtype=bool)
        present[offset] = True
        return np.flatnonzero(present) + labels.min(), (np.cumsum(present) - 1)[offset]
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError:
        raise EstimateError(f"“{name}” mixes kinds of values that cannot be sorted. Make them all text.") from None


def _is_missing(label: object) -> bool:
    try:
        return label is None or not bool(label == label)  # nan is not equal to itself
    except TypeError:  # pandas' NA is neither equal to itself nor not
        return True


def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """over / under, and 0 where there is nothing to divide by."""
    over, under = np.broadcast_arrays(np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64))
    return np.divide(over, under, out=np.zeros(over.shape), where=under > 0)


def canonical_order(keys: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """The order of the rows by the last key first, as np.lexsort, where each key comes with its number of values.

    Keys are integers from 0. Sums over rows in this order do not depend on the order in which the rows came.
    """
    n_values = 1
    for _, n_of_key in keys:
        n_values *= int(n_of_key)
    if n_values >= 2**62:
        return np.lexsort([key for key, _ in keys])
    joint = np.zeros(len(keys[0][0]), dtype=np.int64)
    for key, n_of_key in reversed(keys):
        joint = joint * n_of_key + key
    return np.argsort(joint)
