"""Which of the known personas are new customers, by the old definition, and what did they do that it does not know?"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.ordering import largest_of_rows
from journeylab.base.words import counted, listed
from journeylab.estimators.intervals import wilson
from journeylab.estimators.latent_class import Encoding, LatentClass, certainty
from journeylab.events.features import FeaturePlan, Features, apply_plan, unseen_table
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.findings.personas.landmark import Landmark, check_window
from journeylab.findings.personas.scan import observe

COLUMNS = {
    **dict.fromkeys(("persona", "name"), object),
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("share", "lower", "upper", "certainty", "share_when_found"), float),
}
_TOLD = 3


@dataclass(frozen=True)
class Definition:
    """What makes personas, and is needed to assign further customers; see `personas.Personas` for the fields."""

    table: pd.DataFrame
    lacking: str | None
    journey: Journey
    model: LatentClass | None
    encoding: Encoding | None
    plan: FeaturePlan | None
    within: str | None


@dataclass(frozen=True)
class Assignment(Finding):
    """Customers of a log, each with the one of the known personas that they are most like.

    table: DataFrame, one row per persona, in the order in which they were found, those of nobody too: `persona`,
        `name`, `n`, `customers` (all who were assigned), `share` with its 95% interval `lower`, `upper` (Wilson),
        `certainty` (mean probability of the persona among its customers), `share_when_found`.
    labels: Series customer_id -> persona. probabilities: DataFrame, customer_id by persona; rows sum to 1.
    known_at: Series customer_id -> the landmark, entry + `within`.
    left_out: DataFrame `reason`, `customers`: who could not be judged.
    unseen: DataFrame `feature`, `value`, `n`, `of`, `unit`: what these customers did or are that was unseen when the
        personas were found. It counts for no persona. Value None: the log lacks the feature as a whole.
    within: the time in words. stages: names of the journey's stages.
    """

    labels: pd.Series
    probabilities: pd.DataFrame
    known_at: pd.Series
    left_out: pd.DataFrame
    unseen: pd.DataFrame
    within: str | None
    stages: tuple[str, ...]

    def sentence(self) -> str:
        """Each persona's share with interval and base, and what was unseen."""
        if self.lacking:
            return self.lacking
        shares = "; ".join(
            f"{row.persona} ({row.name}) {row.share:.0%} ({row.lower:.0%} to {row.upper:.0%})"
            for row in self.table.itertuples(index=False, name="Row")
        )
        base = f"{counted(len(self.labels), 'customer')} by the personas found before"
        return " ".join([f"{base}: {shares}.", *self._told_unseen()])

    def by_stage(self) -> pd.DataFrame:
        """Index `stage`, no column: personas say nothing of a single stage."""
        return pd.DataFrame(index=pd.Index(self.stages, name="stage"))

    def grouping(self) -> Grouping:
        """The personas as groups for other findings, each label known from entry + `within` on."""
        return Grouping(name="persona", labels=self.labels, known_at=self.known_at)

    def plot(self, ax=None) -> charts.Chart:
        """The share of each persona with its interval."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        return charts.intervals(
            self.table.assign(label=self.table["persona"] + " · " + self.table["name"]),
            label="label",
            x="share",
            lower="lower",
            upper="upper",
            x_label=f"Share of {counted(len(self.labels), 'customer')}, 95% interval",
            title=self.title,
            alt=self.sentence(),
            percent=True,
            ax=ax,
        )

    def _told_unseen(self) -> list[str]:
        """The unseen values that are most, in a sentence, and the features that the log lacks, in another."""
        values = self.unseen[self.unseen["value"].notna()].sort_values("n", ascending=False, kind="stable")
        lacking = [f"“{name}”" for name in self.unseen.loc[self.unseen["value"].isna(), "feature"]]
        told = [_unseen(row) for row in values.head(_TOLD).itertuples(index=False)]
        more = [counted(len(values) - _TOLD, "further value")] if len(values) > _TOLD else []
        found = []
        if told:
            found.append(f"Unseen when the personas were found, and left aside: {listed([*told, *more])}.")
        if lacking:
            found.append(f"This log lacks {listed(lacking)}, which the personas were found with.")
        return found

    def _repr_html_(self) -> str:
        unseen = html.table(self.unseen, caption="Unseen when the personas were found", csv=False)
        left_out = html.table(self.left_out, caption="Left out", csv=False)
        shown = [html.table(self.table), *([unseen] if len(self.unseen) else []), left_out]
        return self._card(html.paragraph(self.sentence()), *shown)


def assign(
    definition: Definition, log: EventLog, *, spells: Spells | None = None, extra: pd.DataFrame | None = None
) -> Assignment:
    """See `Personas.assign`."""
    if definition.model is None or definition.encoding is None or definition.plan is None:
        return _nobody(
            definition, f"No personas to assign: {definition.lacking.removeprefix('No personas: ')}", period=log.window
        )
    within = timedelta(microseconds=definition.plan.within)
    check_window(within, log.window)
    spells = spells or find_spells(log, definition.journey)
    landmark = Landmark.of(log, spells, within)
    if landmark.entries.empty:
        return _nobody(definition, _why_nobody(landmark), left_out=landmark.left_out, period=log.window)
    features = apply_plan(definition.plan, log, landmark.entries, spells=spells, extra=extra)
    probabilities = definition.model.probabilities(definition.encoding.encode(observe(features)))
    return _assignment(definition, features, probabilities, landmark, period=log.window)


def _assignment(
    definition: Definition, features: Features, probabilities: np.ndarray, landmark: Landmark, *, period: Window
) -> Assignment:
    ids, labels = definition.table["persona"].tolist(), largest_of_rows(probabilities)
    entered = landmark.entries.set_index("customer_id")["entered"]
    known_at = entered + pd.Timedelta(definition.plan.within, unit="us")
    return Assignment(
        title=f"Customers by the personas found before (first {landmark.within})",
        period=period,
        table=_table(definition.table, probabilities),
        labels=pd.Series(np.array(ids, dtype=object)[labels], index=features.customers, name="persona"),
        probabilities=pd.DataFrame(probabilities, index=features.customers, columns=ids),
        known_at=known_at.reindex(features.customers).rename("known_at"),
        left_out=landmark.left_out,
        unseen=features.unseen,
        within=landmark.within,
        stages=definition.journey.stage_names,
    )


def _table(found: pd.DataFrame, probabilities: np.ndarray) -> pd.DataFrame:
    n = np.bincount(largest_of_rows(probabilities), minlength=len(found))
    lower, upper = wilson(n, len(probabilities))
    table = pd.DataFrame(
        {
            "persona": found["persona"].to_numpy(),
            "name": found["name"].to_numpy(),
            "n": n,
            "customers": len(probabilities),
            "share": n / len(probabilities),
            "lower": lower,
            "upper": upper,
            "certainty": certainty(probabilities),
            "share_when_found": found["share"].to_numpy(),
        }
    )
    return table.astype(COLUMNS)


def _nobody(definition: Definition, why: str, *, left_out: pd.DataFrame | None = None, period: Window) -> Assignment:
    nobody = pd.Index([], dtype=object, name="customer_id")
    none = pd.DataFrame({"reason": [], "customers": []}).astype({"reason": object, "customers": int})
    return Assignment(
        title="Customers by the personas found before",
        table=pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS),
        lacking=why,
        period=period,
        labels=pd.Series([], index=nobody, dtype=object, name="persona"),
        probabilities=pd.DataFrame(index=nobody),
        known_at=pd.Series([], index=nobody, dtype="datetime64[us, UTC]", name="known_at"),
        left_out=none if left_out is None else left_out,
        unseen=unseen_table([]),
        within=definition.within,
        stages=definition.journey.stage_names,
    )


def _why_nobody(landmark: Landmark) -> str:
    reasons = landmark.left_out[landmark.left_out["customers"] > 0].itertuples()
    why = ", ".join(f"{row.customers:,} {row.reason}" for row in reasons) or "the log holds nobody"
    return (
        f"Nobody to assign: none of {counted(landmark.customers, 'customer')} can be judged by their first "
        f"{landmark.within} (left out: {why}). Widen the window."
    )


def _unseen(row) -> str:
    """As “12 events with event “x””."""
    unit = row.unit.removesuffix("s")
    what = f"“{row.value}”" if row.feature == "event" else f"with {row.feature} “{row.value}”"
    return f"{counted(row.n, unit)} {what}"
