"""The result of a search for personas in a sentence: shares, intervals, bases, and what is proven."""

import pandas as pd

from journeylab.base.words import counted
from journeylab.findings.personas.number import INDEPENDENCE, ONE_CLOUD

CHANCE = {INDEPENDENCE: "in whom no two features go together", ONE_CLOUD: "who are one continuous cloud"}


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
    failed = structure[~structure["is_beyond"] & structure["null"].isin(list(CHANCE))]
    if failed.empty:
        return f"{found} Kinds that were tried hold too few customers, or were not found again in resampled ones."
    row = failed.iloc[0]
    told = f"{found} To tell {row['personas']} kinds apart"
    if row["observed"] <= 0:
        return f"{told} leaves more customers between the kinds than it describes better."
    return (
        f"{told} describes them no better than it does customers {CHANCE[row['null']]} "
        f"(p = {row['p']:.2f}, {counted(row['replicates'], 'replicate')})."
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
