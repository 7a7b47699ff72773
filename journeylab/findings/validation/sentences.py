"""Sentences: where is proof lacking, and are those who prove a stage kept better?"""

import pandas as pd

from journeylab.base.ordering import largest
from journeylab.base.words import counted, in_days, listed, percent, with_sign
from journeylab.findings.exit_curves import DECLARED

KEPT, LOST_MORE, UNCLEAR = "kept", "lost more", "unclear"


def claims(counts: pd.DataFrame) -> str:
    """Of how many visits the stage was left without its proof, where that share is largest."""
    rows = counts[counts["triggered"] > 0]
    if rows.empty:
        return ""
    row = rows.iloc[largest(rows["left_unproven"] / rows["triggered"])]
    return (
        f"Claimed but unproven: “{row['stage']}” stands out, where {row['left_unproven']:,} of "
        f"{counted(row['triggered'], 'visit')} ended without the proof so far ({row['validation']})."
    )


def protection(losses: pd.DataFrame, differences: pd.DataFrame, day: float) -> str:
    """In which stages those who prove it are lost less by a loss event, in which more, and what that may mean."""
    rows = differences[(differences["horizon_days"] == day) & (differences["to"] == DECLARED)]
    rows = rows[rows["estimate"].notna()]
    if rows.empty:
        return "Whether the proven are kept better cannot be estimated yet: too few were watched after their proof."
    both = losses[(losses["horizon_days"] == day) & (losses["to"] == DECLARED)]
    shares = both.pivot(index="stage", columns="validated", values="estimate")
    kinds: dict[str, list[str]] = {KEPT: [], LOST_MORE: [], UNCLEAR: []}
    for _, row in rows.iterrows():
        kind = KEPT if row["upper"] < 0 else LOST_MORE if row["lower"] > 0 else UNCLEAR
        kinds[kind].append(_in_words(row, shares.loc[row["stage"]]))
    openings = {
        KEPT: "Fewer of the proven than of the others are lost by a loss event",
        LOST_MORE: "More of the proven are lost by a loss event",
        UNCLEAR: "Elsewhere no clear difference is shown",
    }
    if not kinds[KEPT] and not kinds[LOST_MORE]:
        openings[UNCLEAR] = "No clear difference is shown"
    parts = [f"{openings[kind]}: {'; '.join(words)}." for kind, words in kinds.items() if words]
    against = [f"“{row['stage']}”" for _, row in rows.iterrows() if row["estimate"] > 0]
    if against:
        parts.append(
            f"In {listed(against)} more of the proven than of the others are lost: proof does not seem to protect. "
            "There the validation may not prove what the stage is about, or those who meet it may have been at more "
            "risk from the start."
        )
    return " ".join(parts)


def _in_words(row: pd.Series, shares: pd.Series) -> str:
    points, low, high = (with_sign(100 * row[name]).replace("-", "−") for name in ("estimate", "lower", "upper"))
    return (
        f"“{row['stage']}” {percent(shares['yes'])} of the proven, {percent(shares['no'])} of the others ({points} "
        f"points, {low} to {high}; {counted(row['n'], 'visit')} still inside after {in_days(row['landmark_days'])})"
    )
