"""Cells: what stands in each lane for each stage, on what evidence, and how is it said briefly and in full?"""

from collections.abc import Iterable, Iterator

import pandas as pd

from journeylab.reporting.journey_map.lanes import DATA, NO_EVIDENCE, NOT_MEASURED

COLUMNS = {
    **dict.fromkeys(("lane", "stage", "part", "text", "evidence", "source"), object),
    **dict.fromkeys(("estimate", "lower", "upper", "n"), float),
}
MOST_SHOWN = 160


def tidy_cells(rows: Iterable[dict], lanes: Iterable[str], stages: Iterable[str]) -> pd.DataFrame:
    """`rows` as a table of `COLUMNS`, by lane and stage, a row “not measured” where a stage has none in a lane."""
    stages, own = list(stages), {}
    for row in rows:
        own.setdefault((row["lane"], row["stage"]), []).append(row)
    ordered = []
    for lane in lanes:
        for stage in stages:
            ordered += own.get((lane, stage)) or [
                {"lane": lane, "stage": stage, "text": NOT_MEASURED, "evidence": NO_EVIDENCE}
            ]
    table = pd.DataFrame(ordered, columns=list(COLUMNS)).astype(COLUMNS)
    texts = ["part", "source"]
    return table.assign(**{column: table[column].where(table[column].notna(), "") for column in texts})


def one_cell(lane: str, stage: str, text: str, *, part: str = "", evidence: str = DATA, source: str = "spells") -> dict:
    """A row of the map's table without a number."""
    return {"lane": lane, "stage": str(stage), "part": part, "text": text, "evidence": evidence, "source": source}


def in_parts(words: str) -> Iterator[str]:
    """The parts of what a finding says of a stage: split at semicolons that stand in no bracket.

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
            return text[:at].rstrip() if any(each.isdigit() for each in text[at:]) else text
    return text
