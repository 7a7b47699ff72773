"""Figures of a change: shares before and now, who is like whom, and which features drifted."""

import pandas as pd

from journeylab.base import charts
from journeylab.base.suppression import MIN_SHOWN
from journeylab.findings.personas.change.drift import both_shares
from journeylab.findings.personas.change.matching import SURVIVED

_FEATURES = 12
_BY_CHANCE = "without change"


def shares_figure(shares: pd.DataFrame, *, sentence: str, ax=None) -> charts.Chart:
    """Each old persona's share before and now with its interval."""
    moves = "; ".join(f"{row.persona} {row.before:.0%}, now {row.now:.0%}" for row in shares.itertuples())
    return charts.intervals(
        both_shares(shares),
        label="label",
        by="when",
        x="share",
        lower="lower",
        upper="upper",
        x_label="Share of customers by the old definition, 95% interval",
        title="Has the share of each persona changed?",
        alt=f"{sentence} Shares: {moves}.",
        percent=True,
        ax=ax,
    )


def matching_figure(cross: pd.DataFrame, lineage: pd.DataFrame, *, sentence: str, ax=None) -> charts.Chart:
    """Jaccard coefficients of old with new personas; new ones are named by their permanent ids."""
    ids = lineage.dropna(subset="new").drop_duplicates("new").set_index("new")["id"]
    text = cross["jaccard"].map("{:.2f}".format).mask(cross["n_both"].between(1, MIN_SHOWN - 1), "few")
    tiles = cross.assign(old="before: " + cross["old"], new="now: " + cross["new"].map(ids), text=text)
    survived = lineage[lineage["change"] == SURVIVED]
    coefficients = "; ".join(f"{row.id} {row.jaccard:.2f}" for row in survived.itertuples()) or "none"
    return charts.tiles(
        tiles,
        row="old",
        column="new",
        value="jaccard",
        text="text",
        title="Which new persona is which old one? Jaccard coefficients",
        alt=f"{sentence} Jaccard coefficients of survivors: {coefficients}.",
        ax=ax,
    )


def drift_figure(drift: pd.DataFrame, *, sentence: str, ax=None) -> charts.Chart:
    """The features furthest towards their limit or beyond it, at most twelve, beside the drift without change."""
    most = drift[drift["drift"].notna()].head(_FEATURES)
    seen = most.assign(what="seen", share=most["drift"], lower=most["drift"], upper=most["drift"])
    chance = most.assign(what=_BY_CHANCE, share=most["expected"], lower=0.0, upper=most["limit"])
    which = f"the {len(most)} features furthest towards it" if len(drift) > len(most) else "all features"
    return charts.intervals(
        pd.concat([seen, chance], ignore_index=True),
        label="feature",
        by="what",
        x="share",
        lower="lower",
        upper="upper",
        x_label="Share of customers, or of their events, that is elsewhere; grey: to the limit that allows for all",
        title="Do customers behave differently from before?",
        alt=f"{sentence} Shown: {which}.",
        percent=True,
        faint=[_BY_CHANCE],
        ax=ax,
    )
