"""Parts of a card: what does each table say of one persona, in a sentence or two? And who shares an account?"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from journeylab.base.ordering import ordered
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.tables import table_of
from journeylab.base.words import counted, in_days, in_one_unit, listed, percent
from journeylab.estimators.intervals import wilson
from journeylab.events.queries.people import KNOWN_ROLES
from journeylab.findings.personas.cards.card import LOSSES, CardPart
from journeylab.findings.personas.cards.course import ANY_BRANCH, EVERYONE, OTHER_WAYS, Course
from journeylab.findings.personas.landmark import ACCOUNT
from journeylab.findings.personas.rules import rule_in_words

NO_SPELLS = "Not measured: no spells were given."
NO_LOG = "Not measured: no log was given."
PATH, STAGES = "Typical journey", "Stage by stage"
ALONE = "no other"
_LIMITS = ("estimate", "lower", "upper")
_SHARE = dict.fromkeys(("share", "lower", "upper"), float)
ROLES = {"persona": object, "role": object, "seen": float, "accounts": int, **_SHARE, "people": float, "note": object}
ACCOUNTS = {"persona": object, "also": object, "seen": float, "accounts": int, **_SHARE, "note": object}


def roles_by_persona(roles: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """How many accounts of each persona had shown each role: rows `persona`, `role`.

    roles: as `find_roles` gives them. `seen` of `accounts`, as `share` with its 95% interval (Wilson); `people`: mean
    number of people in the role, over all these accounts. Where one to four accounts had shown it, or had not, the
    numbers are missing, and `note` says so.
    """
    seen = set(roles["role"])
    names = [*(role for role in KNOWN_ROLES if role in seen), *sorted(seen.difference(KNOWN_ROLES))]
    persona = roles["customer_id"].map(labels)
    rows = []
    for label, n in labels.value_counts().sort_index().items():
        for role in names:
            own = roles[(persona == label) & (roles["role"] == role)]
            counts = _counted(len(own), n)
            people = np.nan if counts["note"] else own["people"].sum() / n
            rows.append({"persona": label, "role": role, **counts, "people": people})
    return table_of(rows, ROLES)


def personas_by_account(accounts: pd.Series, labels: pd.Series) -> pd.DataFrame:
    """In which accounts each persona is found, and beside which: rows `persona`, `also`.

    accounts: Series customer_id -> account, where a customer is one of several people of an account. In the row where
    `also` is the persona itself, `seen` is the number of accounts that have someone of it, of all `accounts` with
    anybody who has a persona. In the others it is how many of these also have someone of another persona, or of none
    (“no other”). Shares and gaps are as in `roles_by_persona`, but the first row has no gaps: a persona found in fewer
    than 10 accounts has no card.
    """
    owner = labels.index.map(accounts)
    pairs = pd.DataFrame({"account": owner, "persona": labels.to_numpy()}).dropna().drop_duplicates()
    has = pd.crosstab(pairs["account"], pairs["persona"]).astype(bool)
    rows = []
    for persona in has.columns:
        own = has[has[persona]]
        rows.append({"persona": persona, "also": persona, **_shared(len(own), len(has))})
        beside = {other: int(own[other].sum()) for other in has.columns.drop(persona)}
        beside[ALONE] = int((own.sum(axis=1) == 1).sum())
        rows += [{"persona": persona, "also": also, **_counted(n, len(own))} for also, n in beside.items()]
    return table_of(rows, ACCOUNTS)


def accounts_in(customers: pd.DataFrame, labels: pd.Series) -> pd.Series | None:
    """The account of each customer, if the customers' table has a column `account` and several share one."""
    if ACCOUNT not in customers.columns:
        return None
    accounts = customers[ACCOUNT].dropna().astype(str)
    accounts = accounts[accounts.index.isin(labels.index)]
    return accounts if accounts.nunique() < len(accounts) else None


def _counted(seen: int, n: int) -> dict:
    if 0 < seen < MIN_SHOWN or 0 < n - seen < MIN_SHOWN:
        return {**dict.fromkeys(("seen", *_SHARE), np.nan), "accounts": n, "note": f"fewer than {MIN_SHOWN}"}
    return _shared(seen, n)


def _shared(seen: int, n: int) -> dict:
    lower, upper = wilson(seen, n)
    return {"seen": seen, "accounts": n, "share": seen / n, "lower": lower, "upper": upper, "note": None}


def rows_of(table: pd.DataFrame, persona: str) -> pd.DataFrame:
    """The rows of `persona` in `table`, without that column."""
    return table[table["persona"] == persona].drop(columns="persona").reset_index(drop=True)


def rule_part(rules: pd.DataFrame, persona: str) -> CardPart:
    """The plain conditions that describe the persona."""
    own = rules[rules["persona"] == persona].reset_index(drop=True)
    if own.empty:
        return CardPart("Who they are", "There is nobody else to compare them with.", own, has_data=False)
    return CardPart("Who they are", rule_in_words(own.iloc[0]), own)


def exemplar_part(exemplars: pd.DataFrame, persona: str) -> CardPart:
    """A typical customer, rounded."""
    own = rows_of(exemplars, persona)
    if own.empty:
        return CardPart("For example", "No customer is typical of them.", own, has_data=False)
    features = "; ".join(f"{row.feature.replace('_', ' ')} {row.value}" for row in own.itertuples())
    return CardPart("For example", f"A typical customer, rounded: {features}.", own)


def course_parts(course: Course | None, persona: str, stages: Sequence[str]) -> tuple[CardPart, ...]:
    """What becomes of them: the typical journey, time and losses by stage, losses by branch."""
    if course is None:
        return tuple(CardPart(title, NO_SPELLS, has_data=False) for title in (PATH, STAGES, LOSSES))
    return _path_part(course, persona), _stages_part(course, persona, stages), _losses_part(course, persona)


def _path_part(course: Course, persona: str) -> CardPart:
    own = rows_of(course.paths, persona)
    named = own[own["path"] != OTHER_WAYS]
    if named.empty:
        return CardPart(PATH, "No way through the journey was taken by five customers or more.", own, has_data=False)
    first, *others = (f"{row.path}, {_interval(row.share, row.lower, row.upper)}" for row in named.itertuples())
    base = counted(int(own["customers"].iloc[0]), "customer")
    then = f" Then: {'; '.join(others)}." if others else ""
    return CardPart(PATH, f"Most often, of {base} so far: {first}.{then}", own)


def _stages_part(course: Course, persona: str, stages: Sequence[str]) -> CardPart:
    own = rows_of(course.stages, persona)
    own = own.sort_values("stage", key=lambda column: column.map(list(stages).index), ignore_index=True)
    if own.empty:
        return CardPart(STAGES, "Nobody was in a stage from the landmark on.", own, has_data=False)
    columns = {
        "stage": own["stage"],
        "days until half have left": [_days(row) for row in own.itertuples()],
        f"lost within {in_days(course.horizon_days)}": _intervals(own, "lost", "lost_lower", "lost_upper"),
        "visits": ["–" if np.isnan(n) else f"{n:,.0f}" for n in own["visits"]],
    }
    sentence = (
        "Days since entering the stage; who was inside at the landmark is watched from then on. "
        "“Half have left” counts all ways out."
    )
    return CardPart(STAGES, sentence, own, shown=_shown(columns, own["note"]))


def _losses_part(course: Course, persona: str) -> CardPart:
    own = course.losses[course.losses["persona"] == persona].reset_index(drop=True)
    if own.empty:
        return CardPart(LOSSES, "Nobody can be lost: the journey names no loss branch.", own, has_data=False)
    within, n = in_days(course.horizon_days), counted(int(own["customers"].iloc[0]), "customer")
    overall = own.iloc[0]
    if np.isnan(overall["estimate"]):
        why = f"How many are lost within {within} of the landmark is not known: {overall['note']}."
        return CardPart(LOSSES, why, own, has_data=False)
    pooled = course.losses[(course.losses["persona"] == EVERYONE) & (course.losses["branch"] == ANY_BRANCH)]
    everyone = "".join(f"; of everyone, {share}" for share in _intervals(pooled.dropna(subset="estimate")))
    branches = ordered(own[1:], "estimate").reset_index(drop=True)
    top = branches[branches["estimate"] > 0].head(3)
    lost = [f"{branch} {share}" for branch, share in zip(top["branch"], _intervals(top), strict=True)]
    most = f" Most by {listed(lost)}." if lost else ""
    sentence = f"Of {n} followed from the landmark on, {_intervals(own)[0]} are lost within {within}{everyone}.{most}"
    columns = {"branch": branches["branch"], f"lost within {within}": _intervals(branches)}
    return CardPart(LOSSES, sentence, own, shown=_shown(columns, branches["note"]))


def channels_part(profiles: pd.DataFrame, persona: str) -> CardPart:
    """Through which channels they meet us."""
    title = "Channels"
    own = profiles[(profiles["persona"] == persona) & (profiles["family"] == "channel")]
    own = ordered(own, "inside").reset_index(drop=True)
    if own.empty:
        return CardPart(title, "Not measured: the log does not name two channels or more.", own, has_data=False)
    table = own.assign(channel=own["feature"].str.removeprefix("channel: "))
    table = table[["channel", "inside", "others", "delta", "n", "n_others"]]
    shares = "; ".join(
        f"{row.channel} {percent(row.inside, 0)} (others {percent(row.others, 0)})"
        for row in table.head(4).itertuples()
    )
    n = counted(int(table["n"].iloc[0]), "customer")
    return CardPart(title, f"Mean share of the events of {n} by the landmark: {shares}.", table)


def roles_part(roles: pd.DataFrame | None, persona: str, *, lacking: str, within: str | None) -> CardPart:
    """Which roles their accounts show."""
    title = "Roles"
    if roles is None:
        return CardPart(title, lacking, has_data=False)
    own = rows_of(roles, persona)
    n = int(own["accounts"].iloc[0])
    missing = [
        f"no {row.role} in {percent(1 - row.share)} of accounts ({percent(1 - row.upper)} to {percent(1 - row.lower)})"
        for row in own.itertuples()
        if np.isfinite(row.share) and row.share < 1
    ]
    columns = {
        "role": own["role"],
        "seen in": _intervals(own, *_SHARE),
        "people per account": ["–" if np.isnan(people) else f"{people:.1f}" for people in own["people"]],
    }
    seen = "; ".join(missing) if missing else "every role in every account"
    sentence = f"Seen by the landmark ({within} after entering) in {n:,} accounts: {seen}."
    return CardPart(title, sentence, own, shown=_shown(columns, own["note"]))


def accounts_part(accounts: pd.DataFrame | None, persona: str) -> Iterator[CardPart]:
    """In which accounts they are, and beside whom; nothing where customers are not people of accounts."""
    if accounts is None:
        return
    own = rows_of(accounts, persona)
    first, others = own[:1], own[1:]
    beside = [
        f"{'nobody of another' if row.also == ALONE else row.also} in {_interval(row.share, row.lower, row.upper)}"
        for row in others.itertuples()
        if np.isfinite(row.share) and row.share > 0
    ]
    sentence = f"Found in {_intervals(first, *_SHARE)[0]} of {first['accounts'].iloc[0]:,} accounts."
    if beside:
        sentence += f" Of these {others['accounts'].iloc[0]:,}, beside them: {'; '.join(beside)}."
    yield CardPart("Accounts", sentence, own)


def _shown(columns: dict, notes: pd.Series) -> pd.DataFrame:
    """`columns` as a table, with the `notes` if there are any."""
    table = pd.DataFrame(columns)
    return table.assign(note=notes) if notes.notna().any() else table


def _intervals(rows: pd.DataFrame, *names: str) -> list[str]:
    return [_interval(*row) for row in rows[list(names or _LIMITS)].itertuples(index=False)]


def _interval(share: float, lower: float, upper: float) -> str:
    return f"{percent(share)} ({percent(lower)} to {percent(upper)})" if np.isfinite(share) else "–"


def _days(row) -> str:
    if np.isnan(row.median_days):
        return "–"
    (half, lower, upper), unit = in_one_unit([row.median_days, row.median_lower, row.median_upper])
    if unit != "days":
        return f"{half} {unit} ({lower} to {upper})"
    upper = upper if np.isnan(row.median_upper) else f"{row.median_upper:,.0f}"
    return f"{row.median_days:,.0f} ({row.median_lower:,.0f} to {upper})"
