"""Which of the known personas are new customers, by the old definition, and what did they do that it does not know?"""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.tables import table_of
from journeylab.base.words import counted, listed
from journeylab.estimators.latent_class import Encoding, LatentClass
from journeylab.events.features import FeaturePlan, apply_plan, unseen_table
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.landmark import (
    LEFT_OUT,
    SHARES,
    Labelled,
    Landmark,
    check_window,
    labelled,
    nobody,
    shares_table,
)
from journeylab.findings.personas.scan import observe

ASSIGNED = {**SHARES, "share_when_found": float}
_TITLE = "Customers by the personas found before"
_N_VALUES = 3


@dataclass(frozen=True)
class Definition:
    """What assigns a customer to a persona.

    Attributes
    ----------
    model : LatentClass
        The mixture; its classes are the personas, in the order of their table.
    encoding : Encoding
        How features become the counts that the model sees.
    plan : FeaturePlan
        Which features, and within which time from entering.
    """

    model: LatentClass
    encoding: Encoding
    plan: FeaturePlan


@dataclass(frozen=True)
class Assignment(Labelled):
    """Customers of a log, each with the one of the known personas that they are most like.

    Attributes
    ----------
    table : DataFrame
        One row per persona, in the order in which they were found, also those that nobody is: `persona`, `name`, `n`,
        `customers` (all who were assigned), `share` with its 95% interval `lower`, `upper` (Wilson), `certainty` (mean
        probability of the persona among its customers), `share_when_found`.
    labels : Series
        customer_id -> persona.
    probabilities : DataFrame
        customer_id by persona; rows sum to 1.
    known_at : Series
        customer_id -> the landmark, entry + `within`.
    left_out : DataFrame
        `reason`, `customers`: who could not be judged.
    unseen : DataFrame
        `feature`, `value`, `n`, `of`, `unit`: what these customers did or are that was unseen when the personas were
        found. It counts for no persona. Value None: the log lacks the feature as a whole.
    within : str or None
        The time from entering, in words.
    """

    unseen: pd.DataFrame

    def sentence(self) -> str:
        """Each persona's share with interval and base, and what was unseen."""
        if self.lacking:
            return self.lacking
        shares = "; ".join(
            f"{row.persona} ({row.name}) {row.share:.0%} ({row.lower:.0%} to {row.upper:.0%})"
            for row in self.table.itertuples(index=False, name="Row")
        )
        base = f"{counted(len(self.labels), 'customer')} by the personas found before"
        return " ".join([f"{base}: {shares}.", *self._unseen_in_words()])

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

    def _unseen_in_words(self) -> list[str]:
        """The most frequent unseen values in a sentence, and the features that the log lacks in another."""
        is_value, sentences = self.unseen["value"].notna(), []
        values = self.unseen[is_value].sort_values("n", ascending=False, kind="stable")
        missing = [f"“{name}”" for name in self.unseen.loc[~is_value, "feature"]]
        if len(values):
            words = [_unseen_value(row) for row in values.head(_N_VALUES).itertuples(index=False)]
            more = [counted(len(values) - _N_VALUES, "further value")] if len(values) > _N_VALUES else []
            sentences.append(f"Unseen when the personas were found, and left aside: {listed([*words, *more])}.")
        if missing:
            sentences.append(f"This log lacks {listed(missing)}, which the personas were found with.")
        return sentences

    def _repr_html_(self) -> str:
        unseen = html.table(self.unseen, caption="Unseen when the personas were found", csv=False)
        left_out = html.table(self.left_out, caption="Left out", csv=False)
        tables = [html.table(self.table), *([unseen] if len(self.unseen) else []), left_out]
        return self._card(html.paragraph(self.sentence()), *tables)


def nobody_assigned(journey: Journey, why: str, log: EventLog, landmark: Landmark | None = None) -> Assignment:
    """Nobody of `log` was assigned, and `why`."""
    return Assignment(
        title=_TITLE,
        table=table_of((), ASSIGNED),
        lacking=why,
        period=log.window,
        **nobody(),
        left_out=table_of((), LEFT_OUT) if landmark is None else landmark.left_out,
        within=None if landmark is None else landmark.within,
        journey=journey,
        unseen=unseen_table([]),
    )


def assign(
    definition: Definition,
    table: pd.DataFrame,
    log: EventLog,
    spells: Spells | None = None,
    *,
    journey: Journey,
    features: pd.DataFrame | None = None,
) -> Assignment:
    """The customers of `log` by the personas of `table`, in `journey`; see `Personas.assign`."""
    within = timedelta(microseconds=definition.plan.within)
    check_window(within, log.window)
    spells = spells or find_spells(log, journey)
    landmark = Landmark.of(log, spells, within)
    if landmark.entries.empty:
        why = (
            f"Nobody to assign: none of {counted(landmark.customers, 'customer')} can be judged by their first "
            f"{landmark.within} (left out: {landmark.reasons}). Widen the window."
        )
        return nobody_assigned(journey, why, log, landmark)
    described = apply_plan(definition.plan, log, landmark.entries, spells=spells, extra=features)
    probabilities = definition.model.probabilities(definition.encoding.encode(observe(described)))
    ids = table["persona"].tolist()
    shares = shares_table(ids, table["name"].tolist(), probabilities)
    return Assignment(
        title=f"{_TITLE} (first {landmark.within})",
        table=shares.assign(share_when_found=table["share"].to_numpy()),
        period=log.window,
        **labelled(landmark, described.customers, probabilities, ids),
        journey=journey,
        unseen=described.unseen,
    )


def _unseen_value(row) -> str:
    """As “12 events with event “x””."""
    what = f"“{row.value}”" if row.feature == "event" else f"with {row.feature} “{row.value}”"
    return f"{counted(row.n, row.unit.removesuffix('s'))} {what}"
