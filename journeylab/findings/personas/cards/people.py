"""People: which roles are there in the accounts of each persona, and which personas in one account?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from journeylab.base.suppression import MIN_SHOWN
from journeylab.estimators.intervals import wilson
from journeylab.events.queries.people import KNOWN_ROLES
from journeylab.findings.personas.landmark import ACCOUNT

ALONE = "no other"
_FEW = f"fewer than {MIN_SHOWN}"
_SHARE = dict.fromkeys(("share", "lower", "upper"), float)
ROLES = {"persona": object, "role": object, "seen": float, "accounts": int, **_SHARE, "people": float, "note": object}
ACCOUNTS = {"persona": object, "also": object, "seen": float, "accounts": int, **_SHARE, "note": object}


def roles_by_persona(roles: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """How many accounts of each persona had shown each role: rows `persona`, `role`.

    roles: as `find_roles` gives them. `seen` of `accounts`, as `share` with its 95% interval (Wilson); `people`: mean
    number of people in the role, over all these accounts. Where one to four accounts had shown it, or had not, the
    numbers are missing, and `note` says so.
    """
    found = set(roles["role"])
    order = [*(role for role in KNOWN_ROLES if role in found), *sorted(found.difference(KNOWN_ROLES))]
    persona = roles["customer_id"].map(labels)
    rows = []
    for name, n in _sizes(labels):
        for role in order:
            here = roles[(persona == name) & (roles["role"] == role)]
            found = _counted(len(here), n)
            people = np.nan if found["note"] else here["people"].sum() / n
            rows.append({"persona": name, "role": role, **found, "people": people})
    return _table(rows, ROLES)


def personas_by_account(accounts: pd.Series, labels: pd.Series) -> pd.DataFrame:
    """In which accounts each persona is found, and beside which: rows `persona`, `also`.

    accounts: Series customer_id -> account, where a customer is one of several people of an account. In the row where
    `also` is the persona itself, `seen` is the number of accounts that have someone of it, of all `accounts` with
    anybody who has a persona; in the others, how many of these also have someone of another persona, or of none
    (“no other”). Shares as in `roles_by_persona`, and these gaps
    too, save in the first of the rows: a persona found in fewer than 10 accounts has no card.
    """
    owner = labels.index.map(accounts)
    pairs = pd.DataFrame({"account": owner, "persona": labels.to_numpy()}).dropna().drop_duplicates()
    held = pd.crosstab(pairs["account"], pairs["persona"]).astype(bool)
    rows = []
    for persona in held.columns:
        here = held[held[persona]]
        rows.append({"persona": persona, "also": persona, **_shared(len(here), len(held))})
        for other in held.columns.drop(persona):
            rows.append({"persona": persona, "also": other, **_counted(int(here[other].sum()), len(here))})
        alone = int((here.sum(axis=1) == 1).sum())
        rows.append({"persona": persona, "also": ALONE, **_counted(alone, len(here))})
    return _table(rows, ACCOUNTS)


def accounts_in(customers: pd.DataFrame, labels: pd.Series) -> pd.Series | None:
    """The account of each customer, where the customers' table has a column `account` that nests several of them."""
    if ACCOUNT not in customers.columns:
        return None
    accounts = customers[ACCOUNT].dropna().astype(str)
    accounts = accounts[accounts.index.isin(labels.index)]
    return accounts if accounts.nunique() < len(accounts) else None


def _counted(seen: int, n: int) -> dict:
    if 0 < seen < MIN_SHOWN or 0 < n - seen < MIN_SHOWN:
        return {"seen": np.nan, "accounts": n, "share": np.nan, "lower": np.nan, "upper": np.nan, "note": _FEW}
    return _shared(seen, n)


def _shared(seen: int, n: int) -> dict:
    lower, upper = (float(each) for each in wilson(seen, n))
    return {"seen": seen, "accounts": n, "share": seen / n, "lower": lower, "upper": upper, "note": None}


def _sizes(labels: pd.Series) -> Iterator[tuple[str, int]]:
    yield from labels.value_counts().sort_index().items()


def _table(rows: list[dict], columns: dict[str, type]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
