"""Which customers are of one account, so that they are resampled together?"""

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean

ACCOUNT = "account"


def account_numbers(table: pd.DataFrame, customers: pd.Index, accounts: str | None) -> np.ndarray:
    """(customers,) the number of each customer's account, from the column `accounts` of `table` (index customer_id); by
    default from the column `account` if there is one.

    Without a column, and where a customer has no account, the customer is an account of its own. Raises EstimateError
    if there is no such column.
    """
    alone = np.arange(len(customers))
    if accounts is None and ACCOUNT not in table.columns:
        return alone
    accounts = accounts or ACCOUNT
    if accounts not in table.columns:
        known = [str(column) for column in table.columns]
        raise EstimateError(
            f"The customers have no attribute “{accounts}” that could say whose account each is. "
            f"{did_you_mean(accounts, known)}"
        )
    codes = pd.factorize(table[accounts].reindex(customers))[0]
    return np.unique(np.where(codes >= 0, codes, len(customers) + alone), return_inverse=True)[1]
