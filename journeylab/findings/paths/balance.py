"""Balance: does what came to each stage equal what left it or is still there?"""

import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.events.queries.paths import ALREADY_INSIDE, EARLIER_LOSS, FIRST_ENTRY, ONGOING
from journeylab.findings.paths.tables import KINDS

IN = {FIRST_ENTRY: "first_entries", ALREADY_INSIDE: "already_inside", EARLIER_LOSS: "earlier_losses"}
BACK = {"return": "came_back", "move": "moved_in"}
CAME = (*IN.values(), *BACK.values())


def build_balance(shares: pd.DataFrame, arrivals: pd.DataFrame) -> pd.DataFrame:
    """Counts of visits, a row for each (group and) stage of `shares`.

    Columns: (`group`,) `stage`, `visits`; where they came from: `first_entries`, `already_inside`, `earlier_losses`,
    `came_back` (from a loss that was watched), `moved_in` (from another stage); and what became of them: `forward`,
    `skip`, `back`, `lost`, `ongoing`.
    """
    whose = [column for column in ("group", "stage") if column in shares]
    visits = shares.drop_duplicates(whose).set_index(whose)["n"]
    came = arrivals.assign(came=arrivals["origin"].map(IN).fillna(arrivals["kind"].map(BACK)))
    came = came.pivot_table(index=whose, columns="came", values="moved", aggfunc="sum", observed=True)
    went = shares.pivot_table(index=whose, columns="kind", values="moved", aggfunc="sum", observed=True)
    counts = pd.concat([came.reindex(columns=CAME), went.reindex(columns=KINDS)], axis=1).reindex(visits.index)
    counts = counts.fillna(0).astype(int)
    counts.insert(0, "visits", visits.astype(int))
    return counts.rename_axis(columns=None).reset_index()


def check_balance(balance: pd.DataFrame, table: pd.DataFrame, arrivals: pd.DataFrame, returns: pd.DataFrame) -> None:
    """Raise EstimateError unless every stage keeps its visits (in = visits = out), every stage receives what the
    others sent to it, and every branch has as many losses as the stages sent to it."""
    for columns, words in ((CAME, "came in"), (KINDS, "went on, were lost or are ongoing")):
        total = balance[list(columns)].sum(axis=1)
        wrong = balance[total != balance["visits"]]
        if len(wrong):
            row = wrong.iloc[0]
            raise _unbalanced(
                f"stage “{row['stage']}”", f"{row['visits']:,} visits, and {total[wrong.index[0]]:,} {words}"
            )
    sent = table[table["kind"] != ONGOING]
    received = arrivals[arrivals["kind"] == "move"].rename(columns={"stage": "to", "origin": "stage"})
    _check_same(sent[sent["kind"] != "lost"], received, ["stage", "to"])
    lost = sent[sent["kind"] == "lost"].rename(columns={"to": "branch"})
    _check_same(lost, returns, ["branch"])


def _check_same(sent: pd.DataFrame, received: pd.DataFrame, keys: list[str]) -> None:
    keys = [*(["group"] if "group" in sent else []), *keys]
    totals = [rows.groupby(keys, observed=True)["moved"].sum() for rows in (sent, received)]
    both = pd.concat(totals, axis=1, keys=["sent", "received"]).fillna(0).astype(int)
    wrong = both[both["sent"] != both["received"]]
    if len(wrong):
        place = wrong.index[0][-1] if isinstance(wrong.index[0], tuple) else wrong.index[0]
        row = wrong.iloc[0]
        raise _unbalanced(f"“{place}”", f"{row['sent']:,} were sent to it, and {row['received']:,} arrived")


def _unbalanced(place: str, counts: str) -> EstimateError:
    return EstimateError(
        f"The flow at {place} does not add up: {counts}. Every visit must come from somewhere and lead somewhere: find "
        "the spells again."
    )
