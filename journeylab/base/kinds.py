"""Kinds: do the arguments of a function have the kinds that its annotations name? If not, the caller is told before
anything is computed."""

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, wraps
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from journeylab.base.errors import JourneyLabError, did_you_mean, failed_file
from journeylab.base.problems import in_words

Made = TypeVar("Made")
# The smallest whole number that makes sense, for arguments where it is not 1.
_LEAST = {"seed": 0, "n_quotes": 0, "min_customers": 0, "replicates": 0}
# No file and no database can hold these; some arguments are texts of customers, which are cleaned.
_UNWRITABLE, _CLEANED = re.compile("[\0\ud800-\udfff]"), ("text",)
_LONGEST_SHOWN = 60
_DURATION = 'a duration such as "30d"'


@dataclass(frozen=True)
class Kind:
    """What an annotation asks for, in `words`, with an `example` as one would type it (empty where none helps), and
    whether a value `fits`; `item` is what each part of a list must be."""

    words: str
    fits: Callable[[Any], bool]
    example: str = ""
    item: "Kind | None" = None


def checked(function: Callable) -> Callable:
    """`function`, which raises JourneyLabError for an argument that is missing, unknown or of another kind than its
    annotation, and where a file cannot be read or written. It keeps name, signature and docstring."""
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as problem:
            raise JourneyLabError(_misfit(function, signature, problem, args, kwargs)) from None
        for name, value in bound.arguments.items():
            _check(function, signature.parameters[name], value)
        try:
            return function(*args, **kwargs)
        except OSError as problem:
            raise JourneyLabError(failed_file(problem)) from problem

    return call


def checked_class(made: type[Made]) -> type[Made]:
    """The class `made`, whose arguments are checked as those of a function; see `checked`."""
    made.__init__ = checked(made.__init__)  # type: ignore[method-assign]
    return made


def _check(function: Callable, parameter: inspect.Parameter, value: Any) -> None:
    if value is parameter.default or parameter.annotation is inspect.Parameter.empty:
        return
    kind, name = _kind_of(parameter.annotation), parameter.name
    if not kind.fits(value):
        made_by = _maker(kind, function)
        example = _example(parameter, kind)
        fix = f"Pass what {made_by}(…) gives." if made_by else f"Write {name}={example}." if example else "Correct it."
        raise JourneyLabError(
            f"{_subject(function, name)} must be {kind.words}, found {_found(value, kind.item)}. {fix}"
        )
    _check_characters(_subject(function, name), name, value)
    least = _LEAST.get(name, 1)
    if parameter.annotation is int and value < least:
        raise JourneyLabError(
            f"{_subject(function, name)} must be {least} or more, found {value}. Write {name}={least}."
        )


def _check_characters(subject: str, name: str, value: Any) -> None:
    for text in value if isinstance(value, list | tuple) else [value]:
        strange = _UNWRITABLE.search(text) if isinstance(text, str) and name not in _CLEANED else None
        if strange:
            number = f"U+{ord(strange[0]):04X}"
            raise JourneyLabError(f"{subject} has a character that no log can hold, found {number}. Remove it.")


def _subject(function: Callable, name: str) -> str:
    return f"“{name}” of {_title(function)}"


def _title(function: Callable) -> str:
    return function.__qualname__.removesuffix(".__init__")


def _example(parameter: inspect.Parameter, kind: Kind) -> str:
    default = parameter.default
    is_plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    return repr(default).replace("'", '"') if is_plain and default != "" else kind.example


def _maker(kind: Kind, function: Callable) -> str | None:
    """The function of the face that makes what `kind` asks for, by what it says that it returns."""
    package = sys.modules.get(function.__module__.partition(".")[0])
    for name in getattr(package, "__all__", ()):
        maker = getattr(package, name)
        returned = getattr(maker, "__annotations__", {}).get("return")
        if returned is not None and getattr(returned, "__name__", None) == kind.words:
            return name
    return None


def _misfit(function: Callable, signature: inspect.Signature, problem: TypeError, args: tuple, kwargs: dict) -> str:
    """What is wrong with a call that has too many arguments, too few, or unknown ones."""
    parameters = [name for name in signature.parameters if name != "self"]
    usage = f"{_title(function)}({', '.join(parameters)})"
    unknown = [name for name in kwargs if name not in parameters]
    if unknown:
        return f"{_title(function)} has no argument “{unknown[0]}”. {did_you_mean(unknown[0], parameters)}"
    missing = re.fullmatch(r"missing a required .*?'(\w+)'", str(problem))
    if missing:
        return f"{_title(function)} lacks the argument “{missing[1]}”. Write {usage}."
    return f"{_title(function)} was called with {len(args) + len(kwargs)} arguments: {problem}. Write {usage}."


def _found(value: Any, item: Kind | None = None) -> str:
    if item is not None and isinstance(value, list | tuple):
        return next((f"{_found(one)} in it" for one in value if not item.fits(one)), f"{len(value)} values")
    if value is None:
        return "None"
    if isinstance(value, str):
        short = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
        return f"the text “{short}”"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset) and value:
        return f"a {type(value).__name__} that begins with {_found(next(iter(value)))}"
    if isinstance(value, int | float | date | list | tuple) or (isinstance(value, Mapping) and len(value) <= 9):
        return in_words(value)
    name = value.__name__ if inspect.isroutine(value) or inspect.isclass(value) else type(value).__name__
    kind = "the function" if inspect.isroutine(value) else "the class" if inspect.isclass(value) else None
    return f"{kind} {name}" if kind else f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


@cache
def _kind_of(annotation: Any) -> Kind:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _one_of(parts)
    if origin is Literal:
        words = " or ".join(f"“{word}”" for word in parts)
        return Kind(words, lambda value: isinstance(value, str) and value in parts, f'"{parts[0]}"')
    if origin is tuple and parts[-1] is not Ellipsis:
        return _tuple_of([_kind_of(part) for part in parts])
    if isinstance(origin or annotation, type) and issubclass(origin or annotation, Mapping):
        return _mapping_of(*(_kind_of(part) for part in parts))
    if (origin or annotation) is Callable:
        return Kind("a function", callable)
    if isinstance(origin or annotation, type) and (origin or annotation) in (Iterable, Sequence, Iterator, list, tuple):
        return _several_of(parts[0] if parts else Any)
    return _of_class(annotation)


def _of_class(annotation: Any) -> Kind:
    simple = {
        str: Kind("text", lambda value: isinstance(value, str), '"…"'),
        bool: Kind("True or False", lambda value: type(value).__name__ in ("bool", "bool_"), "True"),
        int: Kind("a whole number", lambda value: isinstance(value, Integral) and not isinstance(value, bool), "7"),
        float: Kind("a number", _is_number, "0.95"),
        Path: Kind("a path", lambda value: isinstance(value, os.PathLike), '"…"'),
        # NumPy's times are no dates by class, and are read as such.
        date: Kind("a date", lambda value: isinstance(value, date) or type(value).__name__ == "datetime64"),
        NoneType: Kind("None", lambda value: value is None),
    }
    if annotation in simple:
        return simple[annotation]
    if getattr(annotation, "_is_protocol", False):
        members = [name for name in (*vars(annotation), *annotation.__annotations__) if not name.startswith("_")]
        return Kind(annotation.__name__, lambda value: all(hasattr(value, name) for name in members))
    if isinstance(annotation, type) and annotation not in (object, Any):
        return Kind(annotation.__name__, lambda value: isinstance(value, annotation))
    return Kind("anything", lambda value: True)  # noqa: ARG005


def _one_of(parts: Sequence[Any]) -> Kind:
    kinds = [_kind_of(part) for part in parts]
    words = [kind.words for part, kind in zip(parts, kinds, strict=True) if part is not NoneType]
    example = next((kind.example for kind in kinds if kind.example), "")
    if timedelta in parts and str in parts:
        words, example = [word for word in words if word not in ("text", "timedelta")], '"30d"'
        words.insert(0, _DURATION)
    elif Path in parts and str in parts:
        words.remove("text")
    item = next((kind.item for kind in kinds if kind.item), None)
    return Kind(" or ".join(dict.fromkeys(words)), lambda value: any(kind.fits(value) for kind in kinds), example, item)


def _several_of(part: Any) -> Kind:
    item = _kind_of(part)
    # One duration stands for a list of one; a lone text would otherwise be read letter by letter.
    takes_one = timedelta in get_args(part)

    def fits(value: Any) -> bool:
        if isinstance(value, str | bytes | timedelta):
            return takes_one and item.fits(value)
        if isinstance(value, Mapping) or hasattr(value, "columns") or not isinstance(value, Iterable):
            return False
        # What comes once only cannot be looked at beforehand.
        return all(map(item.fits, value)) if isinstance(value, Sized) else isinstance(value, Iterator)

    words = f"a list, each item {item.words}" if item.words != "anything" else "a list"
    return Kind(words, fits, '["30d", "90d"]' if takes_one else f"[{item.example or '…'}]", item)


def _tuple_of(items: list[Kind]) -> Kind:
    def fits(value: Any) -> bool:
        is_so_long = isinstance(value, tuple | list) and len(value) == len(items)
        return is_so_long and all(item.fits(one) for item, one in zip(items, value, strict=True))

    words = " and ".join(item.words for item in items)
    return Kind(f"{len(items)} values in brackets, {words}", fits, '("2025-01-01", "2026-07-01")', items[0])


def _mapping_of(key: Kind | None = None, item: Kind | None = None) -> Kind:
    # A mapping that may hold anything is a document, whose reader names what is wrong, and where.
    if key is None or item is None or item.words == "anything":
        return Kind("a mapping", lambda value: isinstance(value, Mapping))

    def fits(value: Any) -> bool:
        return isinstance(value, Mapping) and all(key.fits(one) and item.fits(other) for one, other in value.items())

    return Kind(f"a mapping from {key.words} to {item.words}", fits, "{…: …}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
