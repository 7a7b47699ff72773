"""Assignment: new customers by the old definition alone, with what it does not know counted and told."""

import re

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.journey import read_journey
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events
from journeylab.events.spells import find_spells
from journeylab.findings.finding import Finding
from journeylab.findings.personas import Personas, find_personas, read_personas

WINDOW = ("2024-01-01", "2024-07-01")
NAMES = ("customer_id", "time", "event", "channel")
JOURNEY = read_journey(
    {
        "journeylab": 1,
        "name": "Planning",
        "goal": "Plan my week",
        "stages": [
            {"name": "trying", "opened_by": [{"event": "signed_up"}]},
            {"name": "using", "opened_by": [{"event": "subscribed"}], "completes": True},
        ],
        "loss_branches": [{"name": "gone", "when": {"event": "cancelled"}}],
    }
)
# The mixes of searched, exported, called, asked for two kinds of customer.
KINDS = np.array([[0.45, 0.45, 0.05, 0.05], [0.05, 0.05, 0.45, 0.45]])
EVENTS = np.array(["searched", "exported", "called", "asked"])


def made_up(n: int, *, seed: int, share: float = 1 / 3) -> list[tuple]:
    """Customers `a000`, `b001`, ...: the letter is the kind, `share` of them b; each has about 14 events in 45 days."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        kind = int(random.random() < share)
        customer, start = f"{'ab'[kind]}{number:03}", pd.Timestamp("2024-01-05") + pd.Timedelta(days=number % 100)
        rows.append((customer, start, "signed_up", "web"))
        for day in np.sort(random.uniform(0.01, 45, size=4 + random.poisson(12))):
            event = random.choice(EVENTS, p=KINDS[kind])
            rows.append((customer, start + pd.Timedelta(days=day).round("s"), event, random.choice(["web", "phone"])))
    return [(customer, str(time), event, channel) for customer, time, event, channel in rows]


def log_of(rows: list[tuple], names=NAMES, window=WINDOW) -> EventLog:
    table = pd.DataFrame(rows, columns=list(NAMES))[list(names)]
    return read_events(table, columns={name: name for name in names}, window=window, timezone="UTC")


@pytest.fixture(scope="module")
def log() -> EventLog:
    return log_of(made_up(240, seed=1))


@pytest.fixture(scope="module")
def personas(log):
    return find_personas(log, JOURNEY, within="30d", seed=7, max_personas=2, replicates=0)


@pytest.fixture(scope="module")
def rows() -> list[tuple]:
    return made_up(120, seed=2, share=2 / 3)


@pytest.fixture(scope="module")
def new(personas, rows):
    return personas.assign(log_of(rows))


@pytest.mark.slow
def test_the_first_customers_are_assigned_as_they_were_found(personas, log):
    again = personas.assign(log)
    assert again.labels.equals(personas.labels)
    assert again.probabilities.to_numpy().tobytes() == personas.probabilities.to_numpy().tobytes()
    assert again.known_at.equals(personas.known_at)
    assert again.left_out.equals(personas.left_out)
    assert again.unseen.empty
    assert (again.table["share"] == again.table["share_when_found"]).all()


def test_new_customers_are_known_by_the_old_definition(new):
    kinds = pd.crosstab(new.labels.index.str[0], new.labels, normalize="index")
    assert kinds.loc["a", "P1"] > 0.9
    assert kinds.loc["b", "P2"] > 0.9


def test_each_customer_is_assigned_whoever_else_is_in_the_log(personas, new, rows):
    alone = personas.assign(log_of([row for row in rows if row[0] == rows[0][0]]))
    assert alone.labels.to_dict() == {rows[0][0]: new.labels[rows[0][0]]}
    assert alone.probabilities.iloc[0].to_numpy().tobytes() == new.probabilities.loc[rows[0][0]].to_numpy().tobytes()


def test_the_table_holds_shares_of_all_who_were_assigned(personas, new):
    n = new.labels.value_counts()
    assert new.table["persona"].tolist() == ["P1", "P2"]
    assert new.table["n"].tolist() == [n["P1"], n["P2"]]
    assert new.table["customers"].tolist() == [120, 120]
    assert new.table["share_when_found"].tolist() == personas.table["share"].tolist()
    assert ((new.table["lower"] < new.table["share"]) & (new.table["share"] < new.table["upper"])).all()
    np.testing.assert_allclose(new.probabilities.sum(axis=1), 1.0)


def test_the_sentence_tells_shares_with_interval_and_base(new):
    first, second = new.table.to_dict("records")
    told = [
        f"{row['persona']} ({row['name']}) {row['share']:.0%} ({row['lower']:.0%} to {row['upper']:.0%})"
        for row in (first, second)
    ]
    assert new.sentence() == f"120 customers by the personas found before: {told[0]}; {told[1]}."


def test_unseen_events_are_left_aside_counted_and_told(personas, rows):
    customers = sorted({row[0] for row in rows})[:12]
    strange = [(customer, "2024-05-01", "danced", "fax") for customer in customers]
    strange = [
        (customer, str(pd.Timestamp(_start(rows, customer)) + pd.Timedelta(days=1)), *row[2:])
        for customer, row in zip(customers, strange, strict=True)
    ]
    found = personas.assign(log_of([*rows, *strange]))
    told = found.unseen.set_index(["feature", "value"])
    assert told.loc[("event", "danced"), ["n", "unit"]].tolist() == [12, "events"]
    assert told.loc[("channel", "fax"), ["n", "unit"]].tolist() == [12, "events"]
    assert found.sentence().endswith(
        " Unseen when the personas were found, and left aside: 12 events “danced” and 12 events with channel “fax”."
    )
    assert "danced" in found._repr_html_()


def _start(rows, customer) -> str:
    return next(row[1] for row in rows if row[0] == customer)


def test_what_the_new_log_lacks_is_told(personas, rows):
    found = personas.assign(log_of(rows, names=("customer_id", "time", "event")))
    assert found.sentence().endswith(" This log lacks “channel”, which the personas were found with.")
    assert (found.labels == personas.assign(log_of(rows)).labels).mean() > 0.95


def test_a_file_assigns_as_the_personas_do(personas, rows, new, tmp_path):
    again = read_personas(personas.write(tmp_path / "a.persona.json")).assign(log_of(rows))
    assert again.labels.equals(new.labels)
    assert again.probabilities.to_numpy().tobytes() == new.probabilities.to_numpy().tobytes()


def test_events_at_or_after_the_landmark_change_nothing(personas, rows, new):
    cut = [row for row in rows if pd.Timestamp(row[1], tz="UTC") < new.known_at[row[0]]]
    assert len(cut) < len(rows)
    again = personas.assign(log_of(cut))
    assert again.labels.equals(new.labels)
    assert again.probabilities.to_numpy().tobytes() == new.probabilities.to_numpy().tobytes()


def test_spells_of_another_journey_say_who_entered(personas, rows):
    later = read_journey(
        {
            "journeylab": 1,
            "name": "Planning anew",
            "goal": "Plan my week",
            "stages": [{"name": "calling", "opened_by": [{"event": "called"}]}],
            "loss_branches": [{"name": "gone", "when": {"event": "cancelled"}}],
        }
    )
    log = log_of(rows)
    found = personas.assign(log, spells=find_spells(log, later))
    same = personas.assign(log, spells=find_spells(log, JOURNEY))
    assert (found.known_at >= same.known_at.reindex(found.known_at.index)).all()
    assert same.labels.equals(personas.assign(log).labels)


def test_its_grouping_is_known_from_the_landmark_on(new):
    grouping = new.grouping()
    assert grouping.name == "persona"
    assert grouping.labels.equals(new.labels)
    assert grouping.known_at.equals(new.known_at)


def test_it_keeps_the_contract_of_findings(new):
    assert isinstance(new, Finding)
    assert new.title == "Customers by the personas found before (first 30 days)"
    assert new.by_stage().index.tolist() == ["trying", "using"]
    assert new.plot().alt == new.sentence()
    assert "Left out" in new._repr_html_()
    assert "Observed from 2024-01-01 to " in new._repr_html_()


def test_where_nobody_can_be_judged_the_assignment_says_so(personas):
    found = personas.assign(log_of([("zoe", "2024-06-20", "signed_up", "web"), ("yan", "2024-06-20", "asked", "web")]))
    assert found.sentence() == (
        "Nobody to assign: none of 2 customers can be judged by their first 30 days (left out: 1 never in the journey, "
        "1 watched for less than 30 days). Widen the window."
    )
    assert str(found.period) == "2024-01-01 to 2024-07-01"
    assert (len(found.labels), len(found.table), len(found.unseen)) == (0, 0, 0)
    assert list(found.table.columns) == list(personas.assign(log_of(made_up(3, seed=5))).table.columns)
    assert found.plot().alt == found.sentence()
    assert found.grouping().labels.empty


def test_without_personas_there_is_nothing_to_assign(rows):
    none = Personas.none(JOURNEY, "there is nobody.")
    found = none.assign(log_of(rows))
    assert found.sentence() == "No personas to assign: there is nobody."
    assert found.by_stage().index.tolist() == ["trying", "using"]


def test_a_window_shorter_than_the_time_is_refused(personas, rows):
    message = (
        "Personas from the first 30 days were asked for, but the window is 9 days long. "
        "Ask for a shorter `within`, or widen the window."
    )
    short = log_of([row for row in rows if row[1] < "2024-01-10"], window=("2024-01-01", "2024-01-10"))
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        personas.assign(short)
