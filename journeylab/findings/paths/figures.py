"""Figures: what is drawn of a flow, and what is written at it?"""

from collections.abc import Collection, Mapping

import pandas as pd

from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, percent
from journeylab.events.queries.paths import ONGOING, SOURCES

_COLUMNS = ("origin", "to", "kind", "n", "text", "part")


def flow_rows(
    table: pd.DataFrame, arrivals: pd.DataFrame, *, titles: Mapping[str, str], completing: Collection[str]
) -> pd.DataFrame:
    """The flows of `table` and `arrivals` (of one group) as `charts.flows` takes them; `titles` of stages and branches.

    What fewer than five customers did is drawn without numbers.
    """
    rows = [_departure(row, titles, completing) for row in table.itertuples()]
    outside = arrivals[arrivals["origin"].isin(SOURCES)]
    rows += [(row.origin, row.stage, "enter", row.moved, _words(row, row.origin), None) for row in outside.itertuples()]
    back = arrivals[arrivals["kind"] == "return"].groupby("stage", sort=False)[["moved", "movers"]].sum()
    rows += [("lost", row.Index, "return", row.moved, _words(row, "came back"), None) for row in back.itertuples()]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def headings(balance: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, str]:
    """The heading of each stage: its title, how many visits it had, and how many of them were lost."""
    texts = {}
    for row in balance.to_dict("records"):
        texts[row["stage"]] = f"{titles[row['stage']]}\n{counted(row['visits'], 'visit')}"
        if row["lost"] >= MIN_SHOWN:
            texts[row["stage"]] += f"\n{row['lost']:,} lost{_of(row['lost'], row['visits'])}"
    return texts


def alt_text(balance: pd.DataFrame, titles: Mapping[str, str], completing: Collection[str]) -> str:
    """The figure in words: what became of the visits to each stage."""
    stages = []
    for row in balance[balance["visits"] > 0].to_dict("records"):
        ends = {"forward": "forward", "skip": "skipping ahead", "back": "back", "lost": "lost", ONGOING: "still inside"}
        ends |= {ONGOING: "at the goal"} if row["stage"] in completing else {}
        parts = [
            f"{_few(row[kind])} {words}{_of(row[kind], row['visits'])}" for kind, words in ends.items() if row[kind]
        ]
        stages.append(f"{titles[row['stage']]}, {counted(row['visits'], 'visit')}: {', '.join(parts)}")
    return f"Where visits to each stage led, so far. {'; '.join(stages)}."


def _percent(share: float) -> str:
    return "under 0.1%" if 0 < share < 0.0005 else percent(share)


def _departure(row, titles: Mapping[str, str], completing: Collection[str]) -> tuple:
    if row.kind == ONGOING:
        is_goal = row.stage in completing
        words = _words(row, "the goal") if is_goal else _words(row, "still inside", share=True)
        return (row.stage, "inside", "stay", row.moved, words, "completed" if is_goal else None)
    if row.kind == "lost":
        return (row.stage, row.to, "leave", row.moved, _words(row, titles[row.to], share=True), row.to)
    part = "completed" if row.to in completing else "regressed" if row.kind == "back" else "advanced"
    name = {"forward": "", "skip": "ahead", "back": "back"}[row.kind]
    return (row.stage, row.to, "move", row.moved, _words(row, name, share=True), part)


def _words(row, name: str, *, share: bool = False) -> str | None:
    if row.movers < MIN_SHOWN:
        return None
    return f"{name} {row.moved:,}".strip() + (f" ({_percent(row.estimate)})" if share else "")


def _few(number: int) -> str:
    return f"{number:,}" if number >= MIN_SHOWN else f"fewer than {MIN_SHOWN}"


def _of(number: int, visits: int) -> str:
    return f" ({_percent(number / visits)})" if number >= MIN_SHOWN else ""
