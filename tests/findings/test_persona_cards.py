"""Cards: what each part says, what is left out and why, and nothing that tells of too few or runs as code."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from by_hand import JOURNEY, at, journeys_of

from journeylab.base.errors import EstimateError, StudyError
from journeylab.base.tables import table_of
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events
from journeylab.findings.personas import Personas
from journeylab.findings.personas.cards import Cards
from journeylab.findings.personas.cards.tables import (
    ACCOUNTS,
    ROLES,
    accounts_in,
    channels_part,
    personas_by_account,
    roles_by_persona,
)
from journeylab.findings.personas.description import EXEMPLARS, PROFILES, Description
from journeylab.findings.personas.notes import read_persona_notes
from journeylab.findings.personas.proof import Proof
from journeylab.findings.personas.rules import RULES

SIZES = {"P1": 60, "P2": 40}
CUSTOMERS = [f"{persona}-{number:02}" for persona, n in SIZES.items() for number in range(n)]
LABELS = pd.Series([each[:2] for each in CUSTOMERS], index=pd.Index(CUSTOMERS, name="customer_id"))
KNOWN_AT = pd.Series(at(10), index=LABELS.index)


def built(
    *,
    log=None,
    spells=None,
    horizon=None,
    labels: pd.Series = LABELS,
    notes: pd.DataFrame | None = None,
    jaccard=np.nan,
) -> Cards:
    """The cards of personas with these labels."""
    n = labels.value_counts().sort_index()
    shares = {"customers": len(labels), "share": n.to_numpy() / len(labels), "lower": 0.1, "upper": 0.7}
    table = pd.DataFrame({"persona": n.index, "name": [f"Kind {each}" for each in n.index], "n": n.to_numpy()})
    personas = replace(
        Personas.none(JOURNEY, "of the test.", within="10 days"),
        lacking=None,
        table=table.assign(**shares, certainty=0.9),
        labels=labels,
        known_at=KNOWN_AT[labels.index],
        left_out=pd.DataFrame({"reason": ["lost within 10 days"], "customers": [7]}),
    )
    profiles = [(p, "channel: chat", "share", "channel", 0.6, 0.2, 3.0, 0.8, 60, 40) for p in n.index]
    profiles += [(p, "channel: web", "share", "channel", 0.4, 0.8, 0.5, -0.8, 60, 40) for p in n.index]
    rules = [
        (p, "at least 6 events", 1, 0.8, 0.7, 0.9, 0.75, 0.6, 0.85, f1, 30, 32, 50)
        for p, f1 in zip(n.index, (0.77, 0.4), strict=False)
    ]
    exemplars = [(p, "events", "about 40") for p in n.index] + [(p, "plan", "<b>team</b>") for p in n.index]
    description = Description(table_of(profiles, PROFILES), table_of(rules, RULES), table_of(exemplars, EXEMPLARS))
    if notes is not None:
        description = replace(description, notes=notes)
    proof = Proof(pd.DataFrame({"persona": n.index, "verdict": "repeatable", "jaccard": jaccard}), seed=7)
    personas = replace(personas, description=description, proof=proof)
    return personas.cards(log, spells, horizon=horizon)


def spells():
    """Of P1 30 of 60 are lost to price on day 30, the others stay; of P2 all 40 stay."""
    rows = [(each, "trial", 0, 30, "price") for each in CUSTOMERS[:30]]
    return journeys_of(rows + [(each, "trial", 0, 400, None) for each in CUSTOMERS[30:]], end=400)


def log_of(*, customers: pd.DataFrame | None = None, without=(), until_day: int = 5, **columns) -> EventLog:
    """Each customer writes one text on day 5 after coming in; P1 shows a user each, 20 of them a buyer too."""
    texts = [f"the board of {each} is slow, says Ada Lovelace of {number % 7}" for number, each in enumerate(CUSTOMERS)]
    rows = [
        (each, at(until_day), "wrote", "chat", text, f"{each}-1", "user")
        for each, text in zip(CUSTOMERS, texts, strict=True)
    ]
    rows += [(each, at(6), "met", "chat", None, f"{each}-2", "buyer") for each in CUSTOMERS[:20]]
    names = ["customer_id", "time", "event", "channel", "text", "contact_id", "role"]
    table = pd.DataFrame(rows, columns=names).assign(**columns).drop(columns=list(without))
    known = {name: name for name in ("customer_id", "time", "event")}
    return read_events(table, columns=known, window=("2025-01-01", "2026-01-01"), customers=customers)


@pytest.fixture(scope="module")
def cards() -> Cards:
    return built(spells=spells(), log=log_of(), horizon="90d")


def test_each_part_says_what_its_table_holds(cards):
    card = cards["P1"]
    told = {part.title: part.sentence for part in card.parts}
    assert told["Who they are"].startswith("At least 6 events: 80% (70% to 90%) of the 30 customers like that are P1")
    assert told["For example"] == "A typical customer, rounded: events about 40; plan <b>team</b>."
    assert told["Typical journey"] == (
        "Most often, of 60 customers so far: trial (still there), 50%. Then: trial → lost to price, 50%."
    )
    assert told["Channels"] == (
        "Mean share of the events of 60 customers by the landmark: chat 60% (others 20%); web 40% (others 80%)."
    )
    assert told["Roles"] == (
        "Seen by the landmark (10 days after entering) in 60 accounts: no buyer in 67% of accounts (54% to 77%)."
    )
    assert re.fullmatch(
        r"Of 60 customers followed from the landmark on, 50% \(38% to 6\d%\) are lost at least once within 90 days; "
        r"of everyone, 30% \(2\d% to 4\d%\)\. Most by price 50% \(38% to 6\d%\)\.",
        told["How they are lost"],
    )
    assert card.part("Stage by stage").shown.columns.tolist() == [
        "stage",
        "days until half have left",
        "lost within 90 days",
        "visits",
        "note",
    ]
    assert card.part("Stage by stage").shown["note"].tolist() == ["given still inside on day 10.0"]
    assert card.part("Accounts") is None


def test_a_rule_that_tells_badly_is_not_shown(cards):
    assert (
        cards["P2"]
        .part("Who they are")
        .sentence.startswith("No rule of at most three conditions describes P2 well: the best reaches")
    )
    assert "At least 6 events" not in cards["P2"]._repr_html_()


def test_a_card_says_share_certainty_and_verdict(cards):
    assert cards["P1"].sentence() == (
        "P1 · Kind P1: 60% of 100 customers (10% to 70%). On average its 60 customers belong to it with probability "
        "0.90. Verdict: repeatable."
    )


def test_quotes_tell_neither_names_nor_ids():
    people = pd.DataFrame(
        {"last_name": ["Lovelace"], "first_name": ["Ada"]}, index=pd.Index([CUSTOMERS[0]], name="customer_id")
    )
    card = built(log=log_of(customers=people))["P1"]
    assert [each.text for each in card.quotes.quotes] == [card.quotes.quotes[0].text]
    assert re.fullmatch(r"the board of \[name\] is slow, says \[name\] \[name\] of \d", card.quotes.quotes[0].text)
    shown = card._repr_html_()
    assert not any(each in shown for each in CUSTOMERS)


def test_texts_after_the_landmark_are_quoted_only_where_too_few_wrote_before_it():
    late = built(log=log_of(until_day=50))["P1"]
    assert late.quotes.quotes[0].month == "2025-02"


def test_without_consent_nobody_is_quoted():
    cards = built(log=log_of(consent=False))
    assert cards["P1"].quotes.lacking.startswith("No quote: no customer wrote")
    assert "What they say: fewer than 5 of them wrote anything that may be quoted." in cards.unknown


def test_what_the_data_lack_is_said():
    bare = built()["P1"]
    lacking = {part.title: part.sentence for part in bare.parts if not part.has_data}
    assert lacking == {
        "Typical journey": "Not measured: no spells were given.",
        "Stage by stage": "Not measured: no spells were given.",
        "How they are lost": "Not measured: no spells were given.",
        "Roles": "Not measured: no log was given.",
    }
    assert bare.quotes is None
    assert bare.staying.empty
    card = built(log=log_of(without=["role", "text"]))["P1"]
    assert card.part("Roles").sentence == "Not measured: the log does not name roles by the landmark."
    assert card.quotes is None


def test_what_is_not_known_is_listed_once_under_all_cards(cards):
    assert cards.unknown == (
        "Whether the same persona would be found in other customers: stability has not been tested.",
        "Why these customers behave as they do: the log shows what they did, not what they wanted.",
        "What the 7 customers are like who could not be judged by their first 10 days.",
        "What makes the losses differ between personas: the two are associated, which is not a cause.",
        "Whether they would recognise themselves: no interview is noted in personas.yml.",
    )
    shown = cards._repr_html_()
    assert shown.count("What we do not know") == shown.count(cards.unknown[1].split(":")[0]) == 1
    assert shown.index("What we do not know") > shown.index("P2 · Kind P2")
    assert "stability" not in " ".join(built(jaccard=0.8).unknown)
    told = read_persona_notes({"personas": {"P1": {"evidence": [{"source": "Visit", "date": "2026-03-03"}]}}})
    some = built(notes=told.table())
    assert some.unknown[-1] == "Whether P2 would recognise themselves: no interview is noted in personas.yml."


def test_one_kind_of_customer_has_no_card_and_says_why():
    one = built(labels=LABELS.replace("P2", "P1"), spells=spells(), log=log_of(), horizon="90d")
    assert (len(one), len(one.withheld), one.unknown) == (0, 0, ())
    assert one.lacking == ("One kind of customer was seen, so there is no card: nobody is there to compare them with.")
    assert one.plot().alt == repr(one) == one.lacking
    assert "card" not in one.advice()
    assert "take each card to three" in built().advice()


def test_a_working_name_is_marked_on_the_card_until_somebody_gives_one(cards):
    assert cards._repr_html_().count("This is a working name; personas.yml takes a better one.") == 2
    assert (
        replace(cards["P1"], head=replace(cards["P1"].head, has_working_name=False))._repr_html_().count("working") == 0
    )


def test_numbers_and_shares_of_what_sets_apart_are_in_plain_units(cards):
    shown = cards["P1"]._repr_html_()
    assert "Cliff" not in shown
    assert all(share in shown for share in ("60%", "20%", "40%", "80%"))


def test_where_too_few_were_watched_so_long_the_losses_have_bounds_or_no_number():
    rows = [(each, "trial", 0, 30, "price") for each in CUSTOMERS[:30]]
    # Of P1 the other thirty are watched for 60 days after the landmark only.
    short = journeys_of([*rows, *((each, "trial", 0, 70, None) for each in CUSTOMERS[30:])], end=70)
    lost = built(spells=short, horizon="90d")["P1"].part("How they are lost")
    assert not lost.has_data
    assert lost.sentence.startswith(
        "How many are lost within 90 days of the landmark is not known, but it is between 50% and 100%: fewer than 10 "
    )
    assert np.isnan(lost.table["estimate"]).all()


def test_channels_are_not_measured_only_where_no_event_names_one():
    nothing = channels_part(table_of((), PROFILES), "P1")
    assert (nothing.has_data, nothing.sentence) == (
        False,
        "Not measured: no channel is named in the first days of 1% of the customers or more.",
    )
    one = table_of([("P1", "channel: web_shop", "share", "channel", 1.0, 1.0, 1.0, 0.0, 60, 40)], PROFILES)
    assert channels_part(one, "P1").sentence == (
        "Mean share of the events of 60 customers by the landmark: web shop 100% (others 100%)."
    )


def test_personas_too_small_have_no_card_and_it_says_so():
    few = built(labels=LABELS[:89])
    assert [card.persona for card in few] == ["P1"]
    assert few.withheld.to_dict("list") == {"persona": ["P2"], "reason": ["it has 29 customers, and 30 are needed"]}
    assert "P2 has no card: it has 29 customers, and 30 are needed." in few._repr_html_()
    assert repr(few).endswith("P2 has no card: it has 29 customers, and 30 are needed.")


def test_personas_in_fewer_than_ten_accounts_have_no_card():
    accounts = [f"A{number % 30}" for number in range(60)] + [f"B{number % 9}" for number in range(40)]
    customers = pd.DataFrame({"account": accounts}, index=LABELS.index)
    few = built(log=log_of(customers=customers))
    assert few.withheld["reason"].tolist() == ["it is found in 9 accounts, and 10 are needed"]
    assert few["P1"].part("Accounts").sentence == (
        "Found in 77% (62% to 87%) of 39 accounts. Of these 30, beside them: nobody of another in 100% (89% to 100%)."
    )


def test_a_horizon_and_spells_belong_together():
    message = "Spells are given, but not how far to look for losses. Name a horizon, such as horizon=“90d”."
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        built(spells=spells())
    message = "A horizon of “90d” is given, but no spells to find losses in. Give spells too."
    with pytest.raises(EstimateError, match=f"^{re.escape(message)}$"):
        built(horizon="90d")


def test_notes_and_evidence_stand_on_the_card():
    told = {
        "note": "Plans <i>for</i> many.",
        "evidence": [{"source": "Interview", "date": "2026-03-02", "note": "Said so"}],
    }
    notes = read_persona_notes(
        {"personas": {"P1": told, "P2": {"evidence": [{"source": "Visit", "date": "2026-03-03"}]}}}
    )
    cards = built(notes=notes.table())
    assert cards["P1"].evidence() == ["Plans <i>for</i> many.", "Evidence: Interview, 2026-03-02: Said so"]
    assert cards["P2"].evidence() == ["Evidence: Visit, 2026-03-03"]
    assert "&lt;i&gt;for&lt;/i&gt;" in cards["P1"]._repr_html_()
    assert not any("recognise themselves" in each for each in cards.unknown)


def test_what_is_shown_is_escaped(cards):
    shown = cards._repr_html_()
    assert "<b>team</b>" not in shown
    assert "&lt;b&gt;team&lt;/b&gt;" in shown


def test_figures_carry_the_numbers_in_words(cards):
    chart = cards["P1"].plot()
    assert chart.alt.startswith(
        "P1 · Kind P1: 60% of 100 customers (10% to 70%). What sets it apart (Cliff's delta): channel: chat +0.80, "
        "channel: web -0.80. Of 60 customers followed from the landmark on, 50%"
    )
    assert cards.plot().png().startswith(b"\x89PNG")
    assert built().plot().png().startswith(b"\x89PNG")
    assert Cards(()).plot().alt == "There is no persona, so there is no card."


def test_roles_are_counted_by_account_and_few_are_not_told():
    roles = pd.DataFrame(
        [(each, "user", 2) for each in CUSTOMERS[:30]] + [(each, "buyer", 1) for each in CUSTOMERS[:3]],
        columns=["customer_id", "role", "people"],
    )
    found = roles_by_persona(roles, LABELS).set_index(["persona", "role"])
    assert found.loc[("P1", "user"), ["seen", "accounts", "share", "people"]].tolist() == [30, 60, 0.5, 1.0]
    assert found.loc[("P1", "buyer"), "note"] == "fewer than 5"
    assert found.loc[("P1", "buyer"), ["seen", "share", "people"]].isna().all()
    assert found.loc[("P2", "user"), "share"] == 0
    assert found.index.tolist() == [("P1", "buyer"), ("P1", "user"), ("P2", "buyer"), ("P2", "user")]
    assert list(found.reset_index()) == list(ROLES)


def test_accounts_are_composed_of_personas():
    labels = pd.Series({"a": "P1", "b": "P2", "c": "P1", "d": "P1", "e": "P2"})
    accounts = pd.Series({"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"})
    # Ten times the same three accounts: x holds both, y two of P1, z one of P2.
    many = {f"{each}{n}": persona for n in range(10) for each, persona in labels.items()}
    owner = pd.Series({f"{each}{n}": f"{account}{n}" for n in range(10) for each, account in accounts.items()})
    found = personas_by_account(owner, pd.Series(many)).set_index(["persona", "also"])
    assert found["seen"].to_dict() == {
        ("P1", "P1"): 20, ("P1", "P2"): 10, ("P1", "no other"): 10,
        ("P2", "P2"): 20, ("P2", "P1"): 10, ("P2", "no other"): 10,
    }  # fmt: skip
    assert found["accounts"].to_dict() == {
        ("P1", "P1"): 30, ("P1", "P2"): 20, ("P1", "no other"): 20,
        ("P2", "P2"): 30, ("P2", "P1"): 20, ("P2", "no other"): 20,
    }  # fmt: skip
    assert list(found.reset_index()) == list(ACCOUNTS)


def test_accounts_count_only_where_they_nest_several_customers():
    index = pd.Index(["a", "b"], name="customer_id")
    labels = pd.Series("P1", index=index)
    assert accounts_in(pd.DataFrame(index=index), labels) is None
    assert accounts_in(pd.DataFrame({"account": ["x", "y"]}, index=index), labels) is None
    assert accounts_in(pd.DataFrame({"account": ["x", "x"]}, index=index), labels).to_dict() == {"a": "x", "b": "x"}


def test_names_are_given_by_id_and_the_others_stay(tmp_path):
    table = pd.DataFrame({"persona": ["P1", "P2"], "name": ["Kind P1", "Kind P2"]})
    found = replace(Personas.none(JOURNEY, "of the test."), lacking=None, table=table)
    path = tmp_path / "personas.yml"
    path.write_text("personas:\n  P2: {name: Looks  around, note: Seldom here}\n", encoding="utf-8")
    named = found.named(path)
    assert named.table["name"].tolist() == ["Kind P1", "Looks around"]
    assert named.table["persona"].tolist() == ["P1", "P2"]
    assert named.description.notes["text"].tolist() == ["Seldom here"]
    assert found.table["name"].tolist() == ["Kind P1", "Kind P2"]
    message = (
        "personas.P3: There is no persona “P3”. Known: P1, P2. "
        "Ids come from the analysis and stay; what may be changed is the name."
    )
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        found.named({"personas": {"P3": {"name": "A"}}})


def test_without_a_persona_there_is_no_card_and_nothing_to_name():
    none = Personas.none(JOURNEY, "nobody was asked.")
    assert len(none.cards(log_of(), spells(), horizon="90d")) == 0
    assert none.named({"personas": {"P1": {"name": "A"}}}) is none
    with pytest.raises(StudyError):
        none.named({"persons": {}})
