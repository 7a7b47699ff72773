"""Personas: which kinds of customer were found, what sets each apart, and if there are none, why?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.tables import table_of
from journeylab.base.words import listed
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells
from journeylab.findings.personas.assign import Assignment, Definition, assign, nobody_assigned
from journeylab.findings.personas.cards import Cards, build_cards
from journeylab.findings.personas.description import Description
from journeylab.findings.personas.figures import (
    FOUND_AGAIN,
    HOW_MANY,
    ONE_KIND_AGAIN,
    apart_figure,
    proof_figure,
    scan_figure,
)
from journeylab.findings.personas.file import Customers, write_fields
from journeylab.findings.personas.landmark import LEFT_OUT, SHARES, Labelled, nobody, reasons_in_words
from journeylab.findings.personas.names import unique_names
from journeylab.findings.personas.notes import PersonaNotes, read_persona_notes
from journeylab.findings.personas.number import ONE_CLOUD, REPEATABLE
from journeylab.findings.personas.proof import MERGED, Proof

UNUSED = {"column": object, "reason": object}


@dataclass(frozen=True)
class Personas(Labelled):
    """Kinds of customer, by what each did within a time from entering the journey.

    There may be no persona; then `lacking` says why.

    Attributes
    ----------
    table : DataFrame
        One row per persona: `persona` (P1 the largest), `name`, `n` (customers assigned to it), `customers` (all who
        were judged, the base), `share` with its 95% interval `lower`, `upper` (Wilson), and `certainty` (their mean
        probability of the persona).
    labels : Series
        customer_id -> persona.
    probabilities : DataFrame
        customer_id by persona; rows sum to 1.
    known_at : Series
        customer_id -> the landmark, entry + `within`.
    left_out : DataFrame
        `reason`, `customers`: who could not be judged.
    within : str or None
        The time from entering, in words; None where it was not decided.
    journey : Journey
        The journey that the customers were judged in.
    definition : Definition or None
        What assigns a customer; None where there is no persona.
    proof : Proof
        How the number was chosen, and what is proven of each: `verdicts`, `by_persona`, `structure`, `scan`,
        `second_opinion`.
    description : Description
        What sets each apart: `profiles`, `rules`, `exemplars`, and the `notes` that people wrote.
    unused : DataFrame
        `column`, `reason`: attributes that were no feature.
    given_names : tuple of str
        Ids of the personas that people named; the other names are working names. A file of personas does not hold it.
    """

    definition: Definition | None
    proof: Proof
    description: Description
    unused: pd.DataFrame = field(default_factory=lambda: table_of((), UNUSED))
    given_names: tuple[str, ...] = ()

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
        return cls(
            title=f"Personas by the first {within}" if within else "Personas",
            table=table_of((), SHARES),
            lacking=f"No personas: {why}",
            period=period,
            **nobody(),
            left_out=table_of((), LEFT_OUT) if left_out is None else left_out,
            within=within,
            journey=journey,
            definition=None,
            proof=Proof(),
            description=Description(),
        )

    @property
    def has_kinds(self) -> bool:
        """Whether there are several personas: not none, and not one kind of customer only."""
        return len(self.table) > 1

    @property
    def working_names(self) -> tuple[str, ...]:
        """Ids of the personas whose name nobody has given yet."""
        return tuple(persona for persona in self.table["persona"] if persona not in self.given_names)

    def sentence(self) -> str:
        """How many personas, each with share, interval and base; what is proven of each; who was not judged, why."""
        if self.lacking:
            return self.lacking
        one_kind = not self.has_kinds
        said = no_structure_sentence(self.table, self.proof.structure, within=self.within) if one_kind else self._kinds
        return " ".join([*filter(None, [self.proof.floor]), said, self._judged])

    @property
    def _judged(self) -> str:
        n_out, n = int(self.left_out["customers"].sum()), int(self.table["customers"].iloc[0])
        if not n_out:
            return f"All {n:,} customers are judged."
        return f"{n:,} of {n + n_out:,} customers are judged; left out: {reasons_in_words(self.left_out)}."

    @property
    def _kinds(self) -> str:
        customers = f"{self.table['customers'].iloc[0]:,} customers"
        shares = "; ".join(
            f"{row.persona} ({row.name}) {row.share:.0%} of {customers} ({row.lower:.0%} to {row.upper:.0%})"
            for row in self.table.itertuples(index=False, name="Row")
        )
        kinds = f"{len(self.table)} personas by the first {self.within}: {shares}, given these personas."
        opinion = self.proof.second_opinion_in_words()
        return " ".join([kinds, _proven(self.proof.by_persona), *filter(None, [opinion])])

    def who_in_words(self) -> str:
        """The personas by name, each with its share, in one short sentence."""
        if self.lacking or not self.has_kinds:
            return "Customers are of one kind, as far as their first days show." if not self.lacking else self.lacking
        shares = [f"{row.name} ({row.share:.0%})" for row in self.table.itertuples(index=False, name="Row")]
        return f"{'; '.join(shares)}."

    def names_in_words(self) -> str:
        """Which names nobody has given yet, if any."""
        ids = self.working_names if self.has_kinds else ()
        names = "has a working name" if len(ids) == 1 else "have working names"
        return f"{listed(ids)} {names}, to be changed in personas.yml." if ids else ""

    def cards(
        self, log: EventLog | None = None, spells: Spells | None = None, *, horizon: str | timedelta | None = None
    ) -> Cards:
        """A card for each persona of 30 customers or more, the largest first; none where one kind of customer was seen.

        Parameters
        ----------
        log : EventLog, optional
            Gives the roles seen in each account, and quotes: what customers wrote by the landmark, or, where fewer than
            five of a persona did, at any time in the window; redacted, and only with consent where the log or the
            customers' table has a column `consent`. Where the customers' table has a column `account` that several
            customers share, a card also says which personas are found in one account, and a persona found in fewer than
            10 has no card.
        spells : Spells, optional
            Give the typical journey, and from the landmark on the time in each stage and the losses.
        horizon : str or timedelta, optional
            How long after the landmark losses are counted, as “90d”; must be given with `spells`.

        Returns
        -------
        Cards

        Raises
        ------
        EstimateError
            Where only one of `spells` and `horizon` is given.
        """
        names = self.working_names
        return build_cards(
            self, self.description, self.proof, log=log, spells=spells, horizon=horizon, working_names=names
        )

    def named(self, notes: PersonaNotes | str | Path | Mapping[str, Any], *, gone: Iterable[str] = ()) -> "Personas":
        """The same personas with the names, notes and evidence of `notes`.

        Parameters
        ----------
        notes : str, Path, mapping or PersonaNotes
            A personas.yml, or a mapping like it. Ids stay as they are, and personas that are not named keep the
            working name. Where there is no persona, nothing changes.
        gone : iterable of str
            Ids of personas that were there once: what `notes` say of them is passed over.

        Raises
        ------
        StudyError
            With every problem by line: what is no such file, and an id that no persona has.
        """
        read = notes if isinstance(notes, PersonaNotes) else read_persona_notes(notes)
        if self.lacking:
            return self
        ids, given = self.table["persona"].tolist(), read.names()
        read.check(ids, gone=gone)
        names = [given.get(persona, name) for persona, name in zip(ids, self.table["name"], strict=True)]
        table = self.table.assign(name=unique_names(names, ids, first=given)).astype({"name": object})
        written = read.table()
        description = replace(self.description, notes=written[written["persona"].isin(ids)].reset_index(drop=True))
        return replace(self, table=table, description=description, given_names=tuple(given))

    def assign(
        self, log: EventLog, spells: Spells | None = None, *, features: pd.DataFrame | None = None
    ) -> Assignment:
        """Give each customer of another log the persona that they are most like, by their own first days.

        Nothing is learned from `log`: model, features and their names are those that these personas were found with.
        What these customers do that the first ones never did counts for no persona; it is listed in `unseen`. Who
        entered in the window, was watched that long and neither lost nor done by then is assigned, however few they
        are; `left_out` counts the others.

        Parameters
        ----------
        log : EventLog
        spells : Spells, optional
            Of `log`: who entered when. Without them they are found with the journey of these personas.
        features : DataFrame, optional
            Further features, as for `find_personas`.

        Returns
        -------
        Assignment

        Raises
        ------
        EstimateError
            If the window of `log` is shorter than the time from entering, or if a feature was known only later.
        """
        if self.definition is None:
            why = f"No personas to assign: {str(self.lacking).removeprefix('No personas: ')}"
            return nobody_assigned(self.journey, why, log)
        return assign(self.definition, self.table, log, spells, journey=self.journey, features=features)

    def write(self, path: str | Path, *, customers: Customers = "kept") -> Path:
        """Write the personas to a file, in one step; `read_personas` gives the same, except the period.

        Parameters
        ----------
        path : str or Path
            The file, `*.persona.json`.
        customers : {"kept", "left out"}
            “kept” writes each customer's id, label, probabilities and landmark: the file is as personal as the log, and
            belongs beside it. “left out” writes none of them: such a file describes the personas and assigns further
            customers, but names nobody. Values of attributes and names of events are in both.

        Returns
        -------
        Path
            The path of the file.
        """
        return write_fields(path, vars(self), customers=customers)

    def plot(self, ax=None) -> charts.Chart:
        """What sets the personas apart: Cliff's delta of each persona to the other customers, for the features that
        differ most."""
        if not self.has_kinds:
            return charts.note(self.sentence(), title=self.title, ax=ax)
        profiles = self.description.profiles
        return apart_figure(self.table, profiles, within=self.within, sentence=self.sentence(), ax=ax)

    def plot_scan(self, ax=None) -> charts.Chart:
        """How well each number of personas describes the customers (lower is better); the chosen number is marked."""
        if self.lacking:
            return charts.note(self.lacking, title=HOW_MANY, ax=ax)
        return scan_figure(self.proof.scan, ax)

    def plot_proof(self, ax=None) -> charts.Chart:
        """How reliably each persona is found again in resampled customers, with the middle 90% of the replicates;
        repeatable ones reach .75."""
        if not self.has_kinds:
            return charts.note(self.lacking or ONE_KIND_AGAIN, title=FOUND_AGAIN, ax=ax)
        return proof_figure(self.proof.by_persona, ax)

    def _repr_html_(self) -> str:
        tables = {
            "What is proven of each": self.proof.by_persona,
            "More than one continuous cloud?": self.proof.structure,
            "A second opinion": self.proof.second_opinion,
            "Left out": self.left_out,
        }
        details = [html.table(table, caption=caption, csv=False) for caption, table in tables.items()]
        return self._card(html.paragraph(self.sentence()), html.table(self.table), *details)


def no_structure_sentence(table: pd.DataFrame, structure: pd.DataFrame, *, within: str | None) -> str:
    """There is one kind of customer, and this is what a split would have gained."""
    customers = f"{table['customers'].iloc[0]:,} customers"
    one_kind = (
        f"No structure found: by their first {within} these {customers} are one kind of customer, more or less active."
    )
    if structure.empty:
        return one_kind
    row = structure.iloc[0]
    if row["is_beyond"]:
        return f"{one_kind} The kinds tried have too few customers, or were not found again in resampled ones."
    split = f"{one_kind} To split them into {row['personas']} kinds"
    if row["observed"] <= 0:
        return f"{split} leaves more customers between the kinds than it describes better."
    if not row["replicates"]:
        return f"{split} describes them hardly better: they gain {row['observed']:.2f} of the 0.2 that are needed."
    return f"{split} describes them no better than it does customers who are {ONE_CLOUD} (p {row['p_in_words']})."


def _proven(proof: pd.DataFrame) -> str:
    n = int(proof["replicates"].iloc[0])
    if not n:
        verdict = proof["verdict"].iloc[0]
        return f"{verdict[0].upper()}{verdict[1:]}."
    verdicts = ", ".join(
        f"{row.persona} {row.verdict} ({row.jaccard:.2f}, {row.lower:.2f} to {row.upper:.2f})"
        for row in proof.itertuples(index=False, name="Row")
    )
    merged = f" {MERGED}" if (proof["verdict"] == REPEATABLE).any() else ""
    return (
        f"Found again in resampled customers (mean Jaccard coefficient, and the middle 90% of {n} replicates): "
        f"{verdicts}.{merged}"
    )
