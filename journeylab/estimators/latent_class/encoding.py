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
    among: name of a number -> name of the number of activity among whose equals it is binned; that one has no missing
        values.
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
        columns = (*self.numbers.values(), *self.categories.values(), *(each.counts for each in self.tallies.values()))
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
        found: list[Bins | Levels | Shares] = []
        for name, values in observed.numbers.items():
            other = observed.among.get(name)
            found.append(Bins.fit(name, values, (other, observed.numbers[other]) if other else None))
        found += [Levels.fit(name, values) for name, values in observed.categories.items()]
        found += [Shares.fit(name, tally.counts, tally.names) for name, tally in observed.tallies.items()]
        kept = tuple(each for each in found if each.n_cells > 1)
        if not kept:
            raise EstimateError("Nothing differs between these customers. Give features in which they do.")
        return cls(kept)

    @property
    def variables(self) -> np.ndarray:
        """(cells,) the variable of each cell, 0, 0, 0, 1, 1, ..."""
        return np.repeat(np.arange(len(self.kept)), [each.n_cells for each in self.kept])

    def encode(self, observed: Observed) -> csr_matrix:
        """(rows, cells) as `LatentClass` wants them."""
        return hstack([self._encoded(each, observed) for each in self.kept], format="csr")

    def within(self, observed: Observed, belonging: np.ndarray) -> "Encoding":
        """The same variables, with the worth of counts measured within classes: what differs between classes is then no
        longer taken for a resemblance of one customer's events. `belonging` is (rows, classes)."""
        return Encoding(tuple(self._measured(each, observed, belonging) for each in self.kept))

    def _measured(
        self, each: Bins | Levels | Shares, observed: Observed, belonging: np.ndarray
    ) -> Bins | Levels | Shares:
        if not isinstance(each, Shares):
            return each
        tally = observed.tallies[each.name]
        return each.measured(each.gather(tally.counts, tally.names), belonging)

    def _encoded(self, each: Bins | Levels | Shares, observed: Observed) -> csr_matrix:
        if isinstance(each, Bins):
            return each.encode(observed.numbers[each.name], observed.numbers[each.by] if each.by else None)
        if isinstance(each, Levels):
            return each.encode(observed.categories[each.name])
        tally = observed.tallies[each.name]
        return each.encode(each.gather(tally.counts, tally.names))
