"""Wall: which of all that the map says stands on the sheet that hangs on a wall, and in how few words?"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import pandas as pd

from journeylab.base import charts
from journeylab.base.charts import Chart
from journeylab.base.ordering import largest
from journeylab.base.words import in_days
from journeylab.events.journey.journey import readable
from journeylab.reporting.journey_map.cells import NO_EVIDENCE, in_brief

# A JourneyMap, whose file imports this one.
Mapped: TypeAlias = Any
# What the sheet takes of the table: lane and part there, part here.
_PARTS = {
    ("goal", ""): "goal",
    ("trigger", "CRM bucket"): "crm",
    ("owner", ""): "owner",
    ("trigger", "Trigger"): "trigger",
    ("trigger", "Proven"): "proof",
    ("thoughts", ""): "quote",
    ("actions", ""): "action",
    ("pain points", ""): "pain",
    ("moments", ""): "moment",
    ("opportunities", ""): "do",
    ("assumptions", ""): "belief",
}
# Lanes that people fill by asking: where one is empty, the sheet has a box to write in.
_TO_ASK = ("moments", "thoughts", "pain points", "opportunities")
_ORIGIN = re.compile(r"“(.*)”(?: \([^()]*\))?", re.DOTALL)


def draw_wall(drawn: Mapped, ax=None) -> Chart:
    """The map as a drawing of A1."""
    header = dict(drawn.header)
    days = drawn.days if drawn.days["estimate"].notna().any() else None
    return charts.wall(
        pd.DataFrame(_cells(drawn), columns=["stage", "part", "text", "mark"], dtype=object),
        stages=[stage.name for stage in drawn.stages],
        titles={stage.name: stage.title for stage in drawn.stages},
        river=drawn.river if len(drawn.river) else None,
        feelings=drawn.curve,
        days=days,
        head={
            "claim": claim(drawn),
            "persona": drawn.persona[:1].upper() + drawn.persona[1:],
            "portrait": header.get("Scenario", "").replace("not noted", ""),
            "goal": header.get("Goal", ""),
            "stamp": _stamp(drawn, header),
            "foot": _foot(drawn),
        },
        alt=f"Journey map of {drawn.title}. {claim(drawn)}. {drawn.sentence()}",
        ax=ax,
    )


def claim(drawn: Mapped) -> str:
    """What the sheet says first: where most are lost; where that is not known, what the journey is."""
    row = _largest_loss(drawn)
    if row is None:
        return drawn.name
    title = next(stage.title for stage in drawn.stages if stage.name == row["stage"])
    return f"{100 * row['estimate']:.0f} of 100 are lost in {title}: {row['to']}"


def worst_stage(drawn: Mapped) -> str | None:
    """The stage that the claim is of."""
    row = _largest_loss(drawn)
    return None if row is None else str(row["stage"])


def _largest_loss(drawn: Mapped) -> pd.Series | None:
    lost = drawn.river[(drawn.river["kind"] == "lost") & (drawn.river["estimate"] > 0)]
    return lost.iloc[largest(lost["estimate"])] if len(lost) else None


def _cells(drawn: Mapped) -> Iterator[tuple[str, str, str, str]]:
    common = _common_actions(drawn.table, len(drawn.stages))
    for row in drawn.table.itertuples(index=False):
        part = _PARTS.get((row.lane, row.part))
        if row.evidence == NO_EVIDENCE:
            if row.lane in _TO_ASK:
                yield row.stage, "unknown", dict(drawn.lanes)[row.lane].lower(), ""
        elif part == "quote":
            origin = _ORIGIN.match(row.text)
            yield row.stage, part, origin[1] if origin else row.text, ""
        elif part == "action":
            if _action(row.text) not in common:
                yield row.stage, part, readable(_action(row.text)).lower(), ""
        elif part == "proof":
            yield row.stage, part, f"{in_brief(row.text).partition(' within')[0]} proven", ""
        elif part in ("crm", "trigger"):
            first = row.text.partition(";")[0].replace("_", " ")
            yield row.stage, part, f"CRM: {row.text}" if part == "crm" else first, ""
        elif part is not None:
            text, _, details = (
                row.text.removesuffix("]").partition(" [") if row.text.endswith("]") else (row.text, "", "")
            )
            yield row.stage, part, text, _status(details)


def _status(details: str) -> str:
    """“open” of “assumed, open, growth”."""
    words = details.split(", ")
    return words[1] if words[0] == "assumed" and len(words) > 1 else ""


def _action(text: str) -> str:
    """“plan shared” of “plan_shared 43% (40% to 46%; 9 customers)”."""
    return in_brief(text).rpartition(" ")[0] or text


def _common_actions(table: pd.DataFrame, n_stages: int) -> set[str]:
    """What customers do in most stages, which tells none of them from another."""
    rows = table[(table["lane"] == "actions") & (table["evidence"] != NO_EVIDENCE)]
    stages = rows.assign(text=rows["text"].map(_action)).groupby("text")["stage"].nunique()
    return set(stages[stages > max(1, n_stages // 2)].index)


def _stamp(drawn: Mapped, header: dict[str, str]) -> str:
    simulated = ["Simulated"] if "simulated" in drawn.name.lower() else []
    return " · ".join([*simulated, f"data up to {drawn.until}", header.get("Customers", "")])


def _foot(drawn: Mapped) -> str:
    if not len(drawn.river):
        return f"{drawn.name}, definition {drawn.definition}."
    first = drawn.river.iloc[0]
    return (
        f"{in_days(first['days'])} after setting out; {int(first['n']):,} customers. Solid up to the lower limit, pale "
        f"up to the upper (95%). Definition {drawn.definition}. All numbers: report 07."
    )
