"""Pictures: the figures of drop-off, from its tables."""

from collections.abc import Sequence

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import order_of_p, ordered
from journeylab.base.words import in_days, percent
from journeylab.events.spells.exits import ledger_parts
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.dropoff.sentences import LEVEL, few_or

# More groups than this lie too close beside each other: they get a tile each.
MOST_BESIDE = 6
MOST_PLACES = 12


def shares_lost(
    rows: pd.DataFrame, day: float, *, by: str | None, confidence: float, order: Sequence[str], ax
) -> Chart:
    """Share lost by stage and branch, with intervals; with groups, by stage and group: of many, as tiles."""
    beside = "group" if by else "to"
    title = f"Where customers are lost, by {by or 'branch'}"
    drawn = rows[rows["estimate"].notna()]
    top = ordered(drawn, "estimate").head(5)
    told = [
        f"{row['stage']}, {row[beside]}: {percent(row['estimate'])} ({percent(row['lower'])} to "
        f"{percent(row['upper'])}) of {row['n']:,.0f}"
        for _, row in top.iterrows()
    ]
    alt = f"Share of visits lost within {in_days(day)} of entering, highest first. {'; '.join(told)}."
    if by and drawn["group"].nunique() > MOST_BESIDE:
        return _tiles(rows, title=f"{title}: lost within {in_days(day)}", alt=alt, ax=ax)
    return charts.intervals(
        drawn,
        label="stage",
        x="estimate",
        lower="lower",
        upper="upper",
        by=beside,
        percent=True,
        x_label=f"lost within {in_days(day)} of entering the stage ({confidence:.0%} intervals)",
        title=title,
        alt=alt,
        colour_order=() if by else order,
        faint=_few(drawn) if by else (),
        ax=ax,
    )


def ledger(entered: pd.DataFrame, whole: pd.DataFrame, *, ax) -> Chart:
    """What became of the visits of each stage, as bars; `whole` is the ledger, `entered` its labelled rows."""
    parts = [part for part in ledger_parts(whole) if entered[part].fillna(1).any()]
    rows = [
        f"{row['label']}: {few_or(row['entered'])} entered, "
        + ", ".join(f"{few_or(row[part])} {part.replace('_', ' ')}" for part in parts if row[part] != 0)
        for _, row in entered.iterrows()
    ]
    return charts.stacked(
        entered.assign(**{part: entered[part].fillna(0) for part in parts}),
        label="label",
        parts=parts,
        x_label="visits",
        title="What became of those who entered each stage, so far",
        alt=f"What became of those who entered, so far. {'; '.join(rows)}.",
        colour_order=ledger_parts(whole),
        ax=ax,
    )


def places(table: pd.DataFrame, *, by: str | None, what: str, confidence: float, alt: str, ax) -> Chart:
    """What is lost at the worst places, with intervals, and how often each comes first."""
    drawn = table[table["estimate"] > 0].head(MOST_PLACES)
    label = drawn["stage"] + " · " + drawn["branch"]
    label = label + " · " + drawn["group"] if by else label
    if "first" in drawn:
        often = drawn["first"].ge(0.005)
        label = label.where(~often, label + " (first in " + drawn["first"].map("{:.0%}".format) + ")")
    return charts.intervals(
        drawn.assign(label=label),
        label="label",
        x="estimate",
        lower="lower",
        upper="upper",
        x_label=f"{what} lost within {in_days(drawn['horizon_days'].iloc[0])} of entering ({confidence:.0%} intervals)",
        title="The most vulnerable places",
        alt=alt,
        ax=ax,
    )


def against_naive(table: pd.DataFrame, *, by: str | None, confidence: float, alt: str, ax) -> Chart:
    """The naive share, the share ended so far and the estimate, beside each other."""
    label = table["stage"] + " · " + table["group"] if by else table["stage"]
    day = in_days(table["horizon_days"].iloc[0])
    views = {
        "did not move on": table.assign(estimate=table["naive"], lower=None, upper=None),
        "lost so far": table.assign(estimate=table["crude"], lower=None, upper=None),
        f"lost within {day}": table,
    }
    drawn = pd.concat(
        [
            part.assign(label=label, view=view)[["label", "view", "estimate", "lower", "upper"]].astype(
                {"estimate": float, "lower": float, "upper": float}
            )
            for view, part in views.items()
        ]
    )
    return charts.intervals(
        drawn[drawn["estimate"].notna()],
        label="label",
        x="estimate",
        lower="lower",
        upper="upper",
        by="view",
        percent=True,
        x_label=f"share of visits ({confidence:.0%} interval of the estimate)",
        title="Naive counts, and the share that is lost",
        alt=alt,
        ax=ax,
    )


def differences(table: pd.DataFrame, *, by: str, confidence: float, alt: str, ax) -> Chart:
    """The differences told apart best, in points."""
    tested = table[table["p_value"].notna()]
    drawn = ordered(tested.iloc[order_of_p(tested["p_value"])[:MOST_PLACES]], "estimate")
    label = drawn["group"] + ": " + drawn["stage"] + " · " + drawn["to"]
    apart = drawn["p_adjusted"] < LEVEL
    label = label.where(apart, label + " (not told apart)")
    points = {column: 100 * drawn[column] for column in ("estimate", "lower", "upper")}
    day = in_days(drawn["horizon_days"].iloc[0])
    return charts.intervals(
        drawn.assign(label=label, **points),
        label="label",
        x="estimate",
        lower="lower",
        upper="upper",
        reference=0.0,
        faint=label[~apart].tolist(),
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
