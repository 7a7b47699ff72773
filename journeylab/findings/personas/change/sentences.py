"""The change between two sprints in sentences: number, interval, base."""

from collections.abc import Iterator

import pandas as pd

from journeylab.base.ordering import largest, order, settled
from journeylab.base.words import counted, listed, percent, with_sign
from journeylab.findings.personas.change.matching import GONE, MERGED, NEW, PROBABLE, SAME, SPLIT, SURVIVED
from journeylab.findings.personas.number import DO_NOT_USE, PATTERN

_N_FEATURES = 4
NO_LOG = "Shares at the fixed definition and drift need the new log. Give `log=`."


def lineage_sentence(lineage: pd.DataFrame, customers: int) -> str:
    """What became of each persona, how sure that is, and where most of an old one went."""
    base = f"{counted(customers, 'customer')} whom both definitions judge"
    return " ".join([*_survived(lineage), *_others(lineage), *_verdicts_changed(lineage), f"Counted are {base}."])


def shares_sentence(shares: pd.DataFrame) -> str:
    """Which shares at the fixed definition moved by more than chance explains; of none, the largest difference."""
    n = counted(len(shares), "share")
    beyond = shares[shares["is_beyond"]]
    if beyond.empty:
        most = shares.iloc[largest(shares["difference"].abs())]
        return f"By the old definition, none of {n} moved by more than chance explains; the most moved {_moved(most)}."
    most_first = beyond.iloc[order(beyond["difference"].abs())]
    moved = "; ".join(_moved(row) for _, row in most_first.iterrows())
    return f"By the old definition, {len(beyond)} of {n} moved by more than chance explains: {moved}."


def drift_sentence(drift: pd.DataFrame) -> str:
    """Which features drifted beyond the limit that allows for all of them."""
    known = drift[drift["drift"].notna()]
    if known.empty:
        return NO_LOG
    beyond = known[known["is_beyond"]]
    of = counted(len(known), "feature")
    if beyond.empty:
        most = known.iloc[0]
        return f"None of {of} drifted by more than chance explains; the furthest is {_drifted(most)}."
    features = "; ".join(_drifted(row) for _, row in beyond.head(_N_FEATURES).iterrows())
    more = f"; and {len(beyond) - _N_FEATURES} more" if len(beyond) > _N_FEATURES else ""
    return f"{len(beyond)} of {of} drifted by more than chance explains: {features}{more}."


def _survived(lineage: pd.DataFrame) -> Iterator[str]:
    """Which survived, which probably did, and which only share an id."""
    rows, n_old = lineage[lineage["change"] == SURVIVED], lineage["old"].nunique()
    of = f"Of {counted(n_old, 'persona')}"
    if rows.empty:
        yield f"{of} none survived."
        return
    is_same, is_clear = settled(rows["jaccard"]) >= SAME, rows["how_sure"] != PROBABLE
    clear, probable = rows[is_same & is_clear], rows[is_same & ~is_clear]
    if len(clear):
        yield f"{of} {len(clear)} survived: {listed(_coefficients(clear))}."
    if len(probable):
        who = f"{len(probable)} probably survived" if len(clear) else f"{of} {len(probable)} probably survived"
        because = f"the interval reaches below {SAME:.2f}, from which on a persona is the same"
        yield f"{who}: {listed(_coefficients(probable))}; {because}."
    for row in rows[~is_same].itertuples():
        yield f"{row.id} keeps its id, but shares only {row.jaccard:.0%} with what it was ({_limits(row)})."


def _coefficients(rows: pd.DataFrame) -> list[str]:
    return [f"{row.id} (Jaccard {row.jaccard:.2f}, {_limits(row)})" for row in rows.itertuples()]


def _limits(row) -> str:
    return f"{row.lower:.2f} to {row.upper:.2f}"


def _others(lineage: pd.DataFrame) -> Iterator[str]:
    """What came out of which, went into which, is new or gone."""
    by_change = {change: lineage[lineage["change"] == change] for change in (SPLIT, MERGED, NEW, GONE)}
    for old, rows in by_change[SPLIT].groupby("old", sort=False):
        yield f"Out of {old} came {_named(rows)}: {_held(rows, 'of_old')} of the old {old}."
    for new, rows in by_change[MERGED].groupby("id", sort=False):
        olds = [f"{row.old} ({row.of_old:.0%} of it)" for row in rows.itertuples()]
        yield f"{listed(olds)} {_probably(rows)}went into {new}."
    for change in (NEW, GONE):
        if len(by_change[change]):
            yield f"{change.capitalize()}: {_named(by_change[change])}."


def _held(rows: pd.DataFrame, share: str) -> str:
    return listed([f"{value:.0%}" for value in rows[share]])


def _probably(rows: pd.DataFrame) -> str:
    return "probably " if (rows["how_sure"] == PROBABLE).any() else ""


def _named(rows: pd.DataFrame) -> str:
    """Ids, each with its verdict where it is doubtful, and “probably” where that is not clear."""
    words = []
    for row in rows.itertuples():
        doubts = ["probably"] if row.how_sure == PROBABLE else []
        doubts += [row.verdict] if row.verdict in (PATTERN, DO_NOT_USE) else []
        words.append(row.id + (f" ({', '.join(doubts)})" if doubts else ""))
    return listed(words)


def _verdicts_changed(lineage: pd.DataFrame) -> Iterator[str]:
    """Of the survivors, whose verdict is another one now."""
    rows = lineage[(lineage["change"] == SURVIVED) & lineage["verdict_before"].notna()]
    for row in rows[rows["verdict_before"] != rows["verdict"]].itertuples():
        yield f"The verdict of {row.id} was “{row.verdict_before}”, and is “{row.verdict}” now."


def _moved(row: pd.Series) -> str:
    return (
        f"{row['persona']} {row['name']}, from {percent(row['before'], 0)} to {percent(row['now'], 0)}, "
        f"{_points(row['difference'])} points ({_points(row['lower'])} to {_points(row['upper'])})"
    )


def _points(share: float) -> str:
    return with_sign(100 * share).replace("-", "−")


def _drifted(row: pd.Series) -> str:
    return (
        f"“{row['feature']}” by {percent(row['drift'], 1)} ({percent(row['expected'], 1)} is expected without change, "
        f"and the limit that allows for all features is {percent(row['limit'], 1)}; most in “{row['part']}”, from "
        f"{percent(row['before'], 0)} to {percent(row['now'], 0)})"
    )
