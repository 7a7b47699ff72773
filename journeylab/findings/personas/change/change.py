"""What changed: which personas survived since the last sprint, how did their shares move, and what do customers do
otherwise?"""

from dataclasses import dataclass, replace

import pandas as pd

from journeylab.base import charts, html
from journeylab.base.suppression import masked_few
from journeylab.findings.finding import Finding
from journeylab.findings.personas.change.figures import drift_figure, matching_figure, shares_figure
from journeylab.findings.personas.change.sentences import drift_sentence, lineage_sentence, shares_sentence
from journeylab.findings.personas.personas import Personas


@dataclass(frozen=True)
class PersonaChange(Finding):
    """Two sprints' personas compared.

    table: shares at the fixed, old definition: both sprints' customers assigned by the old model. One row per old
        persona: `persona`, `name`; the share `before` (`n_before` of `customers_before`) and `now` (`n` of
        `customers`); their `difference` with its 95% interval `lower`, `upper` (Newcombe); `p_adjusted` (Holm) and
        `is_beyond` (at most .05). Empty where no log was given.
    lineage: one row per link between an old and a new persona, and per persona without one: `id`, permanent; `change`
        (survived, split, merged, new, gone; see `matching.find_links`); `verdict` of the new persona, or of the one
        gone: what is not solid may come and go by chance; `old`, `new`, the ids under which each was
        found; `n_both` customers whom both definitions judge to be of the two, `n_old`, `n_new` of either; `jaccard`
        with its 95% interval `lower`, `upper` (Wilson); `of_old`, `of_new`, n_both as a share of either.
    cross: the same for every pair of an old and a new persona, without `id` and `change`.
    drift: one row per feature, all customers together; see `drift.find_drift`. Empty where no log was given.
    unseen: what the new customers did that was unseen when the old personas were found; see `Assignment`.
    personas: the new personas with their permanent ids; names, labels and model are as they were found.
    customers: how many customers both definitions judge. stages: names of the journey's stages.
    """

    lineage: pd.DataFrame
    cross: pd.DataFrame
    drift: pd.DataFrame
    unseen: pd.DataFrame
    personas: Personas
    customers: int
    stages: tuple[str, ...]

    def sentence(self) -> str:
        """What became of the old personas, whose share moved, and what drifted."""
        if self.lacking:
            return self.lacking
        said = [self.lineage_in_words()]
        return " ".join([*said, *([self.shares_in_words(), self.drift_in_words()] if len(self.table) else [])])

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
        """Index `stage`, no column: personas say nothing of a single stage."""
        return pd.DataFrame(index=pd.Index(self.stages, name="stage"))

    def for_export(self) -> "PersonaChange":
        """The same, fit to be handed on: counts of one to four customers, and what follows from them, are missing."""
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
        shown = self.for_export()
        return self._card(
            html.paragraph(self.sentence()),
            html.table(shown.lineage, caption="What became of the personas"),
            html.table(shown.table, caption="Shares at the fixed, old definition"),
            html.table(self.drift, caption="Drift of features, beside what no change would show"),
            *([html.table(self.unseen, caption="Unseen when the old personas were found")] if len(self.unseen) else []),
        )
