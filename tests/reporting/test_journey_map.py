"""The journey map: every lane has a cell for every stage, “not measured” where nothing is known, the same each time."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from journeylab.base import charts
from journeylab.base.errors import ReportError
from journeylab.events.journey import read_journey
from journeylab.events.log import Window
from journeylab.findings.finding import Finding
from journeylab.findings.grouping import Grouping
from journeylab.reporting.journey_map import build_map, compare_maps, read_map
from journeylab.reporting.journey_map.cells import in_brief, in_parts
from journeylab.study.notes import read_notes

START = pd.Timestamp("2025-01-01", tz="UTC")
WINDOW = Window(START, START + pd.Timedelta(days=100))
EVIL = '<script>alert("1")</script>‮=1+1'
JOURNEY = read_journey(
    {
        "journeylab": 1,
        "name": "Trial to partner",
        "goal": "Plan without spreadsheets",
        "stages": [
            {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d", "owner": "growth",
             "goal": "See whether it fits"},
            {"name": "paid", "label": EVIL, "opened_by": [{"event": "buy"}], "silent_after": "30d"},
            {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True},
        ],
        "loss_branches": [{"name": "too_dear", "when": {"event": "cancel"}}],
    }
)  # fmt: skip
STAGES = list(JOURNEY.stage_names)


@dataclass(frozen=True)
class Told(Finding):
    """A finding of which all is given."""

    lanes: pd.DataFrame
    losses: pd.DataFrame | None = None
    feelings: pd.DataFrame | None = None
    by: str | None = None

    def sentence(self):
        return "Told."

    def by_stage(self):
        return self.lanes

    def losses_by_branch(self):
        return self.losses

    def feelings_by_stage(self):
        return self.feelings

    def plot(self, ax=None):
        return charts.note("Told.", title=self.title, ax=ax)


@dataclass(frozen=True)
class Visits:
    """As much of spells as the map asks for."""

    table: pd.DataFrame
    journey: object = JOURNEY
    window: Window = WINDOW
    customers: pd.DataFrame = field(default_factory=pd.DataFrame)

    def to_pandas(self):
        return self.table.copy()


def told(lanes: dict, *, title="a finding", **options) -> Told:
    filled = {lane: [cells.get(stage) for stage in STAGES] for lane, cells in lanes.items()}
    index = pd.Index(STAGES, name="stage")
    return Told(title, pd.DataFrame(), lanes=pd.DataFrame(filled, index=index), **options)


def branches(**shares) -> pd.DataFrame:
    rows = [{"stage": "trial", "to": branch, "kind": "lost", "horizon_days": float(day), "estimate": share,
             "lower": share / 2, "upper": min(1, share * 2), "n": 40}
            for branch, pair in shares.items() for day, share in zip((30, 90), pair, strict=True)]  # fmt: skip
    return pd.DataFrame(rows)


def feelings() -> pd.DataFrame:
    row = {"measure": "feeling", "lower": -0.5, "upper": 1.0, "n": 12, "note": None}
    return pd.DataFrame([row | {"stage": "trial", "estimate": 0.5, "mark": "high"},
                         row | {"stage": "partner", "estimate": -0.2, "mark": "low"}])  # fmt: skip


@pytest.fixture
def spells() -> Visits:
    """Ten customers in the trial, six of them went on to pay, three of those are inside; nobody is a partner."""
    rows = [(f"c{i}", "trial", 0, 10, "advanced" if i < 6 else "ongoing") for i in range(10)]
    rows += [(f"c{i}", "paid", 10, 50, "ongoing" if i < 3 else "lost") for i in range(6)]
    table = pd.DataFrame(rows, columns=["customer_id", "stage", "entered", "left", "outcome"])
    for column in ("entered", "left"):
        table[column] = START + pd.to_timedelta(table[column], unit="D")
    return Visits(table.assign(observed_from=table["entered"]))


@pytest.fixture
def findings() -> list[Told]:
    return [
        told({"time in stage": {"trial": "half have left after 10 days (95% interval 8 to 12; 10 visits)"}}),
        told({"actions": {"trial": f"{EVIL} 62% (60% to 64%; 9 customers); look 50% (30% to 70%; 9 customers)"}}),
        told({"lost": {"trial": "40% within 90 days (20% to 60%; 10 visits)"}, "main branch": {"trial": "too_dear"}},
             losses=branches(too_dear=(0.1, 0.3), silent=(0.05, np.nan))),
        told({"emotions": {"trial": "+0.5 (-0.5 to +1.0) from -2 to 2; n = 12; high"}}, feelings=feelings()),
        told({"thoughts": {"trial": "“Why so dear; and for whom (me)?” (chat, 2025-03)"}}),
        told({"hazard ratios": {"paid": "seats 1.2 (1.1 to 1.3)"}}),
    ]  # fmt: skip


@pytest.fixture
def drawn(spells, findings):
    return build_map(spells, findings)


def texts(drawn, lane: str, stage: str) -> list[str]:
    rows = drawn.table[(drawn.table["lane"] == lane) & (drawn.table["stage"] == stage)]
    return [f"{row.part}: {row.text}" if row.part else row.text for row in rows.itertuples()]


def test_every_lane_has_a_cell_for_every_stage_and_every_cell_its_evidence(drawn):
    cells = drawn.table.drop_duplicates(["lane", "stage"])
    assert len(cells) == len(drawn.lanes) * len(STAGES)
    assert set(drawn.table["evidence"]) <= {"data", "survey", "interview", "assumption", "none"}
    unknown = drawn.table["text"] == "not measured"
    assert (drawn.table["evidence"].eq("none") == unknown).all()


def test_what_nobody_measured_reads_not_measured(spells):
    empty = build_map(spells, [])
    for lane in ("moments", "thoughts", "emotions", "pain points", "roles", "value", "opportunities"):
        assert texts(empty, lane, "trial") == ["not measured"]
    assert empty.sentence() == (
        "Something is known in 10 of 51 cells (data 3, assumption 7); data up to 2025-04-11. "
        "How customers feel was not measured."
    )


def test_customers_are_counted_and_few_of_them_are_not_told(drawn):
    assert texts(drawn, "stage", "trial")[:2] == ["Entered: 10 customers", "Inside now: fewer than 5 customers"]
    assert texts(drawn, "stage", "partner") == ["Entered: 0 customers", "Inside now: 0 customers"]


def test_the_lanes_of_findings_stand_in_their_place_part_by_part(drawn):
    assert texts(drawn, "stage", "trial")[2] == (
        "Time inside: half have left after 10 days (95% interval 8 to 12; 10 visits)"
    )
    assert texts(drawn, "actions", "trial") == [
        f"{EVIL} 62% (60% to 64%; 9 customers)",
        "look 50% (30% to 70%; 9 customers)",
    ]


def test_a_lane_that_has_no_place_gets_a_row_of_its_own_at_the_end(drawn):
    assert drawn.lanes[-1] == ("hazard ratios", "Hazard ratios")
    assert texts(drawn, "hazard ratios", "paid") == ["seats 1.2 (1.1 to 1.3)"]


def test_losses_are_told_by_branch_and_horizon_the_largest_first(drawn):
    assert texts(drawn, "losses", "trial") == [
        "By any branch: 40% within 90 days (20% to 60%; 10 visits)",
        "Too dear: 10% · 30% (within 30 · 90 days; at 90 days 15% to 60%; 40 visits)",
        "Silent: 5.0% · – (within 30 · 90 days; at 30 days 2.5% to 10%; 40 visits)",
    ]
    assert dict(drawn.lanes)["losses"] == "Ways of being lost, within 30 · 90 days"
    assert texts(drawn, "losses", "partner") == ["Nobody can be lost: the journey is complete"]


def test_quotes_stay_whole(drawn):
    assert texts(drawn, "thoughts", "trial") == ["“Why so dear; and for whom (me)?” (chat, 2025-03)"]
    assert "“Why so dear; and for whom (me)?” (chat, 2025-03)" in drawn.to_page()


def test_the_curve_has_a_gap_where_nothing_was_asked(drawn):
    assert drawn.curve["estimate"].tolist() == pytest.approx([0.5, np.nan, -0.2], nan_ok=True)
    assert drawn.curve["mark"].tolist() == ["high", "", "low"]
    page = drawn.to_page()
    # Each side of the gap is a line of its own.
    assert page.count('<polyline class="mean"') == 2
    assert page.count('class="dot high"') == page.count('class="dot low"') == 1


def test_what_is_declared_is_an_assumption_until_measured(drawn):
    rows = drawn.table[drawn.table["source"] == "journey.yml"]
    assert set(rows["evidence"]) == {"assumption"}
    assert texts(drawn, "goal", "trial") == ["See whether it fits"]
    assert texts(drawn, "owner", "trial") == ["growth"]


def test_notes_stand_in_their_lanes_and_their_owner_instead_of_the_declared_one(spells):
    notes = read_notes(
        {"scenario": "Spring", "stages": {"trial": {"owner": "research", "pain_points": [
            {"text": "Who may pay?", "evidence": "interview", "source": "A planner", "date": "2026-03-02"}],
            "assumptions": [{"text": "Alone they fail", "status": "open", "persona": "P1"}]}}},
        journey=JOURNEY,
    )  # fmt: skip
    drawn = build_map(spells, [], notes=notes)
    assert texts(drawn, "owner", "trial") == ["research"]
    assert texts(drawn, "pain points", "trial") == ["Who may pay?"]
    row = drawn.table[drawn.table["lane"] == "pain points"].iloc[0]
    assert (row["evidence"], row["source"]) == ("interview", "A planner, 2026-03-02")
    assert texts(drawn, "assumptions", "trial") == ["Alone they fail [assumed, open, of P1]"]
    assert dict(drawn.header)["Scenario"] == "Spring"


@pytest.fixture
def by() -> Grouping:
    return Grouping("persona", pd.Series({f"c{i}": "P1" if i < 6 else "P2" for i in range(10)}))


def test_a_personas_map_takes_only_what_is_known_of_the_persona(spells, findings, by):
    lost = {"lost (P1)": {"trial": "20% (1% to 40%; 6 visits)"}, "lost (P2)": {"trial": "9% (1% to 40%; 4 visits)"}}
    grouped = told(lost, by="persona")
    drawn = build_map(spells, [*findings, grouped], by=by, persona="P1")
    assert drawn.title == "Trial to partner: P1"
    assert texts(drawn, "losses", "trial") == ["By any branch: 20% (1% to 40%; 6 visits)"]
    assert texts(drawn, "actions", "trial") == ["not measured"]
    assert texts(drawn, "stage", "trial")[0] == "Entered: 6 customers"
    assert drawn.named("Plans on Monday").persona == "Plans on Monday"
    everyone = build_map(spells, [*findings, grouped])
    assert "lost (P1)" not in dict(everyone.lanes)


def test_two_maps_stand_lane_by_lane_under_the_same_stages(spells, findings, by):
    first, second = (build_map(spells, findings, by=by, persona=each) for each in ("P1", "P2"))
    page = compare_maps(first, second).to_page()
    assert page.count('data-stage="Trial"') == 2 * len(first.lanes)
    other = replace(first, stages=first.stages[:1])
    with pytest.raises(ReportError) as caught:
        compare_maps(first, other)
    assert str(caught.value) == (
        "The maps “Trial to partner: P1” and “Trial to partner: P1” have different stages, so they cannot stand side "
        "by side. Compare maps of one journey, or look at first.compare(second)."
    )


def test_one_more_event_and_the_difference_shows_only_what_changed(spells, findings, drawn):
    more = told({"actions": {"trial": f"{EVIL} 62% (60% to 64%; 9 customers); look 60% (30% to 70%; 9 customers)"}})
    now = build_map(spells, [findings[0], more, *findings[2:]], previous=drawn)
    rows = now.changes.table
    assert rows[["lane", "stage", "change"]].to_numpy().tolist() == [["actions", "trial", "changed"]]
    assert "look 50%" in rows["before"].item()
    assert "look 60%" in rows["now"].item()
    assert now.changes.sentence() == (
        f"Since the map with data up to 2025-04-11: 1 cell changed, of {len(now.lanes) * 3} cells."
    )
    assert now.to_page().count(" jm-changed") == 1
    assert drawn.compare(drawn).sentence().startswith("Since the map with data up to 2025-04-11: nothing has changed")


def test_lanes_that_come_and_go_are_new_and_gone(spells, findings, drawn):
    now = build_map(spells, findings[:-1])
    assert set(now.compare(drawn).table["change"]) == {"gone"}
    assert set(drawn.compare(now).table["change"]) == {"new"}


def test_a_map_is_stale_when_the_data_or_the_definition_are_newer(drawn, spells):
    assert drawn.checked(spells).stale is None
    later = replace(spells, window=Window(START, START + pd.Timedelta(days=130)))
    stale = drawn.checked(later)
    assert stale.stale == "The data now reach 2025-05-11; this map ends 2025-04-11. Build the map again."
    assert stale.stale in stale.to_page()
    other = read_journey(JOURNEY.to_dict() | {"goal": "Another"})
    assert drawn.checked(replace(spells, journey=other)).stale == (
        "The journey’s definition has changed since. Build the map again."
    )


def test_it_is_read_back_as_it_was_written_and_the_same_bytes_each_time(drawn, tmp_path):
    drawn.write(tmp_path / "map.json")
    again = read_map(tmp_path / "map.json")
    assert again.sha256 == drawn.sha256
    assert again.to_page() == drawn.to_page()
    again.write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "map.json").read_bytes()
    assert not len(again.compare(drawn).table)


def test_a_file_that_was_changed_is_refused(drawn, tmp_path):
    path = drawn.write(tmp_path / "map.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(path.read_text(encoding="utf-8").replace("growth", "nobody"), encoding="utf-8")
    with pytest.raises(ReportError) as caught:
        read_map(path)
    told = str(caught.value)
    assert told.startswith("“map.json” was changed after it was written: the SHA-256 of its content is “")
    assert told.endswith(
        f"…”, and the file says “{written['sha256'][:12]}…”. "
        "Restore the file as it was written, or build the map again."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "“map.json” has no map: it does not say that its format is “journeylab map”. Correct the path."),
        (
            '{"format": "journeylab map", "version": 2}',
            "“map.json” is in version “2” of its format, and this journeylab reads version 1. Install the "
            "journeylab that wrote it, or build the map again.",
        ),
    ],
)
def test_what_is_no_map_is_refused(tmp_path, text, said):
    (tmp_path / "map.json").write_text(text, encoding="utf-8")
    with pytest.raises(ReportError) as caught:
        read_map(tmp_path / "map.json")
    assert str(caught.value) == said


def test_a_map_that_is_not_there_and_an_ending_that_is_none_are_told(drawn, tmp_path):
    with pytest.raises(ReportError) as caught:
        read_map("nowhere.json")
    assert (
        str(caught.value) == "The map “nowhere.json” is not there. Write one with map.write(path), or correct the path."
    )
    with pytest.raises(ReportError) as caught:
        drawn.write(tmp_path / "map.doc")
    assert str(caught.value) == (
        "A map cannot be written as “map.doc”. Let the name end in .json, .html, .csv, .svg, .png, .pdf."
    )


def test_personas_and_findings_that_do_not_fit_are_told(spells, findings, by):
    cases = {
        "A map of the persona “P1” was asked for without the grouping. Pass `by`, such as study.personas.grouping(), "
        "and findings estimated by it.": {"persona": "P1"},
        "There is no persona “P9”. Known: P1, P2.": {"persona": "P9", "by": by},
    }
    for text, options in cases.items():
        with pytest.raises(ReportError) as caught:
            build_map(spells, findings, **options)
        assert str(caught.value) == text
    with pytest.raises(ReportError) as caught:
        build_map(spells, [findings[0], findings[0]])
    assert str(caught.value) == (
        "Two findings fill the lane “time in stage”: “a finding” and “a finding”. Leave one of them out."
    )


def test_why_a_finding_could_not_tell_stands_under_the_map(spells):
    drawn = build_map(spells, [told({"roles": {}}, title="Roles", lacking="Nobody has a role.")])
    assert drawn.missing[0] == "Roles: Nobody has a role."
    assert "<li>Roles: Nobody has a role.</li>" in drawn.to_page()


def test_moments_that_matter_are_said_to_be_unmeasured_and_how_to_measure_them(spells):
    how = (
        "Moments that matter: none is measured yet. Note what may be one in notes.yml, as an assumption; fit_hazards, "
        "with Exposure.to the event that marks it, then tells whether customers leave at another rate once they have "
        "had it."
    )
    assumed = read_notes({"stages": {"trial": {"moments": {"text": "The first plan"}}}}, journey=spells.journey)
    moment = {"text": "The first plan", "evidence": "data", "source": "fit_hazards"}
    tested = read_notes({"stages": {"trial": {"moments": moment}}}, journey=spells.journey)
    assert build_map(spells, []).missing == (how,)
    assert build_map(spells, [], notes=assumed).missing == (how,)
    assert build_map(spells, [], notes=tested).missing == ()


@pytest.mark.slow
def test_hostile_text_stays_text_in_page_table_and_figure(drawn, tmp_path):
    page = drawn.to_page()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert drawn._repr_html_().count("<script") == 0
    drawn.write(tmp_path / "map.svg")
    assert "<script" not in (tmp_path / "map.svg").read_text(encoding="utf-8")
    first = (tmp_path / "map.svg").read_bytes()
    assert drawn.write(tmp_path / "map.svg").read_bytes() == first


def test_ten_thousand_characters_are_cut_where_they_are_shown(spells):
    drawn = build_map(spells, [told({"actions": {"trial": "x" * 10_000}})])
    shown = drawn.to_page()
    assert "x" * 700 not in shown.replace(shown[shown.index("<details") :], "")
    assert len(texts(drawn, "actions", "trial")[0]) == 10_000


def test_each_number_has_its_base_where_hover_focus_and_screen_readers_find_it(drawn):
    page = drawn.to_page()
    assert 'tabindex="0"' in page
    tip = page[page.index('role="tooltip"') :]
    assert "half have left after 10 days (95% interval 8 to 12; 10 visits)" in tip
    assert "half have left after 10 days</bdi>" in page


def test_the_table_is_written_as_csv_without_formulas(drawn, tmp_path):
    written = drawn.write(tmp_path / "map.csv").read_text(encoding="utf-8")
    assert written.splitlines()[0] == "lane,stage,part,text,evidence,source,estimate,lower,upper,n"
    assert "\n=1" not in written


def test_parts_and_brief_words():
    assert list(in_parts("a (1; 2); b")) == ["a (1; 2)", "b"]
    assert list(in_parts("a); b (")) == ["a)", "b ("]
    assert in_brief("a (no number)") == "a (no number)"
    assert in_brief("a 5% (1% to 9% (n = 3))") == "a 5%"
    assert in_brief("(3)") == "(3)"
    assert len(in_brief("word " * 100)) <= 160


def test_a_lane_may_say_why_it_is_not_measured(spells):
    why = "not measured: no contacts are declared"
    drawn = build_map(spells, [told({"reactive : proactive": dict.fromkeys(STAGES, why)})])
    rows = drawn.table[drawn.table["lane"] == "initiator"]
    assert rows["text"].tolist() == [why] * 3
    assert rows["evidence"].tolist() == ["none"] * 3
    # It counts as unknown, as every other cell without evidence.
    assert drawn.sentence() == build_map(spells, []).sentence()
    assert why in drawn._repr_html_()


def test_why_it_is_not_measured_gives_way_to_what_somebody_heard(spells):
    heard = {"text": "Who may pay?", "evidence": "interview", "source": "A planner", "date": "2026-03-02"}
    notes = read_notes({"stages": {"trial": {"pain_points": [heard]}}}, journey=JOURNEY)
    lacking = told({"pain points": dict.fromkeys(STAGES, "not measured: no theme is more frequent near a loss")})
    drawn = build_map(spells, [lacking], notes=notes)
    assert texts(drawn, "pain points", "trial") == ["Who may pay?"]
    assert texts(drawn, "pain points", "paid") == ["not measured: no theme is more frequent near a loss"]


def test_what_is_typed_as_data_without_a_finding_is_an_assumption_on_the_map(spells):
    remarks = [
        {"text": "Ask first", "evidence": "data", "source": "Loss branches"},
        {"text": "Ask again", "evidence": "data", "source": "estimate_dropoff"},
    ]
    notes = read_notes({"stages": {"trial": {"opportunities": remarks}}}, journey=JOURNEY)
    rows = build_map(spells, [], notes=notes).table.query("lane == 'opportunities' and stage == 'trial'")
    assert dict(zip(rows["text"], rows["evidence"], strict=True)) == {"Ask first": "assumption", "Ask again": "data"}


def test_scenario_and_owner_carry_the_mark_of_an_assumption(spells):
    noted = read_notes({"scenario": "Spring", "owner": "research"}, journey=JOURNEY)
    shown = build_map(spells, [], notes=noted)._repr_html_()
    assert 'Spring<span class="jm-hidden"> (assumption)</span>' in shown
    assert 'research<span class="jm-hidden"> (assumption)</span>' in shown
    assert "not noted<span" not in build_map(spells, [])._repr_html_()


def test_those_who_had_been_lost_are_a_hollow_dot_on_the_curve(spells):
    beside = feelings().assign(
        gone=[-1.2, np.nan], gone_lower=[-1.5, np.nan], gone_upper=[-0.9, np.nan], gone_n=[20, 0]
    )
    emotions = told({"emotions": {"trial": "+0.5 (-0.5 to +1.0) from -2 to 2; n = 12"}}, feelings=beside)
    drawn = build_map(spells, [emotions])
    assert drawn.curve.set_index("stage").loc["trial", ["gone", "gone_n"]].tolist() == [-1.2, 20]
    assert drawn._repr_html_().count('class="dot hole"') == 1
    assert build_map(spells, [told({}, feelings=feelings())])._repr_html_().count('class="dot hole"') == 0
    assert drawn.plot().png().startswith(b"\x89PNG")
