"""Which cells does a set of numbers, categories and counts fill, and what is kept so that other customers fill the same
ones?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix, hstack

from journeylab.base.errors import EstimateError
from journeylab.estimators.latent_class.cells import Bins, Levels, Shares


@dataclass(frozen=True)
class Tally:
    """How often each row did each of several things.

    counts: (rows, names) whole counts.
    """

    counts: csr_matrix
    names: tuple[str, ...]

    def take(self, rows: np.ndarray | slice) -> "Tally":
        """The same of some rows."""
        return Tally(self.counts[rows], self.names)


@dataclass(frozen=True)
class Observed:
    """What is known of some rows, in the same order throughout.

    numbers: name -> (rows,) floats, nan where missing.
    among: name of a number -> name of a number of activity, without missing values. The first is binned among rows that
        are equally active.
    categories: name -> (rows,) text, None where missing.
    tallies: name -> Tally.
    """

    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)
    among: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, np.ndarray] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Number of rows; 0 where nothing is observed."""
        tallies = (tally.counts for tally in self.tallies.values())
        columns = (*self.numbers.values(), *self.categories.values(), *tallies)
        return columns[0].shape[0] if columns else 0

    def take(self, rows: np.ndarray | slice) -> "Observed":
        """The same of some rows: positions, or a slice."""
        return Observed(
            numbers={name: values[rows] for name, values in self.numbers.items()},
            among=self.among,
            categories={name: values[rows] for name, values in self.categories.items()},
            tallies={name: tally.take(rows) for name, tally in self.tallies.items()},
        )


@dataclass(frozen=True)
class Encoding:
    """The variables of a latent-class model; those in which nothing varies are left out."""

    kept: tuple[Bins | Levels | Shares, ...]

    @classmethod
    def fit(cls, observed: Observed) -> "Encoding":
        """Learn bins, levels and worth of counts from `observed`. Raises EstimateError if nothing in it varies."""
        variables: list[Bins | Levels | Shares] = []
        for name, values in observed.numbers.items():
            activity = observed.among.get(name)
            variables.append(Bins.fit(name, values, (activity, observed.numbers[activity]) if activity else None))
        variables += [Levels.fit(name, values) for name, values in observed.categories.items()]
        variables += [Shares.fit(name, tally.counts, tally.names) for name, tally in observed.tallies.items()]
        varying = tuple(variable for variable in variables if variable.n_cells > 1)
        if not varying:
            raise EstimateError("Nothing differs between these customers. Give features in which they do.")
        return cls(varying)

    @property
    def variables(self) -> np.ndarray:
        """(cells,) the variable of each cell, 0, 0, 0, 1, 1, ..."""
        return np.repeat(np.arange(len(self.kept)), [variable.n_cells for variable in self.kept])

    def encode(self, observed: Observed) -> csr_matrix:
        """(rows, cells) as `LatentClass` wants them."""
        return hstack([self._encoded(variable, observed) for variable in self.kept], format="csr")

    def within(self, observed: Observed, belonging: np.ndarray) -> "Encoding":
        """The same variables, with the worth of counts measured within classes.

        What differs between classes is then not taken for a resemblance of one customer's events. `belonging` is
        (rows, classes).
        """
        measured = [
            variable.measured(_gathered(variable, observed), belonging) if isinstance(variable, Shares) else variable
            for variable in self.kept
        ]
        return Encoding(tuple(measured))

    def encode_one(self, variable: Bins | Levels | Shares, observed: Observed) -> csr_matrix:
        """(rows, cells) of one variable; counts that divide are whole, not what they are worth."""
        if isinstance(variable, Shares):
            return _gathered(variable, observed)
        return self._encoded(variable, observed)

    def _encoded(self, variable: Bins | Levels | Shares, observed: Observed) -> csr_matrix:
        if isinstance(variable, Bins):
            activity = observed.numbers[variable.by] if variable.by else None
            return variable.encode(observed.numbers[variable.name], activity)
        if isinstance(variable, Levels):
            return variable.encode(observed.categories[variable.name])
        return variable.encode(_gathered(variable, observed))


def _gathered(variable: Shares, observed: Observed) -> csr_matrix:
    tally = observed.tallies[variable.name]
    return variable.gather(tally.counts, tally.names)
