"""Measured: what do findings say of each stage, in their lanes, of losses by branch, and of how customers feel?"""

import re
from collections.abc import Callable, Iterator

import pandas as pd

from journeylab.base.errors import ReportError
from journeylab.base.ordering import order
from journeylab.base.words import counted, in_days, percent
from journeylab.findings.finding import Finding
from journeylab.reporting.journey_map.cells import in_parts, one_cell
from journeylab.reporting.journey_map.journey_map import CURVE
from journeylab.reporting.journey_map.lanes import DATA, EMOTIONS, LANES, LOSSES, QUOTED, TAKEN

FEELING = "feeling"
_INCIDENCE = {"stage", "to", "kind", "horizon_days", "estimate", "lower", "upper", "n"}
MAIN_BRANCH = "main branch"
_PLACES = {name: place for place, name in enumerate(TAKEN)}
_ENDS = ("high", "low")
# Between two quotes: each is followed by its origin in brackets.
_QUOTES = re.compile(r"(?<=\)) · (?=“)")


def measured_cells(findings: list[Finding], persona: str | None, titles: Callable[[str], str]) -> list[dict]:
    """What `findings` say of each stage, in the order of the map: their lanes, and the losses by branch and horizon.

    titles: what figures call a branch. Raises ReportError where two findings fill the same lane.
    """
    filled: dict[str, str] = {}
    suffix = f" ({persona})" if persona is not None else ""
    has_branches = any(map(_tells_branches, findings))
    rows: list[tuple[int, dict]] = []
    for finding in findings:
        for lane, cells in finding.by_stage().items():
            name = str(lane).removesuffix(suffix)
            if not str(lane).endswith(suffix) or (name == MAIN_BRANCH and has_branches):
                continue
            if name in filled:
                raise ReportError(
                    f"Two findings fill the lane “{name}”: “{filled[name]}” and “{finding.title}”. "
                    "Leave one of them out."
                )
            filled[name] = finding.title
            rows += [(_PLACES.get(name, len(_PLACES)), row) for row in _lane(name, cells, finding.title)]
        rows += [(_PLACES[MAIN_BRANCH], row) for row in _branches(finding, persona, titles)]
    return [row for _, row in sorted(rows, key=lambda placed: placed[0])]


def _lane(name: str, cells: pd.Series, source: str) -> Iterator[dict]:
    lane = TAKEN.get(name)
    place, evidence = (lane.name, lane.evidence) if lane else (name, DATA)
    for stage, words in cells.items():
        if not isinstance(words, str) or not words.strip():
            continue
        parts = (
            _QUOTES.split(words)
            if place in QUOTED
            else [part for part in in_parts(words) if part and part not in _ENDS]
        )
        for number, part in enumerate(parts):
            label = (lane.takes[name] if lane else "") if not number else ""
            yield one_cell(place, stage, part, part=label, evidence=evidence, source=source)


def _branches(finding: Finding, persona: str | None, titles: Callable[[str], str]) -> Iterator[dict]:
    """Losses by branch, the largest first: shares lost within each horizon, “–” where there is no estimate. The number
    is that of the longest horizon with one."""
    if not _tells_branches(finding):
        return
    rows = finding.table[finding.table["kind"] == "lost"]
    rows = rows if persona is None else rows[rows["group"] == persona]
    days = sorted(rows["horizon_days"].unique())
    cells: dict[tuple[str, str], list[dict]] = {}
    for row in rows.sort_values("horizon_days", kind="stable").to_dict("records"):
        cells.setdefault((row["stage"], row["to"]), [])
        if not pd.isna(row["estimate"]):
            cells[row["stage"], row["to"]].append(row)
    found = []
    for (stage, branch), known in cells.items():
        if not known or known[-1]["estimate"] == 0:
            continue
        last, shares = known[-1], {row["horizon_days"]: row["estimate"] for row in known}
        told = " · ".join(percent(shares[day]) if day in shares else "–" for day in days)
        limits = f"{percent(last['lower'])} to {percent(last['upper'])}"
        base = f"at {in_days(last['horizon_days'])} {limits}; {counted(int(last['n']), 'visit')}"
        numbers = {key: float(last[key]) for key in ("estimate", "lower", "upper", "n")}
        words = f"{told} (within {_spans(days)}; {base})"
        found.append(one_cell(LOSSES, stage, words, part=titles(str(branch)), source=finding.title) | numbers)
    yield from (found[place] for place in order([row["estimate"] for row in found]))


def lane_titles(findings: list[Finding]) -> dict[str, str]:
    """The title of the lane of losses, with the horizons of its shares, where there are any."""
    lane = next(each for each in LANES if each.name == LOSSES)
    days = [sorted(each.table["horizon_days"].unique()) for each in findings if _tells_branches(each)]
    return {LOSSES: f"{lane.title}, within {_spans(days[0])}"} if days and days[0] else {}


def _spans(days: list[float]) -> str:
    return f"{' · '.join(f'{each:g}' for each in days)} days"


def _tells_branches(finding: Finding) -> bool:
    return set(finding.table) >= _INCIDENCE


def feelings_curve(findings: list[Finding], stages: tuple[str, ...], persona: str | None) -> pd.DataFrame:
    """Mean feeling by stage; missing where nothing was asked."""
    found = pd.DataFrame(columns=list(CURVE))
    for finding in findings:
        if {"measure", "stage", "mark"} <= set(finding.table) and EMOTIONS in _lanes_of(finding, persona):
            rows = finding.table[finding.table["measure"] == FEELING]
            found = rows[rows["group"] == persona] if persona is not None else rows
    curve = found.reindex(columns=list(CURVE)).set_index("stage").reindex(list(stages)).reset_index()
    marks = curve["mark"].where(curve["mark"].notna(), "")
    return curve.assign(mark=marks).astype(CURVE)


def _lanes_of(finding: Finding, persona: str | None) -> set[str]:
    suffix = f" ({persona})" if persona is not None else ""
    return {str(lane).removesuffix(suffix) for lane in finding.by_stage()}
