"""Building cards: which persona gets a card, and which of its parts can the data tell?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.base.redaction import Redactor
from journeylab.events.log import EventLog
from journeylab.events.queries.people import find_names, find_roles
from journeylab.events.queries.texts import find_texts, has_texts
from journeylab.events.spells import Spells
from journeylab.findings.grouping import Grouping
from journeylab.findings.personas.cards import tables
from journeylab.findings.personas.cards.card import Cards, PersonaCard
from journeylab.findings.personas.cards.course import EVERYONE, Course
from journeylab.findings.personas.cards.people import accounts_in, personas_by_account, roles_by_persona
from journeylab.findings.personas.landmark import MIN_JUDGED
from journeylab.findings.personas.profile import sets_apart
from journeylab.findings.quotes import MIN_WRITERS, Quotes, find_quotes

MIN_ACCOUNTS, N_QUOTES = 10, 3
WHY = "Why these customers behave as they do: the log shows what they did, not what they wanted."
UNTESTED = "Whether the same persona would be found in other customers: stability has not been tested."


@dataclass(frozen=True)
class Material:
    """What cards are made from: the tables of `Personas`, see there.

    seed: of all that is drawn, where texts are many. is_tested: whether stability was.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    profiles: pd.DataFrame
    rules: pd.DataFrame
    exemplars: pd.DataFrame
    notes: pd.DataFrame
    left_out: pd.DataFrame
    grouping: Grouping
    within: str | None
    stages: tuple[str, ...]
    seed: int
    is_tested: bool


@dataclass(frozen=True)
class _Known:
    """What spells and log tell beyond that; None where they were not given, or cannot tell."""

    course: Course | None
    roles: pd.DataFrame | None
    no_roles: str
    accounts: pd.DataFrame | None
    quotes: dict[str, Quotes] | None


def build_cards(
    personas: Material, *, spells: Spells | None, log: EventLog | None, horizon: str | timedelta | None
) -> Cards:
    """A card for each persona with 30 customers or more, and, where customers are people of accounts, 10 accounts.

    Raises EstimateError where spells are given without a horizon, or a horizon without spells.
    """
    if spells is not None and horizon is None:
        raise EstimateError(
            "Spells are given, but not how far to look for losses. Name a horizon, such as horizon=“90d”."
        )
    if spells is None and horizon is not None:
        raise EstimateError(f"A horizon of “{horizon}” is given, but no spells to find losses in. Give spells too.")
    known = _known(personas, spells, log, horizon)
    cards, withheld = [], []
    for row in personas.table.itertuples(index=False):
        why = _too_small(row, known.accounts)
        if why:
            withheld.append((row.persona, why))
        else:
            cards.append(_card(personas, row, known))
    return Cards(tuple(cards), pd.DataFrame(withheld, columns=["persona", "reason"], dtype=object))


def _too_small(row, accounts: pd.DataFrame | None) -> str | None:
    if row.n < MIN_JUDGED:
        return f"it has {row.n} customers, and {MIN_JUDGED} are needed"
    if accounts is None:
        return None
    own = accounts[(accounts["persona"] == row.persona) & (accounts["also"] != row.persona)]
    n_accounts = int(own["accounts"].iloc[0]) if len(own) else 0
    return f"it is found in {n_accounts} accounts, and {MIN_ACCOUNTS} are needed" if n_accounts < MIN_ACCOUNTS else None


def _known(personas: Material, spells: Spells | None, log: EventLog | None, horizon: str | timedelta | None) -> _Known:
    grouping = personas.grouping
    course = None if spells is None else Course.of(grouping, spells, horizon=horizon)
    if log is None or grouping.labels.empty:
        return _Known(course, None, tables.NO_LOG, None, None)
    roles = find_roles(log, until=grouping.known_at)
    accounts = accounts_in(log.customers, grouping.labels)
    return _Known(
        course=course,
        roles=None if roles is None else roles_by_persona(roles, grouping.labels),
        no_roles="Not measured: the log does not name roles by the landmark.",
        accounts=None if accounts is None else personas_by_account(accounts, grouping.labels),
        quotes=_quotes(log, grouping, personas.seed) if has_texts(log) else None,
    )


def _quotes(log: EventLog, grouping: Grouping, seed: int) -> dict[str, Quotes]:
    """Quotes of each persona, from the first days where enough wrote in them; else from the whole window."""
    redactor = Redactor.of(find_names(log.customers))
    first = find_texts(log, grouping.labels, seed=seed, until=grouping.known_at)
    found = {persona: _of(first, persona, redactor, seed) for persona in sorted(grouping.labels.unique())}
    lacking = [persona for persona, quotes in found.items() if quotes.lacking]
    if lacking:
        later = find_texts(log, grouping.labels[grouping.labels.isin(lacking)], seed=seed)
        found |= {persona: _of(later, persona, redactor, seed) for persona in lacking}
    return found


def _of(texts: pd.DataFrame, persona: str, redactor: Redactor, seed: int) -> Quotes:
    return find_quotes(texts[texts["group"] == persona], n=N_QUOTES, seed=seed, names=redactor)


def _card(personas: Material, row, known: _Known) -> PersonaCard:
    persona, verdicts = row.persona, personas.verdicts.set_index("persona")["verdict"]
    staying = None if known.course is None else known.course.staying
    own_notes = personas.notes[personas.notes["persona"] == persona].drop(columns="persona").reset_index(drop=True)
    built = {
        "rule": tables.rule_part(personas.rules, persona),
        "exemplar": tables.exemplar_part(personas.exemplars, persona),
        "path": tables.path_part(known.course, persona),
        "stages": tables.stages_part(known.course, persona, personas.stages),
        "losses": tables.losses_part(known.course, persona),
        "channels": tables.channels_part(personas.profiles, persona),
        "roles": tables.roles_part(known.roles, persona, lacking=known.no_roles, within=personas.within),
        "accounts": tables.accounts_part(known.accounts, persona),
        "quotes": known.quotes[persona] if known.quotes else None,
    }
    if staying is not None:
        built["staying"] = staying[staying["persona"].isin([persona, EVERYONE])].reset_index(drop=True)
    return PersonaCard(
        **{
            name: getattr(row, name)
            for name in ("persona", "name", "n", "customers", "share", "lower", "upper", "certainty")
        },
        apart=sets_apart(personas.profiles, persona),
        verdict=verdicts[persona],
        notes=own_notes,
        unknown=tuple(_unknown(personas, built, own_notes)),
        **built,
    )


def _unknown(personas: Material, built: dict, notes: pd.DataFrame) -> Iterator[str]:
    """What the card cannot tell, most important first."""
    if not personas.is_tested:
        yield UNTESTED
    yield WHY
    left_out = int(personas.left_out["customers"].sum())
    if left_out:
        yield f"What the {left_out:,} customers are like who could not be judged by their first {personas.within}."
    lost = built["losses"]
    if "estimate" in lost.table and np.isfinite(lost.table["estimate"]).any():
        yield "What makes the losses differ between personas: the two are associated, which is not a cause."
    if built["quotes"] is None or built["quotes"].lacking:
        yield f"What they say: fewer than {MIN_WRITERS} of them wrote anything that may be quoted."
    if not (notes["kind"] == "evidence").any():
        yield "Whether they would recognise themselves: no interview is noted in personas.yml."
