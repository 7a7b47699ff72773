"""Two crowds: of the customers in a newer log, who came since the old personas were found, and who was there before?

Nobody counts twice. Shares before are those of the customers whom the old personas were found in; shares now are those
of the customers who could be judged only since. So the two are independent, as the tests take them to be.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from journeylab.base.words import counted
from journeylab.findings.personas.assign import Assignment
from journeylab.findings.personas.landmark import MIN_JUDGED
from journeylab.findings.personas.personas import Personas


@dataclass(frozen=True, eq=False)
class Crowds:
    """Who is compared with whom.

    since: Index of the customers judged since; None where nothing says who they are. before: how many customers the
    old personas were found in. judged: how many of the newer log can be judged.
    """

    since: pd.Index | None
    before: int
    judged: int

    @classmethod
    def of(cls, old: Personas, assigned: Assignment) -> "Crowds":
        """The customers of `assigned` who were not among those of `old`: by their ids where the old personas hold them,
        else by whether their first days were over only after the old window had ended."""
        labels, period = assigned.labels, old.period
        if len(old.labels):
            since = labels.index[~labels.index.isin(old.labels.index)]
        elif period is not None:
            since = labels.index[(assigned.known_at > period.end).to_numpy()]
        else:
            since = None
        return cls(since, int(old.table["customers"].iloc[0]), len(labels))

    @property
    def both(self) -> int:
        """How many customers of the newer log were there before."""
        return 0 if self.since is None else self.judged - len(self.since)

    @property
    def lacking(self) -> str | None:
        """Why the two cannot be compared; None where they can."""
        if self.since is None:
            return (
                "Nothing says which customers came since: the file of the old personas holds neither its customers nor "
                "its period. Give it with read_personas(path, period=...)."
            )
        if self.both and not len(self.since):
            return (
                f"Nobody new can be judged: all {counted(self.judged, 'customer')} in this log were among the "
                f"{self.before:,} of before. So neither shares nor drift are compared."
            )
        if len(self.since) < MIN_JUDGED:
            return (
                f"Only {counted(len(self.since), 'customer')} of {self.judged:,} came since, and {MIN_JUDGED} are "
                "needed. So neither shares nor drift are compared."
            )
        return None

    @property
    def sentence(self) -> str:
        """Who is compared with whom, and how many would be in both."""
        new = 0 if self.since is None else len(self.since)
        compared = f"Compared are {new:,} customers who came since with the {self.before:,} of before."
        if not self.both:
            return compared
        return (
            f"{compared} Of {self.judged:,} customers who can be judged now, {self.both:,} were there before and count "
            "only there."
        )

    def shares(self, assigned: Assignment) -> pd.DataFrame:
        """How many of those who came since are of each old persona: `n` of so many `customers`, in their order."""
        since = pd.Index([]) if self.since is None else self.since
        n = assigned.labels.reindex(since).value_counts().reindex(assigned.table["persona"], fill_value=0)
        return pd.DataFrame({"n": n.to_numpy(dtype=np.int64), "customers": len(since)})
