"""How hazard ratios are estimated for one stage, or several, and one exit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, did_you_mean
from journeylab.base.words import counted, listed
from journeylab.estimators.cox import Cox, fit_cox
from journeylab.events.queries.covariates import Exposure, RiskRows
from journeylab.events.spells import Spells
from journeylab.events.spells.exits import MOVES, Exits, find_exits, join_exits
from journeylab.findings.arguments import MIN_CUSTOMERS, MIN_TESTED, check_confidence, why_not_tested
from journeylab.findings.finding import joined_notes, p_in_words, tidy
from journeylab.findings.grouping import Grouping
from journeylab.findings.hazards.design import Coded, Design
from journeylab.findings.hazards.hazards import LEVEL, Hazards

LOST = "lost"
_TABLE = "covariate level reference hazard_ratio lower upper p_value n customers events note"


def fit_hazards(
    spells: Spells,
    *,
    stage: str | Sequence[str],
    exit: str,  # noqa: A002
    covariates: list[str | Grouping | pd.Series | Exposure],
    confidence: float = 0.95,
) -> Hazards:
    """What goes with leaving `stage` by `exit` sooner or later? Cox's model on the spell clock, clustered by customer.

    Parameters
    ----------
    spells : Spells
    stage : str or list of str
        Of several, one ratio for all is estimated, each stage with a pace of its own (strata). What customers met in an
        earlier stage, as an Exposure, stands beside how they leave these.
    exit : str
        “advanced”, “regressed”, “completed”, a loss branch, or “lost” for any branch.
    covariates : list of str, Grouping, Series or Exposure
        Each one of

        - a column of `spells.customers`, known at the start: text, booleans and numbers of at most five values are
          compared with their most frequent level, other numbers are taken per standard deviation;
        - a Grouping, or a Series of labels by customer: where it has `known_at`, visits are watched from then on only;
        - an Exposure: a visit counts as exposed after it happened, not before.
    confidence : float
        The level of all intervals.

    Returns
    -------
    Hazards
        Visits with a missing covariate are left out, which the notes count. Empty where nobody was watched inside with
        all covariates known, nobody left this way, or only one customer came; `lacking` then says so.

    Raises
    ------
    EstimateError
        No such stage, exit or attribute; no covariates; one that became known later, does not vary, or is a sum of
        others; labels of nobody with a spell; impossible `confidence`.

    Notes
    -----
    The ratios are of the cause-specific hazard: visits that leave by another exit are watched until then. Ties: Efron.
    Whether one ratio is enough for all times is tested, clustered by customer where customers come back.

    What became known only while customers were inside is refused, because who has it stayed at least until then
    (immortal time): a column with a column `NAME_known_at` or `known_at` beside it that says so, and names that only
    the future gives, such as “tenure”.

    References
    ----------
    Putter, Fiocco & Geskus 2007, Statistics in Medicine 26:2389-2430; Grambsch & Therneau 1994, Biometrika 81:515-526.

    Examples
    --------
    >>> import journeylab as jl
    >>> simulation = jl.simulate_log(200, seed=1)
    >>> spells = jl.find_spells(simulation.log, simulation.journey)
    >>> hazards = jl.fit_hazards(spells, stage="evaluating", exit="lost", covariates=["plan"])
    >>> hazards.table[["covariate", "level", "n"]]
      covariate     level   n
    0      plan   starter  81
    1      plan  business  32
    2      plan      team  65
    """
    check_confidence(confidence)
    asked = [covariates] if isinstance(covariates, str | Grouping | pd.Series | Exposure) else list(covariates)
    stages = _stages(stage, spells)
    design = Design.of(spells, stages, asked)
    # Without groups, exits come stage by stage in the order of the visits.
    parts = [exits for exits in find_exits(design.visits, spells.journey) if exits.stage in stages]
    left = np.concatenate([_left_by(exit, exits) for exits in parts])
    where = listed([f"“{name}”" for name in stages])
    exits = join_exits(parts, (*MOVES, *spells.journey.branches), group=None)
    lacking = design.lacking or _lacking(exits, exit, left, where)
    strata = np.repeat(np.arange(len(parts)), [exits.n for exits in parts])
    fitted = None if lacking else _fitted(design, exits, left, strata, confidence)
    table, checks, notes = fitted or ([], [], ())
    return Hazards(
        title=f"What goes with leaving {where} by “{exit}”",
        table=tidy(table, _TABLE),
        lacking=lacking,
        period=spells.window,
        checks=tidy(checks, "covariate proportional_p note"),
        notes=(*notes, *design.doubts),
        left_stages=stages,
        exit=exit,
        n=exits.n,
        customers=exits.n_customers,
        events=int(left.sum()),
        confidence=confidence,
        stages=spells.journey.stage_names,
    )


def _stages(stage: str | Sequence[str], spells: Spells) -> tuple[str, ...]:
    """The stages asked for, in the journey's order."""
    asked = {stage} if isinstance(stage, str) else set(stage)
    if not asked:
        raise EstimateError("`stage` is an empty list. Name one stage or more.")
    unknown = sorted(asked.difference(spells.journey.stage_names))
    if unknown:
        known = spells.journey.stage_names
        raise EstimateError(f"The journey has no stage “{unknown[0]}”. {did_you_mean(unknown[0], known)}")
    return tuple(name for name in spells.journey.stage_names if name in asked)


def _left_by(way: str, exits: Exits) -> np.ndarray:
    """Which visits ended by `way`, bool (visits,)."""
    ways = (*exits.ways, *([LOST] if exits.losses and LOST not in exits.ways else []))
    if way not in ways:
        raise EstimateError(f"“{exits.stage}” has no way out “{way}”. {did_you_mean(way, ways)}")
    counted_ways = [way] if way in exits.ways else exits.losses
    return np.isin(exits.destination, [exits.ways.index(name) + 1 for name in counted_ways])


def _lacking(exits: Exits, way: str, left: np.ndarray, where: str) -> str | None:
    if exits.n_customers < 2:
        return f"Only one customer was watched inside {where}, so there is nothing to compare."
    if not left.any():
        return f"Nobody left {where} by “{way}” in {exits.n:,} visits, so there is nothing to compare."
    return None


def _fitted(
    design: Design, exits: Exits, left: np.ndarray, strata: np.ndarray, confidence: float
) -> tuple[list[dict], list[dict], tuple[str, ...]]:
    """The rows of the table and of the checks, and the notes."""
    days_until = [exposure.days(design.visits) for exposure in design.exposures]
    rows = RiskRows.of(exits.entry, exits.exit, left, days_until)
    coded = design.coded(rows)
    names = [f"{covariate.name}: {level}" for covariate in coded for level in covariate.levels]
    columns = pd.DataFrame(np.hstack([covariate.columns for covariate in coded]), columns=names)
    of_rows = {"ids": exits.customers[rows.visit], "strata": strata[rows.visit]}
    cox = fit_cox(columns, entry=rows.entry, exit=rows.exit, event=rows.event, **of_rows)
    table = _table(coded, rows, exits.customers, cox, confidence)
    checks = _checks(coded, cox, table, robust=exits.n_customers < exits.n)
    return table, checks, (*_notes(design, checks), *cox.notes)


def _table(coded: list[Coded], rows: RiskRows, customers: np.ndarray, cox: Cox, confidence: float) -> list[dict]:
    """A row for each level, the reference first; of a number, one."""
    figures = zip(*cox.ratios(confidence=confidence), strict=True)
    table = []
    for covariate in coded:
        is_number = covariate.reference is None
        at_level = np.ones_like(covariate.columns, bool) if is_number else covariate.columns > 0
        row = {"covariate": covariate.name, "reference": covariate.reference}
        n_at_reference = MIN_TESTED
        if not is_number:
            base = _base(~np.any(at_level, axis=1), rows, customers, "reference")
            n_at_reference = base["customers"]
            table.append({**row, "level": covariate.reference, "hazard_ratio": 1.0, **base})
        for level, is_there in zip(covariate.levels, at_level.T, strict=True):
            ratio = dict(zip(("hazard_ratio", "lower", "upper", "p_value"), next(figures), strict=True))
            remark = "no event" if not rows.event[is_there].any() else "no bound" if np.isnan(ratio["lower"]) else None
            base = _base(is_there, rows, customers, remark)
            untested = why_not_tested(min(n_at_reference, base["customers"]))
            ratio |= {"p_value": np.nan} if untested else {}
            table.append({**row, "level": level, **ratio, **base, "note": joined_notes(base["note"], untested)})
    return table


def _base(is_there: np.ndarray, rows: RiskRows, customers: np.ndarray, remark: str | None) -> dict:
    """What the ratio of a level is based on, with a note."""
    visits = np.unique(rows.visit[is_there])
    n_customers = len(np.unique(customers[visits]))
    few = f"only {counted(n_customers, 'customer')}" if n_customers < MIN_CUSTOMERS else None
    events = int(rows.event[is_there].sum())
    return {"n": len(visits), "customers": n_customers, "events": events, "note": joined_notes(remark, few)}


def _checks(coded: list[Coded], cox: Cox, table: list[dict], *, robust: bool) -> list[dict]:
    """For each covariate the smallest p of its columns times their number (Bonferroni); missing if one has no bound, or
    a level of the covariate too few customers for a test."""
    p_values = np.full(len(cox.coefficients), np.nan)
    if not np.isinf(cox.coefficients).any():
        p_values = cox.proportional_hazards_test(robust=robust).p_values
    edges = np.cumsum([len(covariate.levels) for covariate in coded])[:-1]
    parts = zip(coded, np.split(p_values, edges), strict=True)
    checks = []
    for covariate, part in parts:
        untested = why_not_tested(min(row["customers"] for row in table if row["covariate"] == covariate.name))
        p_value = np.nan if untested else float(np.minimum(len(part) * part.min(), 1.0))
        checks.append({"covariate": covariate.name, "proportional_p": p_value, "note": untested})
    return checks


def _notes(design: Design, checks: list[dict]) -> list[str]:
    notes = [f"Left out: {'; '.join(design.left_out)}."] if design.left_out else []
    for check in checks:
        if (p_value := check["proportional_p"]) < LEVEL:
            changes = f"The ratio of “{check['covariate']}” changes with time ({p_in_words(p_value)})"
            notes.append(f"{changes}: read it as an average over time.")
    return notes
