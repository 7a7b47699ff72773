"""Data and method: what must a reader of the reports know of a study's data, its decisions and its tools?"""

import platform
from collections.abc import Iterator
from importlib.metadata import version

import pandas as pd

from journeylab.base.durations import days
from journeylab.base.html import Table
from journeylab.base.suppression import MIN_SHOWN
from journeylab.base.words import counted, in_days, listed
from journeylab.events.log import written
from journeylab.events.spells.spell_check import find_flaws
from journeylab.findings.silence import compare_silence
from journeylab.reporting.method import Action, MethodSection, Overview
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
    titles = {name: journey.title(name) for name in (*journey.stage_names, *journey.branches)}
    return Masthead(study.name, journey.name, journey.goal, written(window.start), written(window.end), titles)


def overview_of(study: Study) -> Overview:
    """What the index says about the study besides its reports, and the page on data and method."""
    return Overview(
        sentence=f"{counted(len(study.spells), 'visit')} to the stages of the journey, from {data_in_words(study)}",
        actions=tuple(_actions(study)),
        doubts=study.lint.sentence(),
        notes=study.settings.notes,
        parts=parts_of(study),
    )


def _actions(study: Study) -> Iterator[Action]:
    """What people propose to do at each stage: the first opportunity noted, and who owns it."""
    table = study.notes.table()
    proposed = table[table["lane"] == "opportunities"].drop_duplicates("stage").set_index("stage")
    for stage in study.journey.stages:
        if stage.completes:
            continue
        if stage.name in proposed.index:
            yield Action(stage.title, proposed.at[stage.name, "text"], proposed.at[stage.name, "owner"] or stage.owner)
        else:
            yield Action(stage.title, None, stage.owner)


def data_in_words(study: Study) -> str:
    """How many events of how many customers there are, what was refused, and whether there are only dates."""
    log = study.log
    events = f"{counted(len(log), 'event')} of {counted(log.n_customers, 'customer')}"
    return f"{events}. {log.rows_read:,} rows read, {log.quarantine}.{log.dates_in_words()}"


def rows_read(study: Study) -> pd.DataFrame:
    """What became of the rows read: `part`, `rows`, `percent`."""
    return _in_percent(study.log.summary())


def _in_percent(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.assign(percent=(100 * counts["share"]).round(2)).drop(columns="share")


def parts_of(study: Study) -> tuple[MethodSection, ...]:
    """The parts of the page on data and method, in its order."""
    about = (_observed, _bases, _covered, _defined, _doubted, _decided, _silence)
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


def _bases(study: Study) -> MethodSection:
    """From all customers in the log down to those whose persona is judged, each step with its reason."""
    personas, visits = study.personas, study.spells.to_pandas()
    in_journey = visits["customer_id"].nunique()
    steps = [("in the log", study.log.n_customers, "all whose events were read")]
    steps.append(("in the journey", in_journey, "the others never came to a stage in the window"))
    first = visits[visits["spell"] == 1]
    is_new = (first["entered"] >= study.window.start) & first["returned_from"].isna()
    steps.append(("watched from their entry", int(is_new.sum()), "the others had entered before the window"))
    if not personas.left_out.empty and study.settings.personas:
        within = study.settings.personas.within
        left_out = personas.left_out.set_index("reason")["customers"]
        late = listed([f"{n:,} {reason}" for reason, n in left_out.items() if within in str(reason) and n] or ["none"])
        why = f"the others: {late}" if late != "none" else "none is left out"
        judged = study.log.n_customers - int(left_out.sum())
        steps.append((f"judged by their first {within}: has a persona, or could have", judged, why))
    n_late = int((visits["observed_from"] > visits["entered"]).sum())
    return MethodSection(
        "Who is in these numbers",
        (
            "Numbers about visits to stages rest on all customers in the journey. Numbers on the clock of the whole "
            "journey rest on those watched from their entry, and numbers by persona on those judged.",
            f"{counted(n_late, 'visit')} had begun before the window, and count from the day from which they were "
            "watched. Customers who had been lost before the window and returned in it also entered before it. A "
            "funnel counts all who came to its first step in the window, these too.",
            *_completed(study, visits, first.loc[is_new, "customer_id"]),
        ),
        (Table(pd.DataFrame(steps, columns=["customers", "n", "why"]), "Customers, and who is left out at each step"),),
    )


def _completed(study: Study, visits: pd.DataFrame, new: pd.Series) -> Iterator[str]:
    """How many reached the goal, of which base."""
    goals = [stage.name for stage in study.journey.stages if stage.completes]
    if goals:
        there = set(visits.loc[visits["stage"].isin(goals), "customer_id"])
        n_new, n_all = len(there & set(new)), visits["customer_id"].nunique()
        yield (
            f"So far {_shown(len(there))} of {n_all:,} customers in the journey are at the goal, and {_shown(n_new)} "
            f"of the {len(new):,} watched from their entry. The share of one way to the goal, or within a time as in a "
            "funnel, is smaller: it leaves out other ways, or those who take longer."
        )


def _shown(count: int) -> str:
    """A count as it may be passed on."""
    return f"fewer than {MIN_SHOWN}" if 0 < count < MIN_SHOWN else f"{count:,}"


def _sources(study: Study) -> pd.DataFrame:
    settings = study.settings
    columns = [
        ", ".join(f"{name} ← {column}" for name, column in source.columns.items() if isinstance(column, str))
        for source in settings.events
    ]
    rows = [
        ("events", source.path, in_words, source.timezone or "as written, else UTC")
        for source, in_words in zip(settings.events, columns, strict=True)
    ]
    if settings.customers:
        attributes = listed(settings.customers.attributes) if settings.customers.attributes else "all columns"
        rows.append(
            (
                "customers",
                settings.customers.path,
                f"key ← {settings.customers.key}; known at the start: {attributes}",
                "–",
            )
        )
    if settings.crm:
        rows.append(
            (
                "CRM",
                settings.crm.path or f"column “{settings.crm.column}” of the events",
                "–",
                settings.crm.timezone or "–",
            )
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
    check, lint, horizons = find_flaws(study.spells), study.lint, study.horizon_lint
    titled = ((lint, "What the lint says of the definition and the data"), (horizons, "What it says of the horizons"))
    remarks = tuple(Table(part.shown.drop(columns="rule"), title) for part, title in titled if len(part))
    broken = check.table[check.table["spells"] > 0].drop(columns="example")
    flaws = (Table(broken, "What the check of the spells found"),) if len(broken) else ()
    said = f"The journey’s definition and the data: {lint.sentence()} The horizons: {horizons.sentence()}"
    return MethodSection(
        "What is doubtful",
        (said, *lint.unjudged, check.sentence()),
        (*remarks, *flaws),
    )


def _decided(study: Study) -> MethodSection:
    decisions = pd.DataFrame(_decisions(study), columns=["decision", "value", "file"])
    return MethodSection(
        "What was decided",
        ("Other decisions would give other numbers. What each report decides besides stands in it under “Decisions”.",),
        (Table(decisions, "Decisions, and where to change them"),),
    )


def _decisions(study: Study) -> Iterator[tuple[str, str, str]]:
    settings = study.settings
    yield "window, up to its end", str(study.window), FILE
    yield "horizons", listed(settings.horizons), FILE
    yield "doubled rows", {"quarantine": "put in quarantine", "keep": "kept"}[settings.duplicates], FILE
    if settings.personas:
        yield "personas are told by behaviour within", settings.personas.within, FILE
        yield "seed of what is random", str(settings.personas.seed), FILE
    else:
        yield "personas", "none asked for", FILE
    yield "movement", study.journey.movement, settings.journey
    for stage in study.journey.stages:
        if not stage.completes:
            yield f"silence that ends a visit to “{stage.title}”", stage.silent_after or "none does", settings.journey


def _silence(study: Study) -> MethodSection:
    horizon = max(study.horizons, key=days)
    sensitivity = compare_silence(study.log, study.journey, horizon=horizon)
    title = "How much depends on the silence windows"
    if sensitivity.lacking:
        return MethodSection(title, (sensitivity.lacking,))
    lost = sensitivity.table[sensitivity.table["to"] == "lost"]
    rows = lost[["stage", "silent_after_days", "factor", "estimate", "lower", "upper", "n", "at_risk"]]
    caption = (
        f"Share of visits lost within {in_days(sensitivity.horizon)}, by any branch, if every silence window were "
        f"so many times (factor) as long ({sensitivity.confidence:.0%} intervals)"
    )
    return MethodSection(title, (sensitivity.sentence(),), (Table(rows, caption),))


def _tools() -> MethodSection:
    tools = [("Python", platform.python_version()), *((tool, version(tool)) for tool in TOOLS.split())]
    return MethodSection(
        "With what it was computed",
        ("The same data, decisions and versions give the same pages, to the byte.",),
        (Table(pd.DataFrame(tools, columns=["tool", "version"]), "Versions"),),
    )
