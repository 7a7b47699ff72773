"""Cells: which rows does the map have, what is in each of them for each stage, and how is it said briefly?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType

import pandas as pd

from journeylab.findings.finding import NOT_MEASURED, LaneName

DATA, SURVEY, INTERVIEW, ASSUMPTION = EVIDENCE = ("data", "survey", "interview", "assumption")
NO_EVIDENCE = "none"
EMOTIONS, LOSSES, QUOTED = "emotions", "losses", ("thoughts",)


@dataclass(frozen=True)
class Lane:
    """A row of the map.

    name: in the table and in notes. title: as shown. takes: the lanes of findings (`by_stage`) that go into this row,
    each with its label here. evidence: what those findings are based on.
    """

    name: str
    title: str
    takes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    evidence: str = DATA


_TAKES = {
    "stage": {LaneName.TIME_IN_STAGE: "Time inside", LaneName.MEAN_TIME: "Mean time",
              LaneName.EVER_REACHED: "Ever reached"},
    "trigger": {LaneName.TRIGGER_SEEN: "Trigger seen", LaneName.VALIDATED: "Proven",
                LaneName.CRM_AGREEMENT: "CRM agrees"},
    "pain points": {LaneName.PAIN_POINTS: "", LaneName.BEFORE_A_LOSS: "Before a loss"},
    "moves": {LaneName.FORWARD: "Forward", LaneName.SKIP: "Skip", LaneName.BACK: "Back",
              LaneName.STILL_INSIDE: "Still inside"},
    LOSSES: {LaneName.LOST: "By any branch", LaneName.MAIN_BRANCH: "Mostly", LaneName.DECLARED_LOSSES: "Declared",
             LaneName.SILENCE: "Silence", LaneName.BACK_AFTER_LOSS: "Back after a loss",
             LaneName.BACK_AFTER_SILENCE: "Back after silence"},
}  # fmt: skip
LANES = (
    Lane("stage", "Stage", _TAKES["stage"]),
    Lane("trigger", "Trigger and proof", _TAKES["trigger"]),
    Lane("goal", "Customer’s goal"),
    Lane("actions", "Actions", {LaneName.ACTIONS: ""}),
    Lane("touchpoints", "Touchpoints and channels", {LaneName.TOUCHPOINTS: ""}),
    Lane("initiator", "Reactive : proactive", {LaneName.PROACTIVE: ""}),
    Lane("moments", "Moments that matter", {LaneName.MOMENTS: ""}),
    Lane("thoughts", "Thoughts", {LaneName.THOUGHTS: ""}),
    Lane(EMOTIONS, "Emotions", {LaneName.EMOTIONS: ""}, SURVEY),
    Lane("pain points", "Pain points", _TAKES["pain points"]),
    Lane("moves", "Forward, skip, back", _TAKES["moves"]),
    Lane(LOSSES, "Ways of being lost", _TAKES[LOSSES]),
    Lane("roles", "Roles", {LaneName.ROLES: ""}),
    Lane("value", "Value", {LaneName.VALUE: ""}),
    Lane("owner", "Owner"),
    Lane("opportunities", "Opportunities"),
    Lane("assumptions", "Assumptions"),
)
# The row that each lane of a finding goes into. A lane that is not here gets a row of its own, below these.
TAKEN = {name: lane for lane in LANES for name in lane.takes}

COLUMNS = {
    **dict.fromkeys(("lane", "stage", "part", "text", "evidence", "source"), object),
    **dict.fromkeys(("estimate", "lower", "upper", "n"), float),
}
MOST_SHOWN = 160


def tidy_cells(rows: Iterable[dict], lanes: Iterable[str], stages: Iterable[str]) -> pd.DataFrame:
    """`rows` as a table of `COLUMNS`, by lane and stage, with a row “not measured” for each empty cell. One that says
    why it is not measured stands only where nothing else does."""
    by_cell: dict[tuple[str, str], list[dict]] = {}
    for row in sorted(rows, key=lambda row: row["evidence"] == NO_EVIDENCE):
        cell = by_cell.setdefault((row["lane"], row["stage"]), [])
        if not cell or row["evidence"] != NO_EVIDENCE:
            cell.append(row)
    unknown = {"text": NOT_MEASURED, "evidence": NO_EVIDENCE}
    ordered = [
        row
        for lane, stage in product(lanes, stages)
        for row in by_cell.get((lane, stage), [{"lane": lane, "stage": stage, **unknown}])
    ]
    table = pd.DataFrame(ordered, columns=list(COLUMNS)).astype(COLUMNS)
    texts = ["part", "source"]
    return table.assign(**{column: table[column].where(table[column].notna(), "") for column in texts})


def one_cell(lane: str, stage: str, text: str, *, part: str = "", evidence: str = DATA, source: str = "spells") -> dict:
    """A row of the map's table without a number."""
    return {"lane": lane, "stage": str(stage), "part": part, "text": text, "evidence": evidence, "source": source}


def in_parts(words: str) -> Iterator[str]:
    """The parts of what a finding says of a stage: split at semicolons outside brackets.

    >>> list(in_parts("email 83% (81% to 84%; 9 customers); web 44%"))
    ['email 83% (81% to 84%; 9 customers)', 'web 44%']
    """
    depth, begin = 0, 0
    for at, character in enumerate(words):
        depth = max(0, depth + (character == "(") - (character == ")"))
        if character == ";" and not depth:
            yield words[begin:at].strip()
            begin = at + 1
    yield words[begin:].strip()


def in_brief(text: str, *, at_most: int = MOST_SHOWN) -> str:
    """`text` without the bracket at its end that holds interval and base, and not longer than `at_most`.

    >>> in_brief("30% within 90 days (28% to 32%; 1,806 visits)")
    '30% within 90 days'
    """
    brief = _without_base(text)
    if len(brief) <= at_most:
        return brief
    cut = brief[: at_most - 1].rfind(" ")
    return f"{brief[: cut if cut > at_most // 2 else at_most - 1].rstrip()}…"


def _without_base(text: str) -> str:
    """`text` without the bracket that ends it, where that holds a number and something stands before it."""
    depth = 0
    for at in range(len(text) - 1, 0, -1) if text.endswith(")") else ():
        depth += (text[at] == ")") - (text[at] == "(")
        if not depth:
            return text[:at].rstrip() if any(map(str.isdigit, text[at:])) else text
    return text
