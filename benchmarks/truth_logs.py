"""Made-up visits whose end is known, though the log does not show it: two stages, returns, frailty, a late stage.

Customers come on whole days, some before the window. Each has a pace of their own (gamma, mean 1) that all their visits
share. From “trial” they move on to “using” or are lost; from “using” they move on to “expert”, which opens late in the
window, finish, or are lost; many of the lost come back. Nearly all have left “trial” long before the last horizon.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from journeylab.events.journey import Journey
from journeylab.events.log import Window
from journeylab.events.spells import COLUMNS, Spells

START, END, LATE_FROM = pd.Timestamp("2025-01-01", tz="UTC"), 240.0, 200.0
FIRST_ENTRIES, AWAY = (-40.0, 170.0), 12.0
STAGES = ("trial", "using", "expert", "done")
# Of the visits to each stage: the rate of leaving, and the shares that leave by each way.
RATES = {"trial": 1 / 14, "using": 1 / 30, "expert": 1 / 40}
WAYS = {
    "trial": {"using": 0.4, "price": 0.35, "rival": 0.25},
    "using": {"expert": 0.35, "price": 0.2, "rival": 0.45},
    "expert": {"done": 0.5, "rival": 0.5},
}
TIED = WAYS | {"trial": {"using": 0.4, "price": 0.3, "rival": 0.3}}
JOURNEY = Journey.model_validate(
    {
        "journeylab": 1,
        "name": "made up",
        "goal": "Know the truth",
        "stages": [
            {"name": name, "opened_by": [{"event": f"to_{name}"}], "completes": name == "done"} for name in STAGES
        ],
        "loss_branches": [{"name": name, "when": {"event": f"lost_to_{name}"}} for name in ("price", "rival")],
    }
)


@dataclass(frozen=True)
class MadeUp:
    """Visits as they truly end: `customer`, `stage`, `entered`, `left` (days since the window's start), `to`."""

    visits: pd.DataFrame

    @classmethod
    def of(
        cls, n_customers: int, *, seed: int, frailty: float = 0.7, comes_back: float = 0.5, ways: dict | None = None
    ) -> "MadeUp":
        """The visits of so many customers that began before the window's end."""
        random, ways = np.random.default_rng([seed, n_customers]), ways or WAYS
        pace = random.gamma(1 / frailty, frailty, n_customers)
        customer, entered = np.arange(n_customers), np.ceil(random.uniform(*FIRST_ENTRIES, n_customers))
        stage, parts = np.full(n_customers, "trial", object), []
        while len(customer):
            rate = pd.Series(stage).map(RATES).to_numpy(float) * pace[customer]
            left = entered + np.ceil(random.exponential(1 / rate))
            to = np.array([random.choice(list(ways[name]), p=list(ways[name].values())) for name in stage], object)
            to = np.where((to == "expert") & (left < LATE_FROM), "done", to)
            columns = {"customer": customer, "stage": stage, "entered": entered, "left": left, "to": to}
            parts.append(pd.DataFrame(columns))
            is_lost = np.isin(to, ("price", "rival"))
            entered = np.where(is_lost, left + np.ceil(random.exponential(AWAY, len(left))), left)
            stage = np.where(is_lost, stage, to)
            goes_on = np.where(is_lost, random.random(len(left)) < comes_back, to != "done") & (entered < END)
            customer, entered, stage = customer[goes_on], entered[goes_on], stage[goes_on]
        return cls(pd.concat(parts, ignore_index=True).sort_values(["customer", "entered"], ignore_index=True))

    @property
    def begun(self) -> pd.DataFrame:
        """The visits that began within the window, with the `days` that they last."""
        visits = self.visits[self.visits["entered"] >= 0]
        return visits.assign(days=visits["left"] - visits["entered"])

    def lost_visits(self, day: float) -> pd.Series:
        """How many visits of the log are truly lost within `day` days, by stage and branch."""
        visits = self.visits[self.visits["left"] > 0]
        is_lost = visits["to"].isin(("price", "rival")) & (visits["left"] - visits["entered"] <= day)
        return visits[is_lost].groupby(["stage", "to"]).size()

    def seen(self, day: float) -> pd.DataFrame:
        """How many `visits` and `customers` were seen to be lost within `day` days, by stage and branch."""
        visits = self.visits[(self.visits["left"] > 0) & (self.visits["left"] < END)]
        is_lost = visits["to"].isin(("price", "rival")) & (visits["left"] - visits["entered"] <= day)
        lost = visits[is_lost].groupby(["stage", "to"])["customer"]
        return pd.DataFrame({"visits": lost.size(), "customers": lost.nunique()})

    def spells(self) -> Spells:
        """What the log shows of them: those that were running in the window, cut at its end."""
        visits = self.visits[(self.visits["left"] > 0) & (self.visits["entered"] < END)]
        is_ongoing = (visits["left"] >= END).to_numpy()
        is_lost = visits["to"].isin(("price", "rival")).to_numpy()
        outcome = np.where(is_lost, "lost", np.where(visits["to"] == "done", "completed", "advanced"))
        cut = visits[["entered", "left"]].clip(upper=END)
        entered, left = (START + pd.to_timedelta(cut[name], unit="D") for name in cut)
        table = pd.DataFrame(
            {
                "customer_id": visits["customer"].map("c{:05}".format),
                "spell": visits.groupby("customer").cumcount() + 1,
                "stage": visits["stage"],
                "entered": entered,
                "left": left,
                "observed_from": entered.clip(lower=START),
                "days": cut["left"] - cut["entered"],
                "outcome": np.where(is_ongoing, "ongoing", outcome),
                "to": np.where(is_ongoing, None, visits["to"]),
            }
        )
        window = Window(START, START + pd.Timedelta(days=END))
        arrow = pa.Table.from_pandas(table.reindex(columns=list(COLUMNS)), preserve_index=False)
        return Spells(arrow, JOURNEY, window, pd.DataFrame(index=pd.Index(table["customer_id"].unique())))


def names(n_customers: int) -> np.ndarray:
    """The customers of a `MadeUp`, in order."""
    return np.array([f"c{number:05}" for number in range(n_customers)], object)
