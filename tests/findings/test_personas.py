"""Personas: found where planted, not where there are none, from the first days alone, and told in plain words."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import EstimateError
from journeylab.events.journey import read_journey
from journeylab.events.journey.journey import readable
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events
from journeylab.findings.personas import Personas, find_personas
from journeylab.findings.personas.description import PROFILES, sets_apart
from journeylab.findings.personas.floor import find_floor
from journeylab.findings.personas.landmark import account_numbers, landmark_in_words
from journeylab.findings.personas.names import name_personas, unique_names
from journeylab.findings.personas.number import verdict
from journeylab.findings.personas.personas import no_structure_sentence

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
LEFT_OUT = [
    ("early", "2023-12-01", "signed_up", "web"),
    ("early", "2024-02-01", "searched", "web"),
    ("lost", "2024-02-01", "signed_up", "web"),
    ("lost", "2024-02-11", "cancelled", "web"),
    ("lost", "2024-02-12", "signed_up", "web"),
    ("late", "2024-06-20", "signed_up", "web"),
    ("never", "2024-02-01", "searched", "web"),
]


def made_up(n: int, *, kinds: np.ndarray = KINDS, seed: int = 1, days: int = 45) -> list[tuple]:
    """Customers `a000`, `b001`, ...: the letter is the kind. Two thirds are a; each has about 14 events in 45 days."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        kind = int(random.random() < 1 / 3)
        customer, start = f"{'ab'[kind]}{number:03}", pd.Timestamp("2024-01-05") + pd.Timedelta(days=number % 100)
        rows.append((customer, start, "signed_up", "web"))
        for day in np.sort(random.uniform(0.01, days, size=4 + random.poisson(12))):
            event = random.choice(EVENTS, p=kinds[kind % len(kinds)])
            rows.append((customer, start + pd.Timedelta(days=day).round("s"), event, random.choice(["web", "phone"])))
    return [(customer, str(time), event, channel) for customer, time, event, channel in rows]


def log_of(rows: list[tuple], customers: pd.DataFrame | None = None) -> EventLog:
    table = pd.DataFrame(rows, columns=list(NAMES))
    return read_events(
        table, columns={name: name for name in NAMES}, window=WINDOW, timezone="UTC", customers=customers
    )


@pytest.fixture(scope="module")
def rows() -> list[tuple]:
    return [*made_up(240), *LEFT_OUT]


@pytest.fixture(scope="module")
def log(rows) -> EventLog:
    return log_of(rows)


@pytest.fixture(scope="module")
def personas(log):
    return find_personas(log, JOURNEY, within="30d", seed=7, max_personas=4)


@pytest.fixture(scope="module")
def one_kind():
    rows = made_up(200, kinds=np.full((1, 4), 0.25), seed=3)
    return find_personas(log_of(rows), JOURNEY, within="30d", seed=7, max_personas=3)


def tables_of(noun) -> dict[str, pd.DataFrame]:
    return {name: value for name, value in vars(noun).items() if isinstance(value, pd.DataFrame)}


def same_to_the_byte(first, second) -> None:
    assert first.labels.to_dict() == second.labels.to_dict()
    assert first.probabilities.to_numpy().tobytes() == second.probabilities.to_numpy().tobytes()
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    for name, table in {**tables_of(first.proof), **tables_of(first.description)}.items():
        again = {**tables_of(second.proof), **tables_of(second.description)}[name]
        pd.testing.assert_frame_equal(table, again, check_exact=True)


@pytest.mark.slow
def test_planted_kinds_are_found_and_the_largest_comes_first(personas):
    assert list(personas.table["persona"]) == ["P1", "P2"]
    by_kind = pd.crosstab(personas.labels.index.str[0], personas.labels)
    assert by_kind.loc["a", "P1"] / by_kind.loc["a"].sum() > 0.95
    assert by_kind.loc["b", "P2"] / by_kind.loc["b"].sum() > 0.95


@pytest.mark.slow
def test_one_kind_of_customer_is_a_legal_answer(one_kind):
    assert set(one_kind.labels) == {"P1"}
    assert one_kind.sentence() == (
        "No structure found: by their first 30 days these 200 customers are one kind of customer, more or less active. "
        "To split them into 2 kinds leaves more customers between the kinds than it describes better. "
        "All 200 customers are judged."
    )
    assert list(one_kind.proof.verdicts["verdict"]) == ["no structure found: one kind of customer"]
    assert one_kind.table["name"].tolist() == ["All customers"]


def test_the_table_holds_shares_of_all_who_were_judged(personas):
    n = personas.labels.value_counts()
    row = personas.table.iloc[0]
    assert (row["n"], row["customers"]) == (n["P1"], 240)
    assert row["share"] == n["P1"] / 240
    # Wilson's interval, worked out again.
    z, share = 1.959964, row["share"]
    centre = (share + z**2 / 480) / (1 + z**2 / 240)
    margin = z * np.sqrt(share * (1 - share) / 240 + z**2 / (4 * 240**2)) / (1 + z**2 / 240)
    assert (row["lower"], row["upper"]) == pytest.approx((centre - margin, centre + margin), abs=1e-6)
    np.testing.assert_allclose(personas.probabilities.sum(axis=1), 1.0)


def test_who_was_left_out_is_counted_by_reason(personas):
    assert personas.left_out.to_dict("list") == {
        "reason": [
            "never in the journey",
            "entered before the window began",
            "lost within 30 days",
            "completed within 30 days",
            "watched for less than 30 days",
        ],
        "customers": [1, 1, 1, 0, 1],
    }
    assert personas.sentence().endswith(
        "240 of 244 customers are judged; left out: 1 never in the journey, 1 entered before the window began, 1 lost "
        "within 30 days, 1 watched for less than 30 days."
    )


def test_who_completed_by_the_landmark_is_not_judged():
    edge = [
        ("done", "2024-02-01", "signed_up", "web"),
        ("done", "2024-03-02", "subscribed", "web"),
        ("straight", "2024-02-01", "subscribed", "web"),
        ("later", "2024-02-01", "signed_up", "web"),
        ("later", "2024-03-02 00:00:01", "subscribed", "web"),
    ]
    personas = find_personas(log_of([*made_up(40), *edge]), JOURNEY, within="30d", seed=7, max_personas=1)
    assert {"done", "straight"}.isdisjoint(personas.labels.index)
    assert "later" in personas.labels.index
    assert personas.left_out.set_index("reason")["customers"]["completed within 30 days"] == 2
    assert "left out: 2 completed within 30 days." in personas.sentence()


def test_attributes_make_no_persona_unless_they_are_named(rows, personas):
    ids = sorted({row[0] for row in rows})
    table = pd.DataFrame(
        {"kind": [customer[0] for customer in ids], "sex": "f"}, index=pd.Index(ids, name="customer_id")
    )
    log = log_of(rows, table)
    described = find_personas(log, JOURNEY, within="30d", seed=7, max_personas=4)
    np.testing.assert_array_equal(described.probabilities, personas.probabilities)
    assert described.table["name"].tolist() == personas.table["name"].tolist()
    assert "kind: a" in set(described.description.profiles["feature"])
    assert not described.description.profiles["feature"].str.startswith("sex").any()
    assert not described.description.rules["rule"].str.contains("kind").any()
    assert "kind" not in {variable.name for variable in described.definition.encoding.kept}
    made = find_personas(log, JOURNEY, within="30d", seed=7, max_personas=2, make_from_attributes=["kind"])
    assert "kind" in {variable.name for variable in made.definition.encoding.kept}
    with pytest.raises(EstimateError, match="“sex”, which is protected"):
        find_personas(log, JOURNEY, within="30d", seed=7, make_from_attributes=["sex"])


def test_personas_that_one_attribute_tells_are_no_personas(rows, personas):
    ids = sorted({row[0] for row in rows})
    table = pd.DataFrame({"kind": [customer[0] for customer in ids]}, index=pd.Index(ids, name="customer_id"))
    told = find_personas(log_of(rows, table), JOURNEY, within="30d", seed=7, max_personas=4)
    assert told.sentence().startswith(
        "These are values of “kind”, not personas: “kind” alone tells nearly the same groups (adjusted Rand index 0."
    )
    assert told.proof.verdicts["verdict"].tolist() == ["pattern", "pattern"]
    assert personas.proof.floor is None


def test_personas_that_the_entry_channel_tells_are_channels():
    rows = made_up(150, kinds=np.full((1, 4), 0.25), seed=3)
    rows = [(*row[:3], {"a": "web", "b": "phone"}[row[0][0]]) for row in rows]
    told = find_personas(log_of(rows), JOURNEY, within="30d", seed=7, max_personas=3)
    assert len(told.table) == 2
    assert told.sentence().startswith("These are channels, not personas: the entry channel alone tells nearly the same")
    assert "repeatable" not in set(told.proof.verdicts["verdict"])


def test_too_few_events_are_told_first():
    kept, seen = [], {}
    for row in made_up(120):
        seen[row[0]] = seen.get(row[0], 0) + 1
        kept += [row] if seen[row[0]] <= 4 else []
    told = find_personas(log_of(kept), JOURNEY, within="30d", seed=7, max_personas=2)
    assert told.sentence().startswith(
        "Too little is known by day 30: half of the 120 customers judged have at most 4 events of their own by then, "
        "and 5 are needed. "
    )
    assert "repeatable" not in set(told.proof.verdicts["verdict"])


def test_the_entry_month_may_tell_the_groups():
    n = 60
    features = SimpleNamespace(
        numbers=pd.DataFrame({"events": np.full(n, 9.0), "seats": np.arange(n, dtype=float)}),
        categories=pd.DataFrame({"entry month": ["2024-01"] * 30 + ["2024-02"] * 15 + ["2024-03"] * 15}),
        attributes=("entry month", "seats"),
    )
    labels = np.repeat([0, 1], 30)
    assert find_floor(features, labels, days=7).startswith("These are months of entry, not personas: ")
    assert find_floor(features, np.tile([0, 1], 30), days=7) is None
    features.attributes = ("seats",)
    assert find_floor(features, labels, days=7).startswith("These are values of “seats”, not personas: ")
    # A column that is nearly a number of its own for each customer tells nothing.
    features.categories["id"] = [f"c{number}" for number in range(n)]
    features.attributes = ("id",)
    assert find_floor(features, labels, days=7) is None


def test_who_was_first_seen_coming_back_entered_before_the_window():
    history = [
        ("back", "2023-10-01", "signed_up", "web"),
        ("back", "2023-11-01", "cancelled", "web"),
        ("back", "2024-02-01", "signed_up", "web"),
    ]
    personas = find_personas(log_of([*made_up(40), *history]), JOURNEY, within="30d", seed=7, max_personas=1)
    assert "back" not in personas.labels.index
    assert personas.left_out.set_index("reason")["customers"]["entered before the window began"] == 1


def test_exactly_the_time_is_watched_long_enough_and_lost_within_it():
    edge = [
        ("ends", "2024-06-01", "signed_up", "web"),
        ("loses", "2024-02-01", "signed_up", "web"),
        ("loses", "2024-03-02", "cancelled", "web"),
        ("keeps", "2024-02-01", "signed_up", "web"),
        ("keeps", "2024-03-02 00:00:01", "cancelled", "web"),
    ]
    personas = find_personas(log_of([*made_up(40), *edge]), JOURNEY, within="30d", seed=7, max_personas=1)
    assert {"ends", "keeps"} <= set(personas.labels.index)
    assert "loses" not in personas.labels.index


def test_truncating_the_log_at_the_landmark_leaves_personas_identical(personas, rows, log):
    landmark = personas.known_at
    kept = [row for row in rows if row[0] not in landmark.index or pd.Timestamp(row[1], tz="UTC") < landmark[row[0]]]
    assert len(kept) < len(rows)
    truncated = find_personas(log_of(kept), JOURNEY, within="30d", seed=7, max_personas=4)
    same_to_the_byte(personas, truncated)
    cut = find_personas(log.before(landmark.max()), JOURNEY, within="30d", seed=7, max_personas=4)
    same_to_the_byte(personas, cut)


def test_the_order_of_rows_changes_nothing(personas, rows):
    order = np.random.default_rng(0).permutation(len(rows))
    permuted = find_personas(log_of([rows[place] for place in order]), JOURNEY, within="30d", seed=7, max_personas=4)
    same_to_the_byte(personas, permuted)


def test_another_seed_finds_the_same_kinds(personas, log):
    other = find_personas(log, JOURNEY, within="30d", seed=8, max_personas=4)
    assert (other.labels == personas.labels).mean() > 0.97


def test_labels_are_known_from_entry_plus_the_time_on(personas):
    grouping = personas.grouping()
    assert grouping.name == "persona"
    assert grouping.labels.equals(personas.labels)
    entered = pd.Timestamp("2024-01-05", tz="UTC")
    customer = personas.labels.index[personas.labels.index.str[1:] == "000"][0]
    assert grouping.known_at[customer] == entered + pd.Timedelta(days=30)


@pytest.mark.slow
def test_a_further_feature_may_tell_the_kinds_apart():
    rows = made_up(200, kinds=np.full((1, 4), 0.25), seed=3)
    ids = sorted({row[0] for row in rows})
    random = np.random.default_rng(4)
    group = np.array([customer[0] for customer in ids])
    favoured = {f"answer_{number}": np.where(random.random(200) < 0.85, group, "?") for number in range(8)}
    features = pd.DataFrame({"customer_id": ids, **favoured, "known_at": pd.Timestamp("2024-01-06", tz="UTC")})
    personas = find_personas(log_of(rows), JOURNEY, within="30d", seed=7, features=features, max_personas=3)
    assert len(personas.table) == 2
    assert pd.crosstab(personas.labels.index.str[0], personas.labels).max(axis=1).sum() > 190


def test_the_scan_marks_the_number_chosen_and_fits_no_more_than_30_customers_bear(personas, one_kind):
    assert personas.proof.scan["personas"].tolist() == [1, 2, 3, 4]
    assert personas.proof.scan.loc[personas.proof.scan["is_chosen"], "personas"].tolist() == [2]
    assert one_kind.proof.scan["is_chosen"].tolist() == [True, False, False]
    few = find_personas(log_of(made_up(59)), JOURNEY, within="30d", seed=7)
    assert few.proof.scan["personas"].tolist() == [1]
    assert few.sentence() == (
        "No structure found: by their first 30 days these 59 customers are one kind of customer, more or less active. "
        "All 59 customers are judged."
    )


def test_planted_kinds_are_repeatable(personas):
    assert personas.proof.verdicts["verdict"].tolist() == ["repeatable", "repeatable"]
    assert personas.proof.by_persona["replicates"].tolist() == [20, 20]
    assert (personas.proof.by_persona["lower"] <= personas.proof.by_persona["jaccard"]).all()
    assert (personas.proof.by_persona["jaccard"] <= personas.proof.by_persona["upper"]).all()
    assert (personas.proof.by_persona[["jaccard", "split_half", "certainty"]] > 0.9).all(axis=None)
    assert personas.proof.by_persona["n"].tolist() == personas.table["n"].tolist()
    assert personas.proof.seed == 7


def test_structure_is_what_a_continuum_does_not_give(personas, one_kind):
    assert personas.proof.structure["null"].tolist() == ["one continuous cloud"]
    assert personas.proof.structure["p"].tolist() == pytest.approx([1 / 21])
    assert personas.proof.structure["p_in_words"].tolist() == ["at most .048 (0 of 20)"]
    assert (personas.proof.structure["observed"] > personas.proof.structure["upper"]).all()
    assert one_kind.proof.structure["null"].tolist() == ["one continuous cloud"]
    assert one_kind.proof.structure["is_beyond"].tolist() == [False]
    # Nothing was gained, so that nothing needed to be drawn.
    assert one_kind.proof.structure["observed"].item() < 0
    assert one_kind.proof.structure["replicates"].tolist() == [0]


def test_what_is_no_more_than_chance_is_told_with_p_and_replicates(one_kind):
    structure = one_kind.proof.structure.assign(
        observed=0.3, p=0.4, replicates=4, p_in_words="more than .05 (stopped after 4)"
    )
    told = no_structure_sentence(one_kind.table, structure, within="30 days")
    assert told.endswith(
        "To split them into 2 kinds describes them no better than it does customers who are one continuous cloud (p "
        "more than .05 (stopped after 4))."
    )
    told = no_structure_sentence(one_kind.table, structure.assign(observed=0.13, replicates=0), within="30 days")
    assert told.endswith("kinds describes them hardly better: they gain 0.13 of the 0.2 that are needed.")
    tried = no_structure_sentence(one_kind.table, structure.assign(is_beyond=True), within="30 days")
    assert tried.endswith("The kinds tried have too few customers, or were not found again in resampled ones.")


def test_a_plainer_method_gives_a_second_opinion(personas, one_kind):
    (row,) = personas.proof.second_opinion.to_dict("records")
    assert (row["method"], row["personas"], row["n"]) == ("k-means on logged, scaled features", 2, 240)
    assert row["agreement"] > 0.5
    assert len(one_kind.proof.second_opinion) == 0


def test_without_replicates_nothing_is_proven_and_the_verdicts_say_so(log):
    personas = find_personas(log, JOURNEY, within="30d", seed=7, max_personas=4, replicates=0)
    assert personas.proof.verdicts["verdict"].tolist() == ["not proven: no replicates were asked for"] * 2
    assert "given these personas. Not proven: no replicates were asked for. " in personas.sentence()
    assert personas.proof.by_persona["jaccard"].isna().all()
    assert personas.proof.structure.empty
    assert personas.proof.scan["icl"].idxmin() == personas.proof.scan["is_chosen"].idxmax()
    assert personas.plot_proof().alt == "No replicates: not proven: no replicates were asked for."


@pytest.mark.slow
def test_progress_is_told_to_who_asks_and_nothing_is_printed(capsys):
    log, told = log_of(made_up(80)), []
    find_personas(log, JOURNEY, within="30d", seed=7, max_personas=2, progress=told.append)
    assert told == list(range(1, len(told) + 1))
    assert len(told) >= 1
    find_personas(log, JOURNEY, within="30d", seed=7, max_personas=2, progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_people_of_one_account_are_resampled_together():
    rows = made_up(80)
    ids = pd.Index(sorted({row[0] for row in rows}), name="customer_id")
    table = pd.DataFrame({"account": [f"of {number // 2}" for number in range(80)], "team": "one"}, index=ids)
    arguments = {"within": "30d", "seed": 7, "max_personas": 2}
    log = log_of(rows, table)
    together = find_personas(log, JOURNEY, **arguments)
    pd.testing.assert_frame_equal(
        together.proof.by_persona, find_personas(log, JOURNEY, accounts="account", **arguments).proof.by_persona
    )
    alone = find_personas(log_of(rows), JOURNEY, **arguments)
    assert together.proof.by_persona["jaccard"].tolist() != alone.proof.by_persona["jaccard"].tolist()
    with pytest.raises(EstimateError, match=r"^The customers have no attribute “acount” .* Did you mean “account”\?$"):
        find_personas(log, JOURNEY, accounts="acount", **arguments)


def test_an_account_is_the_customer_where_none_is_known():
    customers = pd.Index(["a", "b", "c", "d"])
    table = pd.DataFrame({"firm": ["x", "x", None]}, index=["a", "c", "d"])
    assert account_numbers(table, customers, None).tolist() == [0, 1, 2, 3]
    found = account_numbers(table, customers, "firm").tolist()
    assert found[0] == found[2]
    assert len(set(found)) == 3


def test_verdicts_follow_from_how_surely_a_persona_is_found_again():
    said = [verdict(each) for each in (0.75, 0.74, 0.6, 0.59)]
    assert said == ["repeatable", "pattern", "pattern", "do not use"]


def test_no_persona_is_smaller_than_30_customers():
    rows = made_up(75)
    personas = find_personas(log_of(rows), JOURNEY, within="30d", seed=7)
    # The planted kinds have about 50 and 25 customers: the smaller is too small to be a persona.
    assert personas.proof.scan["is_large_enough"].tolist() == [True, False]
    assert len(personas.table) == 1


def test_the_sentence_tells_shares_intervals_base_and_what_is_proven(personas):
    first, second = personas.table.to_dict("records")
    told = [
        f"{row['persona']} ({row['name']}) {row['share']:.0%} of 240 customers "
        f"({row['lower']:.0%} to {row['upper']:.0%})"
        for row in (first, second)
    ]
    proven = [
        f"{row.persona} repeatable ({row.jaccard:.2f}, {row.lower:.2f} to {row.upper:.2f})"
        for row in personas.proof.by_persona.itertuples()
    ]
    agreement = personas.proof.second_opinion["agreement"].item()
    assert personas.sentence() == (
        f"2 personas by the first 30 days: {told[0]}; {told[1]}, given these personas. Found again in resampled "
        f"customers (mean Jaccard coefficient, and the middle 90% of 20 replicates): {proven[0]}, {proven[1]}. A "
        "repeatable persona may still be two merged into one. A plainer method, k-means on logged, scaled features, "
        f"agrees (adjusted Rand index {agreement:.2f}; 1 is full agreement, 0 chance): it finds nearly the "
        "same groups. 240 of 244 customers are judged; left out: 1 never in the journey, 1 entered before the window "
        "began, 1 lost within 30 days, 1 watched for less than 30 days."
    )
    assert re.search(r"\d+% of 240 customers \(\d+% to \d+%\)", personas.sentence())


def test_cards_say_what_sets_a_persona_apart_and_what_is_not_known(personas):
    card = personas.cards()["P2"]
    assert card.title == f"P2 · {personas.table['name'][1]}"
    assert set(card.apart["feature"]) & {"event: called", "event: asked"}
    assert (card.apart["delta"].abs() >= 0.147).all()
    assert card.sentence().endswith(f"Verdict: {card.head.verdict}.")
    shown = personas.cards()._repr_html_()
    assert shown.count("What we do not know") == 1
    assert card.apart["feature"][0] in shown


def test_the_only_persona_has_no_card_and_one_sentence_says_why(one_kind):
    cards = one_kind.cards()
    why = "One kind of customer was seen, so there is no card: nobody is there to compare them with."
    assert (len(cards), repr(cards), cards.plot().alt) == (0, why, why)
    assert cards._repr_html_().count(why) == 1


def test_effect_sizes_are_those_of_the_definition(personas, log):
    row = personas.description.profiles[
        (personas.description.profiles["feature"] == "event: called")
        & (personas.description.profiles["persona"] == "P2")
    ]
    events = log.events.execute()
    first = events.merge(personas.known_at.rename("landmark").reset_index(), on="customer_id")
    first = first[first["time"] < first["landmark"]]
    shares = first["event"].eq("called").groupby(first["customer_id"]).mean()
    own, others = (shares[personas.labels == "P2"].to_numpy(), shares[personas.labels == "P1"].to_numpy())
    delta = np.sign(own[:, None] - others[None, :]).mean()
    assert row["delta"].item() == pytest.approx(delta, abs=1e-12)
    assert row["lift"].item() == pytest.approx(own.mean() / others.mean(), abs=1e-12)
    assert (row["n"].item(), row["n_others"].item()) == (len(own), len(others))


def test_at_most_two_features_of_one_family_are_named():
    rows = [
        ("P1", f"event: {each}", "share", "event", 0.5, 0.1, 5.0, delta, 9, 9)
        for each, delta in zip("abc", (0.9, -0.8, 0.7), strict=True)
    ]
    rows += [
        ("P1", "events", "number", "events", 9.0, 3.0, np.nan, 0.3, 9, 9),
        ("P1", "seats", "number", "seats", 1.0, 1.0, np.nan, 0.1, 9, 9),
    ]
    apart = sets_apart(pd.DataFrame(rows, columns=list(PROFILES)), "P1")
    assert apart["feature"].tolist() == ["event: a", "event: b", "events"]


NUMBERS = ("events", "active_days", "contacts", "value")


def profiles_of(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    """Rows of persona, feature, kind, family and Cliff's delta."""
    return pd.DataFrame([(*row[:4], 0.5, 0.1, np.nan, row[4], 9, 9) for row in rows], columns=list(PROFILES))


def named(*rows: tuple[str, str, str, str, float], ids=("P1", "P2"), title=readable) -> list[str]:
    return name_personas(profiles_of(*rows), ids, numbers=NUMBERS, title=title)


@pytest.mark.parametrize(
    ("feature", "kind", "family", "delta", "name"),
    [
        ("hours: working hours", "share", "hours", 0.4, "Office-hours"),
        ("hours: evening or night", "share", "hours", 0.4, "Evening"),
        ("channel: phone", "share", "channel", 0.4, "Phone-led"),
        ("channel: mobile_app", "share", "channel", 0.4, "Mobile app-led"),
        ("channel: product", "share", "channel", 0.4, "In-product"),
        ("channel: phone", "share", "channel", -0.4, "Little phone"),
        ("process: sales", "share", "process", 0.4, "Sales-led"),
        ("event: teammate_joined", "share", "event", 0.4, "Invite early"),
        ("event: api_called", "share", "event", 0.4, "Connect their tools"),
        ("event: ticketOpened", "share", "event", 0.4, "Ask for help"),
        ("event: order_cancelled", "share", "event", 0.4, "Order cancelled often"),
        ("event: weekly_plan_drawn", "share", "event", 0.4, "Weekly plan drawn often"),
        ("event: weekly_plan_drawn", "share", "event", -0.4, "Weekly plan drawn seldom"),
        ("role: buyer", "share", "role", 0.4, "Buyer involved"),
        ("next after sales: service", "share", "next after", 0.4, "From sales to service"),
        ("events", "number", "events", -0.4, "Quiet"),
        ("people involved", "number", "contacts", 0.4, "Many people involved"),
        ("stage path: trying > using", "level", "stage path", 0.4, "Already in Using"),
        ("stage path: trying", "level", "stage path", 0.4, "Still in Trying"),
    ],
)
def test_names_are_plain_phrases(feature, kind, family, delta, name):
    assert named(("P1", feature, kind, family, delta))[0] == name


def test_a_name_has_the_two_most_distinctive_phrases_of_different_subjects():
    apart = [
        ("P1", "events", "number", "events", 0.9),
        ("P1", "active days", "number", "active_days", 0.8),
        ("P1", "channel: phone", "share", "channel", 0.3),
        ("P1", "hours: weekend", "share", "hours", 0.2),
        ("P1", "event: asked", "share", "event", -0.95),
        ("P1", "channel: web", "share", "channel", -0.9),
    ]
    assert named(*apart)[0] == "Busy, phone-led"
    # That there is less of something is said only where there is nothing else.
    assert named(*apart[4:])[0] == "Asked seldom, little web"


@pytest.mark.parametrize(
    ("feature", "kind", "family"),
    [
        ("gender: F", "level", "gender"),
        ("plan: basic", "level", "plan"),
        ("seats", "number", "seats"),
        # An attribute of the customers' table that is called as a number of behaviour is, which this log lacks.
        ("roles in play", "number", "roles_in_play"),
        ("survey score", "number", "score"),
        ("stage path: trying", "level", "stage path (attribute)"),
    ],
)
def test_nobody_is_named_for_what_they_are(feature, kind, family):
    assert named(("P1", feature, kind, family, 0.9)) == ["Like the others", "Like the others (P2)"]


def test_no_two_personas_have_one_name():
    same = [(each, "channel: phone", "share", "channel", 0.9) for each in ("P1", "P2", "P3")]
    assert named(*same, ids=("P1", "P2", "P3")) == ["Phone-led", "Like the others", "Phone-led (P3)"]
    other = [(each, "hours: weekend", "share", "hours", 0.5) for each in ("P1", "P2", "P3")]
    assert named(*same, *other, ids=("P1", "P2", "P3")) == ["Phone-led, weekend", "Phone-led", "Weekend"]
    assert unique_names(["A", "b", "a"], ["P1", "P2", "P3"], first=["P3"]) == ["A (P1)", "b", "a"]


def test_names_use_the_labels_of_the_journey():
    labels = {"using": "In use", "web_chat": "Chat"}
    rows = [("P1", "stage path: trying > using", "level", "stage path", 0.9)]
    rows += [("P1", "channel: web_chat", "share", "channel", 0.5)]
    assert named(*rows, title=lambda name: labels.get(name, name))[0] == "Already in In use, chat-led"


def test_names_are_working_names_until_people_give_others(personas):
    assert personas.working_names == ("P1", "P2")
    given = personas.named({"personas": {"P2": {"name": personas.table["name"][0].upper()}}})
    assert given.working_names == ("P1",)
    assert given.table["name"].tolist() == [f"{personas.table['name'][0]} (P1)", personas.table["name"][0].upper()]
    assert personas.names_in_words() == "P1 and P2 have working names, to be changed in personas.yml."
    assert given.names_in_words() == "P1 has a working name, to be changed in personas.yml."
    assert given.named({"personas": {"P1": {"name": "A"}, "P2": {"name": "B"}}}).names_in_words() == ""
    gone = {"personas": {"P9": {"name": "Gone by now"}}}
    assert personas.named(gone, gone=["P9"]).working_names == ("P1", "P2")


def test_figures_carry_the_numbers_in_words(personas, one_kind):
    chart = personas.plot()
    assert chart.alt.startswith(
        "What sets the personas apart: Cliff's delta (first 30 days) of each to the other customers, from -1 to 1. P1: "
    )
    assert one_kind.plot().alt == one_kind.sentence()
    scan = personas.plot_scan()
    assert scan.alt.startswith("BIC less that of one persona, by number of personas. 1: 0, 2: -")
    assert scan.alt.endswith("Chosen: 2.")
    proof = personas.plot_proof()
    assert proof.alt.startswith(
        "Mean Jaccard coefficient of each persona with its like in 20 resamples of the customers, with the middle 90% "
        "of them. P1 "
    )
    assert proof.alt.endswith("repeatable.")
    assert (
        one_kind.plot_proof().alt
        == "One kind of customer was seen, so there is nothing to find again in other customers."
    )


def test_the_contract_of_findings_is_kept(personas):
    assert personas.title == "Personas by the first 30 days"
    assert personas.by_stage().index.tolist() == ["trying", "using"]
    assert personas.by_stage().index.name == "stage"
    shown = personas._repr_html_()
    assert "Found again in resampled customers" in shown
    assert "More than one continuous cloud?" in shown
    assert "lost within 30 days" in shown


def test_durations_are_told_in_days_or_hours():
    assert [landmark_in_words(each) for each in ("2w", "1d", "12h")] == ["14 days", "1 day", "12 hours"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"within": "400d"},
            "Personas from the first 400 days were asked for, but the window is 182 days long. "
            "Ask for a shorter `within`, or widen the window.",
        ),
        ({"within": "30d", "max_personas": 0}, "At most “0” personas were asked for. Ask for 1 or more."),
        (
            {"within": "30d", "replicates": 18},
            "“18” replicates were asked for, but fewer than 19 cannot prove anything at a level of .05. "
            "Ask for 19 or more, or for 0 to prove nothing.",
        ),
    ],
)
def test_wrong_arguments_are_refused(log, arguments, message):
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        find_personas(log, JOURNEY, seed=7, **arguments)


def test_nobody_to_judge_gives_no_persona_and_says_why():
    personas = find_personas(log_of(LEFT_OUT), JOURNEY, within="30d", seed=7)
    assert personas.sentence() == (
        "No personas: none of 4 customers can be judged by their first 30 days (left out: 1 never in the journey, "
        "1 entered before the window began, 1 lost within 30 days, 1 watched for less than 30 days), and 30 are "
        "needed. Ask for a shorter `within`, or widen the window."
    )
    assert personas.left_out["customers"].tolist() == [1, 1, 1, 0, 1]


def test_fewer_than_30_customers_give_no_persona():
    personas = find_personas(log_of(made_up(29)), JOURNEY, within="30d", seed=7)
    assert personas.sentence() == (
        "No personas: only 29 of 29 customers can be judged by their first 30 days (left out: nobody), "
        "and 30 are needed. Ask for a shorter `within`, or widen the window."
    )
    assert "Observed from 2024-01-01 to 2024-07-01." in personas._repr_html_()
    assert len(find_personas(log_of(made_up(30)), JOURNEY, within="30d", seed=7).labels) == 30


def test_customers_who_all_did_the_same_give_no_persona():
    rows = [(f"c{number}", "2024-02-01", "signed_up", "web") for number in range(40)]
    personas = find_personas(log_of(rows), JOURNEY, within="30d", seed=7)
    assert personas.sentence() == (
        "No personas: nothing differs between the 40 customers who can be judged by their first 30 days. "
        "Ask for a longer `within`."
    )
    assert personas.left_out["customers"].sum() == 0
    assert str(personas.period) == "2024-01-01 to 2024-07-01"


def test_without_a_persona_all_there_is_is_empty_and_says_so(personas):
    none = Personas.none(JOURNEY, "nobody was asked.")
    assert none.sentence() == none.lacking == "No personas: nobody was asked."
    assert none.plot().alt == none.plot_scan().alt == none.lacking
    assert none.plot_scan().axes.get_title(loc="left") == personas.plot_scan().axes.get_title(loc="left")
    assert (none.title, none.within) == ("Personas", None)
    assert none.by_stage().index.tolist() == ["trying", "using"]
    assert (len(none.grouping().labels), len(none.grouping().known_at), len(none.cards())) == (0, 0, 0)
    assert repr(none.cards()) == "There is no persona, so there is no card."
    assert none.cards()._repr_html_() == "<p>There is no persona, so there is no card.</p>"
    assert "No personas: nobody was asked." in none._repr_html_()


def test_tables_without_a_persona_have_the_columns_of_those_with_some(personas):
    none = Personas.none(JOURNEY, "nobody was asked.")
    for some, empty in ((personas.proof, none.proof), (personas.description, none.description), (personas, none)):
        for name, table in tables_of(some).items():
            if name not in ("probabilities", "unused"):
                assert len(tables_of(empty)[name]) == 0
                pd.testing.assert_series_equal(tables_of(empty)[name].dtypes, table.dtypes)
    assert list(none.unused) == list(personas.unused)


def test_features_known_after_the_landmark_are_refused(log):
    features = pd.DataFrame({"nps": [9.0], "known_at": [pd.Timestamp("2024-06-30", tz="UTC")]}, index=["a000"])
    entered = "2024-02-04 00:00"
    message = (
        "The feature “nps” has 1 rows known later than 30d after entry: for customer “a000” it became known "
        f"2024-06-30 00:00, the landmark is {entered}. Leave such values empty, or ask for a longer `within`."
    )
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        find_personas(log, JOURNEY, within="30d", seed=7, features=features)
