"""The kinds of the arguments of the face are checked before anything is computed, and cost next to nothing."""

import inspect
import pickle
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

import numpy as np
import pytest

import journeylab as jl
from journeylab.base.errors import JourneyLabError
from journeylab.base.kinds import checked


@checked
def ask(
    n: int = 1,
    *,
    share: float = 0.5,
    every: Literal["month", "year"] = "month",
    horizons: Iterable[str | timedelta] = (),
    names: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    pair: tuple[str, int] = ("a", 1),
) -> tuple:
    """What was asked."""
    return n, share, every, horizons, names, columns, pair


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": np.int64(3), "share": 1},
        {"share": np.float32(0.5)},
        {"horizons": "30d"},
        {"horizons": timedelta(days=1)},
        {"horizons": iter(["30d"])},
        {"names": np.array(["a"])},
        {"columns": {}},
        {"pair": ["b", 2]},
    ],
    ids=lambda arguments: next(iter(arguments), "none"),
)
def test_what_the_annotations_allow_is_passed_on(arguments):
    assert ask(**arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"n": True}, "“n” of ask must be a whole number, found True. Write n=1."),
        ({"n": 0}, "“n” of ask must be 1 or more, found 0. Write n=1."),
        ({"share": "95%"}, "“share” of ask must be a number, found the text “95%”. Write share=0.5."),
        ({"share": float("nan")}, "“share” of ask must be a number, found the number nan. Write share=0.5."),
        ({"every": "week"}, '“every” of ask must be “month” or “year”, found the text “week”. Write every="month".'),
        (
            {"horizons": 30},
            '“horizons” of ask must be a list, each item a duration such as "30d", found the number 30. '
            'Write horizons=["30d", "90d"].',
        ),
        (
            {"names": "maria"},
            '“names” of ask must be a list, each item text, found the text “maria”. Write names=["…"].',
        ),
        ({"names": ["a\0"]}, "“names” of ask has a character that no log can hold, found U+0000. Remove it."),
        ({"nmes": []}, "ask has no argument “nmes”. Did you mean “names”?"),
    ],
    ids=str,
)
def test_anything_else_is_refused_in_words(arguments, text):
    with pytest.raises(JourneyLabError) as error:
        ask(**arguments)
    assert str(error.value) == text


def test_an_argument_that_is_missing_is_named():
    with pytest.raises(JourneyLabError, match=r"^simulate_log lacks the argument “seed”\. Write simulate_log\(n_cust"):
        jl.simulate_log(5)


def test_a_file_that_cannot_be_read_is_said_in_words():
    with pytest.raises(JourneyLabError, match=r"cannot be used: file name too long\. Give it a shorter name\.$"):
        jl.read_journey("a" * 400)


def test_a_checked_function_keeps_its_name_its_signature_and_its_place():
    assert jl.redact.__name__ == "redact"
    assert list(inspect.signature(jl.redact).parameters) == ["text", "names"]
    assert jl.redact.__doc__.startswith("Replace what identifies")
    assert jl.redact is jl.redact


def test_every_function_of_the_face_is_checked():
    functions = [getattr(jl, name) for name in jl.__all__ if inspect.isfunction(getattr(jl, name))]
    assert all(hasattr(function, "__wrapped__") for function in functions)


def test_a_function_of_the_face_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(jl.redact))("a@b.com") == "[email]"
