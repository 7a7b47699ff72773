"""Which customers can be judged by their first days (entered in the window, watched that long, neither lost nor done by
then), and since when is the persona of each known?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from journeylab.base import durations
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.ordering import largest_of_rows
from journeylab.base.tables import table_of
from journeylab.base.words import counted, in_days
from journeylab.estimators.intervals import wilson
from journeylab.estimators.latent_class import certainty
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping

ACCOUNT = "account"
MIN_JUDGED = 30
LEFT_OUT = {"reason": object, "customers": int}
SHARES = {
    **dict.fromkeys(("persona", "name"), object),
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("share", "lower", "upper", "certainty"), float),
}


@dataclass(frozen=True)
class Landmark:
    """The customers who can be judged, and those who cannot.

    entries: DataFrame, one row per customer to be judged, `customer_id` (sorted) and `entered` (UTC).
    left_out: DataFrame `reason`, `customers`: how many were left out for each reason, zero included. Each customer
        counts once, for the first reason that applies: no spell in the window; entered before the window began (a first
        spell that is a return, after a loss before the window, counts as such); lost within the time, whether or not
        they came back; completed the journey within the time; watched for less than the time.
    within: the time from entering, in words. length: the same as a difference of times.
    customers: how many customers the log has.
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
        columns = ["customer_id", "spell", "stage", "entered", "left", "outcome", "returned_from"]
        visits = spells.table.select(columns).to_pandas()
        first = visits[visits["spell"] == 1].set_index("customer_id").sort_index()
        landmark = first["entered"] + length
        losses = visits[visits["outcome"] == "lost"].groupby("customer_id")["left"].min().reindex(first.index)
        completing = [stage.name for stage in spells.journey.stages if stage.completes]
        completed = (
            visits[visits["stage"].isin(completing)].groupby("customer_id")["entered"].min().reindex(first.index)
        )
        reasons = {
            "entered before the window began": (first["entered"] < log.window.start) | first["returned_from"].notna(),
            f"lost within {words}": losses <= landmark,
            f"completed within {words}": completed <= landmark,
            f"watched for less than {words}": landmark > log.window.end,
        }
        n_customers = int(log.events.customer_id.nunique().execute())
        counts, remaining = {"never in the journey": n_customers - len(first)}, np.ones(len(first), dtype=bool)
        for reason, applies in reasons.items():
            counts[reason] = int((remaining & applies.to_numpy()).sum())
            remaining &= ~applies.to_numpy()
        entries = first.loc[remaining, ["entered"]].reset_index()
        return cls(entries, table_of(counts.items(), LEFT_OUT), words, length, n_customers)

    @property
    def reasons(self) -> str:
        """How many were left out for which reason, in words."""
        return reasons_in_words(self.left_out)

    def days_of_entry(self, customers: pd.Index) -> np.ndarray:
        """(customers,) when each entered, in days since the first of them."""
        entered = self.entries.set_index("customer_id")["entered"].reindex(customers)
        return ((entered - entered.min()) / pd.Timedelta(days=1)).to_numpy(dtype=float)

    @property
    def too_few(self) -> str | None:
        """How few can be judged and why, in words; None where 30 customers or more can."""
        n = len(self.entries)
        if n >= MIN_JUDGED:
            return None
        return (
            f"{f'only {n}' if n else 'none'} of {counted(self.customers, 'customer')} can be judged by their "
            f"first {self.within} (left out: {self.reasons}), and {MIN_JUDGED} are needed. "
            "Ask for a shorter `within`, or widen the window."
        )


@dataclass(frozen=True)
class Labelled(Finding):
    """Customers, each with the persona that they are most like; `table` has the share of each persona.

    labels: Series customer_id -> persona. probabilities: DataFrame, customer_id by persona; rows sum to 1.
    known_at: Series customer_id -> the landmark, entry + `within`.
    left_out: DataFrame `reason`, `customers`: who could not be judged. within: the time in words.
    journey: the journey that the customers were judged in.
    """

    labels: pd.Series
    probabilities: pd.DataFrame
    known_at: pd.Series
    left_out: pd.DataFrame
    within: str | None
    journey: Journey

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the journey's stages."""
        return self.journey.stage_names

    def by_stage(self) -> pd.DataFrame:
        """Index `stage`, no column: personas are formed before most stages are reached, and do not describe a single
        stage."""
        return pd.DataFrame(index=pd.Index(self.stages, name="stage"))

    def grouping(self) -> Grouping:
        """The personas as groups for other findings, each label known from entry + `within` on."""
        return Grouping(name="persona", labels=self.labels, known_at=self.known_at)


def labelled(landmark: Landmark, customers: pd.Index, probabilities: np.ndarray, ids: list[str]) -> dict[str, Any]:
    """The fields of Labelled that say who is which persona, by `probabilities` (customers, personas)."""
    entered = landmark.entries.set_index("customer_id")["entered"]
    labels = np.array(ids, dtype=object)[largest_of_rows(probabilities)]
    return {
        "labels": pd.Series(labels, index=customers, name="persona"),
        "probabilities": pd.DataFrame(probabilities, index=customers, columns=ids),
        "known_at": (entered + landmark.length).reindex(customers).rename("known_at"),
        "left_out": landmark.left_out,
        "within": landmark.within,
    }


def nobody() -> dict[str, Any]:
    """The fields of Labelled that say who is which persona, where nobody is any."""
    nobody = pd.Index([], dtype=object, name="customer_id")
    return {
        "labels": pd.Series([], index=nobody, dtype=object, name="persona"),
        "probabilities": pd.DataFrame(index=nobody),
        "known_at": pd.Series([], index=nobody, dtype="datetime64[us, UTC]", name="known_at"),
    }


def shares_table(ids: Sequence[str], names: Sequence[str], probabilities: np.ndarray) -> pd.DataFrame:
    """One row per persona with the columns of `SHARES`; limits are Wilson's."""
    n, customers = np.bincount(largest_of_rows(probabilities), minlength=len(ids)), len(probabilities)
    lower, upper = wilson(n, customers)
    columns = (ids, names, n, customers, n / customers, lower, upper, certainty(probabilities))
    return pd.DataFrame(dict(zip(SHARES, columns, strict=True))).astype(SHARES)


def reasons_in_words(left_out: pd.DataFrame) -> str:
    """How many were left out for which reason: “12 never in the journey, 3 lost within 30 days”."""
    rows = left_out[left_out["customers"] > 0].itertuples()
    return ", ".join(f"{row.customers:,} {row.reason}" for row in rows) or "nobody"


def landmark_in_words(within: str | timedelta) -> str:
    """A duration in days: “30 days”.

    >>> landmark_in_words("2w")
    '14 days'
    """
    return in_days(durations.days(within))


def check_window(within: str | timedelta, window: Window) -> None:
    """Raise EstimateError if nobody can be watched for `within` in `window`."""
    if durations.days(within) > window.days:
        raise EstimateError(
            f"Personas from the first {landmark_in_words(within)} were asked for, but the window is "
            f"{window.days:g} days long. Ask for a shorter `within`, or widen the window."
        )


def account_numbers(table: pd.DataFrame, customers: pd.Index, accounts: str | None) -> np.ndarray:
    """(customers,) the number of each customer's account, from the column `accounts` of `table` (index customer_id), or
    by default from the column `account` if there is one.

    Without a column, or without an account, a customer is an account of its own. Raises EstimateError if there is no
    such column.
    """
    alone = np.arange(len(customers))
    if accounts is None and ACCOUNT not in table.columns:
        return alone
    accounts = accounts or ACCOUNT
    if accounts not in table.columns:
        raise EstimateError(
            f"The customers have no attribute “{accounts}” that could say whose account each is. "
            f"{did_you_mean(accounts, [str(column) for column in table.columns])}"
        )
    codes = pd.factorize(table[accounts].reindex(customers))[0]
    return np.unique(np.where(codes >= 0, codes, len(customers) + alone), return_inverse=True)[1]
