"""Personas: which kinds of customer were found, what sets each apart, and if there are none, why?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from journeylab.base import charts, html
from journeylab.estimators.latent_class import Encoding, LatentClass
from journeylab.events.features import FeaturePlan
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.findings.personas.assign import Assignment, Definition, assign
from journeylab.findings.personas.cards import Cards, Material, build_cards
from journeylab.findings.personas.exemplar import no_exemplars
from journeylab.findings.personas.figures import FOUND_AGAIN, HOW_MANY, apart_figure, proof_figure, scan_figure
from journeylab.findings.personas.file import write_fields
from journeylab.findings.personas.notes import PersonaNotes, no_notes, read_persona_notes
from journeylab.findings.personas.number import STRUCTURE
from journeylab.findings.personas.profile import COLUMNS as PROFILED
from journeylab.findings.personas.proof import PROOF, VERDICTS
from journeylab.findings.personas.rules import no_rules
from journeylab.findings.personas.scan import COLUMNS as SCANNED
from journeylab.findings.personas.scan import SECOND_OPINION
from journeylab.findings.personas.sentences import no_structure_sentence, personas_sentence

_TABLE = {
    **dict.fromkeys(("persona", "name"), object),
    **dict.fromkeys(("n", "customers"), int),
    **dict.fromkeys(("share", "lower", "upper", "certainty"), float),
}
_LEFT_OUT = {"reason": object, "customers": int}
_UNUSED = {"column": object, "reason": object}


@dataclass(frozen=True)
class Personas(Finding):
    """Kinds of customer, by what each did within a time from entering the journey.

    table: DataFrame `persona` (P1 the largest), `name`, `n` (customers assigned to it), `customers` (all who were
        judged, the base), `share` with its 95% interval `lower`, `upper`, and `certainty` (their mean probability of
        belonging to it).
    labels: Series customer_id -> persona. probabilities: DataFrame, customer_id by persona; rows sum to 1.
    verdicts: DataFrame `persona`, `verdict`, `n`, `certainty`, `jaccard`, `lower`, `upper`: the proof in short.
    proof: DataFrame, one row per persona: `persona`; `verdict` (see `verdicts`); `n`; `jaccard`, the mean Jaccard
        coefficient with its like in resampled customers, with its 95% interval `lower`, `upper` over the `replicates`;
        `split_half`, the mean Jaccard coefficient of two halves of the customers; `certainty`; `dependence`, the
        largest correlation left between two variables within the persona, those two as `dependent`, and the share of
        pairs of variables with one beyond chance, `dependent_pairs`. n and certainty are of all customers, the rest
        of at most 5,000.
    structure: DataFrame, one row per null model that was tried: `null` in words; `statistic`; `personas`, how many
        gained; their gain `observed`, beside those from nothing, their mean `expected` and 95% quantile `upper`; `p`;
        `replicates`, fewer than were asked for where the answer was clear before, none where nothing was gained (p is
        then missing); `is_beyond` (a gain, and p of at most .05).
    second_opinion: DataFrame `method`, `personas`, `agreement` (adjusted Rand index), `n`: a plainer method beside it.
    seed: of the search.
    scan: DataFrame, one row per number of personas tried; see `scan.Scan`.
    left_out: DataFrame `reason`, `customers`: who could not be judged.
    profiles: DataFrame, each persona's features beside the other customers'; see `profile.profile`.
    unused: DataFrame `column`, `reason`: attributes that were no feature.
    known_at: Series customer_id -> the landmark, entry + `within`.
    rules: DataFrame, the best plain rule of each persona, how right it is; see `rules.find_rules`.
    exemplars: DataFrame `persona`, `feature`, `value`: a typical customer in rounded numbers; see `exemplar`.
    notes: DataFrame `persona`, `kind` (note, evidence), `text`, `source`, `date`: what people wrote; see `named`.
    within: that time in words; None where it was not decided. stages: names of the journey's stages.
    model, encoding, plan: what assigns a customer; None where there is no persona. plan: which features; see
        `journeylab.events.features.FeaturePlan`.
    journey: the journey that the customers were judged in.

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
    rules: pd.DataFrame = field(default_factory=no_rules, kw_only=True)
    exemplars: pd.DataFrame = field(default_factory=no_exemplars, kw_only=True)
    notes: pd.DataFrame = field(default_factory=no_notes, kw_only=True)
    proof: pd.DataFrame = field(default_factory=lambda: _no_rows(PROOF), kw_only=True)
    structure: pd.DataFrame = field(default_factory=lambda: _no_rows(STRUCTURE), kw_only=True)
    second_opinion: pd.DataFrame = field(default_factory=lambda: _no_rows(SECOND_OPINION), kw_only=True)
    seed: int | None = field(default=None, kw_only=True)
    journey: Journey = field(kw_only=True)
    plan: FeaturePlan | None = field(default=None, kw_only=True)

    @classmethod
    def none(
        cls,
        journey: Journey,
        why: str,
        *,
        within: str | None = None,
        left_out: pd.DataFrame | None = None,
        period: Window | None = None,
    ) -> "Personas":
        """No persona, and `why`, which ends the sentence “No personas: ...”; nobody has a label."""
        nobody = pd.Index([], dtype=object, name="customer_id")
        return cls(
            title=f"Personas by the first {within}" if within else "Personas",
            table=_no_rows(_TABLE),
            lacking=f"No personas: {why}",
            period=period,
            labels=pd.Series([], index=nobody, dtype=object, name="persona"),
            probabilities=pd.DataFrame(index=nobody),
            verdicts=_no_rows(VERDICTS),
            scan=_no_rows(SCANNED),
            left_out=_no_rows(_LEFT_OUT) if left_out is None else left_out,
            profiles=pd.DataFrame(columns=PROFILED),
            unused=_no_rows(_UNUSED),
            known_at=pd.Series([], index=nobody, dtype="datetime64[us, UTC]", name="known_at"),
            within=within,
            stages=journey.stage_names,
            model=None,
            encoding=None,
            journey=journey,
        )

    def sentence(self) -> str:
        """How many personas, each with share, interval and base, and what is proven of each."""
        if self.lacking:
            return self.lacking
        if len(self.table) == 1:
            return no_structure_sentence(self.table, self.structure, within=self.within)
        return personas_sentence(self.table, self.proof, within=self.within)

    def by_stage(self) -> pd.DataFrame:
        """Index `stage`, no column: personas are formed before most stages are reached and say nothing of a single
        one."""
        return pd.DataFrame(index=pd.Index(self.stages, name="stage"))

    def cards(
        self,
        spells: Spells | None = None,
        log: EventLog | None = None,
        *,
        horizon: str | timedelta | None = None,
    ) -> Cards:
        """A card for each persona of 30 customers or more, the largest first.

        spells: tell the typical journey, and from the landmark on the time in each stage and the losses within
            `horizon` (“90d”), which must be given with them.
        log: tells the roles seen in each account and quotes: what customers wrote by the landmark, or, where fewer than
            five of a persona did, at any time in the window; redacted, and only with consent where the log or the
            customers' table has a column `consent`. Where the customers' table has a column `account` that several
            customers share, a card also says which personas are found in one account, and is left out for a persona
            found in fewer than 10.

        Raises EstimateError where of spells and horizon only one is given.
        """
        names = ("table", "verdicts", "profiles", "rules", "exemplars", "notes", "left_out", "within", "stages")
        material = Material(
            **{name: getattr(self, name) for name in names},
            grouping=self.grouping(),
            seed=self.seed or 0,
            is_tested="jaccard" in self.verdicts and self.verdicts["jaccard"].notna().any(),
        )
        return build_cards(material, spells=spells, log=log, horizon=horizon)

    def named(self, notes: PersonaNotes | str | Path | Mapping[str, Any]) -> "Personas":
        """The same personas with the names, notes and evidence of `notes`: a personas.yml, or a mapping like it.

        Ids stay as they are, and personas that are not named keep the generated name. Where there is no persona,
        nothing changes. Raises StudyError as `read_notes` does, and for an id that no persona has, by line.
        """
        read = notes if isinstance(notes, PersonaNotes) else read_persona_notes(notes)
        if self.lacking:
            return self
        read.check(self.table["persona"])
        names = self.table["persona"].map(read.names()).fillna(self.table["name"]).astype(object)
        return replace(self, table=self.table.assign(name=names), notes=read.table())

    def grouping(self) -> Grouping:
        """The personas as groups for other findings, each label known from entry + `within` on."""
        return Grouping(name="persona", labels=self.labels, known_at=self.known_at)

    def assign(
        self, log: EventLog, *, spells: Spells | None = None, features: pd.DataFrame | None = None
    ) -> Assignment:
        """Which of these personas are the customers of another log, by their own first days?

        Nothing is learned from `log`: model, features and their names are those that these personas were found with.
        What these customers do that the first ones never did counts for no persona and is told in `unseen`. Who entered
        in the window, was watched that long and not lost by then is assigned, however few; `left_out` counts the
        others.

        spells: of `log`; without them they are found with the journey of these personas. They say who entered when.
        features: further features, as for `find_personas`.

        Raises EstimateError if `log`'s window is shorter than the time, or if a feature was known only later.
        """
        described = Definition(
            self.table, self.lacking, self.journey, self.model, self.encoding, self.plan, within=self.within
        )
        return assign(described, log, spells=spells, extra=features)

    def write(self, path: str | Path, *, customers: Literal["kept", "left out"] = "kept") -> Path:
        """Write the personas to `path` (`*.persona.json`), in one step; `read_personas` gives the same, but for the
        period, which the file does not hold. Returns the path.

        customers: “kept” writes each customer's id, label, probabilities and landmark, so that the file is as personal
            as the log, and belongs beside it. “left out” writes none of them: such a file describes the personas and
            assigns further customers, but names nobody. Values of attributes and names of events are in both.
        """
        known = {name: value for name, value in vars(self).items() if name != "period"}
        return write_fields(path, known, customers=customers)

    def plot(self, ax=None) -> charts.Chart:
        """What sets the personas apart: Cliff's delta of each persona to the other customers, for the features with
        most."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        return apart_figure(self.table, self.profiles, within=self.within, sentence=self.sentence(), ax=ax)

    def plot_scan(self, ax=None) -> charts.Chart:
        """How well each number of personas describes the customers (lower is better); the chosen number is marked."""
        return charts.note(self.lacking, title=HOW_MANY, ax=ax) if self.lacking else scan_figure(self.scan, ax)

    def plot_proof(self, ax=None) -> charts.Chart:
        """How far each persona is found again in resampled customers, with intervals, beside what solid ones reach."""
        return charts.note(self.lacking, title=FOUND_AGAIN, ax=ax) if self.lacking else proof_figure(self.proof, ax)

    def _repr_html_(self) -> str:
        proven = (
            html.table(self.proof, caption="What is proven of each", csv=False),
            html.table(self.structure, caption="More than chance?", csv=False),
            html.table(self.second_opinion, caption="A second opinion", csv=False),
        )
        left_out = html.table(self.left_out, caption="Left out", csv=False)
        return self._card(html.paragraph(self.sentence()), html.table(self.table), *proven, left_out)


def _no_rows(columns: Mapping[str, type]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns)).astype(dict(columns))
