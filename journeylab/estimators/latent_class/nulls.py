"""Do several classes gain more over fewer than a mixture gains from cutting continuous clouds, where there are none?

The gain is that in classification log-likelihood per row: log-likelihood less the entropy of the assignment (Biernacki,
Celeux and Govaert 2000). Classes that describe the rows better count; classes that only overlap do not, and it is
overlap that a cut through a cloud gives. The gain is compared with those in data drawn under the null model, fitted in
the same way (parametric bootstrap of the likelihood ratio: McLachlan 1987). Of r draws of which x gain as much as was
observed, p is (x + 1) / (r + 1) (Davison and Hinkley 1997, section 4.2), so that a p of .05 needs 19 draws or more.
Drawing stops as soon as p cannot fall to `LEVEL` any more (Besag and Clifford 1991). Where nothing is gained, nothing
is drawn. So draws are spent only where they can decide.

Classes that gain less than .2 over one class are not asked about: they hardly separate anybody, and a continuum of a
shape that no null model has gains as much.

No null model is exactly right. So a drawn gain counts as being as large as the observed one if it comes within a
twentieth of its own size: what is barely beyond a cloud may be a cloud of another shape.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from journeylab.estimators.latent_class.amounts import Amounts
from journeylab.estimators.latent_class.assignment import relative_entropy
from journeylab.estimators.latent_class.clouds import Clouds
from journeylab.estimators.latent_class.mixture import SHORT_STARTS, LatentClass
from journeylab.estimators.latent_class.threads import side_by_side

LEVEL, MARGIN, LEAST_GAIN = 0.05, 0.05, 0.2
Tell = Callable[[], None]


@dataclass(frozen=True)
class NullTest:
    """A gain, and those under the null model.

    observed: gain in classification log-likelihood per row. drawn: (replicates,) gains under the null model; fewer
    than were asked for where the answer was clear before. least: a gain up to this is none.
    """

    observed: float
    drawn: np.ndarray
    least: float = 0.0

    @property
    def n_reaching(self) -> int:
        """How many draws gain as much as was observed, or less by up to a twentieth of their gain."""
        return int((self.drawn + MARGIN * np.abs(self.drawn) >= self.observed).sum())

    @property
    def p(self) -> float:
        """The share of gains that are as large as the observed one, which is counted among them; nan without draws."""
        return (self.n_reaching + 1) / (len(self.drawn) + 1) if len(self.drawn) else np.nan

    @property
    def is_beyond(self) -> bool:
        """Whether there is a gain, and p is at most .05. Never with fewer than 19 draws."""
        return bool(self.observed > self.least and self.p <= LEVEL)

    @property
    def in_words(self) -> str:
        """What is known of p: “at most .048 (0 of 20)”, or “more than .05 (stopped after 1)”."""
        n = len(self.drawn)
        if not n:
            return "too little was gained"
        if self.p <= LEVEL:
            return f"at most {np.ceil(self.p * 1000) / 1000:.3f} ({self.n_reaching} of {n})".replace("0.", ".", 1)
        return f"more than .05 (stopped after {n})"

    @property
    def expected(self) -> float:
        """The mean gain under the null model."""
        return float(self.drawn.mean()) if len(self.drawn) else np.nan

    @property
    def upper(self) -> float:
        """The 95% quantile of the gains under the null model, estimated from the draws."""
        return float(np.quantile(self.drawn, 1 - LEVEL)) if len(self.drawn) else np.nan


def against_clouds(
    amounts: Amounts,
    fewer: LatentClass,
    *,
    n_classes: int,
    replicates: int,
    seed: int,
    tell: Tell,
) -> NullTest:
    """What `n_classes` classes gain over those of `fewer`, beside the gain where the classes of `fewer` are continuous
    clouds.

    `amounts` are the rows to test by; `fewer` may have been fitted to more. `tell` is called after each draw.
    """
    counts = amounts.encode(amounts.values)
    random = np.random.default_rng([seed, fewer.n_classes, n_classes])
    clouds = Clouds.fit(amounts, fewer.probabilities(counts), random=random)
    return _Comparison(fewer, n_classes, seed).test(counts, clouds, replicates=replicates, tell=tell)


@dataclass(frozen=True)
class _Comparison:
    """Of `n_classes` classes with those of `fewer`."""

    fewer: LatentClass
    n_classes: int
    seed: int

    def test(self, counts: csr_matrix, clouds: Clouds, *, replicates: int, tell: Tell) -> NullTest:
        """The gain in `counts`, and those in what `clouds` draw."""
        least = LEAST_GAIN if self.fewer.n_classes == 1 else 0.0
        test = NullTest(self.gain(counts), np.empty(0), least)
        if test.observed <= least:
            return test
        # With more than `allowed` draws as large, p = (x + 1) / (r + 1) is above LEVEL whatever else is drawn.
        allowed = max(int(LEVEL * (replicates + 1) + 1e-9) - 1, 0)
        for gain in side_by_side(lambda number: self.gain(clouds.draw(self._random(number))), replicates):
            test = replace(test, drawn=np.append(test.drawn, gain))
            tell()
            if test.n_reaching > allowed:
                break
        return test

    def _random(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.fewer.n_classes, self.n_classes, number])

    def gain(self, counts: csr_matrix) -> float:
        """In classification log-likelihood per row.

        The fewer classes start from those given, which the clouds were made of; a poor start for them would look like a
        gain. The larger number of classes starts as often in the observed rows as in those drawn.
        """
        fewer = self.fewer.refined(counts)
        more = LatentClass.fit(counts, fewer.variables, n_classes=self.n_classes, seed=self.seed, starts=SHORT_STARTS)
        return float(_classified(more, counts) - _classified(fewer, counts)) / counts.shape[0]


def _classified(model: LatentClass, counts: csr_matrix) -> float:
    """Classification log-likelihood: log-likelihood less the entropy of the assignment."""
    probabilities = model.probabilities(counts)
    entropy = (1 - relative_entropy(probabilities)) * len(probabilities) * np.log(model.n_classes)
    return model.log_likelihood - entropy
