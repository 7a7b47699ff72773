"""Problems: what is wrong with a value, what was found, and how to fix it, in plain words instead of pydantic's."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from journeylab.base.errors import did_you_mean

_MUST_BE = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "date_type": "a date",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_FIXES = {"a list": "Write it in brackets: [first, second].", "text": "Write a text."}


def problem_text(problem: Mapping[str, Any], data: Any, model: type[BaseModel]) -> tuple[tuple[str | int, ...], str]:
    """One of pydantic's errors about `data`: its path of keys, and what is wrong, what was found, how to fix it."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in ("missing", "extra_forbidden"):
        return _key_problem(problem, data, model)
    path = _written_path(problem["loc"], data)
    subject, value = _subject(path), in_words(problem["input"])
    if kind == "refused":
        return path, f"{subject} {context['text']}"
    if kind in ("string_too_short", "string_pattern_mismatch"):
        return path, f"{subject} is empty. Write a text."
    if kind == "too_short":
        return path, f"{subject} is empty. Write at least one."
    if kind == "greater_than_equal":
        return path, f"{subject} must be {context['ge']} or more, found {value}. Write a larger number."
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        fix = did_you_mean(str(problem["input"]), allowed)
        return path, f"{subject} must be {' or '.join(allowed)}, found {value}. {fix}"
    if kind == "invalid_key" or problem["loc"][-1:] == ("[key]",):
        return path, f"A key must be text, found {value}. Put it in quotes."
    if kind in _MUST_BE:
        return path, f"{subject} must be {_MUST_BE[kind]}, found {value}. {_fix(_MUST_BE[kind], problem, model)}"
    return path, f"{subject}: {problem['msg']}, found {value}. Correct the value."


def in_words(value: Any) -> str:
    """`value` as a message shows it: text in quotes, anything else by its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"“{value}”"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, date):
        return f"the date {value}"
    if isinstance(value, Mapping):
        return f"a mapping with the keys {', '.join(map(str, value))}" if value else "an empty mapping"
    return "a list" if isinstance(value, list | tuple) else str(value)


def _key_problem(problem: Mapping[str, Any], data: Any, model: type[BaseModel]) -> tuple[tuple[str | int, ...], str]:
    holder, key = _written_path(problem["loc"][:-1], data), problem["loc"][-1]
    models = list(_models_at(model, problem["loc"][:-1]))
    of = f" of {_title(models[0])}" if models else ""
    if problem["type"] == "missing":
        return holder, f"The key “{key}”{of} is missing. Add “{key}: …” here."
    allowed = [field.alias or name for below in models for name, field in below.model_fields.items()]
    return (*holder, key), f"Unknown key “{key}”{of}. {did_you_mean(str(key), allowed)}"


def _fix(wanted: str, problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    value = problem["input"]
    if value is None:
        return "Write it after the colon, or leave the key out where the format allows."
    if wanted == "text" and isinstance(value, bool | int | float | date):
        return "Put it in quotes."
    if wanted.startswith("a mapping"):
        extras: list[Any] = [tried.model_config.get("json_schema_extra") for tried in _models_at(model, problem["loc"])]
        examples = [example for extra in extras for example in (extra or {}).get("examples", [])]
        if examples:
            example = yaml.safe_dump(examples[0], default_flow_style=True, sort_keys=False, width=1000)
            return f"Write it like {example.strip()}."
        return "Write “key: value” lines under it."
    return _FIXES.get(wanted, f"Write {wanted}.")


def _written_path(location: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    # Pydantic's locations also have parts that nobody wrote: the member of a union, the position in a list of one.
    path: list[Any] = []
    for part in location:
        if isinstance(data, Mapping):
            key = next((key for key in data if key == part or str(key) == part), None)
            if key is None:
                continue
            path, data = [*path, key], data[key]
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            path, data = [*path, part], data[part]
    return tuple(path)


def _subject(path: tuple[str | int, ...]) -> str:
    if not path:
        return "The document"
    if isinstance(path[-1], int) and len(path) > 1:
        return f"Item {path[-1] + 1} of “{path[-2]}”"
    return f"“{path[-1]}”"


def _title(model: type[BaseModel]) -> str:
    return model.model_config.get("title") or model.__name__


def _models_at(model: type[BaseModel], location: tuple[str | int, ...]) -> Iterator[type[BaseModel]]:
    """The models that pydantic may have tried at `location`."""
    current = [model]
    for part in location:
        below = [
            inner
            for holder in current
            for name, field in holder.model_fields.items()
            if part == (field.alias or name)
            for inner in _models_in(field.annotation)
        ]
        current = below or current
    yield from current


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
