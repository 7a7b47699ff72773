"""Building cards: which persona gets a card, and which of its parts can the data fill?"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.base.redaction import Redactor
from journeylab.base.tables import table_of
from journeylab.base.words import listed
from journeylab.events.log import EventLog
from journeylab.events.queries.people import find_names, find_roles
from journeylab.events.queries.texts import find_texts, has_texts
from journeylab.events.spells import Spells
from journeylab.findings.personas.cards import tables
from journeylab.findings.personas.cards.card import LOSSES, NO_PERSONA, ONE_KIND, WITHHELD, CardHead, Cards, PersonaCard
from journeylab.findings.personas.cards.course import EVERYONE, STAYING, Course
from journeylab.findings.personas.description import Description, sets_apart
from journeylab.findings.personas.landmark import MIN_JUDGED, Labelled
from journeylab.findings.personas.notes import EVIDENCE
from journeylab.findings.personas.number import REPEATABLE
from journeylab.findings.personas.proof import MERGED, Proof
from journeylab.findings.quotes import MIN_WRITERS, Quotes, find_quotes

MIN_ACCOUNTS, N_QUOTES = 10, 3
WHY = "Why these customers behave as they do: the log shows what they did, not what they wanted."
UNTESTED = "Whether the same persona would be found in other customers: stability has not been tested."
NO_ROLES = "Not measured: the log does not name roles by the landmark."


@dataclass(frozen=True)
class _Observed:
    """What spells and log add; None where they were not given, or lack it. no_roles: why there are no roles."""

    course: Course | None
    roles: pd.DataFrame | None = None
    no_roles: str = tables.NO_LOG
    accounts: pd.DataFrame | None = None
    quotes: dict[str, Quotes] | None = None

    @classmethod
    def of(cls, personas: Labelled, log: EventLog | None, course: Course | None, *, seed: int) -> "_Observed":
        labels = personas.labels
        if log is None or labels.empty:
            return cls(course)
        roles = find_roles(log, until=personas.known_at)
        accounts = tables.accounts_in(log.customers, labels)
        return cls(
            course=course,
            roles=None if roles is None else tables.roles_by_persona(roles, labels),
            no_roles=NO_ROLES,
            accounts=None if accounts is None else tables.personas_by_account(accounts, labels),
            quotes=_quotes(log, personas, seed) if has_texts(log) else None,
        )


def build_cards(
    personas: Labelled,
    description: Description,
    proof: Proof,
    *,
    log: EventLog | None = None,
    spells: Spells | None = None,
    horizon: str | timedelta | None = None,
    working_names: Collection[str] = (),
) -> Cards:
    """A card for each persona with 30 customers or more, and, where customers are people of accounts, 10 accounts;
    none where there is one kind of customer. `working_names`: ids of the personas that nobody has named yet.

    Raises EstimateError where spells are given without a horizon, or a horizon without spells.
    """
    course = _course(personas, spells, horizon)
    if len(personas.table) < 2:
        return Cards((), lacking=ONE_KIND if len(personas.table) else NO_PERSONA)
    observed = _Observed.of(personas, log, course, seed=proof.seed or 0)
    cards, withheld = [], []
    for row in personas.table.itertuples(index=False):
        why = _too_small(row, observed.accounts)
        if why:
            withheld.append((row.persona, why))
        else:
            is_working = row.persona in working_names
            cards.append(_card(personas, row, description, proof, observed, has_working_name=is_working))
    return Cards(tuple(cards), table_of(withheld, WITHHELD), tuple(_unknown(personas, proof, cards)))


def _course(personas: Labelled, spells: Spells | None, horizon: str | timedelta | None) -> Course | None:
    if spells is None and horizon is not None:
        raise EstimateError(f"A horizon of “{horizon}” is given, but no spells to find losses in. Give spells too.")
    if spells is None:
        return None
    if horizon is None:
        raise EstimateError(
            "Spells are given, but not how far to look for losses. Name a horizon, such as horizon=“90d”."
        )
    return Course.of(personas.grouping(), spells, horizon=horizon)


def _too_small(row, accounts: pd.DataFrame | None) -> str | None:
    if row.n < MIN_JUDGED:
        return f"it has {row.n} customers, and {MIN_JUDGED} are needed"
    if accounts is None:
        return None
    own = accounts[(accounts["persona"] == row.persona) & (accounts["also"] != row.persona)]
    n_accounts = int(own["accounts"].iloc[0]) if len(own) else 0
    return f"it is found in {n_accounts} accounts, and {MIN_ACCOUNTS} are needed" if n_accounts < MIN_ACCOUNTS else None


def _quotes(log: EventLog, personas: Labelled, seed: int) -> dict[str, Quotes]:
    """Quotes of each persona, from the first days where enough wrote in them; else from the whole window."""
    labels, redactor = personas.labels, Redactor.of(find_names(log.customers))

    def quotes_of(persona: str, texts: pd.DataFrame) -> Quotes:
        return find_quotes(texts[texts["group"] == persona], n=N_QUOTES, seed=seed, names=redactor)

    first = find_texts(log, labels, seed=seed, until=personas.known_at)
    quotes = {persona: quotes_of(persona, first) for persona in sorted(labels.unique())}
    lacking = [persona for persona, found in quotes.items() if found.lacking]
    if lacking:
        whole = find_texts(log, labels[labels.isin(lacking)], seed=seed)
        quotes |= {persona: quotes_of(persona, whole) for persona in lacking}
    return quotes


def _card(
    personas: Labelled, row, description: Description, proof: Proof, observed: _Observed, *, has_working_name: bool
) -> PersonaCard:
    persona, course = row.persona, observed.course
    notes = tables.rows_of(description.notes, persona)
    quotes = observed.quotes[persona] if observed.quotes else None
    parts = (
        tables.rule_part(description.rules, persona),
        tables.exemplar_part(description.exemplars, persona),
        *tables.course_parts(course, persona, personas.stages),
        tables.channels_part(description.profiles, persona),
        tables.roles_part(observed.roles, persona, lacking=observed.no_roles, within=personas.within),
        *tables.accounts_part(observed.accounts, persona),
    )
    staying = table_of((), STAYING) if course is None else course.staying
    verdict = proof.by_persona.set_index("persona")["verdict"][persona]
    return PersonaCard(
        CardHead(**row._asdict(), verdict=verdict, has_working_name=has_working_name),
        apart=sets_apart(description.profiles, persona),
        parts=parts,
        staying=staying[staying["persona"].isin([persona, EVERYONE])].reset_index(drop=True),
        quotes=quotes,
        notes=notes,
    )


def _unknown(personas: Labelled, proof: Proof, cards: Sequence[PersonaCard]) -> Iterator[str]:
    """What the cards cannot say, most important first, each once."""
    if not proof.by_persona["jaccard"].notna().any():
        yield UNTESTED
    elif REPEATABLE in proof.by_persona["verdict"].tolist():
        yield MERGED
    yield WHY
    left_out = int(personas.left_out["customers"].sum())
    if left_out:
        yield f"What the {left_out:,} customers are like who could not be judged by their first {personas.within}."
    losses = [part.table for card in cards for part in card.parts if part.title == LOSSES and "estimate" in part.table]
    if any(np.isfinite(table["estimate"]).any() for table in losses):
        yield "What makes the losses differ between personas: the two are associated, which is not a cause."
    silent = [card.persona for card in cards if card.quotes is None or card.quotes.lacking]
    if silent:
        yield f"What {_who(silent, cards)} say: fewer than {MIN_WRITERS} of them wrote anything that may be quoted."
    unasked = [card.persona for card in cards if not (card.notes["kind"] == EVIDENCE).any()]
    if unasked:
        yield f"Whether {_who(unasked, cards)} would recognise themselves: no interview is noted in personas.yml."


def _who(personas: Sequence[str], cards: Sequence[PersonaCard]) -> str:
    return "they" if len(personas) == len(cards) else listed(personas)
