"""Figures: drop-off drawn, from its tables."""

from collections.abc import Sequence, Set

import numpy as np
import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import order_of_p, ordered
from journeylab.base.suppression import shown_count
from journeylab.base.words import in_days, percent
from journeylab.events.spells.exits import ledger_parts
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.dropoff.sentences import LEVEL
from journeylab.findings.finding import share_in_words

# More groups than this would be drawn too close beside each other: they get a tile each.
MOST_BESIDE = 6
MOST_ROWS = 12
NOT_SHOWN = "not shown"


def shares_lost(
    rows: pd.DataFrame, day: float, *, by: str | None, confidence: float, order: Sequence[str], ax
) -> Chart:
    """Share lost by stage and branch, with intervals; with groups, by stage and group; many groups as tiles."""
    beside = "group" if by else "to"
    title = f"Where customers are lost, by {by or 'branch'}"
    drawn = rows[rows["estimate"].notna()]
    values = [
        f"{row['stage']}, {row[beside]}: {share_in_words(row)} of {row['n']:,.0f}"
        for _, row in ordered(drawn, "estimate").head(5).iterrows()
    ]
    alt = f"Share of visits lost within {in_days(day)} of entering, highest first. {'; '.join(values)}."
    if by and drawn["group"].nunique() > MOST_BESIDE:
        return _tiles(rows, title=f"{title}: lost within {in_days(day)}", alt=alt, ax=ax)
    return charts.intervals(
        drawn,
        label="stage",
        by=beside,
        percent=True,
        x_label=f"lost within {in_days(day)} of entering the stage ({confidence:.0%} intervals)",
        title=title,
        alt=alt,
        colour_order=() if by else order,
        faint=_few(drawn) if by else (),
        ax=ax,
    )


def ledger(entered: pd.DataFrame, whole: pd.DataFrame, *, goals: Set[str], ax) -> Chart:
    """What became of the visits of each stage, as bars; `whole` is the ledger, `entered` its labelled rows, `goals` the
    stages that complete the journey."""
    parts = [part for part in ledger_parts(whole) if entered[part].fillna(1).any()]
    rows = [
        f"{row['label']}: {shown_count(row, 'entered')} entered, "
        + ", ".join(
            f"{shown_count(row, part)} {_part(part, row['stage'] in goals)}" for part in parts if row[part] != 0
        )
        for _, row in entered.iterrows()
    ]
    known = entered[parts].fillna(0)
    # What is left out is drawn as one part, so that the bar is as long as what entered.
    drawn = entered.assign(**known, **{NOT_SHOWN: (entered["entered"] - known.sum(axis=1)).fillna(0)})
    return charts.stacked(
        drawn,
        parts=[*parts, *([NOT_SHOWN] if drawn[NOT_SHOWN].any() else [])],
        x_label="visits",
        title="What became of those who entered each stage, so far",
        alt=f"What became of those who entered, so far. {'; '.join(rows)}.",
        colour_order=ledger_parts(whole),
        ax=ax,
    )


def _part(part: str, at_goal: bool) -> str:
    return "at the goal" if at_goal and part == "ongoing" else part.replace("_", " ")


def loss_points(table: pd.DataFrame, *, by: str | None, what: str, confidence: float, alt: str, ax) -> Chart:
    """What is lost at the worst points, with intervals, and how often each comes first."""
    drawn = table[table["estimate"] > 0].head(MOST_ROWS)
    label = drawn["stage"] + " · " + drawn["branch"]
    label = label + " · " + drawn["group"] if by else label
    if "first" in drawn:
        often = drawn["first"].ge(0.005)
        label = label.where(~often, label + " (first in " + drawn["first"].map("{:.0%}".format) + ")")
    return charts.intervals(
        drawn.assign(label=label),
        x_label=f"{what} lost within {in_days(drawn['horizon_days'].iloc[0])} of entering ({confidence:.0%} intervals)",
        title="The most vulnerable places",
        alt=alt,
        ax=ax,
    )


def against_naive(table: pd.DataFrame, *, confidence: float, alt: str, ax) -> Chart:
    """The naive share, the share ended so far and the estimate, beside each other; `table` has a column `label`."""
    day = in_days(table["horizon_days"].iloc[0])
    no_limits = {"lower": np.nan, "upper": np.nan}
    views = {
        "did not move on": table.assign(estimate=table["naive"], **no_limits),
        "lost so far": table.assign(estimate=table["crude"], **no_limits),
        f"lost within {day}": table,
    }
    drawn = pd.concat([rows.assign(view=view) for view, rows in views.items()])
    return charts.intervals(
        drawn[drawn["estimate"].notna()],
        by="view",
        percent=True,
        x_label=f"share of visits ({confidence:.0%} interval of the estimate)",
        title="Naive counts, and the share that is lost",
        alt=alt,
        ax=ax,
    )


def differences(table: pd.DataFrame, *, by: str, confidence: float, alt: str, ax) -> Chart:
    """The clearest differences, in points."""
    tested = table[table["p_value"].notna()]
    drawn = ordered(tested.iloc[order_of_p(tested["p_value"])[:MOST_ROWS]], "estimate")
    label = drawn["group"] + ": " + drawn["stage"] + " · " + drawn["to"]
    is_clear = drawn["p_adjusted"] < LEVEL
    label = label.where(is_clear, label + " (may be chance)")
    points = {column: 100 * drawn[column] for column in ("estimate", "lower", "upper")}
    day = in_days(drawn["horizon_days"].iloc[0])
    return charts.intervals(
        drawn.assign(label=label, **points),
        reference=0.0,
        faint=label[~is_clear].tolist(),
        x_label=f"points more lost within {day} than among others ({confidence:.0%} intervals)",
        title=f"Who is lost more than the others, by {by}",
        alt=alt,
        ax=ax,
    )


def _tiles(rows: pd.DataFrame, *, title: str, alt: str, ax) -> Chart:
    known = rows[rows["stage"].isin(rows.loc[rows["estimate"].notna(), "stage"])]
    written = known["estimate"].map(lambda share: "–" if pd.isna(share) else percent(share))
    return charts.tiles(
        known.assign(written=written),
        row="group",
        column="stage",
        value="estimate",
        text="written",
        title=title,
        alt=alt,
        ax=ax,
    )


def _few(rows: pd.DataFrame) -> list[str]:
    """The groups that are nowhere of as many as it takes to be compared."""
    most = rows.groupby("group")["customers"].max()
    return most.index[most < MIN_CUSTOMERS].tolist()
