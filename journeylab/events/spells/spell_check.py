"""Checks: do spells tile each customer's time in the journey, as its rules allow, and if not, where not?"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import html
from journeylab.base.errors import EstimateError
from journeylab.base.words import counted
from journeylab.events.journey import Journey
from journeylab.events.spells.spell_rules import FLAWS, UNUSABLE, Flaw, Look, with_neighbours
from journeylab.events.spells.spells import Spells

N_EXAMPLES = 3
_SHOWN = ["customer_id", "spell", "stage", "entered", "left"]


@dataclass(frozen=True)
class SpellFlaws:
    """What was found by looking at every spell.

    table: DataFrame, a row per problem looked for, those without a case too: `severity` (`error`: results would be
        wrong; `remark`: it is allowed, and worth knowing), `problem`, `spells`, `customers`, `example` (the first), and
        what the problem is (`meaning`).
    found: DataFrame, a row per spell and problem that it has: `severity`, `problem`, `customer_id`, `spell`, `stage`,
        `entered`, `left`, and what was `found`, in words.
    transitions: DataFrame, how often each move occurs: `stage`, `to` (a stage, a branch, or “ongoing”), `spells`,
        `customers`, and `median_days` in the stage before it.
    n_spells, n_customers: how many there are.
    """

    table: pd.DataFrame
    found: pd.DataFrame = field(repr=False)
    transitions: pd.DataFrame = field(repr=False)
    n_spells: int
    n_customers: int

    @property
    def is_sound(self) -> bool:
        """Whether no error was found."""
        return not (self.found["severity"] == "error").any()

    def examples(self, problem: str, n: int = N_EXAMPLES) -> pd.DataFrame:
        """The first `n` spells that have `problem`, one of those in `table`; columns as `found`."""
        return self.found[self.found["problem"] == problem].head(n).reset_index(drop=True)

    def raise_errors(self) -> None:
        """Raise one EstimateError with an example of every error, if there is any."""
        if self.is_sound:
            return
        first = self.found[self.found["severity"] == "error"].drop_duplicates("problem")
        told = [f"{row.problem}: {_example(row)}." for row in first.itertuples()]
        raise EstimateError("\n".join([self.sentence(), *told, "Mend the table that the spells were made from."]))

    def sentence(self) -> str:
        """How many spells have which problem."""
        base = f"{counted(self.n_spells, 'spell')} of {counted(self.n_customers, 'customer')}"
        told = {}
        for row in self.table[self.table["spells"] > 0].itertuples():
            told.setdefault(row.severity, []).append(f"{row.problem} ({row.spells:,})")
        remarks = f" Worth knowing: {', '.join(told['remark'])}." if "remark" in told else ""
        if "error" in told:
            return f"Not sound: among {base} are {', '.join(told['error'])}.{remarks}"
        return f"Sound: {base} without overlap, gap or impossible move.{remarks}"

    def __str__(self) -> str:
        return self.sentence()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = (html.table(self.table, csv=False), html.table(self.transitions, caption="How often each move occurs"))
        return html.card("Check of the spells", html.paragraph(self.sentence()), *tables)


def find_flaws(spells: Spells) -> SpellFlaws:
    """Look at every spell for what cannot be: overlaps, gaps, moves that the journey's rules forbid, and more.

    What `find_spells` finds is sound; the check is for spells from elsewhere (a CRM's stage history, another tool), and
    for tables that were changed by hand. In the spirit of `survcheck` in R's package survival. A spell may have several
    problems. Rows that lack a cell, or name what the journey does not have, are told, and their customers are left out
    of the other checks. Whether silence was dated rightly is checked where `last_event` is known.
    """
    visits = spells.to_pandas()
    rows = visits.assign(row=np.arange(len(visits)))
    parts = [part for flaw in UNUSABLE for part in _flagged(rows, flaw, spells)]
    unusable = set(pd.concat(parts)["row"])
    lost = rows.loc[rows["row"].isin(unusable), "customer_id"]
    usable = with_neighbours(rows[rows["customer_id"].notna() & ~rows["customer_id"].isin(lost)])
    parts += [part for flaw in FLAWS for part in _flagged(usable, flaw, spells)]
    found = pd.concat([part for part in parts if len(part)] or parts[:1])
    return SpellFlaws(
        table=pd.DataFrame([_count(flaw, found[found["problem"] == flaw.problem]) for flaw in (*UNUSABLE, *FLAWS)]),
        found=found.drop(columns="row").reset_index(drop=True),
        transitions=_transitions(visits, spells.journey),
        n_spells=len(visits),
        n_customers=visits["customer_id"].nunique(),
    )


def _flagged(rows: pd.DataFrame, flaw: Flaw, spells: Spells) -> list[pd.DataFrame]:
    """The rows that have `flaw`, a table for each way to have it."""
    parts = []
    for find in flaw.find:
        mask, told = find(Look(rows, spells.journey, spells.window))
        flagged = rows[mask]
        words = pd.Series([told(row) for row in flagged.itertuples()], index=flagged.index, dtype=object)
        about = {"severity": flaw.severity, "problem": flaw.problem}
        parts.append(flagged[_SHOWN].astype({"stage": object}).assign(found=words, row=flagged["row"], **about))
        parts[-1] = parts[-1][["severity", "problem", *_SHOWN, "found", "row"]]
    return parts


def _count(flaw: Flaw, found: pd.DataFrame) -> dict:
    return {
        "severity": flaw.severity,
        "problem": flaw.problem,
        "spells": found["row"].nunique(),
        "customers": found["customer_id"].nunique(),
        "example": next((_example(row) for row in found.head(1).itertuples()), None),
        "meaning": flaw.meaning,
    }


def _example(row) -> str:
    return f"spell {row.spell} of customer “{row.customer_id}”: {row.found}"


def _transitions(visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """How often customers went from each stage to where, in the journey's order."""
    to = visits["to"].astype(object).where(visits["outcome"] != "ongoing", "ongoing")
    moves = visits.assign(stage=visits["stage"].astype(object), to=to).groupby(
        ["stage", "to"], as_index=False, sort=True
    )
    counts = moves.agg(spells=("spell", "size"), customers=("customer_id", "nunique"), median_days=("days", "median"))
    place = {name: at for at, name in enumerate((*journey.stage_names, *journey.branches, "ongoing"))}
    return counts.sort_values(["stage", "to"], key=lambda names: names.map(place), kind="stable", ignore_index=True)
