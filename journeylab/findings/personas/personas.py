"""The personas of a log, and how they are found."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import charts, durations, html
from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.estimators.latent_class import MAX_ROWS, Encoding, LatentClass, certainty
from journeylab.events.features import Features, find_features
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.finding import Finding, Grouping
from journeylab.findings.personas.card import Cards, PersonaCard, generated_name
from journeylab.findings.personas.landmark import Landmark, check_window
from journeylab.findings.personas.profile import profile, sets_apart
from journeylab.findings.personas.scan import Scan

UNPROVEN = "not proven yet: stability has not been tested"
NO_STRUCTURE = "no structure found: one kind of customer"


@dataclass(frozen=True)
class Personas(Finding):
    """Kinds of customer, by what each did within a time from entering the journey.

    table: DataFrame `persona` (P1 the largest), `name`, `n` (customers assigned to it), `customers` (all who were
        judged, the base), `share` with its 95% interval `lower`, `upper`, and `certainty` (their mean probability of
        belonging to it).
    labels: Series customer_id -> persona. probabilities: DataFrame, customer_id by persona; rows sum to 1.
    verdicts: DataFrame `persona`, `verdict`, `n`, `certainty`: what is proven of each.
    scan: DataFrame, one row per number of personas tried; see `scan.Scan`.
    left_out: DataFrame `reason`, `customers`: who could not be judged.
    profiles: DataFrame, each persona's features beside the other customers'; see `profile.profile`.
    unused: DataFrame `column`, `reason`: attributes that were no feature.
    known_at: Series customer_id -> the landmark, entry + `within`.
    within: that time in words. stages: names of the journey's stages.
    model, encoding: what assigns a customer.
    """

    labels: pd.Series
    probabilities: pd.DataFrame
    verdicts: pd.DataFrame
    scan: pd.DataFrame
    left_out: pd.DataFrame
    profiles: pd.DataFrame
    unused: pd.DataFrame
    known_at: pd.Series
    within: str
    stages: tuple[str, ...]
    model: LatentClass
    encoding: Encoding

    def sentence(self) -> str:
        """How many personas, each with share, interval and base, and whether they are proven."""
        customers = f"{len(self.labels):,} customers"
        if len(self.table) == 1:
            return (
                f"No structure found: by their first {self.within} these {customers} are one kind of customer, "
                "more or less active."
            )
        shares = "; ".join(
            f"{row.persona} ({row.name}) {row.share:.0%} of {customers} ({row.lower:.0%} to {row.upper:.0%})"
            for row in self.table.itertuples(index=False, name="Row")
        )
        return f"{len(self.table)} personas by the first {self.within}: {shares}. {UNPROVEN[0].upper()}{UNPROVEN[1:]}."

    def by_stage(self) -> pd.DataFrame:
        """Index `stage`, no column: personas are formed before most stages are reached and say nothing of a single
        one."""
        return pd.DataFrame(index=pd.Index(self.stages, name="stage"))

    def cards(self) -> Cards:
        """One short card per persona, the largest first."""
        rows = zip(self.table.itertuples(index=False), self.verdicts["verdict"], strict=True)
        return Cards(tuple(self._card(row, verdict) for row, verdict in rows))

    def grouping(self) -> Grouping:
        """The personas as groups for other findings, each label known from entry + `within` on."""
        return Grouping(name="persona", labels=self.labels, known_at=self.known_at)

    def plot(self, ax=None) -> charts.Chart:
        """What sets the personas apart: Cliff's delta of each persona to the other customers, for the features with
        most."""
        apart = [sets_apart(self.profiles, persona, at_most=3) for persona in self.table["persona"]]
        features = list(dict.fromkeys(pd.concat(apart)["feature"]))
        shown = self.profiles[self.profiles["feature"].isin(features)]
        title = f"What sets the personas apart: Cliff's delta (first {self.within})"
        if not features:
            return charts.tiles(
                self.table.assign(feature="share"),
                row="feature",
                column="persona",
                value="share",
                title="No structure found",
                alt=self.sentence(),
                ax=ax,
            )
        shown = shown.set_index("feature").loc[features].reset_index()
        told = "; ".join(
            f"{row.persona}: {row.feature} {row.delta:+.2f}" for each in apart for row in each.head(3).itertuples()
        )
        return charts.tiles(
            shown.assign(text=[f"{delta:+.2f}" for delta in shown["delta"]]),
            row="feature",
            column="persona",
            value="delta",
            text="text",
            centre=0.0,
            title=title,
            alt=f"{title} of each to the other customers, from -1 to 1. {told}.",
            ax=ax,
        )

    def plot_scan(self, ax=None) -> charts.Chart:
        """How well each number of personas describes the customers (lower is better); the chosen number is marked."""
        curves = self.scan.melt(
            id_vars="personas", value_vars=["bic", "adjusted_bic"], var_name="criterion", value_name="score"
        )
        curves["criterion"] = curves["criterion"].map({"bic": "BIC", "adjusted_bic": "adjusted BIC"})
        curves["score"] -= curves.groupby("criterion")["score"].transform("first")
        told = ", ".join(
            f"{row.personas}: {row.score:,.0f}" for row in curves[curves["criterion"] == "BIC"].itertuples()
        )
        chosen = len(self.table)
        return charts.lines(
            curves,
            x="personas",
            y="score",
            by="criterion",
            mark=chosen,
            x_label="Number of personas",
            y_label="Difference to one persona (lower is better)",
            title="How many personas?",
            alt=f"BIC less that of one persona, by number of personas. {told}. Chosen: {chosen}.",
            ax=ax,
        )

    def _card(self, row, verdict: str) -> PersonaCard:
        apart = sets_apart(self.profiles, row.persona)
        return PersonaCard(
            persona=row.persona,
            name=row.name,
            n=row.n,
            customers=row.customers,
            share=row.share,
            lower=row.lower,
            upper=row.upper,
            certainty=row.certainty,
            apart=apart,
            verdict=verdict,
        )

    def _repr_html_(self) -> str:
        verdicts = html.table(self.verdicts, caption="Verdicts", csv=False)
        left_out = html.table(self.left_out, caption="Left out", csv=False)
        return html.card(self.title, html.paragraph(self.sentence()), html.table(self.table), verdicts, left_out)


def find_personas(
    log: EventLog,
    journey: Journey,
    *,
    within: str | timedelta,
    seed: int,
    features: pd.DataFrame | None = None,
    max_personas: int = 8,
) -> Personas:
    """The personas of `log`'s customers, by what each did within `within` from entering `journey`.

    within: the time from entering, as “30d”. Only customers who entered in the window, were watched that long and were
        not lost by then are judged; `left_out` counts the others. Nothing later than entry + `within` is used.
    features: further features by customer, with when each became known; see `journeylab.events.features.find_features`.
    max_personas: the largest number tried. The number is chosen by BIC; one is a legal answer.

    Raises EstimateError if `within` is longer than the window, if fewer than 30 customers can be judged, if a feature
    was known only later, or if `max_personas` is less than 1.
    """
    if max_personas < 1:
        raise EstimateError(f"At most “{max_personas}” personas were asked for. Ask for 1 or more.")
    check_window(within, log.window)
    return _personas(
        log, find_spells(log, journey), within=within, seed=seed, extra=features, max_personas=max_personas
    )


def _personas(
    log: EventLog,
    spells: Spells,
    *,
    within: str | timedelta,
    seed: int,
    extra: pd.DataFrame | None,
    max_personas: int,
) -> Personas:
    landmark = Landmark.of(log, spells, within)
    features = find_features(log, landmark.entries, within=within, milestones=_openers(spells.journey), extra=extra)
    scan = Scan.of(features, max_personas=max_personas, seed=seed)
    ids = [f"P{number}" for number in range(1, scan.model.n_classes + 1)]
    probabilities = pd.DataFrame(scan.probabilities, index=features.customers, columns=ids)
    labels = scan.probabilities.argmax(axis=1)
    profiles = profile(features, labels, ids, rows=_sample(features, seed))
    table = _table(scan.probabilities, ids, profiles)
    verdict = NO_STRUCTURE if len(ids) == 1 else UNPROVEN
    entered = landmark.entries.set_index("customer_id")["entered"]
    return Personas(
        title=f"Personas by the first {landmark.within}",
        table=table,
        labels=pd.Series(np.array(ids, dtype=object)[labels], index=features.customers, name="persona"),
        probabilities=probabilities,
        verdicts=table[["persona", "n", "certainty"]].assign(verdict=verdict)[["persona", "verdict", "n", "certainty"]],
        scan=scan.table,
        left_out=landmark.left_out,
        profiles=profiles,
        unused=features.unused,
        known_at=(entered + pd.Timedelta(durations.microseconds(within), unit="us")).rename("known_at"),
        within=landmark.within,
        stages=tuple(stage.name for stage in spells.journey.stages),
        model=scan.model,
        encoding=scan.encoding,
    )


def _openers(journey: Journey) -> tuple[str, ...]:
    """Names of the events that open a stage."""
    conditions = [each for stage in journey.stages for each in (*stage.opened_by, *stage.reopened_by)]
    events = [(each.event,) if isinstance(each.event, str) else each.event for each in conditions]
    return tuple(sorted({event for several in events for event in several}))


def _sample(features: Features, seed: int) -> np.ndarray:
    n = len(features.customers)
    if n <= MAX_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=MAX_ROWS, replace=False))


def _table(probabilities: np.ndarray, ids: list[str], profiles: pd.DataFrame) -> pd.DataFrame:
    n = np.bincount(probabilities.argmax(axis=1), minlength=len(ids))
    lower, upper = wilson(n, len(probabilities))
    names = [generated_name(sets_apart(profiles, persona)) for persona in ids] if len(ids) > 1 else ["All customers"]
    return pd.DataFrame(
        {
            "persona": ids,
            "name": names,
            "n": n,
            "customers": len(probabilities),
            "share": n / len(probabilities),
            "lower": lower,
            "upper": upper,
            "certainty": certainty(probabilities),
        }
    )
