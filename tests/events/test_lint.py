"""Tests of the lint: each thing that DESIGN section 5 lists is found, placed, and said with how to fix it."""

from pathlib import Path

import pandas as pd
import pytest

from journeylab.base.errors import JourneyError
from journeylab.events.journey import Condition, Journey, read_journey
from journeylab.events.lint import Lint, lint_journey
from journeylab.events.lint.overlap import covers, is_covered, overlaps
from journeylab.events.log import EventLog
from journeylab.events.reading import read_events

CLEAN = """\
journeylab: 1
name: Team workspace
goal: Run our weekly planning without spreadsheets
stages:
  - name: trial
    opened_by: [{event: trial_started}]
    validated_by: {event: project_created, at_least: 2, within: 14d}
    silent_after: 21d
  - name: paid
    opened_by: [{event: subscribed}]
    validated_by: {event: teammate_joined}
    silent_after: 45d
  - name: partner
    opened_by: [{event: referral_made}]
    completes: true
loss_branches:
  - {name: price, when: {event: cancelled, where: {reason: [price, budget]}}}
  - {name: other, when: {event: cancelled}}
"""
ROWS = [
    ("a", "trial_started", 0, "customer", None, 1.0),
    ("a", "project_created", 1, "customer", None, 2.0),
    ("a", "teammate_joined", 2, None, None, 3.0),
    ("a", "subscribed", 3, "customer", None, 4.0),
    ("a", "referral_made", 60, "customer", None, 5.0),
    ("b", "trial_started", 0, "customer", None, 6.0),
    ("b", "cancelled", 5, "customer", "price", 7.0),
    ("b", "follow_up_sent", 6, "company", None, 8.0),
    ("c", "cancelled", 7, "customer", "budget", 9.0),
]


def log_of(rows=ROWS, columns=("customer_id", "event", "day", "initiator", "reason", "amount"), days=100) -> EventLog:
    table = pd.DataFrame(rows, columns=list(columns))
    start = pd.Timestamp("2025-01-01", tz="UTC")
    table["time"] = start + pd.to_timedelta(table.pop("day"), unit="D")
    return read_events(table, columns={}, window=(start, start + pd.Timedelta(days=days)))


def changed(*changes: tuple[str, str]) -> str:
    text = CLEAN
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def lint(tmp_path: Path):
    """Lint a text as journey.yml, with or without a log."""

    def check(text: str, log: EventLog | None = None) -> Lint:
        path = tmp_path / "journey.yml"
        path.write_text(text, encoding="utf-8")
        return lint_journey(read_journey(path), log=log)

    return check


def said(found: Lint) -> list[str]:
    return str(found).splitlines()[:-1]


def test_a_sound_journey_has_no_finding(lint):
    found = lint(CLEAN)
    assert not found
    assert list(found.table.columns) == ["severity", "where", "problem", "fix", "rule"]
    assert str(found) == "Nothing to fix."
    found.raise_errors()


def test_a_sound_journey_has_no_finding_in_a_log_that_holds_all(lint):
    assert str(lint(CLEAN, log_of())) == "Nothing to fix."


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("    opened_by: [{event: subscribed}]\n", ""),
            "journey.yml:9: error: No customer can reach stage “paid”: it has no “opened_by”. Name the event that "
            "brings a customer in: opened_by: [{event: …}]. [unreachable-stage]",
        ),
        (
            ("opened_by: [{event: subscribed}]", "reopened_by: [{event: downgraded}]"),
            "journey.yml:9: error: No customer can reach stage “paid”: it has no “opened_by”, and there is no later "
            "stage from which “reopened_by” could bring a customer back. Name the event that brings a customer in: "
            "opened_by: [{event: …}]. [unreachable-stage]",
        ),
        (
            ("opened_by: [{event: trial_started}]", "reopened_by: [{event: downgraded}]"),
            "journey.yml:6: warning: Stage “trial” has no “opened_by”, so only customers who come back from another "
            "stage can be in it. Add “opened_by” if customers can also get there for the first time. [only-reopened]",
        ),
        (
            ("    silent_after: 45d", "    reopened_by: {event: downgraded}\n    silent_after: 45d"),
            "journey.yml:12: warning: “reopened_by” of stage “paid” is never used: there is no later stage from which"
            " a customer could come back. Remove it, or move the stage up. [idle-reopener]",
        ),
        (
            ("{event: trial_started}", "{event: subscribed, where: {plan: pro}}"),
            "journey.yml:6: error: No customer stays in stage “trial”: every event that opens it (subscribed, where "
            "plan is pro) also opens “paid”, later in the journey, so the customer moves on at once. Give the stages "
            "different triggers. [unreachable-stage]",
        ),
        (
            ("{event: trial_started}", "{event: [trial_started, subscribed]}"),
            "journey.yml:6: warning: One event can open both stage “trial” (trial_started or subscribed) and stage "
            "“paid”. The customer then spends no time in “trial”. Narrow one of the conditions with “where”, so that "
            "each event opens one stage. [rival-openers]",
        ),
        (
            ("{event: subscribed}", "{event: [subscribed, cancelled], where: {reason: price}}"),
            "journey.yml:10: warning: One event can both lose a customer to “price” or “other” and open stage “paid” "
            "(subscribed or cancelled, where reason is price): the customer would be lost and won back at the same "
            "time. Narrow one of the conditions with “where”, so that an event either loses or opens. [loss-reopens]",
        ),
        (
            ("{name: other, when:", "{name: other, from: partner, when:"),
            "journey.yml:18: error: Loss branch “other” is never used: every stage in its “from” completes the "
            "journey, and no customer is lost there. Name another stage in “from”, or remove the branch. "
            "[unused-branch]",
        ),
        (
            (
                "{name: other, when: {event: cancelled}}",
                "{name: other, when: {event: cancelled, where: {reason: budget}}}",
            ),
            "journey.yml:18: error: Loss branch “other” is never used: every event that it waits for (cancelled, "
            "where reason is budget) is taken first by “price”. Move it up, narrow the branches before it, or remove "
            "it. [unused-branch]",
        ),
        (
            ("{name: other, when: {event: cancelled}}", "{name: other, when: {event: cancelled, where: {plan: pro}}}"),
            "journey.yml:18: warning: One event can match both loss branch “price” (cancelled, where reason is price "
            "or budget) and loss branch “other” (cancelled, where plan is pro). “price” takes it, because it comes "
            "first. Keep the order if that is meant, or narrow one of them with “where”. [overlapping-branches]",
        ),
        (
            ("    validated_by: {event: teammate_joined}\n", ""),
            "journey.yml:9: warning: Stage “paid” has no validation: nothing in the log shows that its customers do "
            "what the stage is about. Add one that can be counted: validated_by: {event: …, at_least: 2, within: "
            "14d}. [no-validation]",
        ),
        (
            ("{event: teammate_joined}", "{event: subscribed}"),
            "journey.yml:11: warning: The validation of stage “paid” (subscribed) waits for the event that opens the "
            "stage. The opening event itself does not count, so only a repeat proves anything. Keep it if you mean a "
            "repeat; otherwise name what the customer does after entering. [validation-is-opener]",
        ),
        (
            ("{event: project_created, at_least: 2, within: 14d}", "{event: [subscribed, cancelled], at_least: 2}"),
            "journey.yml:7: error: The validation of stage “trial” (subscribed or cancelled at least 2 times) can "
            "never be met: each of its events ends the visit to the stage, so there is never a second. Name what the "
            "customer does while in the stage. [validation-cannot-be-met]",
        ),
        (
            ("{event: project_created, at_least: 2, within: 14d}", "{event: subscribed}"),
            "journey.yml:7: warning: The validation of stage “trial” (subscribed) waits for an event that ends the "
            "visit to the stage, so it shows only that the customer left. Name what the customer does while in the "
            "stage. [validation-is-exit]",
        ),
    ],
)
def test_what_the_journey_alone_shows(lint, change, expected):
    assert said(lint(changed(change))) == [expected]


def test_a_stage_with_no_way_to_be_lost(lint):
    text = changed(
        ("    silent_after: 45d\n", ""),
        ("{name: price, when:", "{name: price, from: trial, when:"),
        ("{name: other, when:", "{name: other, from: [trial], when:"),
    )
    assert said(lint(text)) == [
        "journey.yml:9: warning: No customer can be lost from stage “paid”: no loss branch covers it, and it has no "
        "“silent_after”. Add “silent_after”, or name the stage in “from” of a loss branch. [no-way-to-be-lost]"
    ]


def test_branches_from_different_stages_do_not_compete(lint):
    text = changed(
        ("{name: price, when:", "{name: price, from: trial, when:"),
        (
            "{name: other, when: {event: cancelled}}",
            "{name: x, from: paid, when: {event: cancelled, where: {reason: price}}}",
        ),
    )
    assert not lint(text)


def test_several_branches_may_shadow_one_together(lint):
    late = "{name: late, when: {event: cancelled, where: {reason: late}}}"
    never = "{name: never, when: {event: cancelled, where: {reason: [price, late]}}}"
    text = changed(("{name: other, when: {event: cancelled}}", f"{late}\n  - {never}"))
    assert said(lint(text)) == [
        "journey.yml:19: error: Loss branch “never” is never used: every event that it waits for (cancelled, where "
        "reason is price or late) is taken first by “price” and “late”. Move it up, narrow the branches before it, or"
        " remove it. [unused-branch]"
    ]


def test_in_free_movement_too_a_reopener_acts_only_from_a_later_stage(lint):
    text = changed(("    silent_after: 45d", "    reopened_by: {event: downgraded}\n    silent_after: 45d"))
    assert said(lint(text)) == said(lint(text + "movement: free\n")) != []


def test_in_free_movement_an_opener_of_an_earlier_stage_ends_the_visit(lint):
    text = changed(("{event: teammate_joined}", "{event: trial_started, at_least: 2}"))
    assert not lint(text)
    assert list(lint(text + "movement: free\n").table["rule"]) == ["validation-cannot-be-met"]


def test_a_mapping_is_linted_with_paths_of_keys():
    stage = {"name": "trial", "opened_by": {"event": "start"}, "silent_after": "3d"}
    found = lint_journey(read_journey({"journeylab": 1, "name": "n", "goal": "g", "stages": [stage]}))
    assert list(found.table["where"]) == ["stages[0]"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("{event: subscribed}", "{event: subscribd}"),
            "journey.yml:10: warning: The event “subscribd” in “opened_by” of stage “paid” never occurs in the log. "
            "Did you mean “subscribed”? [event-never-occurs]",
        ),
        (
            ("{event: subscribed}", "{event: [subscribed, xyz]}"),
            "journey.yml:10: warning: The event “xyz” in “opened_by” of stage “paid” never occurs in the log. Known: "
            "cancelled, trial_started, follow_up_sent, project_created, referral_made, subscribed, teammate_joined. "
            "[event-never-occurs]",
        ),
        (
            ("reason: [price, budget]", "resaon: [price, budget]"),
            "journey.yml:17: error: The condition in “when” of loss branch “price” (cancelled, where resaon is price "
            "or budget) asks for the column “resaon”, which the log lacks. Did you mean “reason”? [unknown-column]",
        ),
        (
            ("reason: [price, budget]", "reason: [price, budgte]"),
            "journey.yml:17: warning: The condition in “when” of loss branch “price” asks that reason is budgte, but "
            "no event “cancelled” of the log has that. Did you mean “budget”? [value-never-occurs]",
        ),
        (
            ("reason: [price, budget]", "amount: {above: 20}"),
            "journey.yml:17: warning: The condition in “when” of loss branch “price” asks that amount is above 20, "
            "but no event “cancelled” of the log has that. In these events it runs from 7 to 9. [value-never-occurs]",
        ),
        (
            ("reason: [price, budget]", "reason: {above: 2}"),
            "journey.yml:17: error: The condition in “when” of loss branch “price” (cancelled, where reason is above "
            "2) sets bounds on the column “reason”, whose type is string, not a number. List the values that are "
            "meant, or convert the column when reading the log. [bounds-without-numbers]",
        ),
        (
            ("reason: [price, budget]", "reason: price, amount: 9"),
            "journey.yml:17: warning: The condition in “when” of loss branch “price” (cancelled, where amount is 9 "
            "and reason is price) matches no event of the log: each of its values occurs, but never all of them in "
            "one event. Ask for less, or look at such events in the log. [never-matches]",
        ),
        (
            ("{event: subscribed}", "{event: subscribed, where: {reason: x}}"),
            "journey.yml:10: warning: The condition in “opened_by” of stage “paid” asks that reason is x, but no "
            "event “subscribed” of the log has that. “reason” is empty in all of these events. Name another column. "
            "[value-never-occurs]",
        ),
        (
            ("{event: subscribed}", "{event: follow_up_sent}"),
            "journey.yml:10: warning: Only events that the company initiated open stage “paid” (follow_up_sent). That"
            " is our process, not the customer's journey. Name what the customer does. What we send should not open a"
            " stage. [company-opened]",
        ),
        (
            ("{event: teammate_joined}", "{event: follow_up_sent}"),
            "journey.yml:11: warning: Only events that the company initiated meet the validation of stage “paid” "
            "(follow_up_sent). It proves what we do, not what the customer does. Name what the customer does in the "
            "stage. [company-validated]",
        ),
        (
            ("{event: teammate_joined}", "{event: teammate_jined}"),
            "journey.yml:11: warning: The event “teammate_jined” in “validated_by” of stage “paid” never occurs in "
            "the log. No customer can meet this validation. Did you mean “teammate_joined”? [unprovable-validation]",
        ),
        (
            ("{event: teammate_joined}", "{event: teammate_joined, where: {amount: 4}}"),
            "journey.yml:11: warning: The condition in “validated_by” of stage “paid” asks that amount is 4, but no "
            "event “teammate_joined” of the log has that. No customer can meet this validation. Known: 3.0. "
            "[unprovable-validation]",
        ),
        (
            ("silent_after: 45d", "silent_after: 100d"),
            "journey.yml:12: warning: No silence can show in stage “paid”: “silent_after” is 100d, and the log spans "
            "100 days. Shorten it, or read a longer log. [silence-never-seen]",
        ),
    ],
)
def test_what_a_log_shows(lint, change, expected):
    assert said(lint(changed(change), log_of())) == [expected]


def test_a_validation_on_a_column_that_the_log_lacks_is_an_error(lint):
    text = changed(("{event: teammate_joined}", "{event: teammate_joined, where: {team: x}}"))
    assert said(lint(text, log_of())) == [
        "journey.yml:11: error: The condition in “validated_by” of stage “paid” (teammate_joined, where team is x) "
        "asks for the column “team”, which the log lacks. Known: customer_id, time, event, seq, initiator, reason, "
        "amount. [unknown-column]"
    ]


def test_a_log_in_which_nobody_enters_is_an_error(lint):
    rows = [("a", "visited", 0, None, "x", 1.0)]
    errors = lint(CLEAN, log_of(rows)).errors
    assert errors.to_dict("records") == [
        {
            "severity": "error",
            "where": "journey.yml:4",
            "problem": "No customer enters the journey: none of the log's 1 event opens a stage.",
            "fix": "Compare the names in “opened_by” with the events of the log.",
            "rule": "nobody-enters",
        }
    ]


def test_an_opener_that_cannot_be_read_does_not_also_mean_that_nobody_enters(lint):
    text = changed(("{event: trial_started}", "{event: trial_started, where: {plan: pro}}"))
    rows = [("a", "cancelled", 0, None, "price", 1.0)]
    assert list(lint(text, log_of(rows)).errors["rule"]) == ["unknown-column"]


def test_a_log_without_initiators_blames_no_company(lint):
    rows = [(customer, event, day) for customer, event, day, *_ in ROWS]
    text = changed(
        ("{event: subscribed}", "{event: follow_up_sent}"), ("where: {reason: [price, budget]}", "where: {}")
    )
    found = lint(text, log_of(rows, columns=("customer_id", "event", "day")))
    assert list(found.table["rule"]) == ["unused-branch"]


def test_numbers_and_text_of_one_spelling_are_counted_apart(lint):
    rows = [*ROWS, ("d", "cancelled", 9, None, "5", 1.0)]
    text = changed(("reason: [price, budget]", "reason: [5, '6']"))
    assert said(lint(text, log_of(rows))) == [
        "journey.yml:17: warning: The condition in “when” of loss branch “price” asks that reason is 6, but no event "
        "“cancelled” of the log has that. Known: 5, budget, price. [value-never-occurs]"
    ]


def test_a_large_vocabulary_is_not_listed_in_full(lint):
    rows = [*ROWS, *(("e", f"step_{number:02d}", 20, None, None, 1.0) for number in range(30))]
    found = lint(changed(("{event: subscribed}", "{event: xyz}")), log_of(rows))
    assert list(found.table["fix"]) == [
        "The most frequent of 37: cancelled, trial_started, follow_up_sent, project_created, referral_made, step_00, "
        "step_01, step_02."
    ]


def test_errors_come_first_and_are_raised_together(lint):
    text = changed(
        ("    opened_by: [{event: subscribed}]\n", ""),
        ("    validated_by: {event: project_created, at_least: 2, within: 14d}\n", ""),
        ("reason: [price, budget]", "resaon: price"),
    )
    found = lint(text, log_of())
    assert list(found.table["severity"]) == ["error", "error", "warning"]
    assert len(found) == 3
    assert found.sentence() == "2 errors, 1 warning."
    assert list(found.warnings["rule"]) == ["no-validation"]
    with pytest.raises(JourneyError) as raised:
        found.raise_errors()
    assert str(raised.value) == (
        "journey.yml:8: No customer can reach stage “paid”: it has no “opened_by”. Name the event that brings a "
        "customer in: opened_by: [{event: …}].\n"
        "journey.yml:15: The condition in “when” of loss branch “price” (cancelled, where resaon is price) asks for"
        " the column “resaon”, which the log lacks. Did you mean “reason”?"
    )


def test_the_lint_shows_itself_escaped_in_a_notebook(lint):
    text = changed(("    validated_by: {event: teammate_joined}\n", ""), ("name: paid", "name: <b>"))
    html = lint(text)._repr_html_()
    assert "<p>1 warning.</p>" in html
    assert "Stage “&lt;b&gt;” has no validation" in html
    assert "<table>" not in lint(CLEAN)._repr_html_()


def condition(event: str | list[str], **where: object) -> Condition:
    return Condition.model_validate({"event": event, "where": where})


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (condition("a"), condition("b"), False),
        (condition(["a", "b"]), condition(["b", "c"]), True),
        (condition("a", x=1), condition("a", y=2), True),
        (condition("a", x=1), condition("a", x=2), False),
        (condition("a", x=5), condition("a", x="5"), True),
        (condition("a", x=True), condition("a", x="true"), True),
        (condition("a", x=[1, 2]), condition("a", x=[2, 3]), True),
        (condition("a", x={"above": 2}), condition("a", x=2), False),
        (condition("a", x={"above": 2}), condition("a", x=[2, 3]), True),
        (condition("a", x={"above": 2}), condition("a", x={"below": 2}), False),
        (condition("a", x={"above": 2}), condition("a", x={"below": 2.5}), True),
        (condition("a", x={"above": 2}), condition("a", x="many"), False),
    ],
)
def test_conditions_overlap_if_one_event_can_meet_both(one, other, meet):
    assert overlaps(one, other) is meet
    assert overlaps(other, one) is meet


def test_a_condition_covers_what_asks_for_more():
    wide = condition(["a", "b"], x={"above": 0})
    assert covers(wide, condition("a", x=[1, 2], y=3))
    assert covers(wide, condition("b", x={"above": 1, "below": 2}))
    assert not covers(wide, condition("a"))
    assert not covers(wide, condition("c", x=1))
    assert not covers(wide, condition("a", x={"below": 1}))
    assert not covers(condition("a", x=[1, 2]), condition("a", x={"above": 1, "below": 2}))


def test_several_conditions_cover_one_together():
    wanted = condition(["a", "b"], x=[1, 2])
    assert is_covered(wanted, [condition("a"), condition("b", x=1), condition("b", x=2)])
    assert not is_covered(wanted, [condition("a"), condition("b", x=1)])
    assert not is_covered(wanted, [])


def test_conditions_with_very_many_values_are_still_compared():
    wanted = condition("a", x=list(range(10_000)))
    assert is_covered(wanted, [condition("a", x={"above": -1})])


def test_a_journey_built_from_models_is_linted():
    stage = {"name": "end", "opened_by": {"event": "e"}, "completes": True}
    assert not lint_journey(Journey.model_validate({"journeylab": 1, "name": "n", "goal": "g", "stages": [stage]}))


def test_a_contact_that_never_occurs_is_named_with_its_line():
    log = log_of([{"customer_id": "a", "event": "start", "day": 1}, {"customer_id": "a", "event": "ticket", "day": 2}])
    journey = read_journey(
        {
            "journeylab": 1,
            "name": "contacts",
            "goal": "be heard",
            "stages": [{"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "20d"}],
            "contacts": ["ticket", "tickets", {"event": "ticket", "where": {"chanel": "phone"}}],
        }
    )
    table = lint_journey(journey, log=log).table
    told = table[table["problem"].str.contains("“contacts”")]
    assert told["rule"].tolist() == ["unknown-column", "event-never-occurs"]
    assert "The event “tickets” in “contacts” never occurs in the log." in told["problem"].tolist()
