"""What readers are told of a study: its data, its decisions and what it was made with."""

import pytest

from journeylab.study.method_page import masthead_of, overview_of, parts_of
from journeylab.study.study import open_study

STUDY = """\
study: Trials of 2025
journey: journey.yml
events:
  - {path: data/raw/events.csv, columns: {customer_id: account, event: action, time: ts}, timezone: UTC}
window: {start: 2025-01-01, end: 2025-04-01}
horizons: [30d, 60d]
"""
JOURNEY = """\
journeylab: 1
name: Trial to partner
goal: Plan the week
stages:
  - {name: trying, opened_by: [{event: started}], silent_after: 30d}
  - {name: paying, opened_by: [{event: paid}], completes: true}
loss_branches:
  - {name: price, when: {event: cancelled}}
"""
EVENTS = "account,action,ts,channel\nann,started,2025-01-02,web\nann,paid,2025-01-12,\n,started,2025-01-09,web\n"


@pytest.fixture
def study(tmp_path):
    (tmp_path / "data/raw").mkdir(parents=True)
    for name, text in {"study.yml": STUDY, "journey.yml": JOURNEY, "data/raw/events.csv": EVENTS}.items():
        (tmp_path / name).write_text(text)
    return open_study(tmp_path)


@pytest.fixture
def parts(study):
    return {part.title: part for part in parts_of(study)}


def test_the_index_tells_how_much_was_read_and_what_is_doubtful(study):
    overview = overview_of(study)
    assert overview.sentence == (
        "2 visits to the stages of the journey, from 2 events of 1 customer. "
        "3 rows read, 1 refused (1 missing customer). The log has only dates: days are days on the calendar, nothing "
        "is said of hours, and the order of what happened on one day is that of the source."
    )
    assert overview.doubts == study.lint.sentence()
    assert masthead_of(study).goal == "Plan the week"


def test_the_parts_tell_window_coverage_definition_doubts_decisions_silence_and_tools(parts):
    assert list(parts) == [
        "What was observed",
        "Who is in these numbers",
        "What the record covers",
        "How the journey is defined",
        "What is doubtful",
        "What was decided",
        "How much depends on the silence windows",
        "With what it was computed",
    ]


def test_rows_refused_and_files_are_told(parts):
    reading, files = (table.rows for table in parts["What was observed"].tables)
    assert reading.set_index("part")["rows"][["read", "accepted", "refused: missing customer"]].to_list() == [3, 2, 1]
    assert files.iloc[0].to_list() == [
        "events",
        "data/raw/events.csv",
        "customer_id ← account, event ← action, time ← ts",
        "UTC",
    ]


def test_columns_are_told_by_how_many_events_they_fill_and_months_by_events(parts):
    columns, months = (table.rows for table in parts["What the record covers"].tables)
    filled = columns.set_index("column")
    assert filled.loc["channel"].to_list() == [1, 50]
    assert filled.loc["customer_id"].to_list() == [2, 100]
    assert months[["month", "events"]].to_numpy().tolist() == [["2025-01", 2]]


def test_decisions_are_told_with_the_file_to_change_them_in(parts):
    (decisions,) = parts["What was decided"].tables
    assert decisions.rows.to_numpy().tolist() == [
        ["window, up to its end", "2025-01-01 to 2025-04-01", "study.yml"],
        ["horizons", "30d and 60d", "study.yml"],
        ["doubled rows", "put in quarantine", "study.yml"],
        ["personas", "none asked for", "study.yml"],
        ["movement", "forward", "journey.yml"],
        ["silence that ends a visit to “Trying”", "30d", "journey.yml"],
    ]


@pytest.mark.slow
def test_silence_is_looked_at_up_to_the_longest_horizon_and_without_windows_it_says_so(parts, study):
    (table,) = parts["How much depends on the silence windows"].tables
    assert table.caption.startswith("Share of visits lost within 60 days")
    assert table.rows["factor"].to_list() == [0.5, 1, 2]
    (study.folder / "journey.yml").write_text(JOURNEY.replace(", silent_after: 30d", ""))
    silence = {part.title: part for part in parts_of(open_study(study.folder))}
    assert silence["How much depends on the silence windows"].paragraphs[0].startswith("No stage has a silence window")


def test_the_tools_are_named_with_their_versions(parts):
    (tools,) = parts["With what it was computed"].tables
    assert {"Python", "journeylab", "pandas", "duckdb"} <= set(tools.rows["tool"])


def test_doubts_of_the_data_are_told_without_the_ids_of_customers(tmp_path):
    rows = [f"c{n}{ending},started,2025-01-{n + 1:02d},web" for n in range(12) for ending in ("", " ")]
    (tmp_path / "data/raw").mkdir(parents=True)
    events = "\n".join(["account,action,ts,channel", *rows, "undefined,started,2025-01-03,web"])
    for name, text in {"study.yml": STUDY, "journey.yml": JOURNEY, "data/raw/events.csv": events}.items():
        (tmp_path / name).write_text(text)
    study = open_study(tmp_path)
    doubts = next(part for part in parts_of(study) if part.title == "What is doubtful")
    problems = " ".join(doubts.tables[0].rows["problem"])
    assert doubts.paragraphs[0].startswith("The journey’s definition and the data: ")
    assert doubts.paragraphs[1] == study.lint.unjudged[0]
    assert "24 ids differ from another only in blanks" in problems
    assert "“undefined”" in problems
    assert "c0" not in problems
    assert "“c0”" in " ".join(study.lint.table["problem"])
