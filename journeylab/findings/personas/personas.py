"""Personas: which kinds of customer were found, what sets each apart, and if there are none, why?"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from journeylab.base import charts, html
from journeylab.estimators.latent_class import Encoding, LatentClass
from journeylab.events.journey import Journey
from journeylab.findings.finding import Finding, Grouping
from journeylab.findings.personas.card import Cards, PersonaCard
from journeylab.findings.personas.profile import COLUMNS as PROFILED
from journeylab.findings.personas.profile import sets_apart
from journeylab.findings.personas.scan import COLUMNS as SCANNED

UNPROVEN = "not proven yet: stability has not been tested"
NO_STRUCTURE = "no structure found: one kind of customer"
_TABLE = {
    **dict.fromkeys(("persona", "name"), object),
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("share", "lower", "upper", "certainty"), float),
}
_VERDICTS = {"persona": object, "verdict": object, "n": int, "certainty": float}
_LEFT_OUT = {"reason": object, "customers": int}
_UNUSED = {"column": object, "reason": object}


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
    within: that time in words; None where it was not decided. stages: names of the journey's stages.
    model, encoding: what assigns a customer; None where there is no persona.

    There may be no persona: see `none`.
    """

    labels: pd.Series
    probabilities: pd.DataFrame
    verdicts: pd.DataFrame
    scan: pd.DataFrame
    left_out: pd.DataFrame
    profiles: pd.DataFrame
    unused: pd.DataFrame
    known_at: pd.Series
    within: str | None
    stages: tuple[str, ...]
    model: LatentClass | None
    encoding: Encoding | None

    @classmethod
    def none(
        cls, journey: Journey, why: str, *, within: str | None = None, left_out: pd.DataFrame | None = None
    ) -> "Personas":
        """No persona, and `why`, which ends the sentence “No personas: ...”; nobody has a label."""
        nobody = pd.Index([], dtype=object, name="customer_id")
        return cls(
            title=f"Personas by the first {within}" if within else "Personas",
            table=_no_rows(_TABLE),
            lacking=f"No personas: {why}",
            labels=pd.Series([], index=nobody, dtype=object, name="persona"),
            probabilities=pd.DataFrame(index=nobody),
            verdicts=_no_rows(_VERDICTS),
            scan=_no_rows(SCANNED),
            left_out=_no_rows(_LEFT_OUT) if left_out is None else left_out,
            profiles=pd.DataFrame(columns=PROFILED),
            unused=_no_rows(_UNUSED),
            known_at=pd.Series([], index=nobody, dtype="datetime64[us, UTC]", name="known_at"),
            within=within,
            stages=journey.stage_names,
            model=None,
            encoding=None,
        )

    def sentence(self) -> str:
        """How many personas, each with share, interval and base, and whether they are proven."""
        if self.lacking:
            return self.lacking
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
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
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
        if self.lacking:
            return charts.note(self.lacking, title="How many personas?", ax=ax)
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


def _no_rows(columns: Mapping[str, type]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns)).astype(dict(columns))
