"""Which customers can be judged by their first days: entered in the window, watched that long, and not lost by then?"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import durations
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted, in_days
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells

ACCOUNT = "account"

MIN_JUDGED = 30


@dataclass(frozen=True)
class Landmark:
    """The customers who can be judged, and those who cannot.

    entries: DataFrame, one row per customer to be judged, `customer_id` (sorted) and `entered` (UTC).
    left_out: DataFrame `reason`, `customers`: how many were left out for each reason, zero included. Each customer
        counts once, for the first reason that holds: no spell in the window; entered before the window began (a first
        spell that is a return, after a loss before the window, counts as such); lost within the time, whether or not
        they came back; watched for less than the time.
    within: the time from entering, in words.
    length: the same as a difference of times. customers: how many customers the log holds.
    """

    entries: pd.DataFrame
    left_out: pd.DataFrame
    within: str
    length: pd.Timedelta
    customers: int

    @classmethod
    def of(cls, log: EventLog, spells: Spells, within: str | timedelta) -> "Landmark":
        """Who of `log`'s customers can be judged."""
        words = landmark_in_words(within)
        length = pd.Timedelta(durations.microseconds(within), unit="us")
        columns = ["customer_id", "spell", "entered", "left", "outcome", "returned_from"]
        visits = spells.table.select(columns).to_pandas()
        first = visits[visits["spell"] == 1].set_index("customer_id").sort_index()
        landmark = first["entered"] + length
        losses = visits[visits["outcome"] == "lost"].groupby("customer_id")["left"].min().reindex(first.index)
        reasons = {
            "entered before the window began": (first["entered"] < log.window.start) | first["returned_from"].notna(),
            f"lost within {words}": losses <= landmark,
            f"watched for less than {words}": landmark > log.window.end,
        }
        n_known = int(log.events.customer_id.nunique().execute())
        counts, remaining = {"never in the journey": n_known - len(first)}, np.ones(len(first), dtype=bool)
        for reason, holds in reasons.items():
            counts[reason] = int((remaining & holds.to_numpy()).sum())
            remaining &= ~holds.to_numpy()
        left_out = pd.DataFrame({"reason": list(counts), "customers": list(counts.values())})
        entries = first.loc[remaining, ["entered"]].reset_index()
        return cls(entries, left_out, words, length, n_known)

    @property
    def too_few(self) -> str | None:
        """How few can be judged and why, in words; None where 30 customers or more can."""
        n = len(self.entries)
        if n >= MIN_JUDGED:
            return None
        reasons = self.left_out[self.left_out["customers"] > 0].itertuples()
        why = ", ".join(f"{row.customers:,} {row.reason}" for row in reasons) or "nobody"
        return (
            f"{f'only {n}' if n else 'none'} of {counted(self.customers, 'customer')} can be judged by their "
            f"first {self.within} (left out: {why}), and {MIN_JUDGED} are needed. "
            "Ask for a shorter `within`, or widen the window."
        )


def landmark_in_words(within: str | timedelta) -> str:
    """A duration in days: “30 days”.

    >>> in_words("2w")
    '14 days'
    """
    return in_days(durations.days(within))


def check_window(within: str | timedelta, window: Window) -> None:
    """Raise EstimateError if nobody can be watched for `within` in `window`."""
    if durations.days(within) > window.days:
        raise EstimateError(
            f"Personas were asked for from the first {landmark_in_words(within)}, "
            f"but the window is {window.days:g} days long. "
            "Ask for a shorter `within`, or widen the window."
        )


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
