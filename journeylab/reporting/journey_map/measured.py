"""Measured: what do findings say of each stage, of losses by branch, and of how customers feel?"""

import re
from collections.abc import Callable, Iterator

import pandas as pd

from journeylab.base.errors import ReportError
from journeylab.base.ordering import order
from journeylab.base.words import counted, in_days, percent
from journeylab.findings.finding import Finding, LaneName
from journeylab.reporting.journey_map.cells import (
    DATA,
    LANES,
    LOSSES,
    NO_EVIDENCE,
    NOT_MEASURED,
    QUOTED,
    TAKEN,
    in_parts,
    one_cell,
)
from journeylab.reporting.journey_map.journey_map import CURVE

_ORDER = {name: number for number, name in enumerate(TAKEN)}
_ENDS = ("high", "low")
# Between two quotes: each is followed by its origin in brackets.
_QUOTES = re.compile(r"(?<=\)) · (?=“)")


def measured_cells(findings: list[Finding], persona: str | None, titles: Callable[[str], str]) -> list[dict]:
    """What `findings` say of each stage, in the order of the map: their lanes, and the losses by branch and horizon.

    titles: what figures call a branch. Raises ReportError where two findings fill the same lane.
    """
    filled: dict[str, str] = {}
    suffix = f" ({persona})" if persona is not None else ""
    has_branches = any(finding.losses_by_branch() is not None for finding in findings)
    rows: list[tuple[int, dict]] = []
    for finding in findings:
        for lane, cells in finding.by_stage().items():
            name = str(lane).removesuffix(suffix)
            if not str(lane).endswith(suffix) or (name == LaneName.MAIN_BRANCH and has_branches):
                continue
            if name in filled:
                raise ReportError(
                    f"Two findings fill the lane “{name}”: “{filled[name]}” and “{finding.title}”. "
                    "Leave one of them out."
                )
            filled[name] = finding.title
            rows += [(_ORDER.get(name, len(_ORDER)), row) for row in _lane(name, cells, finding.title)]
        rows += [(_ORDER[LaneName.MAIN_BRANCH], row) for row in _branches(finding, persona, titles)]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _lane(name: str, cells: pd.Series, source: str) -> Iterator[dict]:
    lane = TAKEN.get(name)
    row, label, evidence = (lane.name, lane.takes[name], lane.evidence) if lane else (name, "", DATA)
    for stage, words in cells.items():
        if not isinstance(words, str) or not words.strip():
            continue
        if words.startswith(NOT_MEASURED):
            yield one_cell(row, stage, words, evidence=NO_EVIDENCE, source="")
            continue
        quotes = _QUOTES.split(words) if row in QUOTED else None
        parts = quotes or [part for part in in_parts(words) if part and part not in _ENDS]
        for number, part in enumerate(parts):
            yield one_cell(row, stage, part, part="" if number else label, evidence=evidence, source=source)


def _branches(finding: Finding, persona: str | None, titles: Callable[[str], str]) -> Iterator[dict]:
    """Losses by branch, the largest first: the share lost within each horizon, “–” where there is no estimate. The
    number is the one of the longest horizon with an estimate; where none has one, what is lost at the least."""
    losses = _of(persona, finding.losses_by_branch())
    if losses is None:
        return
    days = sorted(losses["horizon_days"].unique())
    estimated = losses[losses["estimate"].notna()].sort_values("horizon_days", kind="stable")
    # The order of the first rows, with or without an estimate, decides between equal shares.
    first = losses.sort_values("horizon_days", kind="stable").drop_duplicates(["stage", "to"])
    cells = []
    for stage, branch in zip(first["stage"], first["to"], strict=True):
        rows = estimated[(estimated["stage"] == stage) & (estimated["to"] == branch)]
        if rows.empty:
            cells += _at_least(losses[(losses["stage"] == stage) & (losses["to"] == branch)], titles, finding.title)
        if rows.empty or rows["estimate"].iloc[-1] == 0:
            continue
        last, shares = rows.iloc[-1], dict(zip(rows["horizon_days"], rows["estimate"], strict=True))
        by_horizon = " · ".join(percent(shares[day]) if day in shares else "–" for day in days)
        limits = f"{percent(last['lower'])} to {percent(last['upper'])}"
        base = f"at {in_days(last['horizon_days'])} {limits}; {counted(int(last['n']), 'visit')}"
        words = f"{by_horizon} (within {_spans(days)}; {base})"
        numbers = {key: float(last[key]) for key in ("estimate", "lower", "upper", "n")}
        cells.append(one_cell(LOSSES, stage, words, part=titles(str(branch)), source=finding.title) | numbers)
    yield from (cells[position] for position in order([row["estimate"] for row in cells]))


def _at_least(rows: pd.DataFrame, titles: Callable[[str], str], source: str) -> list[dict]:
    """The cell of a branch without an estimate: what is lost for certain within the longest horizon, if anything."""
    rows = rows[rows["at_least"] > 0] if "at_least" in rows else rows.head(0)
    if rows.empty:
        return []
    row = rows.sort_values("horizon_days", kind="stable").iloc[-1]
    within = f"within {in_days(row['horizon_days'])}"
    words = f"at least {percent(row['at_least'])} {within} ({counted(int(row['n']), 'visit')}; no estimate yet)"
    cell = one_cell(LOSSES, row["stage"], words, part=titles(str(row["to"])), source=source)
    return [cell | {"estimate": float(row["at_least"])}]


def lane_titles(findings: list[Finding]) -> dict[str, str]:
    """The title of the lane of losses, with the horizons of its shares, if a finding has shares."""
    lane = next(lane for lane in LANES if lane.name == LOSSES)
    tables = [table for finding in findings if (table := finding.losses_by_branch()) is not None]
    days = sorted(tables[0]["horizon_days"].unique()) if tables else []
    return {LOSSES: f"{lane.title}, within {_spans(days)}"} if days else {}


def _spans(days: list[float]) -> str:
    return f"{' · '.join(f'{day:g}' for day in days)} days"


def feelings_curve(findings: list[Finding], stages: tuple[str, ...], persona: str | None) -> pd.DataFrame:
    """The mean feeling by stage; missing where customers were not asked."""
    tables = [table for finding in findings if (table := _of(persona, finding.feelings_by_stage())) is not None]
    rows = tables[0] if tables else pd.DataFrame(columns=list(CURVE))
    curve = rows.reindex(columns=list(CURVE)).set_index("stage").reindex(list(stages)).reset_index()
    return curve.assign(mark=curve["mark"].where(curve["mark"].notna(), "")).astype(CURVE)


def _of(persona: str | None, rows: pd.DataFrame | None) -> pd.DataFrame | None:
    """The rows of the `persona`; all if it is None."""
    return rows if persona is None or rows is None else rows[rows["group"] == persona]
