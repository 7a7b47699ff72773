"""Figures of personas: what sets them apart, how many there are, and how surely they are found again."""

import pandas as pd

from journeylab.base import charts
from journeylab.findings.personas.description import sets_apart
from journeylab.findings.personas.number import REPEATABLE_FROM

HOW_MANY = "How many personas?"
FOUND_AGAIN = "Are the same personas found in other customers?"
ONE_KIND_AGAIN = "One kind of customer was seen, so there is nothing to find again in other customers."
_CRITERIA = {"bic": "BIC", "adjusted_bic": "adjusted BIC", "icl": "ICL"}


def apart_figure(
    table: pd.DataFrame, profiles: pd.DataFrame, *, within: str | None, sentence: str, ax=None
) -> charts.Chart:
    """Cliff's delta of each persona of `table` to the other customers, for the features that differ most."""
    apart = [sets_apart(profiles, persona, at_most=3) for persona in table["persona"]]
    features = list(dict.fromkeys(pd.concat(apart)["feature"]))
    if not features:
        nothing = f"{sentence} Nothing sets them apart by more than a negligible difference."
        return charts.note(nothing, title="What sets the personas apart", ax=ax)
    title = f"What sets the personas apart: Cliff's delta (first {within})"
    tiles = profiles[profiles["feature"].isin(features)].set_index("feature").loc[features].reset_index()
    deltas = "; ".join(f"{row.persona}: {row.feature} {row.delta:+.2f}" for row in pd.concat(apart).itertuples())
    return charts.tiles(
        tiles.assign(text=[f"{delta:+.2f}" for delta in tiles["delta"]]),
        row="feature",
        column="persona",
        value="delta",
        text="text",
        centre=0.0,
        title=title,
        alt=f"{title} of each to the other customers, from -1 to 1. {deltas}.",
        ax=ax,
    )


def scan_figure(scan: pd.DataFrame, ax=None) -> charts.Chart:
    """How well each number of personas describes the customers (lower is better); the chosen number is marked."""
    curves = scan.melt(id_vars="personas", value_vars=list(_CRITERIA), var_name="criterion", value_name="score")
    curves["criterion"] = curves["criterion"].map(_CRITERIA)
    curves["score"] -= curves.groupby("criterion")["score"].transform("first")
    scores = ", ".join(f"{row.personas}: {row.score:,.0f}" for row in curves[curves["criterion"] == "BIC"].itertuples())
    chosen = int(scan.loc[scan["is_chosen"], "personas"].iloc[0])
    return charts.lines(
        curves,
        x="personas",
        y="score",
        by="criterion",
        mark=chosen,
        x_label="Number of personas",
        y_label="Difference to one persona (lower is better)",
        title=HOW_MANY,
        alt=f"BIC less that of one persona, by number of personas. {scores}. {_steps(scan)}Chosen: {chosen}.",
        ax=ax,
    )


def proof_figure(proof: pd.DataFrame, ax=None) -> charts.Chart:
    """How reliably each persona is found again in resampled customers: mean Jaccard coefficient with the middle 90% of
    the replicates, beside the .75 that repeatable ones reach."""
    if not proof["replicates"].any():
        return charts.note(f"No replicates: {proof['verdict'].iloc[0]}.", title=FOUND_AGAIN, ax=ax)
    rows = proof.assign(label=[f"{row.persona} · {row.verdict}" for row in proof.itertuples()])
    verdicts = "; ".join(
        f"{row.persona} {row.jaccard:.2f} ({row.lower:.2f} to {row.upper:.2f}), {row.verdict}"
        for row in proof.itertuples()
    )
    n = proof["replicates"].iloc[0]
    return charts.intervals(
        rows,
        label="label",
        x="jaccard",
        lower="lower",
        upper="upper",
        x_label="Mean Jaccard coefficient (1: the same customers; dashed: repeatable from here)",
        title=FOUND_AGAIN,
        alt=(
            f"Mean Jaccard coefficient of each persona with its like in {n} resamples of the customers, with the "
            f"middle 90% of them. {verdicts}."
        ),
        reference=REPEATABLE_FROM,
        ax=ax,
    )


def _steps(scan: pd.DataFrame) -> str:
    """What the last persona of each number gains, beside what cutting a cloud gains where that was drawn."""
    gains = [
        f"{row.personas}: {row.gain:.2f}" + ("" if pd.isna(row.p) else f" against {row.gain_by_chance:.2f} by chance")
        for row in scan[scan["gain"].notna()].itertuples()
    ]
    return f"Gained by the last persona, per customer: {', '.join(gains)}. " if gains else ""
