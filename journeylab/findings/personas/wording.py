"""The result of a search for personas in a sentence: shares, intervals, bases, and what is proven."""

import pandas as pd

from journeylab.findings.personas.number import INDEPENDENCE

CHANCE = {INDEPENDENCE: "features of which no two go together"}


def personas_sentence(table: pd.DataFrame, proof: pd.DataFrame, *, within: str) -> str:
    """Each persona of `table` with its share, and its verdict by `proof`."""
    customers = f"{table['customers'].iloc[0]:,} customers"
    shares = "; ".join(
        f"{row.persona} ({row.name}) {row.share:.0%} of {customers} ({row.lower:.0%} to {row.upper:.0%})"
        for row in table.itertuples(index=False, name="Row")
    )
    return f"{len(table)} personas by the first {within}: {shares}. {_proven(proof)}"


def no_structure_sentence(table: pd.DataFrame, structure: pd.DataFrame, *, within: str) -> str:
    """One kind of customer, and what a split would have gained."""
    customers = f"{table['customers'].iloc[0]:,} customers"
    found = (
        f"No structure found: by their first {within} these {customers} are one kind of customer, more or less active."
    )
    if structure.empty:
        return found
    failed = structure[~structure["is_beyond"]]
    if failed.empty:
        return f"{found} Personas that were tried were not found again in resampled customers."
    row = failed.iloc[0]
    chance = CHANCE.get(row["null"], row["null"])
    return (
        f"{found} Splitting them into {row['personas']} describes them no better than it does {chance} "
        f"(p = {row['p']:.2f}, {row['replicates']} replicates)."
    )


def _proven(proof: pd.DataFrame) -> str:
    n = int(proof["replicates"].iloc[0])
    if not n:
        verdict = proof["verdict"].iloc[0]
        return f"{verdict[0].upper()}{verdict[1:]}."
    told = ", ".join(
        f"{row.persona} {row.verdict} ({row.jaccard:.2f}, {row.lower:.2f} to {row.upper:.2f})"
        for row in proof.itertuples(index=False, name="Row")
    )
    return f"Found again in resampled customers (mean Jaccard coefficient, {n} replicates): {told}."
