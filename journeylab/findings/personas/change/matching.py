"""Which personas survived, were split or merged, came or went, by the customers whom both definitions judge?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, product
from string import ascii_uppercase
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from journeylab.base.ordering import settled, smallest
from journeylab.base.tables import table_of
from journeylab.estimators.intervals import wilson
from journeylab.findings.personas.number import PATTERN_FROM
from journeylab.findings.personas.personas import Personas

SURVIVED, SPLIT, MERGED, NEW, GONE = "survived", "split", "merged", "new", "gone"
CLEAR, PROBABLE = "clear", "probable"
CROSS = {
    **dict.fromkeys(("old", "new"), object),
    **dict.fromkeys(("n_both", "n_old", "n_new"), int),
    **dict.fromkeys(("jaccard", "lower", "upper", "of_old", "of_new"), float),
}
LINEAGE = {**dict.fromkeys(("id", "name", "change", "how_sure", "verdict_before", "verdict"), object), **CROSS}
# A persona is the same from where one found in resampled customers counts as a pattern.
SAME = PATTERN_FROM
_HALF = 0.5
RULE = (
    "An old persona has **survived**, and keeps its id, if it and a new one share at least "
    f"{SAME:.0%} of the customers whom either of them holds (the Jaccard coefficient). Otherwise a new persona **came "
    "out of** an old one if at least half of its customers were of that one (a split), and an old one **went into** a "
    "new one if at least half of its customers are there now (merged). All others are **new** or **gone**; so is what "
    "made an old persona grow, and what is left of one that lost more than half of its share. “Probably” stands where "
    "the 95% interval reaches across that limit."
)
_ACCOUNTS_FOR = 0.25
_NUMBERED = re.compile(r"P(\d+)")


@dataclass(frozen=True, eq=False)
class Crossing:
    """How many customers each pair of an old and a new persona shares.

    old, new: ids. counts: (old, new). before: (old,) the share of each old persona when it was found. moved: (old,) 1
        where its share at its fixed definition grew beyond chance, -1 where it fell, else 0. now: (old,) that share
        among those who came since; by default that among all who are counted.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    counts: np.ndarray
    before: np.ndarray
    moved: np.ndarray
    now: np.ndarray | None = None

    @property
    def fell(self) -> np.ndarray:
        """(old,) whether the old persona fell, beyond chance, to less than half of its share."""
        now = self.counts.sum(axis=1) / max(self.counts.sum(), 1) if self.now is None else self.now
        return (self.moved < 0) & (now < _HALF * self.before)

    @property
    def jaccard(self) -> np.ndarray:
        """(old, new) customers of both over customers of either."""
        union = self.counts.sum(axis=1)[:, None] + self.counts.sum(axis=0) - self.counts
        return self.counts / np.maximum(union, 1)

    @property
    def of_old(self) -> np.ndarray:
        """(old, new) the share of the old persona's customers that the new one holds."""
        return self.counts / np.maximum(self.counts.sum(axis=1)[:, None], 1)

    @property
    def of_new(self) -> np.ndarray:
        """(old, new) the share of the new persona's customers that the old one holds."""
        return self.counts / np.maximum(self.counts.sum(axis=0), 1)

    def without_arrivals(self) -> "Crossing":
        """The same without new personas that are what made an old one grow, which they are merely most like.

        That is so of one of several new personas that have half or more of their customers from an old one if these
        customers account for a quarter or more of its growth; the one without whom the share of the old one is closest
        to what it was comes first. One that is the same persona anyway (a coefficient of .6) did not arrive.
        """
        counts = self.counts.copy()
        for old in np.flatnonzero(self.moved > 0):
            is_same = self.jaccard[old] >= SAME
            came_out = list(np.flatnonzero((self.of_new[old] >= _HALF) & (self.counts[old] > 0) & ~is_same))
            while len(came_out) > (0 if is_same.any() else 1):
                apart = [self._apart(counts, old, without=new) for new in came_out]
                if min(apart) > (1 - _ACCOUNTS_FOR) * self._apart(counts, old):
                    break
                counts[old, came_out.pop(smallest(apart))] = 0
        return replace(self, counts=counts)

    def _apart(self, counts: np.ndarray, old: np.integer, *, without: np.integer | None = None) -> float:
        """How far the share of the old persona is from what it was."""
        left_out = 0 if without is None else counts[old, without]
        now = (counts[old].sum() - left_out) / max(counts.sum() - left_out, 1)
        return abs(float(now - self.before[old]))

    def table(self) -> pd.DataFrame:
        """One row per pair with the columns of `CROSS`; `lower` and `upper` are Wilson's for `jaccard`."""
        n_old, n_new = self.counts.sum(axis=1), self.counts.sum(axis=0)
        union = n_old[:, None] + n_new - self.counts
        lower, upper = wilson(self.counts.ravel(), union.ravel())
        old, new = np.repeat(np.array(self.old, object), len(self.new)), np.tile(self.new, len(self.old))
        sizes = (self.counts.ravel(), np.repeat(n_old, len(self.new)), np.tile(n_new, len(self.old)))
        shares = (self.jaccard.ravel(), lower, upper, self.of_old.ravel(), self.of_new.ravel())
        return pd.DataFrame(dict(zip(CROSS, (old, new, *sizes, *shares), strict=True))).astype(CROSS)


def cross(
    labels_before: pd.Series,
    labels_now: pd.Series,
    *,
    old: Sequence[str],
    new: Sequence[str],
    moved: pd.DataFrame | None = None,
) -> Crossing:
    """The customers with both labels, by the old and by the new definition, counted by pair.

    moved: the shares of the old personas at their fixed definition (`drift.fixed_shares`), in the order of `old`.
    """
    labels = pd.concat({"old": labels_before, "new": labels_now}, axis=1, join="inner")
    counts = pd.crosstab(labels["old"], labels["new"]).reindex(index=list(old), columns=list(new), fill_value=0)
    before, now, beyond = np.full(len(old), np.nan), None, np.zeros(len(old), dtype=int)
    if moved is not None and len(moved):
        before, now = moved["before"].to_numpy(), moved["now"].to_numpy()
        beyond = (moved["lower"] > 0).to_numpy(dtype=int) - (moved["upper"] < 0).to_numpy(dtype=int)
    return Crossing(tuple(old), tuple(new), counts.to_numpy(dtype=int), before, beyond, now)


@dataclass(frozen=True)
class Link:
    """What became of an old persona, where a new one came from: the positions of both, either None."""

    change: str
    old: int | None
    new: int | None


def find_links(crossing: Crossing, *, by_id: bool = False) -> list[Link]:
    """What became of each persona; `RULE` says it in words.

    - *survived*: matched (Hungarian method on Jaccard coefficients) with a coefficient of at least .6. With `by_id`
      the ids are permanent already: those with the same id are the same, and nobody else is.
    - *split*: half or more of a new persona's customers were of one old one.
    - *merged*: half or more of an old persona's customers are in one new one. But where the old persona, at its fixed
      definition, fell beyond chance to less than half its share, those few are not what it was, and it is gone.
      Where one pair is both, the larger of the two shares decides.
    - *new*, *gone*: no link.

    The new personas that are what made an old one grow (`Crossing.without_arrivals`) are no part of it, but new.
    """
    of_new, whole, crossing = crossing.of_new, crossing, crossing.without_arrivals()
    if by_id:
        survivors = [(i, whole.new.index(old)) for i, old in enumerate(whole.old) if old in whole.new]
    else:
        pairs = [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(-crossing.jaccard), strict=True)]
        survivors = [pair for pair in pairs if settled(crossing.jaccard[pair]) >= SAME]
    old_kept, new_kept = {i for i, _ in survivors}, {j for _, j in survivors}
    came_out = (settled(of_new) >= _HALF) & (crossing.counts > 0)
    parts = {(int(i), int(j)) for i, j in np.argwhere(came_out) if j not in new_kept}
    sources = _sources(crossing, old_kept)
    links = [Link(SURVIVED, i, j) for i, j in survivors]
    for i, j in sorted(parts | sources):
        is_part = (i, j) in parts
        if is_part and ((i, j) not in sources or of_new[i, j] >= crossing.of_old[i, j]):
            links.append(Link(SPLIT, i, j))
        else:
            links.append(Link(MERGED, i, j))
    return sorted(_with_unlinked(links, crossing), key=_in_order)


def lineage_table(
    links: Iterable[Link],
    crossing: Crossing,
    ids: Mapping[str, str],
    *,
    verdicts: Mapping[str, Mapping[str, str]],
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """One row per link with the columns of `LINEAGE`.

    ids: the permanent id of each new persona; the gone keep theirs. verdicts, names: those of the “old” and the “new”
        personas; the table has the `verdict` and the name of the new one, or of the gone, and `verdict_before`.
    how_sure: “clear” where the 95% interval of what the link rests on is on one side of its limit, else “probable”.
    What made an old persona grow (`Crossing.without_arrivals`) is not counted with it here either.
    """
    n_new, crossing = crossing.counts.sum(axis=0), crossing.without_arrivals()
    pairs, n_old = crossing.table().set_index(["old", "new"]), crossing.counts.sum(axis=1)
    rows = []
    for link in links:
        old = None if link.old is None else crossing.old[link.old]
        new = None if link.new is None else crossing.new[link.new]
        persona, side = (old, "old") if new is None else (new, "new")
        assert persona is not None, "a link has an old persona, a new one, or both"
        row: dict[str, Any] = {
            "id": persona if new is None else ids[new],
            "name": (names or {}).get(side, {}).get(persona),
            "change": link.change,
            "how_sure": CLEAR if _is_clear(link, crossing, n_new) else PROBABLE,
            "verdict_before": None if old is None else verdicts["old"].get(old),
            "verdict": verdicts[side].get(persona),
            "old": old,
            "new": new,
        }
        if old is None or new is None:
            row |= dict.fromkeys(("n_both", "jaccard", "of_old", "of_new"), 0)
            row |= {"n_old": 0 if old is None else n_old[link.old], "n_new": 0 if new is None else n_new[link.new]}
        else:
            row |= pairs.loc[(old, new)].to_dict()
        rows.append(row)
    return table_of(rows, LINEAGE)


def _is_clear(link: Link, crossing: Crossing, n_new: np.ndarray) -> bool:
    """Whether the 95% interval (Wilson) of the share that decides about `link` is on one side of the limit."""
    counts, n_old = crossing.counts, crossing.counts.sum(axis=1)
    if link.old is None or link.new is None:
        if link.old is not None and crossing.fell[link.old]:
            return True
        rest, base = (counts[link.old], n_old[link.old]) if link.new is None else (counts[:, link.new], n_new[link.new])
        return bool(base == 0 or wilson(rest.max(), base)[1] < _HALF)
    both = counts[link.old, link.new]
    union = n_old[link.old] + counts[:, link.new].sum() - both
    limits = {SURVIVED: (union, SAME), SPLIT: (n_new[link.new], _HALF), MERGED: (n_old[link.old], _HALF)}
    base, limit = limits[link.change]
    return bool(wilson(both, base)[0] >= limit)


def _sources(crossing: Crossing, survivors: set[int]) -> set[tuple[int, int]]:
    """Pairs of which the old persona, none of the `survivors`, went into the new one."""
    went_in = (settled(crossing.of_old) >= _HALF) & (crossing.counts > 0)
    return {(int(i), int(j)) for i, j in np.argwhere(went_in & ~crossing.fell[:, None]) if i not in survivors}


def _with_unlinked(links: list[Link], crossing: Crossing) -> list[Link]:
    old, new = {link.old for link in links}, {link.new for link in links}
    gone = [Link(GONE, position, None) for position in range(len(crossing.old)) if position not in old]
    come = [Link(NEW, None, position) for position in range(len(crossing.new)) if position not in new]
    return [*links, *gone, *come]


def _in_order(link: Link) -> tuple:
    return (link.old is None, link.old or 0, link.new is None, link.new or 0)


def permanent_ids(links: Iterable[Link], crossing: Crossing, used: Iterable[str]) -> dict[str, str]:
    """The permanent id of each new persona, by the one under which it was found.

    A survivor has the id of the old persona. All others have one that none of the old personas and none of `used` has:
    their own if that is free, else the number after the highest.
    """
    return fresh_ids(crossing.new, kept=survivors_of(links, crossing), used={*used, *crossing.old})


def survivors_of(links: Iterable[Link], crossing: Crossing) -> dict[str, str]:
    """The old id of each new persona that is an old one."""
    pairs = ((link.old, link.new) for link in links if link.change == SURVIVED)
    return {crossing.new[new]: crossing.old[old] for old, new in pairs if old is not None and new is not None}


def fresh_ids(
    found: Sequence[str], *, kept: Mapping[str, str], used: Iterable[str], letters: bool = False
) -> dict[str, str]:
    """An id for each of `found`: that in `kept`, or one that is not in `used`: its own or the number after the highest,
    or with `letters` the first letter that is free."""
    taken = {*used, *kept.values()}
    ids = dict(kept)
    for persona in found:
        if persona not in ids:
            ids[persona] = _free_letter(taken) if letters else _free_number(persona, taken)
            taken.add(ids[persona])
    return {persona: ids[persona] for persona in found}


def _free_number(persona: str, taken: set[str]) -> str:
    highest = max((int(match[1]) for match in map(_NUMBERED.fullmatch, taken) if match), default=0)
    return persona if persona not in taken else f"P{highest + 1}"


def _free_letter(taken: set[str]) -> str:
    words = ("".join(word) for length in count(1) for word in product(ascii_uppercase, repeat=length))
    return next(word for word in words if word not in taken)


def renamed(personas: Personas, ids: Mapping[str, str]) -> Personas:
    """`personas` with other ids, everywhere; order, names and model stay."""

    def with_ids(noun: Any) -> dict[str, pd.DataFrame]:
        tables = {name: value for name, value in vars(noun).items() if "persona" in getattr(value, "columns", ())}
        return {name: table.assign(persona=table["persona"].map(ids).astype(object)) for name, table in tables.items()}

    return replace(
        personas,
        labels=personas.labels.map(ids).astype(object).rename("persona"),
        probabilities=personas.probabilities.rename(columns=ids),
        description=replace(personas.description, **with_ids(personas.description)),
        proof=replace(personas.proof, **with_ids(personas.proof)),
        **with_ids(personas),
    )
