"""Data and method: what must a reader of the reports know of a study's data, its decisions and its tools?"""

import platform
from collections.abc import Iterator
from importlib.metadata import version

import pandas as pd

from journeylab.base.durations import days
from journeylab.base.html import Table
from journeylab.base.words import counted, in_days, listed
from journeylab.events.log import written
from journeylab.events.spells.spell_check import find_flaws
from journeylab.findings.silence import compare_silence
from journeylab.reporting.method import MethodSection, Overview
from journeylab.reporting.page import Masthead
from journeylab.study.folders import FILE
from journeylab.study.study import Study

# What computes the numbers and draws the figures; everything else only carries them.
TOOLS = (
    "journeylab duckdb ibis-framework lifelines matplotlib numpy pandas pyarrow scikit-learn scipy seaborn statsmodels"
)


def masthead_of(study: Study) -> Masthead:
    """What heads each page of the study's reports."""
    journey, window = study.journey, study.window
    return Masthead(study.name, journey.name, journey.goal, written(window.start), written(window.end))


def overview_of(study: Study) -> Overview:
    """What is said of the study besides its reports."""
    return Overview(
        sentence=f"{counted(len(study.spells), 'visit')} to the stages of the journey, from {data_in_words(study)}",
        stages=study.journey.summary(),
        doubts=study.lint.sentence(),
        notes=study.settings.notes,
        parts=parts_of(study),
    )


def data_in_words(study: Study) -> str:
    """How many events of how many customers there are, and what was refused."""
    log = study.log
    events = f"{counted(len(log), 'event')} of {counted(log.n_customers, 'customer')}"
    return f"{events}. {log.rows_read:,} rows read, {log.quarantine}."


def rows_read(study: Study) -> pd.DataFrame:
    """What became of the rows read: `part`, `rows`, `percent`."""
    return _in_percent(study.log.summary())


def _in_percent(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.assign(percent=(100 * counts["share"]).round(2)).drop(columns="share")


def parts_of(study: Study) -> tuple[MethodSection, ...]:
    """The parts of the page on data and method, in its order."""
    about = (_observed, _covered, _defined, _doubted, _decided, _silence)
    return (*(part(study) for part in about), _tools())


def _observed(study: Study) -> MethodSection:
    return MethodSection(
        "What was observed",
        (
            f"The window runs from {study.window}, {study.window.days:g} days. {study.log.sentence()}",
            f"From these events come {study.spells.sentence()}",
        ),
        (
            Table(rows_read(study), "What became of the rows read; refused rows lie in quarantine, none is dropped"),
            Table(_sources(study), f"The files, as {FILE} names them, and which of their columns stand for what"),
        ),
    )


def _sources(study: Study) -> pd.DataFrame:
    said = study.settings
    columns = [
        ", ".join(f"{name} ← {column}" for name, column in each.columns.items() if isinstance(column, str))
        for each in said.events
    ]
    rows = [
        ("events", each.path, named, each.timezone or "as written, else UTC")
        for each, named in zip(said.events, columns, strict=True)
    ]
    if said.customers:
        attributes = listed(said.customers.attributes) if said.customers.attributes else "all columns"
        rows.append(
            ("customers", said.customers.path, f"key ← {said.customers.key}; known at the start: {attributes}", "–")
        )
    if said.crm:
        rows.append(
            ("CRM", said.crm.path or f"column “{said.crm.column}” of the events", "–", said.crm.timezone or "–")
        )
    return pd.DataFrame(rows, columns=["part", "file", "columns", "time_zone"])


def _covered(study: Study) -> MethodSection:
    filled, months = _in_percent(study.log.columns_filled()), study.log.events_by_month()
    months = months.assign(month=months["month"].dt.strftime("%Y-%m"))
    return MethodSection(
        "What the record covers",
        ("What a column that is filled for few events tells, it tells of those; a month with few may be a gap.",),
        (
            Table(filled, "For how many of the events each column says something"),
            Table(months, "Events by calendar month (UTC); history lies before the window"),
        ),
    )


def _defined(study: Study) -> MethodSection:
    journey = study.journey
    moves = {"forward": "Customers move forward", "free": "Customers move freely"}[journey.movement]
    return MethodSection(
        "How the journey is defined",
        (f"{moves}. The definition’s version is {journey.fingerprint()}: equal versions, equal stages and losses.",),
        (Table(journey.summary(), "Stages in their order: what opens them, what proves them, how they are lost"),),
    )


def _doubted(study: Study) -> MethodSection:
    checked, lint = find_flaws(study.spells), study.lint
    remarks = (Table(lint.table.drop(columns="rule"), "What the lint says of the definition"),) if len(lint) else ()
    found = checked.table[checked.table["spells"] > 0]
    flaws = (Table(found, "What the check of the spells found"),) if len(found) else ()
    return MethodSection(
        "What is doubtful", (f"The journey’s definition: {lint.sentence()}", checked.sentence()), (*remarks, *flaws)
    )


def _decided(study: Study) -> MethodSection:
    decisions = pd.DataFrame(_decisions(study), columns=["decision", "value", "file"])
    return MethodSection(
        "What was decided",
        ("Other decisions would give other numbers. What each report decides besides stands in it under “Decisions”.",),
        (Table(decisions, "Decisions, and where to change them"),),
    )


def _decisions(study: Study) -> Iterator[tuple[str, str, str]]:
    said = study.settings
    yield "window, up to its end", str(study.window), FILE
    yield "horizons", listed(said.horizons), FILE
    yield "doubled rows", {"quarantine": "put in quarantine", "keep": "kept"}[said.duplicates], FILE
    if said.personas:
        yield "personas are told by behaviour within", said.personas.within, FILE
        yield "seed of what is random", str(said.personas.seed), FILE
    else:
        yield "personas", "none asked for", FILE
    yield "movement", study.journey.movement, said.journey
    for stage in study.journey.stages:
        if not stage.completes:
            yield f"silence that ends a visit to “{stage.title}”", stage.silent_after or "none does", said.journey


def _silence(study: Study) -> MethodSection:
    horizon = max(study.horizons, key=days)
    found = compare_silence(study.log, study.journey, horizon=horizon)
    title = "How much depends on the silence windows"
    if found.lacking:
        return MethodSection(title, (found.lacking,))
    lost = found.table[found.table["to"] == "lost"]
    shown = lost[["stage", "silent_after_days", "factor", "estimate", "lower", "upper", "n", "at_risk"]]
    caption = (
        f"Share of visits lost within {in_days(found.horizon)}, by whichever branch, if every silence window were "
        f"so many times (factor) as long ({found.confidence:.0%} intervals)"
    )
    return MethodSection(title, (found.sentence(),), (Table(shown, caption),))


def _tools() -> MethodSection:
    tools = [("Python", platform.python_version()), *((tool, version(tool)) for tool in TOOLS.split())]
    return MethodSection(
        "With what it was computed",
        ("The same data, decisions and versions give the same pages, to the byte.",),
        (Table(pd.DataFrame(tools, columns=["tool", "version"]), "Versions"),),
    )
