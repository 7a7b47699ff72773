"""Tests of documents: places, and models that other files than journey.yml have."""

from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from journeylab.base.documents import (
    Document,
    Duration,
    OneOrList,
    Places,
    Problem,
    Text,
    check_document,
    read_document,
)
from journeylab.base.errors import StudyError


class Recipe(BaseModel):
    """A small model with one key of each kind."""

    model_config = ConfigDict(extra="forbid", title="a recipe")
    name: Text
    takes: Duration | None = None
    steps: Annotated[tuple[Text, ...], Field(min_length=1), OneOrList()] = ("stir",)
    servings: Annotated[float, Field(strict=True, allow_inf_nan=False)] = 1.0


def read(text: str, tmp_path, contradictions=lambda _: ()) -> Recipe:
    path = tmp_path / "recipe.yml"
    path.write_text(text, encoding="utf-8")
    document = read_document(path, error=StudyError)
    return check_document(document, Recipe, error=StudyError, contradictions=contradictions)


def test_a_document_becomes_its_model(tmp_path):
    found = read("name: soup\ntakes: 1.5h\nsteps: cook\nservings: 2\n", tmp_path)
    assert found == Recipe(name="soup", takes="1.5h", steps=("cook",), servings=2)


def test_the_callers_kind_of_error_is_raised_for_all_problems(tmp_path):
    with pytest.raises(StudyError) as found:
        read("nam: soup\nsteps: [cook, 3]\nservings: .inf\n", tmp_path)
    assert str(found.value) == (
        "recipe.yml:1: The key “name” of a recipe is missing. Add “name: …” here.\n"
        "recipe.yml:1: Unknown key “nam” of a recipe. Did you mean “name”?\n"
        "recipe.yml:2: Item 2 of “steps” must be text, found the number 3. Put it in quotes.\n"
        "recipe.yml:3: “servings” must be a finite number, found the number inf. Write a finite number."
    )


def test_contradictions_are_told_with_the_other_problems(tmp_path):
    with pytest.raises(StudyError) as found:
        read("name: soup\ntakes: long\n", tmp_path, lambda data: [Problem(("name",), f"No {data['name']} today.")])
    assert str(found.value) == (
        "recipe.yml:1: No soup today.\n"
        "recipe.yml:2: “takes” must be a duration, found “long”. "
        "Write a positive number and its unit, one of s, m, h, d, w: “30d”, “12h”."
    )


def test_contradictions_alone_are_refused_too():
    document = Document({"name": "soup"})
    with pytest.raises(StudyError, match=r"^name: No soup today\.$"):
        check_document(
            document, Recipe, error=StudyError, contradictions=lambda _: [Problem(("name",), "No soup today.")]
        )


def test_a_key_written_twice_is_refused_wherever_it_stands(tmp_path):
    with pytest.raises(StudyError) as found:
        read("name: soup\nservings: 2\nname: stew\nservings: 3\n", tmp_path)
    assert str(found.value) == (
        "recipe.yml:3: The key “name” stands twice, first on line 1. Keep one of them.\n"
        "recipe.yml:4: The key “servings” stands twice, first on line 2. Keep one of them."
    )


def test_a_merged_key_may_be_written_again(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text("base: &base {a: 1, b: 2}\nmine: {<<: *base, b: 3}\n", encoding="utf-8")
    document = read_document(path, error=StudyError)
    assert document.data["mine"] == {"a": 1, "b": 3}
    assert document.problems == ()


def test_places_know_lines_and_fall_back_to_what_holds_the_path():
    places = Places("recipe.yml", {(): 1, ("steps",): 2, ("steps", 0): 3})
    paths = [(), ("steps",), ("steps", 0), ("steps", 1), ("other",)]
    assert [places.where(*path) for path in paths] == [f"recipe.yml:{line}" for line in (1, 2, 3, 2, 1)]


def test_any_two_places_are_equal():
    assert Places("a.yml", {(): 1}) == Places()


@pytest.mark.parametrize(
    "typed", ["007", "0123", "no", "on", "Yes", "NO", "1.10", "0x1F", "1_000", "12:30", "2025-01-31", "1e3", ".5", "+1"]
)
def test_what_is_not_written_like_a_value_stays_the_text_that_was_typed(tmp_path, typed):
    (tmp_path / "a.yml").write_text(f"key: {typed}\nlist: [{typed}]\n{typed}: x\n")
    assert read_document(tmp_path / "a.yml", error=StudyError).data == {"key": typed, "list": [typed], typed: "x"}


@pytest.mark.parametrize(
    ("typed", "value"),
    [("true", True), ("false", False), ("7", 7), ("-3", -3), ("0.25", 0.25), ("1.0", 1.0), ("null", None), ("", None),
     ('"7"', "7")],
)  # fmt: skip
def test_what_is_written_like_a_value_is_one(tmp_path, typed, value):
    (tmp_path / "a.yml").write_text(f"key: {typed}\n")
    data = read_document(tmp_path / "a.yml", error=StudyError).data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)
