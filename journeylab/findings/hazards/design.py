"""Design: which numbers stand for the covariates of each visit?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted, listed
from journeylab.events.features.attributes import Attributes
from journeylab.events.journey import Journey
from journeylab.events.queries.covariates import Exposure, RiskRows, check_known_in_time
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import visits_to
from journeylab.findings.grouping import Grouping, attribute_names, future_in_words, future_of_attribute, watched

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, eq=False)
class Coded:
    """A covariate as columns of numbers.

    name: the covariate. reference: the level that the others are compared with; None for a number. levels: one per
    column; of a number, the unit. columns: (rows, levels).
    """

    name: str
    reference: str | None
    levels: tuple[str, ...]
    columns: np.ndarray

    @classmethod
    def categories(cls, name: str, values: pd.Series, customers: pd.Series) -> "Coded":
        """A column for each level but that which most customers have (of equals the first by name)."""
        counts = customers.groupby(values.to_numpy()).nunique().sort_index()
        reference = counts.idxmax()
        levels = tuple(level for level in counts.index if level != reference)
        return cls(name, reference, levels, (values.to_numpy()[:, None] == np.array(levels, object)).astype(float))

    @classmethod
    def number(cls, name: str, values: pd.Series, customers: pd.Series) -> "Coded":
        """The values in units of their standard deviation between customers."""
        spread = float(values[~customers.duplicated().to_numpy()].std())
        return cls(name, None, (f"per {spread:,.3g} more (1 SD)",), values.to_numpy(float)[:, None] / spread)


@dataclass(frozen=True, eq=False)
class Design:
    """The visits whose covariates are known, and these.

    nouns: the covariates as they were asked for. visits: rows of spells, in their order; there may be none. values: by
    name, of each visit, what does not change within it. numbers: the names of those that are numbers. left_out: who is
    left out, and why. doubts: sentences on covariates that look computed from the future. lacking: why there is no
    visit.
    """

    nouns: tuple[str | Grouping | Exposure, ...]
    visits: pd.DataFrame
    values: dict[str, pd.Series]
    numbers: frozenset[str]
    left_out: tuple[str, ...]
    doubts: tuple[str, ...]
    lacking: str | None

    @classmethod
    def of(
        cls, spells: Spells, stages: Sequence[str], covariates: Sequence[str | Grouping | pd.Series | Exposure]
    ) -> "Design":
        """The visits to `stages`, watched from when all labels in `covariates` were known on, with what was known."""
        labels = (Grouping, pd.Series)
        nouns = tuple(Grouping.of(noun, spells) if isinstance(noun, labels) else noun for noun in covariates)
        _check_names([_name(noun) for noun in nouns])
        visits = _visits_to(stages, watched(spells, None), spells.journey)
        where = listed([f"“{stage}”" for stage in stages])
        lacking = None if len(visits) else f"Nobody was watched inside {where}, so there is nothing to compare."
        left_out, values, numbers, doubts = [], {}, set(), []
        for noun in nouns:
            if isinstance(noun, Grouping):
                labelled = watched(spells, noun)
                if noun.may_know_the_future:
                    doubts.append(future_in_words(noun.name, labelled, spells, stages=stages))
                known = _visits_to(stages, noun.apply(visits).drop(columns="group"), spells.journey)
                left_out += _counted(len(visits) - len(known), f"whose “{noun.name}” was not known before they ended")
                visits, values[noun.name] = known, noun.labels
            elif isinstance(noun, str):
                check_known_in_time(visits, spells.customers, noun)
                attributes = _attribute(noun, spells.customers)
                doubts.append(future_of_attribute(noun, spells, attributes, stages=stages))
                numbers |= set(attributes.numbers)
                values[noun] = (attributes.numbers if noun in numbers else attributes.categories)[noun]
        for name, column in values.items():
            is_known = visits["customer_id"].map(column).notna()
            left_out += _counted(int((~is_known).sum()), f"without “{name}”")
            visits = visits[is_known]
        if not len(visits) and lacking is None:
            lacking = f"No visit to {where} has all of the covariates: {'; '.join(left_out)}."
        of_visits = {name: visits["customer_id"].map(column) for name, column in values.items()}
        known_doubts = tuple(doubt for doubt in doubts if doubt)
        return cls(nouns, visits, of_visits, frozenset(numbers), tuple(left_out), known_doubts, lacking)

    @property
    def exposures(self) -> list[Exposure]:
        """The covariates that change within visits."""
        return [noun for noun in self.nouns if isinstance(noun, Exposure)]

    def coded(self, rows: RiskRows) -> list[Coded]:
        """The covariates of rows of these visits, in the order asked for.

        Raises EstimateError where one does not vary.
        """
        exposed = iter(rows.exposed.T)
        return [
            _exposure(noun.name, next(exposed)) if isinstance(noun, Exposure) else self._fixed(_name(noun), rows.visit)
            for noun in self.nouns
        ]

    def _fixed(self, name: str, visit: np.ndarray) -> Coded:
        values, customers = self.values[name], self.visits["customer_id"]
        if values.nunique() < 2:
            raise EstimateError(
                f"All {len(values):,} visits have the same “{name}”, “{values.iloc[0]}”. "
                "Leave it out, or watch more customers."
            )
        coded = (Coded.number if name in self.numbers else Coded.categories)(name, values, customers)
        return replace(coded, columns=coded.columns[visit])


def _visits_to(stages: Sequence[str], visits: pd.DataFrame, journey: Journey) -> pd.DataFrame:
    """The watched visits to each of `stages`, one stage after the other, as `find_exits` has them."""
    return pd.concat([visits_to(visits, journey, stage) for stage in stages])


def _name(noun: str | Grouping | Exposure) -> str:
    return noun if isinstance(noun, str) else noun.name


def _check_names(names: list[str]) -> None:
    if not names:
        raise EstimateError("No covariate is given. Name one or more, such as covariates=[“plan”].")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise EstimateError(f"Two covariates are called “{twice}”. Leave one out, or rename it.")


def _attribute(name: str, customers: pd.DataFrame) -> Attributes:
    """The attribute, as the only one."""
    if name not in customers.columns:
        hint = did_you_mean(name, attribute_names(customers))
        raise EstimateError(f"The customers have no attribute “{name}”. {hint}")
    attributes = Attributes.of(customers[[name]], customers.index)
    if len(attributes.unused):
        raise EstimateError(
            f"The attribute “{name}” cannot be a covariate: {attributes.unused['reason'].iloc[0]}. "
            "Leave it out; what became known later can be a Grouping with `known_at`, or an Exposure."
        )
    return attributes


def _exposure(name: str, exposed: np.ndarray) -> Coded:
    """1 once it has happened."""
    if exposed.all() or not exposed.any():
        share = "all" if exposed.all() else "none"
        raise EstimateError(
            f"Of the time watched, {share} is after “{name}”, so before and after cannot be compared. Leave it out."
        )
    return Coded(name, BEFORE, (AFTER,), exposed.astype(float)[:, None])


def _counted(number: int, why: str) -> list[str]:
    return [f"{counted(number, 'visit')} {why}"] if number else []
