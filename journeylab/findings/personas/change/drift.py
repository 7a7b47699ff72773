"""Do customers as a whole behave as before, feature by feature, and did the shares of the old personas move?

The old customers are not needed: the old model is exact for this. At its maximum, the shares of its cells, weighted by
how much each persona has of a feature, are the shares observed.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

from journeylab.base.ordering import largest, order, settled
from journeylab.base.tables import table_of
from journeylab.estimators.drift import CellDrift, cell_drift
from journeylab.estimators.intervals import holm, newcombe, wilson
from journeylab.estimators.latent_class import Bins, Encoding, LatentClass, Levels, Observed, Shares

SHARES = {
    **dict.fromkeys(("persona", "name"), object),
    "before": float,
    **dict.fromkeys(("n_before", "customers_before"), int),
    "now": float,
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("difference", "lower", "upper", "p_adjusted"), float),
    "is_beyond": bool,
}
DRIFT = {
    "feature": object,
    **dict.fromkeys(("drift", "expected", "limit", "p_adjusted"), float),
    "is_beyond": bool,
    "part": object,
    **dict.fromkeys(("before", "now"), float),
    **dict.fromkeys(("n_before", "n"), int),
}
_LEVEL = 0.05


def find_drift(model: LatentClass, encoding: Encoding, observed: Observed, probabilities: np.ndarray) -> pd.DataFrame:
    """One row per feature of the old model with the columns of `DRIFT`, the one furthest beyond chance first.

    drift: the share of customers, or of their events, that would have to be elsewhere for the feature to be divided as
        before (total variation of the model's bins, levels or shares); `expected` without any change in samples of
        these sizes.
    p_adjusted: of as much drift without change, adjusted for the number of features (Holm); see
        `estimators.drift.cell_drift`. limit: the drift in the same direction from which on it is at most .05; it allows
        for all features together. is_beyond: whether the drift reaches the limit.
    part: where most has changed, from the share `before` to the share `now`.
    n_before, n: customers in whom the feature is known. A feature that no new customer has is missing throughout.

    observed: of the new customers. probabilities: (customers, personas) of belonging to the old ones.
    """
    counts, variables = encoding.encode(observed), encoding.variables
    drifts = []
    for variable in range(len(encoding.kept)):
        cells = np.flatnonzero(variables == variable)
        before, known = _before(model, cells, np.asarray(counts[:, cells].sum(axis=1)).ravel(), probabilities)
        drifts.append(cell_drift(counts[:, cells], before, n_before=known * model.n_rows))
    adjusted = holm([drift.p_value for drift in drifts])
    rejected = adjusted <= _LEVEL
    n_left = np.isfinite(adjusted).sum() - rejected.sum()
    levels = _LEVEL / np.maximum(n_left + rejected, 1)
    table = table_of(map(_row, encoding.kept, drifts, adjusted, levels), DRIFT)
    return table.iloc[order(table["drift"] / table["limit"].where(table["limit"] > 0))].reset_index(drop=True)


def _before(
    model: LatentClass, cells: np.ndarray, sizes: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, float]:
    """The shares of `cells` among the old customers, and the share of these in whom the feature was known.

    How much each persona has of the feature (events in it, or whether it is known) is taken from the new customers of
    that persona: it only weighs the personas against each other.
    """
    belonging = np.maximum(probabilities.sum(axis=0), 1e-9)
    personas = np.exp(model.log_shares)
    amounts = personas * ((probabilities * sizes[:, None]).sum(axis=0) / belonging)
    known = personas @ ((probabilities * (sizes > 0)[:, None]).sum(axis=0) / belonging)
    if amounts.sum() <= 0:
        return np.full(len(cells), np.nan), 0.0
    shares = np.exp(model.log_cells[cells]) @ amounts
    return shares / shares.sum(), float(known)


def _row(variable: Bins | Levels | Shares, drift: CellDrift, p_adjusted: float, level: float) -> tuple:
    """A row of `DRIFT`; `level` is that of Holm's step at which this feature stands."""
    name = variable.name.replace("_", " ")
    limit = np.maximum(drift.limit(level), drift.expected)
    is_beyond = bool(p_adjusted <= _LEVEL and settled(drift.distance) >= settled(limit))
    measured = (drift.distance, drift.expected, limit, p_adjusted, is_beyond)
    if np.isnan(drift.distance):
        return name, *measured, None, np.nan, np.nan, round(drift.n_before), drift.n
    names = None if isinstance(variable, Bins) else [_cell(variable, cell) for cell in range(len(drift.now))]
    most = largest(np.abs(drift.now - drift.before), names)
    return name, *measured, _cell(variable, most), drift.before[most], drift.now[most], round(drift.n_before), drift.n


def _cell(variable: Bins | Levels | Shares, cell: int) -> str:
    """The name of a cell: “3 to 6”, “team”, “phone”."""
    if isinstance(variable, Levels):
        return variable.levels[cell]
    if isinstance(variable, Shares):
        return variable.cells[cell]
    if variable.by:
        return f"bin {cell + 1} of {variable.n_cells} among customers with as many {variable.by}"
    edges = [f"{edge:,.3g}" for edge in variable.edges[0]]
    if cell == 0:
        return f"at most {edges[0]}"
    return f"more than {edges[-1]}" if cell == len(edges) else f"above {edges[cell - 1]}, at most {edges[cell]}"


def fixed_shares(found: pd.DataFrame, assigned: pd.DataFrame) -> pd.DataFrame:
    """One row per old persona with the columns of `SHARES`.

    found, assigned: tables of the old personas when they were found, and of other customers, who came since, by the old
        definition; both have `n` of so many `customers`.
    The difference is now - before with its 95% interval (Newcombe, Wilson's limits), each persona by itself. p_adjusted
    is the score test's of two shares, adjusted for the number of personas (Holm); `is_beyond` where it is at most .05.
    """
    n_before, of_before = found["n"].to_numpy(), found["customers"].to_numpy()
    n, of = assigned["n"].to_numpy(), assigned["customers"].to_numpy()
    difference, lower, upper = newcombe((n, of), (n_before, of_before))
    pooled = (n + n_before) / (of + of_before)
    error = np.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_before))
    ratio = np.divide(np.abs(difference), error, out=np.zeros(len(n)), where=error > 0)
    adjusted = holm(2 * norm.sf(ratio))
    before, now = (n_before / of_before, n_before, of_before), (n / of, n, of)
    columns = (found["persona"], found["name"], *before, *now, difference, lower, upper, adjusted, adjusted <= _LEVEL)
    return pd.DataFrame({name: np.asarray(column) for name, column in zip(SHARES, columns, strict=True)}).astype(SHARES)


def both_shares(shares: pd.DataFrame) -> pd.DataFrame:
    """Each share with its own 95% interval (Wilson), before and now as rows: `label`, `when`, `share`, `lower`,
    `upper`."""
    parts = []
    for when, n, of in (("before", "n_before", "customers_before"), ("now", "n", "customers")):
        lower, upper = wilson(shares[n], shares[of])
        columns = {"label": shares["persona"] + " · " + shares["name"], "when": when, "share": shares[n] / shares[of]}
        parts.append(pd.DataFrame({**columns, "lower": lower, "upper": upper}))
    return pd.concat(parts, ignore_index=True)
