"""The factors by which covariates change how fast a stage is left by one way, and how they are estimated."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from journeylab.base import charts, html
from journeylab.base.charts import Chart
from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.ordering import order_of_p
from journeylab.base.words import counted
from journeylab.estimators.cox import Cox, fit_cox
from journeylab.events.queries.covariates import Exposure, RiskRows
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, Exits, find_exits
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.finding import Finding, tidy
from journeylab.findings.grouping import Grouping
from journeylab.findings.hazards.design import AFTER, BEFORE, Coded, Design

LOST, LEVEL = "lost", 0.05
MOST_TOLD = 6
_TABLE = {
    **dict.fromkeys(("covariate", "level", "reference"), object),
    **dict.fromkeys(("hazard_ratio", "lower", "upper", "p_value"), float),
    **dict.fromkeys(("n", "customers", "events"), int),
    "note": object,
}
_CHECKS = {"covariate": object, "proportional_p": float}


@dataclass(frozen=True)
class Hazards(Finding):
    """What goes with leaving one stage by one way: hazard ratios, the other covariates in the model held.

    table: a row per `covariate` and `level`. `hazard_ratio`: how many times as fast visits at that level, while still
        inside, leave this way as those at the `reference`; of a number, `level` is the difference it is for, one
        standard deviation between customers. `lower`, `upper`, `p_value`: robust, clustered by customer. `n` visits of
        `customers` that were at that level at some time, `events` of them that left so while they were. The reference
        has a row with a ratio of 1, without interval. A ratio of 0 or without bound has no interval; `note` says so.
    checks: a row per covariate: `proportional_p`, a small one speaks against one ratio for all times (score test; where
        customers come back robust, clustered by customer, else exact; of several levels the smallest p times their
        number).
    notes: sentences on who was left out and what makes the estimates doubtful.
    stage, exit: what was left, and how; “lost” is by whichever branch. n, customers, events: the base. confidence: the
    level of all intervals. stages: of the journey.
    """

    checks: pd.DataFrame
    notes: tuple[str, ...]
    stage: str
    exit: str
    n: int
    customers: int
    events: int
    confidence: float
    stages: tuple[str, ...] = field(repr=False)

    def sentence(self) -> str:
        """The hazard ratios with intervals and base (of many, those with the smallest p), and what is doubtful."""
        if self.lacking:
            return self.lacking
        rows = self._ratios()
        shown = rows if len(rows) <= MOST_TOLD else rows.iloc[np.sort(order_of_p(rows["p_value"])[:MOST_TOLD])]
        told = [f"{_label(row)} {self._ratio(row)}" for row in shown.itertuples()]
        more = f"; {len(rows) - len(shown)} more in the table" if len(shown) < len(rows) else ""
        base = f"{self.events:,} of {counted(self.n, 'visit')} of {counted(self.customers, 'customer')}"
        first = f"How many times as fast “{self.stage}” is left by “{self.exit}” ({base}): {'; '.join(told)}{more}."
        return " ".join([first, "These are associations, the other covariates held.", *self.notes])

    def by_stage(self) -> pd.DataFrame:
        """A lane with the hazard ratios, filled in this stage."""
        told = "; ".join(f"{_label(row)} {self._ratio(row)}" for row in self._ratios().itertuples()) or None
        lane = [told if stage == self.stage else None for stage in self.stages]
        return pd.DataFrame(
            {f"hazard ratios ({self.exit})": lane}, index=pd.Index(self.stages, name="stage"), dtype=object
        )

    def plot(self, ax=None) -> Chart:
        """The hazard ratios with their intervals on a log axis, 1 marked; those of 0 or without bound are not drawn."""
        if self.lacking:
            return charts.note(self.lacking, title=self.title, ax=ax)
        rows = self._ratios()
        drawn = rows.assign(
            label=[_label(row) for row in rows.itertuples()],
            hazard_ratio=rows["hazard_ratio"].where(np.isfinite(rows["hazard_ratio"]) & (rows["hazard_ratio"] > 0)),
        )
        return charts.intervals(
            drawn,
            label="label",
            x="hazard_ratio",
            lower="lower",
            upper="upper",
            reference=1.0,
            x_label=f"hazard ratio ({self.confidence:.0%} intervals)",
            scale="log",
            title=f"What goes with leaving “{self.stage}” by “{self.exit}”",
            alt=self.sentence(),
            ax=ax,
        )

    def _repr_html_(self) -> str:
        level = f"Hazard ratios with {self.confidence:.0%} intervals, clustered by customer."
        return self._card(
            html.paragraph(self.sentence()),
            html.table(self.table, caption=level),
            html.table(self.checks, caption="Is one ratio enough for all times? A small p speaks against it."),
        )

    def _ratios(self) -> pd.DataFrame:
        return self.table[self.table["level"] != self.table["reference"]]

    def _ratio(self, row) -> str:
        if np.isnan(row.lower):
            return f"{row.hazard_ratio:.2f} (no interval)"
        return f"{row.hazard_ratio:.2f} ({self.confidence:.0%} interval {row.lower:.2f} to {row.upper:.2f})"


def fit_hazards(
    spells: Spells,
    *,
    stage: str,
    exit: str,  # noqa: A002
    covariates: list[str | Grouping | pd.Series | Exposure],
    confidence: float = 0.95,
) -> Hazards:
    """What goes with leaving `stage` by `exit` sooner or later? Cox's model on the spell clock, clustered by customer.

    exit: “advanced”, “regressed”, “completed”, a loss branch, or “lost” for whichever branch. The ratios are of the
        cause-specific hazard: visits that leave by another way are watched until then (Putter, Fiocco & Geskus 2007,
        Statistics in Medicine 26:2389-2430).
    covariates: each one of
        the name of a column of `spells.customers`, known at the start: text, booleans and numbers of at most five
            values are compared with their most frequent level, other numbers are taken per standard deviation;
        a Grouping, or a Series of labels by customer: where it has `known_at`, visits are watched from then on only;
        an Exposure: a visit counts as exposed after it happened, not before.

    What became known only while customers were inside is refused, for who has it stayed at least until then (immortal
    time): a column with a column `NAME_known_at` or `known_at` beside it that tells so, and names that only the future
    gives, such as “tenure”. Visits with a missing covariate are left out, which the notes count. Ties: Efron.

    Whether one ratio tells enough for all times is tested (Grambsch & Therneau 1994, Biometrika 81:515-526), clustered
    by customer where customers come back.

    Where nobody was watched inside with all covariates known, nobody left so, or one customer only came, the finding is
    empty, and `lacking` says so.

    Raises EstimateError: no such stage, exit or attribute; covariates that are none, known later, without variation or
    sums of others; labels of nobody with a spell; impossible `confidence`.
    """
    check_confidence(confidence)
    asked = [covariates] if isinstance(covariates, str | Grouping | pd.Series | Exposure) else list(covariates)
    design = Design.of(spells, stage, asked)
    # Of one stage and without groups, exits come in the order of the visits.
    exits = next(each for each in find_exits(design.visits, spells.journey) if each.stage == stage)
    left = _left_by(exit, exits)
    lacking = design.lacking or _lacking(exits, exit, left)
    table, checks, notes = _fitted(design, exits, left, confidence) if lacking is None else ([], [], ())
    return Hazards(
        title=f"What goes with leaving “{stage}” by “{exit}”",
        table=tidy(table, _TABLE, by=exit),
        lacking=lacking,
        period=spells.window,
        checks=tidy(checks, _CHECKS, by=exit),
        notes=notes,
        stage=stage,
        exit=exit,
        n=exits.n,
        customers=exits.n_customers,
        events=int(left.sum()),
        confidence=confidence,
        stages=spells.journey.stage_names,
    )


def _left_by(way: str, exits: Exits) -> np.ndarray:
    """Which visits ended by `way`, bool (visits,)."""
    branches = [place for place, name in enumerate(exits.ways, start=1) if name not in MOVES]
    known = (*exits.ways, *([LOST] if branches and LOST not in exits.ways else []))
    if way not in known:
        raise EstimateError(f"“{exits.stage}” has no way out “{way}”. {did_you_mean(way, known)}")
    return np.isin(exits.destination, [exits.ways.index(way) + 1] if way in exits.ways else branches)


def _lacking(exits: Exits, way: str, left: np.ndarray) -> str | None:
    if exits.n_customers < 2:
        return f"Only one customer was watched inside “{exits.stage}”, so there is nothing to compare."
    if not left.any():
        return f"Nobody left “{exits.stage}” by “{way}” in {exits.n:,} visits, so there is nothing to compare."
    return None


def _fitted(
    design: Design, exits: Exits, left: np.ndarray, confidence: float
) -> tuple[list[dict], list[dict], tuple[str, ...]]:
    """The rows of the table and of the checks, and the notes."""
    days_until = [exposure.days(design.visits) for exposure in design.exposures]
    rows = RiskRows.of(exits.entry, exits.exit, left, days_until)
    coded = design.coded(rows)
    times = {"entry": rows.entry, "exit": rows.exit, "event": rows.event}
    cox = fit_cox(_columns(coded), **times, ids=exits.customers[rows.visit])
    checks = _checks(coded, cox, robust=exits.n_customers < exits.n)
    table = _table(coded, rows, exits.customers, cox, confidence)
    return table, checks, (*_notes(design, checks), *cox.notes)


def _columns(coded: list[Coded]) -> pd.DataFrame:
    return pd.concat(
        [pd.DataFrame(each.columns, columns=[f"{each.name}: {level}" for level in each.levels]) for each in coded],
        axis=1,
    )


def _table(coded: list[Coded], rows: RiskRows, customers: np.ndarray, cox: Cox, confidence: float) -> list[dict]:
    """A row for each level, the reference first; of a number, one."""
    figures = zip(*cox.hazard_ratios(confidence=confidence), cox.p_values, strict=True)
    found = []
    for each in coded:
        is_there = each.columns > 0 if each.reference is not None else np.ones_like(each.columns, bool)
        if each.reference is not None:
            base = _base(~is_there.any(axis=1), rows, customers)
            level = {"covariate": each.name, "level": each.reference, "reference": each.reference}
            found.append({**level, "hazard_ratio": 1.0, **base, "note": _note("reference", base)})
        for place, name in enumerate(each.levels):
            base = _base(is_there[:, place], rows, customers)
            ratio = dict(zip(("hazard_ratio", "lower", "upper", "p_value"), next(figures), strict=True))
            endless = "no event" if not base["events"] else "no bound" if np.isnan(ratio["lower"]) else None
            level = {"covariate": each.name, "level": name, "reference": each.reference}
            found.append({**level, **ratio, **base, "note": _note(endless, base)})
    return found


def _base(is_there: np.ndarray, rows: RiskRows, customers: np.ndarray) -> dict:
    visits = np.unique(rows.visit[is_there])
    n_customers = len(np.unique(customers[visits]))
    return {"n": len(visits), "customers": n_customers, "events": int(rows.event[is_there].sum())}


def _note(remark: str | None, base: dict) -> str | None:
    few = f"only {counted(base['customers'], 'customer')}" if base["customers"] < MIN_CUSTOMERS else None
    return "; ".join(part for part in (remark, few) if part) or None


def _checks(coded: list[Coded], cox: Cox, *, robust: bool) -> list[dict]:
    """For each covariate the smallest p of its columns times their number (Bonferroni); missing if one has no bound."""
    p_values = np.full(len(cox.coefficients), np.nan)
    if not np.isinf(cox.coefficients).any():
        p_values = cox.proportional_hazards_test(robust=robust).p_values
    edges = np.cumsum([len(each.levels) for each in coded])[:-1]
    parts = zip(coded, np.split(p_values, edges), strict=True)
    smallest = [(each.name, float(np.minimum(len(part) * part.min(), 1.0))) for each, part in parts]
    return [{"covariate": name, "proportional_p": p_value} for name, p_value in smallest]


def _notes(design: Design, checks: list[dict]) -> list[str]:
    notes = [f"Left out: {'; '.join(design.left_out)}."] if design.left_out else []
    for check in checks:
        if (p := check["proportional_p"]) < LEVEL:
            written = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
            name = check["covariate"]
            notes.append(f"The ratio of “{name}” changes with time ({written}): read it as an average over time.")
    return notes


def _label(row) -> str:
    if row.reference is None:
        return f"{row.covariate}, {row.level}"
    if row.level == AFTER and row.reference == BEFORE:
        return f"after “{row.covariate}”"
    return f"{row.covariate} “{row.level}” against “{row.reference}”"
