"""`init --from` drafts a study from an export: guesses are marked, what it cannot know is asked, and it can be read."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from journeylab.cli import app
from journeylab.study.draft import draft_study
from journeylab.study.study import Study, open_study

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("JOURNEYLAB_DATA", raising=False)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def drafted(folder: Path, *files: Path) -> Study:
    """The study that is drafted from `files`; its own check finds no error."""
    made = run("init", folder, "--from", *files)
    assert made.exit_code == 0, made.output
    assert "rows read" in made.output
    return open_study(folder)


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


BOOKINGS = [
    "Booking number;Guest id;Booked on;Arrived on;Left on;Canceled on;Channel;Price",
    *(
        f"B{n};G{n % 7};{n % 9 + 1:02d}.01.2025;{f'{n % 28 + 1:02d}.02.2025' if n % 3 else ''};"
        f"{f'{n % 28 + 1:02d}.03.2025' if n % 3 and n % 2 else ''};{'' if n % 3 else f'{n % 20 + 11:02d}.01.2025'};"
        f"{('web', 'phone')[n % 2]};1.{n % 900 + 100},50"
        for n in range(60)
    ),
]


def test_a_wide_table_is_unfolded_and_its_row_is_what_travels(tmp_path):
    study = drafted(tmp_path / "hotel", write(tmp_path / "hotel.csv", *BOOKINGS))
    source = study.settings.events[0]
    assert source.columns == {"customer_id": "Booking number"}
    assert source.unfold == {
        "Booked on": "booked",
        "Arrived on": "arrived",
        "Left on": "left",
        "Canceled on": "canceled",
    }
    assert (source.day_first, source.decimal, source.thousands) == (True, ",", ".")
    assert study.journey.stage_names == ("booked", "arrived", "left")
    assert [branch.name for branch in study.journey.loss_branches] == ["canceled"]
    assert study.log.n_customers == 60
    assert study.log.customers["Price"].max() == 1159.5
    assert study.spells.table.num_rows > 60


def test_every_guess_is_marked_and_what_is_not_known_is_asked(tmp_path):
    path = write(tmp_path / "hotel.csv", *BOOKINGS)
    made = run("init", tmp_path / "hotel", "--from", path)
    text = (tmp_path / "hotel" / "study.yml").read_text() + (tmp_path / "hotel" / "journey.yml").read_text()
    for guessed in ("unfold:", "timezone:", "day_first:", "window:", "completes:", "silent_after:", "attributes:"):
        line = next(at for at, line in enumerate(text.splitlines()) if guessed in line)
        assert any("GUESS" in near for near in text.splitlines()[max(line - 6, 0) : line + 1]), guessed
    for asked in (
        "by the clock of which place",
        "Who travels: “Booking number”, or “Guest id”?",
        "what are customers after",
    ):
        assert f"QUESTION: {asked}" in text
        assert f"? {asked}" in made.output


def test_a_long_log_has_its_columns_found_and_its_milestones_open_stages(tmp_path):
    lines = ["uuid,account,action,ts,page,received_at"]
    for n in range(40):
        days = (f"2025-01-{n % 20 + 1:02d}T10:00:00Z", f"2025-02-{n % 20 + 1:02d}T10:00:00Z")
        lines += [f"a{n},C{n},signed_up,{days[0]},x,{days[0]}", f"b{n},C{n},subscribed,{days[1]},y,{days[1]}"]
        lines += [f"{view}{n},C{n},viewed,{days[1][:8]}25T1{view}:00:00Z,z,{days[1]}" for view in range(5)]
        lines += [f"c{n},C{n},subscription_cancelled,2025-03-01T10:00:00Z,z,2025-03-01T10:00:00Z"] * (n % 2)
    study = drafted(tmp_path / "app", write(tmp_path / "app.csv", *lines))
    assert study.settings.events[0].columns == {
        "customer_id": "account", "time": "ts", "event": "action", "event_id": "uuid",
    }  # fmt: skip
    assert study.settings.events[0].timezone is None
    assert study.journey.stage_names == ("signed_up", "subscribed")
    assert [branch.name for branch in study.journey.loss_branches] == ["subscription_cancelled"]
    text = (tmp_path / "app/journey.yml").read_text()
    assert text.index("#   viewed: 200 rows of 40 customers") < text.index("#   signed_up: 40 rows of 40 customers")


def test_several_files_share_their_customer_and_one_tells_of_it(tmp_path):
    leads = write(tmp_path / "leads.csv", "lead_id,first_contact_date,origin",
                  *(f"L{n},2025-01-{n % 28 + 1:02d},{('web', 'fair')[n % 2]}" for n in range(50)))  # fmt: skip
    deals = write(tmp_path / "deals.csv", "lead_id,seller_id,won_date",
                  *(f"L{n},S{n},2025-03-{n + 1:02d} 10:00:00" for n in range(20)))  # fmt: skip
    study = drafted(tmp_path / "funnel", leads, deals)
    assert [source.unfold for source in study.settings.events] == [
        {"first_contact_date": "first_contact"}, {"won_date": "won"},
    ]  # fmt: skip
    assert list(study.log.customers.columns) == ["origin"]
    assert study.journey.stages[-1].completes


def test_attributes_may_come_from_the_events_where_they_never_differ(tmp_path):
    lines = ["case,activity,time,amount,clerk"]
    lines += [f"K{n},{event},2025-01-{day:02d},{n * 100},{day % 3}" for n in range(1, 40)
              for day, event in ((1, "asked"), (9, "granted"))]  # fmt: skip
    study = drafted(tmp_path / "loans", write(tmp_path / "loans.csv", *lines))
    assert study.log.customers["amount"].to_dict()["K3"] == 300
    assert "clerk" not in study.log.customers


def test_nested_exports_titles_and_encodings_are_seen(tmp_path):
    rows = [
        {"event": name, "properties": {"distinct_id": f"U{n}", "time": 1738357014 + n * 86400, "plan": "a"}}
        for n in range(30)
        for name in ("signup", "cancelled")[: 1 + n % 2]
    ]
    (tmp_path / "mix.json").write_text(json.dumps(rows))
    study = drafted(tmp_path / "mix", tmp_path / "mix.json")
    assert study.settings.events[0].columns == {
        "customer_id": "properties.distinct_id", "time": "properties.time", "event": "event",
    }  # fmt: skip
    assert study.settings.events[0].time_unit == "s"
    titled = write(tmp_path / "t.csv", "Kundenexport;;", "Stand 2026;;", "kunde_id;ereignis_event;zeit",
                   *(f"K{n};geöffnet;2025-01-{n + 1:02d} 10:00" for n in range(20)), encoding="cp1252")  # fmt: skip
    source = drafted(tmp_path / "t", titled).settings.events[0]
    assert (source.encoding, source.skip_rows) == ("cp1252", 2)


def test_an_order_of_day_and_month_that_the_file_does_not_show_is_asked(tmp_path):
    lines = ["customer_id,event,time", *(f"C{n},x,0{n % 9 + 1}/0{n % 5 + 1}/2025" for n in range(20))]
    drafted(tmp_path / "days", write(tmp_path / "days.csv", *lines))
    assert "day_first true or false?" in (tmp_path / "days/study.yml").read_text()


def test_names_of_events_that_no_stage_may_have_make_a_journey_all_the_same(tmp_path):
    names = ("Sign up", "sign-up!", "completed", "silent", '"new\nline # x"', "Plan: no", "lost", "0123")
    rows = [f"U{n},{name},2025-01-{day:02d}T0{n % 9}:00:00Z" for n in range(40) for day, name in enumerate(names, 1)]
    study = drafted(tmp_path / "app", write(tmp_path / "app.csv", "user_id,event,time", *rows))
    opened = {stage.opened_by[0].event for stage in study.journey.stages}
    lost = {branch.when.event for branch in study.journey.loss_branches}
    assert opened | lost <= {name.strip('"') for name in names}
    assert (len(opened), lost) == (5, {"lost"})


def test_where_everything_happens_often_the_most_frequent_event_opens_the_only_stage(tmp_path):
    rows = [f"U{n},2025-{month:02d}-{n % 28 + 1:02d}" for n in range(30) for month in range(1, 9)]
    study = drafted(tmp_path / "shop", write(tmp_path / "shop.csv", "customer,invoice_date", *rows))
    assert study.journey.stage_names == ("invoice",)
    assert study.journey.stages[0].silent_after


def test_nothing_is_written_over_and_files_that_tell_nothing_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", "x,y", "1,2", "3,4")
    made = run("init", tmp_path / "a", "--from", path)
    assert made.exit_code == 1
    assert made.stderr == (
        "Error: No column of times beside one of customers is in “a.csv”. "
        "Write study.yml by hand: “journeylab init DIR” without --from shows how.\n"
    )
    (tmp_path / "b").mkdir()
    (tmp_path / "b/study.yml").write_text("study: mine\n")
    assert "init overwrites nothing" in run("init", tmp_path / "b", "--from", path).stderr
    assert (tmp_path / "b/study.yml").read_text() == "study: mine\n"
    assert run("init", tmp_path / "c", "--from", tmp_path / "no.csv").stderr == (
        f"Error: There is no file “{tmp_path / 'no.csv'}”. Check the path.\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "files", "read"),
    [
        ("olist_funnel", ["qualified_leads.parquet", "closed_deals.parquet"], (8_842, 0, 8_000)),
        ("bpi2012_loan", ["events.parquet"], (262_200, 0, 13_087)),
        ("online_retail_uci", ["line_items.parquet"], (541_909, 140_305, 4_372)),
    ],
)
def test_real_exports_give_a_study_without_an_edit(tmp_path, folder, files, read):
    if not (SHARED / folder).is_dir():
        pytest.skip(f"needs the real log {folder} in ../shared/data")
    draft = draft_study([SHARED / folder / name for name in files], name=folder)
    assert draft.questions
    study = drafted(tmp_path / folder, *(SHARED / folder / name for name in files))
    assert (study.log.rows_read, len(study.log.quarantine), study.log.n_customers) == read
    assert not len(study.lint.errors)
