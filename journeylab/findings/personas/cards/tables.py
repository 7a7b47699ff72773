"""Parts of a card: what does each table say of one persona, in a sentence or two?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import ordered
from journeylab.base.words import counted, in_days, listed, percent
from journeylab.findings.personas.cards.card import CardPart
from journeylab.findings.personas.cards.course import ANY_BRANCH, EVERYONE, OTHER_WAYS, Course
from journeylab.findings.personas.cards.people import ALONE
from journeylab.findings.personas.rules import rule_in_words

NO_SPELLS = "Not told: no spells were given."
NO_LOG = "Not told: no log was given."


def rule_part(rules: pd.DataFrame, persona: str) -> CardPart:
    """By which plain conditions the persona can be told."""
    own = rules[rules["persona"] == persona].reset_index(drop=True)
    if own.empty:
        return CardPart("Who they are", "There is nobody else to tell them from.", own, is_told=False)
    return CardPart("Who they are", rule_in_words(own.iloc[0]), own)


def exemplar_part(exemplars: pd.DataFrame, persona: str) -> CardPart:
    """A typical customer, rounded."""
    own = exemplars.loc[exemplars["persona"] == persona, ["feature", "value"]].reset_index(drop=True)
    if own.empty:
        return CardPart("For example", "No customer is typical of them.", own, is_told=False)
    told = "; ".join(f"{row.feature.replace('_', ' ')} {row.value}" for row in own.itertuples())
    return CardPart("For example", f"One customer as typical as any, rounded: {told}.", own)


def path_part(course: Course | None, persona: str) -> CardPart:
    """The typical journey."""
    title = "Typical journey"
    if course is None:
        return CardPart(title, NO_SPELLS, is_told=False)
    own = course.paths[course.paths["persona"] == persona].drop(columns="persona").reset_index(drop=True)
    named = own[own["path"] != OTHER_WAYS]
    if named.empty:
        return CardPart(title, "No way through the journey was taken by five customers or more.", own, is_told=False)
    first, *others = (
        f"{row.path}, {percent(row.share)} ({percent(row.lower)} to {percent(row.upper)})" for row in named.itertuples()
    )
    base = counted(int(own["customers"].iloc[0]), "customer")
    then = f" Then: {'; '.join(others)}." if others else ""
    return CardPart(title, f"Most often, of {base} so far: {first}.{then}", own)


def stages_part(course: Course | None, persona: str, stages: Sequence[str]) -> CardPart:
    """Time in each stage, and losses by stage."""
    title = "Stage by stage"
    if course is None:
        return CardPart(title, NO_SPELLS, is_told=False)
    own = course.stages[course.stages["persona"] == persona].drop(columns="persona")
    own = own.sort_values("stage", key=lambda column: column.map(list(stages).index), ignore_index=True)
    if own.empty:
        return CardPart(title, "Nobody was in a stage from the landmark on.", own, is_told=False)
    within = in_days(course.horizon_days)
    shown = pd.DataFrame(
        {
            "stage": own["stage"],
            "days until half have left": [_days(row) for row in own.itertuples()],
            f"lost within {within}": [_interval(*each) for each in _columns(own, "lost", "lost_lower", "lost_upper")],
            "visits": ["–" if np.isnan(n) else f"{n:,.0f}" for n in own["visits"]],
            "note": own["note"],
        }
    )
    sentence = (
        "Days since entering the stage; who was inside at the landmark is watched from then on. "
        "Half have left by whichever way."
    )
    return CardPart(title, sentence, own, shown=_without_empty_notes(shown))


def losses_part(course: Course | None, persona: str) -> CardPart:
    """By which branches customers are lost from the landmark on."""
    title = "How they are lost"
    if course is None:
        return CardPart(title, NO_SPELLS, is_told=False)
    own = course.losses[course.losses["persona"] == persona].reset_index(drop=True)
    if own.empty:
        return CardPart(title, "Nobody can be lost: the journey names no way to be.", own, is_told=False)
    within, n = in_days(course.horizon_days), counted(int(own["customers"].iloc[0]), "customer")
    overall = own.iloc[0]
    if np.isnan(overall["estimate"]):
        why = f"How many are lost within {within} of the landmark cannot be told: {overall['note']}."
        return CardPart(title, why, own, is_told=False)
    pooled = course.losses[(course.losses["persona"] == EVERYONE) & (course.losses["branch"] == ANY_BRANCH)]
    beside = [f"; of everyone, {_interval(*each)}" for each in _columns(pooled) if np.isfinite(each[0])]
    branches = ordered(own[1:], "estimate").reset_index(drop=True)
    told = [
        f"{row.branch} {_interval(row.estimate, row.lower, row.upper)}"
        for row in branches.itertuples()
        if row.estimate > 0
    ]
    most = f" Most by {listed(told[:3])}." if told else ""
    lost = f"{_interval(*_columns(own)[0])} are lost within {within}{''.join(beside)}"
    shown = pd.DataFrame(
        {
            "branch": branches["branch"],
            f"lost within {within}": [_interval(*each) for each in _columns(branches)],
            "note": branches["note"],
        }
    )
    sentence = f"Of {n} followed from the landmark on, {lost}.{most}"
    return CardPart(title, sentence, own, shown=_without_empty_notes(shown))


def channels_part(profiles: pd.DataFrame, persona: str) -> CardPart:
    """Through which channels they meet us."""
    title = "Channels"
    own = profiles[(profiles["persona"] == persona) & (profiles["family"] == "channel")]
    own = ordered(own, "inside").reset_index(drop=True)
    if own.empty:
        return CardPart(title, "Not measured: the log does not name two channels or more.", own, is_told=False)
    table = own.assign(channel=own["feature"].str.removeprefix("channel: "))
    table = table[["channel", "inside", "others", "delta", "n", "n_others"]]
    told = "; ".join(
        f"{row.channel} {percent(row.inside, 0)} (others {percent(row.others, 0)})"
        for row in table.head(4).itertuples()
    )
    n = counted(int(table["n"].iloc[0]), "customer")
    return CardPart(title, f"Mean share of the events of {n} by the landmark: {told}.", table)


def roles_part(roles: pd.DataFrame | None, persona: str, *, lacking: str, within: str) -> CardPart:
    """Which roles their accounts show."""
    title = "Roles"
    if roles is None:
        return CardPart(title, lacking, is_told=False)
    own = roles[roles["persona"] == persona].drop(columns="persona").reset_index(drop=True)
    n = int(own["accounts"].iloc[0])
    told = [
        f"no {row.role} in {percent(1 - row.share)} of accounts ({percent(1 - row.upper)} to {percent(1 - row.lower)})"
        for row in own.itertuples()
        if np.isfinite(row.share) and row.share < 1
    ]
    shown = pd.DataFrame(
        {
            "role": own["role"],
            "seen in": [_interval(*each) for each in _columns(own, "share", "lower", "upper")],
            "people per account": ["–" if np.isnan(each) else f"{each:.1f}" for each in own["people"]],
            "note": own["note"],
        }
    )
    seen = "; ".join(told) if told else "every role in every account"
    return CardPart(
        title,
        f"Seen by the landmark ({within} after entering) in {n:,} accounts: {seen}.",
        own,
        shown=_without_empty_notes(shown),
    )


def accounts_part(accounts: pd.DataFrame | None, persona: str) -> CardPart | None:
    """In which accounts they are, and beside whom; None where customers are not people of accounts."""
    if accounts is None:
        return None
    own = accounts[accounts["persona"] == persona].drop(columns="persona").reset_index(drop=True)
    first, others = own.iloc[0], own[1:]
    told = [
        f"{'nobody of another' if row.also == ALONE else row.also} in {_interval(row.share, row.lower, row.upper)}"
        for row in others.itertuples()
        if np.isfinite(row.share) and row.share > 0
    ]
    found = f"Found in {_interval(*first[['share', 'lower', 'upper']])} of {first['accounts']:,} accounts."
    beside = f" Of these {others['accounts'].iloc[0]:,}, beside them: {'; '.join(told)}." if told else ""
    return CardPart("Accounts", found + beside, own)


def _without_empty_notes(shown: pd.DataFrame) -> pd.DataFrame:
    return shown if shown["note"].notna().any() else shown.drop(columns="note")


def _columns(rows: pd.DataFrame, *names: str) -> list[tuple]:
    return list(rows[list(names or ("estimate", "lower", "upper"))].itertuples(index=False, name=None))


def _interval(share: float, lower: float, upper: float) -> str:
    return f"{percent(share)} ({percent(lower)} to {percent(upper)})" if np.isfinite(share) else "–"


def _days(row) -> str:
    if np.isnan(row.median_days):
        return "–"
    upper = "not reached" if np.isnan(row.median_upper) else f"{row.median_upper:,.0f}"
    return f"{row.median_days:,.0f} ({row.median_lower:,.0f} to {upper})"
