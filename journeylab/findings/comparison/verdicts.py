"""Verdicts: do the groups leave at the same pace, as many by each exit, and is one factor enough to say so?

All tests and factors are of what happened between the common start and the horizon. Customers, not visits, are
independent: on repeated visits a plain log-rank test finds differences that are not there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from journeylab.estimators.cox import fit_cox
from journeylab.estimators.intervals import holm
from journeylab.estimators.logrank import GroupTest, gray_test, logrank_test
from journeylab.findings.arguments import MIN_TESTED, why_not_tested
from journeylab.findings.comparison.arms import TOO_FEW, Arm, Arms
from journeylab.findings.finding import joined_notes

FEWEST_EXPECTED = 5.0
AT_ALL = "at all"
LEVEL = 0.05


def judged(arms: Arms) -> tuple[list[dict], list[dict], Arms]:
    """The tests of the arms that are large enough, and the hazard ratios: rows, see `Comparison`; and the arms, those
    with too few expected to leave now too small. With fewer than two, all is missing, and a note says why."""
    if not arms.every:
        return [], [], arms
    stage, ways = arms.every[0].exits.stage, arms.every[0].exits.ways
    expected = _Contest.of(arms.compared, ways).expected()
    arms = arms.without(
        {
            group: f"{count:.1f} expected to leave, fewer than {FEWEST_EXPECTED:g}: {TOO_FEW}"
            for group, count in expected.items()
            if count < FEWEST_EXPECTED
        }
    )
    contest = _Contest.of(arms.compared, ways)
    results = [contest.judged(way, arms.confidence) for way in (None, *ways)]
    adjusted = holm([row["p_value"] for row, _ in results])
    tests = [{"stage": stage, **row, "p_adjusted": p} for (row, _), p in zip(results, adjusted, strict=True)]
    return tests, [{"stage": stage, **ratio} for _, rows in results for ratio in rows], arms


@dataclass(frozen=True, eq=False)
class _Contest:
    """The visits of several arms until the horizon.

    groups: names, that with most customers first. ways: what the destinations 1, 2, ... mean. visits: `code`, the
    position in `groups`; `entry`, `exit`, `destination` and `customers` as in `Exits`.
    """

    groups: tuple[str, ...]
    ways: tuple[str, ...]
    visits: pd.DataFrame

    @classmethod
    def of(cls, compared: tuple[Arm, ...], ways: tuple[str, ...]) -> "_Contest":
        every = [arm.until_horizon for arm in compared]
        columns = {
            name: np.concatenate([np.empty(0), *(getattr(exits, name) for exits in every)])
            for name in ("entry", "exit", "destination", "customers")
        }
        code = np.repeat(np.arange(len(every)), [exits.n for exits in every])
        visits = pd.DataFrame({"code": code, **columns}).astype({"destination": np.int64, "customers": np.int64})
        return cls(tuple(arm.group for arm in compared), ways, visits)

    def only(self, codes: list[int]) -> "_Contest":
        """Some of the groups alone."""
        visits = self.visits[self.visits["code"].isin(codes)]
        visits = visits.assign(code=np.searchsorted(codes, visits["code"]))
        return _Contest(tuple(self.groups[code] for code in codes), self.ways, visits)

    def expected(self, way: str | None = None) -> dict[str, float]:
        """How many of each group would have left by `way`, or at all, if all groups were alike."""
        if len(self.groups) < 2 or not self._left(way).any():
            return dict.fromkeys(self.groups, 0.0)
        return dict(zip(self.groups, self._tested(None, self._left(way)).expected, strict=True))

    def judged(self, way: str | None, confidence: float) -> tuple[dict, list[dict]]:
        """The row of tests for leaving by `way`, or at all, and the rows of hazard ratios.

        Groups with too few customers for a test have ratios, but no p-value.
        """
        expected = self.expected(way)
        codes = [code for code, group in enumerate(self.groups) if expected[group] >= FEWEST_EXPECTED]
        contest = self.only(codes)
        row: dict[str, Any] = {"to": way or AT_ALL, "test": "Gray, robust" if way else "log-rank, robust"}
        row |= {"statistic": np.nan, "degrees_of_freedom": max(len(codes) - 1, 0), "p_value": np.nan}
        row |= {"proportional_p": np.nan, "groups": len(codes), **contest.base(way), "note": self._note(way, codes)}
        if len(codes) < 2:
            return row, []
        proportional_p, ratios = contest.factors(way, confidence)
        sizes = contest.visits.groupby("code")["customers"].nunique()
        row["note"] = joined_notes(row["note"], why_not_tested(dict(zip(contest.groups, sizes, strict=True))))
        large = np.flatnonzero(sizes >= MIN_TESTED).tolist()
        tested = contest.only(large)
        if len(large) < 2 or not tested._left(way).any():
            return row, ratios
        if len(large) < len(codes):
            proportional_p = tested.factors(way, confidence)[0]
        test = tested._tested(way, tested._left(way))
        row |= {"statistic": test.statistic, "degrees_of_freedom": test.degrees_of_freedom, "p_value": test.p_value}
        row |= {"groups": len(large), **tested.base(way), "proportional_p": proportional_p}
        return row, ratios

    def factors(self, way: str | None, confidence: float) -> tuple[float, list[dict]]:
        """The p of proportional hazards, and each group's factor against the largest, on average over the time.

        A group with too few customers for a test has no p-value, nor has any group where the largest is one.
        """
        visits = self.visits
        dummies = (visits["code"].to_numpy()[:, None] == np.arange(1, len(self.groups))).astype(np.float64)
        table = pd.DataFrame(dummies, columns=list(self.groups[1:]))
        cox = fit_cox(table, event=self._left(way), **self._times())
        if np.isinf(cox.coefficients).any():  # a group that nobody left that way: no factor, and no trend in it
            return np.nan, []
        p_value = cox.proportional_hazards_test(robust=cox.n_ids < cox.n_rows).overall.p_value
        factors = zip(*cox.ratios(confidence=confidence), strict=True)
        ratios = [
            {
                "to": way or AT_ALL,
                "group": self.groups[code],
                "reference": self.groups[0],
                **dict(zip(("estimate", "lower", "upper", "p_value"), factor, strict=True)),
                **self.only([0, code]).base(way),
            }
            for code, factor in enumerate(factors, start=1)
        ]
        sizes = self.visits.groupby("code")["customers"].nunique()
        for code, ratio in enumerate(ratios, start=1):
            ratio["p_value"] = np.nan if min(sizes[0], sizes[code]) < MIN_TESTED else ratio["p_value"]
        return p_value, ratios

    def base(self, way: str | None) -> dict:
        """Visits, customers, and how many left so."""
        n_customers = self.visits["customers"].nunique()
        return {"n": len(self.visits), "customers": n_customers, "events": int(self._left(way).sum())}

    def _left(self, way: str | None) -> np.ndarray:
        destination = self.visits["destination"].to_numpy()
        return destination > 0 if way is None else destination == self.ways.index(way) + 1

    def _times(self) -> dict[str, Any]:
        """The arguments that each estimator takes."""
        names = {"entry": "entry", "exit": "exit", "ids": "customers"}
        return {name: self.visits[column].to_numpy() for name, column in names.items()}

    def _tested(self, way: str | None, left: np.ndarray) -> GroupTest:
        code = self.visits["code"].to_numpy()
        if way is None:
            return logrank_test(code, event=left, **self._times())
        way_out = self.visits["destination"].to_numpy()
        return gray_test(code, destination=way_out, of_interest=self.ways.index(way) + 1, **self._times())

    def _note(self, way: str | None, codes: list[int]) -> str | None:
        if len(self.groups) < 2:
            return "fewer than two groups are large enough"
        if not self._left(way).any():
            return "nobody left this way"
        if len(codes) < 2:
            return f"fewer than {FEWEST_EXPECTED:g} expected in all groups but one at most"
        left_out = [group for code, group in enumerate(self.groups) if code not in codes]
        return f"without {', '.join(left_out)}: fewer than {FEWEST_EXPECTED:g} expected" if left_out else None
