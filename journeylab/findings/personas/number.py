"""How many personas do the data support? The most that beat chance, are large enough, and are found again.

Candidates go from one persona to as many as the sample-size-adjusted BIC chooses. Information criteria alone are not
enough: they count whatever describes the customers better, and as logs grow, kinds of customer who vary in degree are
described better by cutting each in two. So every candidate has to pass:

1. **Any structure?** The personas that ICL chooses, or two, gain more than by cutting one continuous cloud, and at
   least .2. If not: one persona.
2. **One more?** From the largest candidate downwards: the last persona gains more than by cutting one of as many clouds
   as there are without it. The gain is in classification log-likelihood, which counts only what separates customers.
3. **Size and stability.** Each persona has 30 customers, and is found again with a mean Jaccard coefficient of .75; if
   no candidate passes, of .6.

The first candidate to pass is the number. The statistics are in `journeylab.estimators.latent_class`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from scipy.sparse import csr_matrix

from journeylab.base.ordering import settled, smallest
from journeylab.base.tables import table_of
from journeylab.estimators.latent_class import (
    Amounts,
    Encoding,
    LatentClass,
    NullTest,
    Observed,
    against_clouds,
    bootstrap_jaccard,
)

REPEATABLE, PATTERN, DO_NOT_USE = "repeatable", "pattern", "do not use"
NOT_PROVEN = "not proven: no replicates were asked for"
NO_STRUCTURE = "no structure found: one kind of customer"
# From these mean Jaccard coefficients on a persona is repeatable, or a pattern.
REPEATABLE_FROM, PATTERN_FROM = 0.75, 0.6
PROOF_ROWS = 2_500
ONE_CLOUD = "one continuous cloud"
STATISTIC = "classification log-likelihood gained per customer"
STRUCTURE = {
    **dict.fromkeys(("null", "statistic"), object),
    "personas": int,
    **dict.fromkeys(("observed", "expected", "upper", "p"), float),
    "p_in_words": object,
    "replicates": int,
    "is_beyond": bool,
}

ProgressWanted = bool | Callable[[int], None]


def sample_rows(n: int, *, at_most: int, seed: int | Sequence[int]) -> np.ndarray:
    """Positions of all of `n` rows, or of `at_most` of them drawn by `seed`, ascending."""
    if n <= at_most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=at_most, replace=False))


@dataclass(frozen=True)
class Proving:
    """How to prove.

    replicates: how many of each kind. units: (customers,) the account of each customer, or the customer itself, as
    numbers. tell: called after each replicate. when: (customers,) when each entered, in any unit; None where a trend in
    that is not looked for.
    """

    replicates: int
    units: np.ndarray
    tell: Callable[[], None]
    when: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Proving":
        """The same of some customers."""
        units = np.unique(self.units[rows], return_inverse=True)[1]
        return replace(self, units=units, when=None if self.when is None else self.when[rows])


@dataclass(frozen=True)
class ProofSample:
    """The customers by whom personas are proven, at most 2,500 of those fitted, and how.

    With more customers, what is proven is what 2,500 of them show: personas found again in samples of 2,500, and a
    number of personas that so many are enough for. A test on fewer customers overlooks more, and claims no more.
    """

    amounts: Amounts
    counts: csr_matrix
    proving: Proving
    seed: int

    @classmethod
    def of(cls, observed: Observed, encoding: Encoding, proving: Proving, *, seed: int) -> "ProofSample":
        """A sample of the customers `observed`."""
        n = len(proving.units)
        rows = sample_rows(n, at_most=PROOF_ROWS, seed=[seed, n])
        proving = proving.take(rows)
        amounts = Amounts.of(observed.take(rows), encoding, proving.when)
        return cls(amounts, amounts.encode(amounts.values), proving, seed)

    def against_clouds(self, fewer: LatentClass, n_personas: int) -> NullTest:
        """What so many personas gain over those of `fewer`, beside the gain from cutting clouds."""
        return against_clouds(self.amounts, fewer, n_classes=n_personas, **self._drawing)

    def found_again(self, model: LatentClass) -> np.ndarray:
        """(replicates, personas) Jaccard coefficients of each persona of `model` with its like in resampled
        customers."""
        return bootstrap_jaccard(self.counts, model, units=self.proving.units, **self._drawing)

    @property
    def _drawing(self) -> dict[str, Any]:
        return {"replicates": self.proving.replicates, "seed": self.seed, "tell": self.proving.tell}


@dataclass(frozen=True)
class NullComparison:
    """What `personas` personas gain, beside a null model: `fewer` continuous clouds."""

    fewer: int
    personas: int
    test: NullTest

    @property
    def null(self) -> str:
        """The null model in words."""
        return ONE_CLOUD if self.fewer == 1 else f"{self.fewer} continuous clouds"

    @property
    def row(self) -> tuple:
        """A row of `Proof.structure`."""
        test = self.test
        measured = (test.observed, test.expected, test.upper, test.p, test.in_words, len(test.drawn), test.is_beyond)
        return (self.null, STATISTIC, self.personas, *measured)


@dataclass(frozen=True)
class Number:
    """The number of personas, and why.

    personas: how many. comparisons: with null models, in the order in which they were made.
    jaccard: number of personas -> (replicates, personas) Jaccard coefficients, for the numbers that came so far.
    """

    personas: int
    comparisons: tuple[NullComparison, ...] = ()
    jaccard: dict[int, np.ndarray] = field(default_factory=dict)

    @property
    def structure(self) -> pd.DataFrame:
        """One row per comparison; see `Proof.structure`."""
        return table_of((comparison.row for comparison in self.comparisons), STRUCTURE)

    @property
    def steps(self) -> dict[int, NullTest]:
        """Number of personas -> what the last of them gains, for the numbers where that was asked."""
        return {made.personas: made.test for made in self.comparisons if made.fewer == made.personas - 1}

    def ordered(self, order: np.ndarray) -> "Number":
        """The same with the personas of the number chosen in another order."""
        chosen = {self.personas: self.jaccard[self.personas][:, order]} if self.personas in self.jaccard else {}
        return replace(self, jaccard={**self.jaccard, **chosen})


def find_number(models: Sequence[LatentClass], scan: pd.DataFrame, sample: ProofSample) -> Number:
    """The number of personas of `models` (with 1, 2, ... classes; `scan` has their rows) that `sample` supports.

    Without replicates nothing can be proven; then it is the number with the lowest ICL among those whose personas have
    enough customers.
    """
    if not sample.proving.replicates or len(models) == 1:
        return Number(_lowest(scan, "icl"))
    most = _lowest(scan, "adjusted_bic")
    tested = max(_lowest(scan, "icl"), 2)
    made = [NullComparison(1, tested, sample.against_clouds(models[0], tested))]
    if not made[0].test.is_beyond:
        return Number(1, tuple(made))
    jaccard: dict[int, np.ndarray] = {}
    fallback = 1
    for number in scan["personas"][scan["is_large_enough"]].iloc[::-1]:
        if not 1 < number <= most:
            continue
        if (number - 1, number) != (1, tested):
            made.append(NullComparison(number - 1, number, sample.against_clouds(models[number - 2], number)))
            if not made[-1].test.is_beyond:
                continue
        jaccard[number] = sample.found_again(models[number - 1])
        least = settled(jaccard[number].mean(axis=0).min())
        if least >= REPEATABLE_FROM:
            return Number(number, tuple(made), jaccard)
        if least >= PATTERN_FROM and fallback == 1:
            fallback = number
    return Number(fallback, tuple(made), jaccard)


def _lowest(scan: pd.DataFrame, criterion: str) -> int:
    return int(scan["personas"].iloc[smallest(scan[criterion].where(scan["is_large_enough"]))])


def verdict(jaccard: float) -> str:
    """The verdict on a persona that is found again with a mean Jaccard coefficient of `jaccard`.

    >>> verdict(0.8)
    'repeatable'
    """
    if jaccard < PATTERN_FROM:
        return DO_NOT_USE
    return REPEATABLE if jaccard >= REPEATABLE_FROM else PATTERN


@contextmanager
def telling(progress: ProgressWanted) -> Iterator[Callable[[], None]]:
    """What to call after each replicate.

    progress: False tells nobody; True shows a line on standard error while it lasts, where that is a terminal; a
    function is called with the number of replicates done so far. How many there will be is not known in advance:
    drawing stops where the answer is clear.
    """
    done = count(1)
    if callable(progress):
        yield lambda: progress(next(done))
        return
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not (progress and console.is_terminal)) as line:
        task = line.add_task("Proving personas")
        yield lambda: line.update(task, description=f"Proving personas: {next(done):,} replicates")
