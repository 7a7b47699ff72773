"""The simulated log: it is what an export would hold, it is dirty in known ways, and it keeps the truth to itself."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from journeylab.base.errors import JourneyLabError
from journeylab.events.lint import lint_journey
from journeylab.events.log import INITIATORS
from journeylab.events.queries.crm_records import CrmRecords
from journeylab.events.reading import read_events
from journeylab.events.simulate import Simulation, simulate_log
from journeylab.events.simulate.habits import CHANNELS, ROLES
from journeylab.events.simulate.happenings import PROCESSES
from journeylab.events.simulate.planted import PERSONAS
from journeylab.events.simulate.rows import n_bots
from journeylab.events.simulate.table import BAD_TIMES
from journeylab.events.spells import find_spells
from journeylab.findings.crm import compare_crm

LARGEST_SAMPLE = 6_000_000  # bytes


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate_log(1_000, seed=11)


@pytest.fixture(scope="module")
def raw(simulation) -> pd.DataFrame:
    table = simulation.raw.cast(pa.schema([(field.name, plain(field.type)) for field in simulation.raw.schema]))
    return table.to_pandas()


def plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


@pytest.mark.slow
def test_the_committed_sample_is_what_its_command_writes(project, tmp_path):
    simulate_log(2_000, seed=7).write(tmp_path)
    for name in ("journey.yml", "study.yml", "data/raw/customers.csv", "data/raw/crm.csv"):
        assert (tmp_path / name).read_bytes() == (project / name).read_bytes(), name
    written, committed = (pq.read_table(folder / "data/raw/events.parquet") for folder in (tmp_path, project))
    assert written.schema == committed.schema
    assert written.equals(committed)


def test_the_committed_sample_is_small(project):
    assert sum(path.stat().st_size for path in (project / "data" / "raw").iterdir()) <= LARGEST_SAMPLE


def test_the_crm_lags_misses_and_runs_ahead_as_planted(simulation):
    spells = find_spells(simulation.log, simulation.journey)
    found = compare_crm(spells, CrmRecords.of(simulation.crm.assign(time=pd.to_datetime(simulation.crm["time"]))))
    total = found.table.set_index("stage").loc["all stages"]
    assert 0.7 < total["estimate"] < 0.95
    lags = found.lags.set_index("stage")
    assert lags["estimate"].between(2, 5).all()
    # Only sales are entered as won before they are.
    assert lags.loc["onboarding", "earlier"] > 20 * lags.loc["adopting", "earlier"]
    assert (lags["not_yet"] > 0).all()
    assert (found.mismatches["stage"] == "lost").any()
    assert pd.to_datetime(simulation.crm["time"]).max() < simulation.truth.window.end


def test_the_same_seed_gives_the_same_log_and_another_seed_another(simulation):
    again, other = simulate_log(1_000, seed=11), simulate_log(1_000, seed=12)
    assert again.raw.equals(simulation.raw)
    pd.testing.assert_frame_equal(again.customers, simulation.customers)
    pd.testing.assert_frame_equal(again.crm, simulation.crm)
    pd.testing.assert_frame_equal(again.truth.spells, simulation.truth.spells)
    assert not other.raw.equals(simulation.raw)


@pytest.mark.slow
def test_what_is_written_is_the_raw_table_and_is_called_simulated(simulation, raw, tmp_path):
    assert simulation.write(tmp_path) == tmp_path
    pd.testing.assert_frame_equal(pq.read_table(tmp_path / "data/raw/events.parquet").to_pandas(), raw)
    study = yaml.safe_load((tmp_path / "study.yml").read_text(encoding="utf-8"))
    assert "simulated" in study["study"]
    assert "simulated" in simulation.journey.name
    assert set(study["events"][0]["columns"].values()) <= set(raw.columns)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


@pytest.mark.slow
def test_the_written_study_reads_as_the_log_does(simulation, tmp_path):
    simulation.write(tmp_path)
    study = yaml.safe_load((tmp_path / "study.yml").read_text(encoding="utf-8"))
    source = study["events"][0]
    window = (study["window"]["start"], study["window"]["end"])
    log = read_events(tmp_path / source["path"], columns=source["columns"], window=window)
    assert log.window == simulation.log.window == simulation.truth.window
    assert (len(log), log.rows_read) == (len(simulation.log), len(simulation.raw))
    pd.testing.assert_frame_equal(log.quarantine.counts, simulation.log.quarantine.counts)


def test_every_kind_of_dirt_is_in_the_log_and_all_of_it_is_refused(simulation, raw):
    is_bad_time = raw["time"].isin(BAD_TIMES)
    times = pd.to_datetime(raw["time"].where(~is_bad_time), utc=True)
    expected = {
        "missing customer": raw["customer_id"].isna().sum(),
        "unreadable time": is_bad_time.sum(),
        "missing event": raw["event"].isna().sum(),
        "duplicate": raw["event_id"].duplicated().sum(),
        "after the window": (
            (times >= simulation.truth.window.end)
            & raw["customer_id"].notna()
            & raw["event"].notna()
            & ~raw["event_id"].duplicated()
        ).sum(),
    }
    assert min(expected.values()) > 20
    assert dict(simulation.log.quarantine.counts.itertuples(index=False)) == expected


def test_duplicates_repeat_the_whole_row_and_no_other_event_shares_an_id(raw):
    is_double = raw["event_id"].duplicated(keep=False)
    doubled = raw[is_double].drop_duplicates()
    assert len(doubled) == doubled["event_id"].nunique()
    assert raw["event_id"].notna().all()


def test_rows_are_in_order_of_time(raw):
    readable = raw.loc[~raw["time"].isin(BAD_TIMES), "time"]
    assert readable.is_monotonic_increasing
    assert readable.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()


def test_nothing_planted_is_in_the_log_or_among_the_attributes(simulation, raw):
    assert list(raw.columns) == [
        *("event_id", "customer_id", "contact_id", "role", "time", "event", "channel", "process", "initiator"),
        *("reason", "topic", "value", "score", "text"),
    ]
    assert list(simulation.customers.columns) == ["plan", "segment", "industry", "country", "seats"]
    for table in (raw, simulation.customers):
        assert not [column for column in table.columns if table[column].astype(str).isin(PERSONAS).any()]


def test_cells_hold_the_words_of_the_design(raw):
    assert set(raw["initiator"]) == set(INITIATORS)
    assert set(raw["process"].dropna()) == set(PROCESSES)
    assert set(raw["channel"].dropna()) == set(CHANNELS)
    assert set(raw["role"].dropna()) == set(ROLES)
    assert raw["score"].dropna().between(0, 10).all()


def test_accounts_have_several_contacts_each_in_one_role(raw):
    contacts = raw.dropna(subset=["contact_id", "customer_id"])
    assert contacts[["contact_id", "role", "customer_id"]].drop_duplicates()["contact_id"].is_unique
    assert contacts.groupby("customer_id")["contact_id"].nunique().max() >= 4


def test_only_tickets_and_survey_answers_carry_text_in_the_first_person(raw):
    said = raw.dropna(subset=["text", "event"])
    assert set(said["event"]) == {"ticket_opened", "survey_answered"}
    assert said["text"].nunique() > 500
    assert said["text"].str.contains(r"\b(?:I|my|we|our|us|We|My)\b").all()
    assert set(raw.loc[raw["score"].notna(), "event"].dropna()) == {"survey_answered"}


def test_customers_say_worse_things_before_they_are_lost(simulation, raw):
    answers = raw.dropna(subset=["score", "customer_id", "event"])
    answers = answers[~answers["time"].isin(BAD_TIMES)].drop_duplicates("event_id")
    answers = answers.assign(time=pd.to_datetime(answers["time"], utc=True))
    pairs = answers.merge(simulation.truth.observed(), on="customer_id")
    pairs = pairs[(pairs["time"] >= pairs["entered"]) & (pairs["time"] < pairs["left"])]
    is_near_loss = (pairs["outcome"] == "lost") & (pairs["left"] - pairs["time"] < pd.Timedelta(days=30))
    assert is_near_loss.sum() > 100
    assert pairs.loc[~is_near_loss, "score"].mean() - pairs.loc[is_near_loss, "score"].mean() > 1.0


def test_tickets_out_of_hours_wait_longer_for_an_answer(raw):
    tickets = raw[raw["event"].isin(["ticket_opened", "ticket_answered"]) & ~raw["time"].isin(BAD_TIMES)]
    tickets = tickets.dropna(subset=["customer_id"]).drop_duplicates("event_id")
    tickets = tickets.assign(time=pd.to_datetime(tickets["time"], utc=True)).sort_values(["customer_id", "time"])
    opened = tickets[tickets["event"] == "ticket_opened"].sort_values("time")
    answered = tickets[tickets["event"] == "ticket_answered"].sort_values("time")
    keys = ["customer_id", "contact_id", "topic"]
    answered = answered.assign(answered=answered["time"])[[*keys, "time", "answered"]]
    pairs = pd.merge_asof(opened[[*keys, "time"]], answered, on="time", by=keys, direction="forward").dropna()
    hours = (pairs["answered"] - pairs["time"]) / pd.Timedelta(hours=1)
    is_out = (pairs["time"].dt.weekday >= 5) | ~pairs["time"].dt.hour.between(8, 17)
    assert hours[is_out].median() > 10 > 5 > hours[~is_out].median()


def test_bots_are_busy_have_no_attributes_and_never_enter_the_journey(simulation, raw):
    names = simulation.customers.index[1_000:]
    assert len(names) == n_bots(1_000) == 4
    assert simulation.customers.loc[names].isna().all(axis=None)
    assert raw.loc[raw["customer_id"].isin(names), "event"].dropna().isin(["page_viewed", "pricing_viewed"]).all()
    assert raw["customer_id"].value_counts()[names].min() >= 150
    assert not simulation.truth.spells["customer_id"].isin(names).any()
    assert not simulation.truth.personas.index.isin(names).any()


def test_the_simulated_journey_has_nothing_to_fix(simulation):
    lint = lint_journey(simulation.journey, log=simulation.log)
    assert lint.table.empty, str(lint)


def test_summer_and_the_years_end_are_quiet(raw):
    months = pd.to_datetime(raw.loc[raw["event"] == "trial_started", "time"], errors="coerce", utc=True).dt.month
    per_month = months.value_counts()
    assert per_month[[7, 8, 12]].mean() < 0.85 * per_month[[3, 9, 10]].mean()


def test_events_per_account_keep_ten_million_events_near_ninety_thousand_accounts(simulation):
    assert 100 <= len(simulation.raw) / 1_000 <= 150


def test_one_account_is_enough_and_is_called_simulated():
    simulation = simulate_log(1, seed=3)
    assert repr(simulation) == (
        f"Simulation: {len(simulation.raw):,} rows of 1 simulated account and 1 bot; window 2024-01-01 to 2026-01-01."
    )
    assert "1 simulated account and 1 bot; window 2024-01-01 to 2026-01-01." in simulation._repr_html_()
    assert repr(simulation.truth) == (
        f"Truth of a simulated log: 1 persona, 1 account, {len(simulation.truth.spells)} complete spells."
    )
    assert list(simulation.customers.index) == ["account-000001", "account-000002"]
    assert set(pc.unique(simulation.raw["customer_id"].combine_chunks()).to_pylist()) - {None} == {
        "account-000001",
        "account-000002",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 7), "“n_customers” is “0”. Give a whole number of at least 1."),
        ((2.5, 7), "“n_customers” is “2.5”. Give a whole number of at least 1."),
        ((10, -1), "“seed” is “-1”. Give a whole number of at least 0."),
        ((10, None), "“seed” is “None”. Give a whole number of at least 0."),
        ((True, 1), "“n_customers” is “True”. Give a whole number of at least 1."),
    ],
)
def test_arguments_that_are_no_whole_numbers_are_refused(arguments, message):
    n_customers, seed = arguments
    with pytest.raises(JourneyLabError) as refused:
        simulate_log(n_customers, seed=seed)
    assert str(refused.value) == message
