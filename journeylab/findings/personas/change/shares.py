"""Has the share of each old persona changed, by the old definition alone?"""

import numpy as np
import pandas as pd
from scipy.stats import norm

from journeylab.estimators.intervals import holm, newcombe, wilson

SHARES = {
    **dict.fromkeys(("persona", "name"), object),
    "before": float,
    **dict.fromkeys(("n_before", "customers_before"), int),
    "now": float,
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("difference", "lower", "upper", "p_adjusted"), float),
    "is_beyond": bool,
}
_LEVEL = 0.05


def fixed_shares(found: pd.DataFrame, assigned: pd.DataFrame) -> pd.DataFrame:
    """One row per old persona with the columns of `SHARES`.

    found, assigned: tables of the old personas when they were found, and of the new customers by the old definition;
        both have `n` of so many `customers`.
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
    table = pd.DataFrame(
        {
            "persona": found["persona"].to_numpy(),
            "name": found["name"].to_numpy(),
            "before": n_before / of_before,
            "n_before": n_before,
            "customers_before": of_before,
            "now": n / of,
            "n": n,
            "customers": of,
            "difference": difference,
            "lower": lower,
            "upper": upper,
            "p_adjusted": adjusted,
            "is_beyond": adjusted <= _LEVEL,
        }
    )
    return table.astype(SHARES)


def side_by_side(shares: pd.DataFrame) -> pd.DataFrame:
    """Each share with its own 95% interval (Wilson), before and now as rows: `label`, `when`, `share`, `lower`,
    `upper`."""
    parts = []
    for when, n, of in (("before", "n_before", "customers_before"), ("now", "n", "customers")):
        lower, upper = wilson(shares[n], shares[of])
        columns = {"label": shares["persona"] + " · " + shares["name"], "when": when, "share": shares[n] / shares[of]}
        parts.append(pd.DataFrame({**columns, "lower": lower, "upper": upper}))
    return pd.concat(parts, ignore_index=True)
