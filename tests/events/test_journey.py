"""Tests of the journey: everything that journey.yml may say is read, and everything else is refused with its line."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from journeylab.base.durations import DAY
from journeylab.base.errors import JourneyError
from journeylab.events.journey import Bounds, Condition, Journey, ValidationRule, journey_schema, read_journey
from journeylab.events.journey import journey as journey_module

FULL = """\
# a comment
journeylab: 1
name: Team workspace
goal: Run our weekly planning without spreadsheets
stages:
  - name: evaluating
    label: Trying it
    opened_by: [{event: trial_started}]
    validated_by: {event: project_created, at_least: 2, within: 14d}
    silent_after: 21d
    crm_bucket: SQL
    owner: growth
  - name: adopting
    opened_by:
      event: [subscribed, renewed]
      where: {seats: {above: 3, below: 9.5}, plan: [pro, team], is_new: true, region: 7}
    reopened_by: [{event: downgraded}]
    silent_after: 45d
  - name: partner
    opened_by: [{event: referral_made}]
    completes: true
loss_branches:
  - {name: price, from: [evaluating, adopting], when: {event: cancelled, where: {reason: [price, budget]}}}
  - {name: missing_feature, from: adopting, when: {event: cancelled}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "journey.yml"
    path.write_text(text, encoding="utf-8")
    return path


def minimal(**changes: object) -> dict:
    stage = {"name": "trial", "opened_by": [{"event": "start"}]}
    return {"journeylab": 1, "name": "n", "goal": "g", "stages": [stage]} | changes


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(JourneyError) as found:
        read_journey(written(folder, text))
    return str(found.value).splitlines()


def problem(source: dict) -> str:
    with pytest.raises(JourneyError) as found:
        read_journey(source)
    return str(found.value)


def test_every_key_of_the_format_is_read(tmp_path):
    journey = read_journey(written(tmp_path, FULL))
    assert journey.stage_names == ("evaluating", "adopting", "partner")
    assert journey.movement == "forward"
    assert journey.branches == ("price", "missing_feature", "silent")
    evaluating, adopting, partner = journey.stages
    assert evaluating.validated_by == ValidationRule(event="project_created", at_least=2, within="14d")
    assert (evaluating.label, evaluating.crm_bucket, evaluating.owner) == ("Trying it", "SQL", "growth")
    (opener,) = adopting.opened_by
    assert opener.events == ("subscribed", "renewed")
    assert opener.where == {
        "seats": Bounds(above=3, below=9.5),
        "plan": ("pro", "team"),
        "is_new": True,
        "region": 7,
    }
    assert [type(opener.where[column]) for column in ("is_new", "region")] == [bool, int]
    assert adopting.reopened_by == (Condition(event="downgraded"),)
    assert partner.completes
    assert journey.loss_branches[0].from_ == ("evaluating", "adopting")
    assert journey.loss_branches[1].from_ == ("adopting",)


def test_durations_are_given_in_microseconds(tmp_path):
    evaluating, adopting, partner = read_journey(written(tmp_path, FULL)).stages
    assert evaluating.silent_after_us == 21 * DAY
    assert evaluating.validated_by.within_us == 14 * DAY
    assert (adopting.silent_after_us, partner.silent_after_us) == (45 * DAY, None)
    assert ValidationRule(event="use").within_us is None


def test_a_list_of_one_is_that_one():
    listed = minimal(stages=[{"name": "trial", "opened_by": [{"event": ["start"], "where": {"plan": ["pro"]}}]}])
    plain = minimal(stages=[{"name": "trial", "opened_by": {"event": "start", "where": {"plan": "pro"}}}])
    assert read_journey(listed) == read_journey(plain)
    assert read_journey(listed).to_yaml() == read_journey(plain).to_yaml()


def test_stages_and_branches_are_found_by_name():
    journey = read_journey(yaml.safe_load(FULL))
    assert journey.position("partner") == 2
    assert journey.stage("adopting").name == "adopting"
    assert journey.branches_from("evaluating") == ("price", "silent")
    assert journey.branches_from("adopting") == ("price", "missing_feature", "silent")
    assert journey.branches_from("partner") == ()
    with pytest.raises(JourneyError) as found:
        journey.stage("adoptng")
    assert str(found.value) == "The journey has no stage “adoptng”. Did you mean “adopting”?"


def test_titles_fall_back_to_readable_names():
    journey = read_journey(yaml.safe_load(FULL))
    names = ("evaluating", "adopting", "missing_feature", "silent")
    assert [journey.title(name) for name in names] == ["Trying it", "Adopting", "Missing feature", "Silent"]


def test_places_are_lines_of_the_file(tmp_path):
    journey = read_journey(written(tmp_path, FULL))
    assert journey.where("stages", 1) == "journey.yml:13"
    assert journey.where("stages", 1, "opened_by", 0, "where", "plan") == "journey.yml:16"
    assert journey.where("stages", 2, "goal") == "journey.yml:19"  # not written: the stage's own line
    assert journey.where("loss_branches", 1, "when", "event") == "journey.yml:24"


def test_places_in_a_mapping_are_paths_of_keys():
    journey = read_journey(yaml.safe_load(FULL))
    assert journey.where("stages", 1, "opened_by", 0) == "stages[1].opened_by[0]"
    assert journey.where() == "the mapping"


def test_where_a_journey_was_written_does_not_change_what_it_says(tmp_path):
    from_file, from_mapping = read_journey(written(tmp_path, FULL)), read_journey(yaml.safe_load(FULL))
    assert from_file == from_mapping
    assert from_file.branches  # a cached property does not disturb equality either
    assert from_file == from_mapping
    assert from_file.fingerprint() == from_mapping.fingerprint()


def test_a_written_journey_reads_back_equal(tmp_path):
    journey = read_journey(yaml.safe_load(FULL))
    again = read_journey(journey.write(tmp_path / "copy.yml"))
    assert again == journey
    assert (tmp_path / "copy.yml").read_text(encoding="utf-8") == journey.to_yaml()


def test_the_canonical_text_leaves_out_defaults_and_orders_columns():
    one = minimal(stages=[{"name": "trial", "opened_by": {"event": "start", "where": {"b": 1, "a": {"above": 2}}}}])
    assert read_journey(one).to_yaml() == (
        "journeylab: 1\nname: n\ngoal: g\nstages:\n- name: trial\n  opened_by:\n  - event: start\n    where:\n"
        "      a:\n        above: 2.0\n      b: 1\n"
    )


def test_another_journey_has_another_fingerprint():
    assert read_journey(minimal()).fingerprint() != read_journey(minimal(movement="free")).fingerprint()


def test_a_journey_shows_itself_in_words():
    assert repr(read_journey(yaml.safe_load(FULL))) == (
        "Journey “Team workspace” (forward): Run our weekly planning without spreadsheets\n"
        "  1 Trying it: opened by trial_started; validated by project_created at least 2 times within 14d; "
        "silent after 21d; lost to Price, Silent\n"
        "  2 Adopting: opened by subscribed or renewed, where is_new is true and plan is pro or team and region is 7 "
        "and seats is above 3 and below 9.5; reopened by downgraded; validated by –; silent after 45d; "
        "lost to Price, Missing feature, Silent\n"
        "  3 Partner: opened by referral_made; validated by –; completes the journey"
    )


def test_the_table_in_a_notebook_is_escaped():
    html = read_journey(minimal(name="<b>A & B</b>"))._repr_html_()
    assert "<h3>&lt;b&gt;A &amp; B&lt;/b&gt;</h3>" in html
    assert "<td>start</td>" in html


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "jurney.yml"
    with pytest.raises(JourneyError) as found:
        read_journey(path)
    assert str(found.value) == f"The file “{path}” is not there. Name a YAML file that exists."


def test_a_missing_file_with_a_neighbour_of_nearly_that_name(tmp_path):
    written(tmp_path, FULL)
    with pytest.raises(JourneyError) as found:
        read_journey(tmp_path / "jurney.yml")
    assert str(found.value) == f"The file “{tmp_path / 'jurney.yml'}” is not there. Did you mean “journey.yml”?"


def test_a_folder_is_not_a_journey(tmp_path):
    with pytest.raises(JourneyError) as found:
        read_journey(tmp_path)
    assert str(found.value) == f"The file “{tmp_path}” is a folder. Name a YAML file that exists."


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_is_refused(tmp_path, text):
    assert problems(tmp_path, text) == [
        "journey.yml:1: The file is empty. Write the keys that it must hold, or name another file."
    ]


def test_what_is_not_yaml_is_refused_with_the_line(tmp_path):
    assert problems(tmp_path, "journeylab: 1\nname: [a\ngoal: b\n") == [
        "journey.yml:3: This is not YAML: expected ',' or ']', but got ':'. "
        "Look at this line and the one above for indentation, a colon, a bracket or a quote."
    ]


def test_what_is_not_utf8_is_refused_with_the_line(tmp_path):
    path = tmp_path / "journey.yml"
    path.write_bytes("journeylab: 1\nname: Größe\n".encode("latin-1"))
    with pytest.raises(JourneyError) as found:
        read_journey(path)
    assert str(found.value) == "journey.yml:2: The file is not UTF-8 text. Save it with the encoding UTF-8."


def test_a_file_that_refers_to_itself_is_refused(tmp_path):
    assert problems(tmp_path, "journeylab: 1\nstages: &all [*all]\n") == [
        "journey.yml:2: This is not YAML: an alias refers to what holds it. "
        "Look at this line and the one above for indentation, a colon, a bracket or a quote."
    ]


def test_a_list_is_not_a_journey(tmp_path):
    assert problems(tmp_path, "- a\n- b\n") == [
        "journey.yml:1: The document must be a mapping of keys to values, found a list. "
        "Write “key: value” lines under it."
    ]


def test_anchors_may_save_writing(tmp_path):
    text = FULL.replace("when: {event: cancelled}", "when: &bye {event: cancelled}") + "  - {name: other, when: *bye}\n"
    assert read_journey(written(tmp_path, text)).loss_branches[2].when == Condition(event="cancelled")


def test_contacts_are_names_of_events_or_conditions():
    journey = read_journey(
        {
            "journeylab": 1,
            "name": "contacts",
            "goal": "be heard",
            "stages": [{"name": "trial", "opened_by": [{"event": "start"}]}],
            "contacts": ["call", {"event": "mail", "where": {"topic": "price"}}],
        }
    )
    assert [contact.words for contact in journey.contacts] == ["call", "mail, where topic is price"]
    assert read_journey(journey.to_dict()) == journey
    assert "contacts" not in {path[0] for path, _, _ in journey.conditions()}


def test_every_problem_of_a_file_is_told_at_once_by_line(tmp_path):
    text = """\
journeylab: 2
name: 5
goal: first
extra: x
goal: second
stages:
  - lable: Trial
    name: trial
    opened_by: start
    validated_by: {event: true, at_least: 0, within: 2 months}
    silent_after: 21
  - name: trial
    opened_by: [{event: [], where: {a: {abov: 3}, b: {}, c: {above: 3, below: 2}, d: , e: [], f: [1, [2]]}}]
    silent_after: 3d
    completes: true
  - {name: paid, opened_by: {event: ""}, completes: maybe, owner: " "}
  - partner
movement: foward
loss_branches:
  - {name: silent, from: [pad, trial], when: {event: x, wher: 3}}
  - {name: other}
  - {name: paid, from: [], when: {event: x, where: {5: 3}}}
"""
    duration = "Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."
    value = "Write such a value, or put it in quotes."
    assert problems(tmp_path, text) == [
        "journey.yml:1: “journeylab” must be 1, the version of the format, found the number 2. "
        "Write “journeylab: 1”, or install a journeylab that reads this version.",
        "journey.yml:2: “name” must be text, found the number 5. Put it in quotes.",
        "journey.yml:4: Unknown key “extra” of the journey. "
        "Known: journeylab, name, goal, stages, movement, loss_branches, "
        "contacts.",
        "journey.yml:5: The key “goal” stands twice, first on line 3. Keep one of them.",
        "journey.yml:7: Unknown key “lable” of a stage. Did you mean “label”?",
        "journey.yml:9: “opened_by” must be a mapping of keys to values, found “start”. "
        "Write it like {event: trial_started}.",
        "journey.yml:10: “event” must be the name of an event, or a list of names, found true. Put it in quotes.",
        "journey.yml:10: “at_least” must be 1 or more, found the number 0. Write a larger number.",
        f"journey.yml:10: “within” must be a duration, found “2 months”. {duration}",
        f"journey.yml:11: “silent_after” must be a duration, found the number 21. {duration}",
        "journey.yml:12: Stage 2 has the name “trial”, as stage 1 does. Rename one of them.",
        "journey.yml:13: “event” is empty. Name at least one event.",
        "journey.yml:13: Unknown key “abov” of a range of numbers. Did you mean “above”?",
        "journey.yml:13: “b” has neither “above” nor “below”. Write one of them, or both.",
        "journey.yml:13: “c” asks for a number above 3 and below 2, and there is none. Swap the two, or change one.",
        f"journey.yml:13: “d” must be text, a number, true or false, found nothing. {value}",
        "journey.yml:13: “e” is empty. Write at least one.",
        f"journey.yml:13: Item 2 of “f” must be text, a number, true or false, found a list. {value}",
        "journey.yml:14: Stage “trial” completes the journey, so no customer can fall silent there. "
        "Remove “silent_after” or “completes”.",
        "journey.yml:16: “event” contains an empty name. Write the event's name as the log has it.",
        "journey.yml:16: “completes” must be true or false, found “maybe”. Write true or false.",
        "journey.yml:16: “owner” is empty. Write a text.",
        "journey.yml:17: Item 4 of “stages” must be a mapping of keys to values, found “partner”. "
        "Write it like {name: evaluating, opened_by: [{event: trial_started}]}.",
        "journey.yml:18: “movement” must be forward or free, found “foward”. Did you mean “forward”?",
        "journey.yml:20: Unknown key “wher” of a condition. Did you mean “where”?",
        "journey.yml:20: The name “silent” is reserved: tables of results use it. Give the loss branch another name.",
        "journey.yml:20: “from” names the stage “pad”, but the journey has no such stage. Did you mean “paid”?",
        "journey.yml:21: The key “when” of a loss branch is missing. Add “when: …” here.",
        "journey.yml:22: “from” is empty. Write at least one.",
        "journey.yml:22: A key must be text, found the number 5. Put it in quotes.",
        "journey.yml:22: Loss branch 3 has the name “paid”, as stage 3 does. Rename one of them.",
    ]


def test_a_mapping_names_the_path_of_keys():
    assert problem({"journeylab": 1, "goal": "g", "stages": [{"name": "a"}, {"nam": "b"}]}) == (
        "the mapping: The key “name” of the journey is missing. Add “name: …” here.\n"
        "stages[1]: The key “name” of a stage is missing. Add “name: …” here.\n"
        "stages[1].nam: Unknown key “nam” of a stage. Did you mean “name”?"
    )


def test_stages_that_share_a_name_are_refused_with_the_line(tmp_path):
    text = FULL.replace("name: adopting\n", "name: evaluating\n").replace("from: adopting", "from: evaluating")
    assert problems(tmp_path, text.replace("[evaluating, adopting]", "evaluating")) == [
        "journey.yml:13: Stage 2 has the name “evaluating”, as stage 1 does. Rename one of them."
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"stages": []}, "stages: “stages” is empty. Write at least one."),
        (
            {"stages": None},
            "stages: “stages” must be a list, found nothing. Write it after the colon, or leave the key out "
            "where the format allows.",
        ),
        ({"goal": ""}, "goal: “goal” is empty. Write a text."),
        (
            {"stages": [{"name": "silent", "opened_by": {"event": "x"}}]},
            "stages[0].name: The name “silent” is reserved: tables of results use it. Give the stage another name.",
        ),
        (
            {"journeylab": True},
            "journeylab: “journeylab” must be 1, the version of the format, found true. "
            "Write “journeylab: 1”, or install a journeylab that reads this version.",
        ),
        (
            {"loss_branches": [{"name": "ongoing", "when": {"event": "x"}}]},
            "loss_branches[0].name: The name “ongoing” is "
            "reserved: tables of results use it. Give the loss branch another name.",
        ),
        (
            {"loss_branches": [{"name": "a", "from": "tril", "when": {"event": "x"}}]},
            "loss_branches[0].from: “from” names "
            "the stage “tril”, but the journey has no such stage. Did you mean “trial”?",
        ),
        (
            {"loss_branches": [{"name": "a", "when": {"event": "x", "where": {"n": {"above": "three"}}}}]},
            "loss_branches[0].when.where.n.above: “above” must be a number, found “three”. Write a number.",
        ),
        (
            {"loss_branches": [{"name": "a", "when": {"event": "x", "where": {"n": []}}}]},
            "loss_branches[0].when.where.n: “n” is empty. Write at least one.",
        ),
        (
            {"loss_branches": [{"name": "a", "when": {"event": "x", "where": {"n": float("nan")}}}]},
            "loss_branches[0].when.where.n: “n” must be text, a number, true or false, found the number nan. "
            "Write such a value, or put it in quotes.",
        ),
        (
            {"loss_branches": [{"name": "a", "when": ["x"]}]},
            "loss_branches[0].when: “when” must be a mapping of keys to "
            "values, found a list. Write it like {event: trial_started}.",
        ),
        (
            {"loss_branches": [{"name": "a", "when": {"event": "x", "where": "y"}}]},
            "loss_branches[0].when.where: “where” "
            "must be a mapping of keys to values, found “y”. Write “key: value” lines under it.",
        ),
        (
            {"loss_branches": {"name": "a"}},
            "loss_branches: “loss_branches” must be a list, found a mapping with the keys "
            "name. Write it in brackets: [first, second].",
        ),
    ],
)
def test_a_wrong_value_is_told_in_full(changes, text):
    assert problem(minimal(**changes)) == text


def test_models_built_by_hand_are_checked_too():
    with pytest.raises(ValidationError, match="Stage 2 has the name “trial”, as stage 1 does"):
        Journey.model_validate(minimal(stages=[{"name": "trial"}, {"name": "trial"}]))


def test_a_journey_is_fixed_once_read():
    journey = read_journey(minimal())
    with pytest.raises(ValidationError, match="frozen"):
        journey.name = "other"


def test_the_committed_schema_is_the_one_that_the_models_give():
    # To write it anew: json.dumps(journey_schema(), indent=2, sort_keys=True, ensure_ascii=False) and a last newline.
    path = Path(journey_module.__file__).with_name("journey.schema.json")
    expected = json.dumps(journey_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert path.read_text(encoding="utf-8") == expected


def test_the_schema_explains_every_key():
    schema = journey_schema()
    for model in (schema, *schema["$defs"].values()):
        for key, property_ in model["properties"].items():
            assert "description" in property_, key


def test_the_schema_refuses_what_an_editor_should_mark():
    validator = jsonschema.Draft202012Validator(journey_schema())
    jsonschema.Draft202012Validator.check_schema(journey_schema())
    for changes in ({"movment": "free"}, {"movement": "fre"}, {"stages": []}, {"journeylab": 2}, {"goal": 3}):
        assert list(validator.iter_errors(minimal(**changes))), changes
    stage = {"name": "a", "opened_by": {"event": "x"}, "silent_after": "3 months"}
    assert list(validator.iter_errors(minimal(stages=[stage])))


words = st.text("abc_é ", min_size=1, max_size=4).filter(str.strip)
numbers = st.integers(-5, 5) | st.floats(-1e6, 1e6)
values = words | st.booleans() | numbers | st.sampled_from(["yes", "1", "null", "2024-01-01", "#", "a: b", ""])
bounds = st.one_of(
    st.fixed_dictionaries({"above": numbers}),
    st.fixed_dictionaries({"below": numbers}),
    st.fixed_dictionaries({"above": st.integers(-5, 0), "below": st.integers(1, 5)}),
)
wanted = values | st.lists(values, min_size=1, max_size=3) | bounds
conditions = st.fixed_dictionaries(
    {"event": words | st.lists(words, min_size=1, max_size=3)},
    optional={"where": st.dictionaries(words, wanted, max_size=3)},
)
durations = st.sampled_from(["21d", "1.5h", "2w", " 3 d "])
stages = st.fixed_dictionaries(
    {},
    optional={
        "opened_by": conditions | st.lists(conditions, max_size=2),
        "reopened_by": conditions | st.lists(conditions, max_size=2),
        "validated_by": st.none() | conditions.map(lambda condition: condition | {"at_least": 2, "within": "3d"}),
        "silent_after": st.none() | durations,
        "label": words,
    },
)
journeys = st.lists(stages, min_size=1, max_size=3).flatmap(
    lambda made: st.fixed_dictionaries(
        {
            "journeylab": st.just(1),
            "name": words,
            "goal": words,
            "movement": st.sampled_from(["forward", "free"]),
            "stages": st.just([{"name": f"s{at}"} | stage for at, stage in enumerate(made)]),
            "loss_branches": st.lists(conditions, max_size=2).map(
                lambda whens: [{"name": f"b{at}", "from": "s0", "when": when} for at, when in enumerate(whens)]
            ),
        }
    )
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(journeys)
def test_any_journey_reads_back_equal_and_pleases_the_schema(declared):
    journey = read_journey(declared)
    again = read_journey(yaml.safe_load(journey.to_yaml()))
    assert again == journey
    assert again.to_yaml() == journey.to_yaml()
    validator = jsonschema.Draft202012Validator(journey_schema())
    assert not list(validator.iter_errors(declared))
    assert not list(validator.iter_errors(journey.to_dict()))
