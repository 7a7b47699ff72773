"""Naming: what is a persona called before anyone has given it a name? By what sets it apart, without judging."""

import pandas as pd

from journeylab.findings.personas.measures import COUNTED, LEVEL, NEXT, NUMBER, part_of


def generated_name(apart: pd.DataFrame) -> str:
    """A neutral name from what sets a persona apart most, of two families of features: “More chat, fewer events”."""
    if apart.empty:
        return "Like the others"
    first = apart.drop_duplicates("family").head(2)
    name = ", ".join(_part(row) for row in first.itertuples()).replace("_", " ")
    return name[0].upper() + name[1:]


def _part(row) -> str:
    """One feature in words, as “less chat”, “fewer events”, “more often plan basic”."""
    what, is_more = str(row.feature), row.delta > 0
    if row.kind == LEVEL:
        return f"{'more' if is_more else 'less'} often {what.replace(': ', ' ')}"
    if row.kind == NUMBER:
        more, less = ("more", "fewer") if what in COUNTED else ("higher", "lower")
        return f"{more if is_more else less} {what}"
    family, cell = what.split(": ", 1)[0], part_of(what)
    told = f"{cell} after {family.removeprefix(NEXT).strip()}" if family.startswith(NEXT) else cell
    return f"{'more' if is_more else 'less'} {told}"
