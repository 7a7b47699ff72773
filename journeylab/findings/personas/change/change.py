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
from journeylab.findings.personas.change.crowds import Crowds
from journeylab.findings.personas.change.drift import DRIFT
from journeylab.findings.personas.change.figures import drift_figure, matching_figure, shares_figure
from journeylab.findings.personas.change.matching import CROSS, LINEAGE, RULE
from journeylab.findings.personas.change.sentences import NO_LOG, drift_sentence, lineage_sentence, shares_sentence
from journeylab.findings.personas.personas import Personas


@dataclass(frozen=True)
class PersonaChange(Finding):
    """Two sprints' personas compared.

    Attributes
    ----------
    table : DataFrame
        Shares at the fixed, old definition, of two crowds: the customers of before, and those who came since, assigned
        by the old model. One row per old persona: `persona`, `name`; the share `before` (`n_before` of
        `customers_before`) and `now` (`n` of `customers`); their `difference` with its 95% interval `lower`, `upper`
        (Newcombe); `p_adjusted` (Holm) and `is_beyond` (at most .05). Empty where nothing can be compared.
    lineage : DataFrame
        One row per link between an old and a new persona, and per persona without one: `id`, permanent, and its `name`;
        `change` (survived, split, merged, new, gone; `rule` says when); `how_sure`, “clear” or “probable”;
        `verdict_before`, and `verdict` of the new persona, or of the one gone: what is not repeatable may come and go
        by chance; `old`, `new`, the ids under which each was found; `n_both` customers whom both definitions judge to
        be of the two, `n_old`, `n_new` of either; `jaccard` with its 95% interval `lower`, `upper` (Wilson); `of_old`,
        `of_new`, n_both as a share of either.
    cross : DataFrame
        The same for every pair of an old and a new persona, without what is said of a persona or a link.
    drift : DataFrame
        One row per feature, all who came since together; see `drift.find_drift`. Empty as `table` is.
    unseen : DataFrame
        What the new customers did that was unseen when the old personas were found; see `Assignment`.
    personas : Personas
        The new personas with their permanent ids; survivors have the name that they had. Labels and model are as they
        were found.
    customers : int
        How many customers both definitions judge.
    crowds : Crowds or None
        Who came since, and how many are left out of the tests because they were there before; None without a log.
    unmatched : str
        Why no persona is any other: before, now, or both times, one kind of customer was seen.
    """

    personas: Personas
    lineage: pd.DataFrame = field(default_factory=partial(table_of, (), LINEAGE))
    cross: pd.DataFrame = field(default_factory=partial(table_of, (), CROSS))
    drift: pd.DataFrame = field(default_factory=partial(table_of, (), DRIFT))
    unseen: pd.DataFrame = field(default_factory=partial(unseen_table, []))
    customers: int = 0
    crowds: Crowds | None = None
    unmatched: str = ""

    @property
    def rule(self) -> str:
        """When a persona counts as survived, split, merged, new or gone; Markdown."""
        return RULE

    def sentence(self) -> str:
        """What became of the old personas, whose share moved, and what drifted."""
        if self.lacking or self.crowds is None:
            return self.lineage_in_words()
        if self.crowds.lacking:
            return f"{self.lineage_in_words()} {self.crowds.lacking}"
        shares = [] if self.table.empty else [self.shares_in_words()]
        return " ".join([self.lineage_in_words(), *shares, self.drift_in_words()])

    def lineage_in_words(self) -> str:
        """Which personas survived, were split or merged, are new or gone."""
        return self.lacking or self.unmatched or lineage_sentence(self.lineage, self.customers)

    def shares_in_words(self) -> str:
        """Which shares moved by more than chance explains, at the fixed definition, and who is compared."""
        return self._why_untested or (
            f"{shares_sentence(self.table)} {self.crowds.sentence}"
            if self.crowds and len(self.table)
            else self.unmatched
        )

    def drift_in_words(self) -> str:
        """In which features customers as a whole moved beyond what no change would show."""
        return self._why_untested or drift_sentence(self.drift)

    @property
    def _why_untested(self) -> str | None:
        return self.lacking or (NO_LOG if self.crowds is None else self.crowds.lacking)

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
        if self.table.empty:
            return charts.note(self.shares_in_words(), title=self.title, ax=ax)
        return shares_figure(self.table, sentence=self.shares_in_words(), ax=ax)

    def plot_matching(self, ax=None) -> charts.Chart:
        """The Jaccard coefficient of each old with each new persona."""
        if self.lineage.empty:
            return charts.note(self.lineage_in_words(), title=self.title, ax=ax)
        return matching_figure(self.cross, self.lineage, sentence=self.lineage_in_words(), ax=ax)

    def plot_drift(self, ax=None) -> charts.Chart:
        """The features that drifted most, beside the drift that samples of this size show without any change."""
        if self.drift.empty:
            return charts.note(self.drift_in_words(), title="Drift of features", ax=ax)
        return drift_figure(self.drift, sentence=self.drift_in_words(), ax=ax)

    def _repr_html_(self) -> str:
        exported = self.for_export()
        tables = {
            "What became of the personas": exported.lineage,
            "Shares at the fixed, old definition": exported.table,
            "Drift of features, beside what no change would show": self.drift,
            "Unseen when the old personas were found": self.unseen,
        }
        shown = [html.table(table, caption=caption) for caption, table in tables.items() if len(table)]
        return self._card(html.paragraph(self.sentence()), *shown)
