"""What changed: which personas survived since the last sprint, how did their shares move, and what do customers do
differently?"""

from dataclasses import dataclass, field, replace
from functools import partial

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.suppression import masked_few
from journeylab.base.tables import table_of
from journeylab.events.features import unseen_table
from journeylab.findings.finding import Finding
from journeylab.findings.personas.change.drift import DRIFT
from journeylab.findings.personas.change.figures import drift_figure, matching_figure, shares_figure
from journeylab.findings.personas.change.matching import CROSS, LINEAGE
from journeylab.findings.personas.change.sentences import drift_sentence, lineage_sentence, shares_sentence
from journeylab.findings.personas.personas import Personas


@dataclass(frozen=True)
class PersonaChange(Finding):
    """Two sprints' personas compared.

    Attributes
    ----------
    table : DataFrame
        Shares at the fixed, old definition: both sprints' customers assigned by the old model. One row per old persona:
        `persona`, `name`; the share `before` (`n_before` of `customers_before`) and `now` (`n` of `customers`); their
        `difference` with its 95% interval `lower`, `upper` (Newcombe); `p_adjusted` (Holm) and `is_beyond` (at most
        .05). Empty where no log was given.
    lineage : DataFrame
        One row per link between an old and a new persona, and per persona without one: `id`, permanent; `change`
        (survived, split, merged, new, gone; see `matching.find_links`); `verdict` of the new persona, or of the one
        gone: what is not repeatable may come and go by chance; `old`, `new`, the ids under which each was found;
        `n_both` customers whom both definitions judge to be of the two, `n_old`, `n_new` of either; `jaccard` with its
        95% interval `lower`, `upper` (Wilson); `of_old`, `of_new`, n_both as a share of either.
    cross : DataFrame
        The same for every pair of an old and a new persona, without `id`, `change` and `verdict`.
    drift : DataFrame
        One row per feature, all customers together; see `drift.find_drift`. Empty where no log was given.
    unseen : DataFrame
        What the new customers did that was unseen when the old personas were found; see `Assignment`.
    personas : Personas
        The new personas with their permanent ids; names, labels and model are as they were found.
    customers : int
        How many customers both definitions judge.
    """

    personas: Personas
    lineage: pd.DataFrame = field(default_factory=partial(table_of, (), LINEAGE))
    cross: pd.DataFrame = field(default_factory=partial(table_of, (), CROSS))
    drift: pd.DataFrame = field(default_factory=partial(table_of, (), DRIFT))
    unseen: pd.DataFrame = field(default_factory=partial(unseen_table, []))
    customers: int = 0

    def sentence(self) -> str:
        """What became of the old personas, whose share moved, and what drifted."""
        if self.lacking or self.table.empty:
            return self.lineage_in_words()
        return " ".join([self.lineage_in_words(), self.shares_in_words(), self.drift_in_words()])

    def lineage_in_words(self) -> str:
        """Which personas survived, were split or merged, are new or gone."""
        return self.lacking or lineage_sentence(self.lineage, self.customers)

    def shares_in_words(self) -> str:
        """Which shares moved beyond chance, at the fixed definition."""
        return self.lacking or shares_sentence(self.table)

    def drift_in_words(self) -> str:
        """In which features customers as a whole moved beyond what no change would show."""
        return self.lacking or drift_sentence(self.drift)

    def by_stage(self) -> pd.DataFrame:
        """Index `stage`, no column: personas do not describe a single stage."""
        return self.personas.by_stage()

    def for_export(self) -> "PersonaChange":
        """The same, fit to be shared: counts of one to four customers, and what follows from them, are missing."""
        pairs = {"n_both": ["jaccard", "lower", "upper", "of_old", "of_new"], "n_old": [], "n_new": []}
        shares = {"n_before": ["before", "difference", "lower", "upper"], "n": ["now", "difference", "lower", "upper"]}
        return replace(
            self,
            table=masked_few(self.table, shares),
            lineage=masked_few(self.lineage, pairs),
            cross=masked_few(self.cross, pairs),
        )

    def plot(self, ax=None) -> charts.Chart:
        """The share of each old persona before and now, at the old definition."""
        if self.lacking or self.table.empty:
            return charts.note(self.lacking or self.shares_in_words(), title=self.title, ax=ax)
        return shares_figure(self.table, sentence=self.shares_in_words(), ax=ax)

    def plot_matching(self, ax=None) -> charts.Chart:
        """The Jaccard coefficient of each old with each new persona."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        return matching_figure(self.cross, self.lineage, sentence=self.lineage_in_words(), ax=ax)

    def plot_drift(self, ax=None) -> charts.Chart:
        """The features that drifted most, beside the drift that samples of this size show without any change."""
        if self.lacking or self.drift.empty:
            return charts.note(self.lacking or self.drift_in_words(), title="Drift of features", ax=ax)
        return drift_figure(self.drift, sentence=self.drift_in_words(), ax=ax)

    def _repr_html_(self) -> str:
        exported = self.for_export()
        tables = {
            "What became of the personas": exported.lineage,
            "Shares at the fixed, old definition": exported.table,
            "Drift of features, beside what no change would show": self.drift,
            **({"Unseen when the old personas were found": self.unseen} if len(self.unseen) else {}),
        }
        shown = [html.table(table, caption=caption) for caption, table in tables.items()]
        return self._card(html.paragraph(self.sentence()), *shown)
