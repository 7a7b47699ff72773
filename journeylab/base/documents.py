"""Documents: does a YAML file, or a mapping, fit its model, and if not, what is wrong on which line?

`read_document` reads it. `check_document` builds the model, or raises one error that lists every problem as
`journey.yml:12: what, found, fix`. For a mapping the path of keys, as in `stages[1].name`, stands for the line.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from journeylab.base.durations import microseconds
from journeylab.base.errors import JourneyLabError, did_you_mean, failed_file
from journeylab.base.problems import in_words, problem_text


class _Loader(yaml.SafeLoader):
    """Reads as a value only what is written like one in JSON. All else stays the text that was typed: `no`, `007`,
    `1.10`, `12:30`, `2025-01-31`."""


_VALUES = {
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "bool": (r"true|false", "tf"),
    "int": (r"-?(0|[1-9][0-9]*)", "-0123456789"),
    "float": (r"-?(0|[1-9][0-9]*)\.(0|[0-9]*[1-9])|-?[1-9]\.[0-9]+e[-+][0-9]+|-?\.inf|\.nan", "-.0123456789"),
    "merge": (r"<<", "<"),
}
_Loader.yaml_implicit_resolvers = {}
for _kind, (_shape, _starts) in _VALUES.items():
    _first = [*_starts.replace("\0", ""), *([""] if "\0" in _starts else [])]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_shape})$"), _first)

KeyPath = tuple[str | int, ...]
# What a value such as 2026-13-45 or “!!bool maybe” raises in YAML's own types.
_UNREADABLE = (ValueError, KeyError, AttributeError, TypeError, OverflowError)
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_MOST_BYTES, _MOST_VALUES = 10_000_000, 100_000
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Places:
    """The line of each key of a document. Any two are equal, because the lines do not change what the document says.

    file: name of the file, or None for a mapping.
    lines: line (from 1) of each path of keys.
    """

    file: str | None = field(default=None, compare=False)
    lines: Mapping[KeyPath, int] = field(default_factory=dict, compare=False, repr=False)

    def line(self, *path: str | int) -> int:
        """The line of `path`, or of its parent if the path was not written (a default, one value for a list)."""
        written: KeyPath = ()
        for part in path:
            if (*written, part) in self.lines:
                written = (*written, part)
            elif not isinstance(part, int):
                break
        return self.lines.get(written, 1)

    def where(self, *path: str | int) -> str:
        """`path` as a person finds it: “journey.yml:12”, or “stages[1].name” when there is no file."""
        if self.file is not None:
            return f"{self.file}:{self.line(*path)}"
        written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        return written.removeprefix(".") or "the mapping"


@dataclass(frozen=True)
class Problem:
    """One thing to fix: `text` about the key at `path`; `line` only if the path does not determine it."""

    path: KeyPath
    text: str
    line: int | None = None


@dataclass(frozen=True)
class Document:
    """What was read: plain `data`, the `places` of its keys, and `problems` seen while reading (repeated keys)."""

    data: Any
    places: Places = Places()
    problems: tuple[Problem, ...] = ()


def refused(text: str) -> PydanticCustomError:
    """What a validator raises: `text` goes on after the quoted key, as “must be …, found …. Write …” after “within”."""
    return PydanticCustomError("refused", "{text}", {"text": text})


def _readable_duration(written: Any) -> Any:
    try:
        microseconds(written)
    except JourneyLabError:
        raise refused(
            f"must be a duration, found {in_words(written)}. Write a positive number and its unit, "
            "one of s, m, h, d, w: “30d”, “12h”."
        ) from None
    return written


Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Duration = Annotated[
    str,
    BeforeValidator(_readable_duration),
    Field(json_schema_extra={"pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[smhdw]\s*$", "examples": ["14d", "12h"]}),
]


def _readable_day(written: Any) -> date:
    if isinstance(written, str):
        with suppress(ValueError):
            return date.fromisoformat(written.strip())
    if isinstance(written, date) and not isinstance(written, datetime):
        return written
    raise refused(f"must be a date, found {in_words(written)}. Write it like 2026-03-02.")


Day = Annotated[date, BeforeValidator(_readable_day)]


class Frozen(BaseModel):
    """What a YAML file says: fixed once read, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def described(title: str, **example: Any) -> ConfigDict:
    """The settings of a model that messages call by `title`, and of which they show an `example`."""
    return ConfigDict(title=title, json_schema_extra={"examples": [example]})


@dataclass(frozen=True)
class OneOrList:
    """For a tuple that may also be written as one value: `from: trial` for `from: [trial]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}


def _listed(value: Any) -> Any:
    return value if value is None or isinstance(value, list | tuple) else [value]


def read_document(source: str | Path | Mapping[str, Any], *, error: type[JourneyLabError]) -> Document:
    """Read the YAML file at `source`, or take the mapping as it is.

    Raises `error` if the file is missing, is not UTF-8, is not YAML (with the line), or is empty.
    """
    if isinstance(source, Mapping):
        return Document(dict(source))
    path = Path(source)
    text, node = _text_of(path, error), None
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as broken:
        line = text[: broken.position].count("\n") + 1
        character = broken.character
        shown = f"U+{character if isinstance(character, int) else ord(character):04X}"
        raise error(
            f"{path.name}:{line}: The character {shown} cannot stand in YAML. Remove it, or write it as a text."
        ) from None
    try:
        node = loader.get_single_node()
        if node is None:
            raise error(f"{path.name}:1: The file is empty. Write the keys that it must hold, or name another file.")
        lines: dict[KeyPath, int] = {}
        problems = tuple(_walk(node, (), lines, loader, ()))
        return Document(loader.construct_document(node), Places(path.name, lines), problems)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        line = mark.line + 1 if mark else 1
        raise error(
            f"{path.name}:{line}: This is not YAML: {broken.problem}. "
            "Look at this line and the one above for indentation, a colon, a bracket or a quote."
        ) from broken
    except RecursionError:
        raise error(
            f"{path.name}:1: The file is nested too deeply. Write fewer lists and mappings in each other."
        ) from None
    except _UNREADABLE as broken:
        line = _line_of_bad_value(node, loader)
        raise error(
            f"{path.name}:{line}: A value cannot be read: {broken}. Correct it, or put it in quotes."
        ) from broken
    finally:
        loader.dispose()


def _line_of_bad_value(node: yaml.Node | None, loader: yaml.SafeLoader) -> int:
    """The line of the first plain value below `node` that YAML's types do not allow."""
    if isinstance(node, yaml.ScalarNode):
        try:
            loader.construct_object(node)
        except (*_UNREADABLE, yaml.YAMLError):  # the loader remembers the one at which it stopped
            return node.start_mark.line + 1
    elif node is not None:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
        return next((line for part in parts if (line := _line_of_bad_value(part, loader))), 0)
    return 0


def check_document(
    document: Document,
    model: type[Model],
    *,
    error: type[JourneyLabError],
    contradictions: Callable[[Any], Iterable[Problem]] = lambda _: (),
) -> Model:
    """`document` as an instance of `model`; raises one `error` that lists every problem, by line.

    `contradictions` finds in the plain data, however broken, what no single key shows. These problems are listed
    together with the others.
    """
    problems = list(document.problems)
    built = None
    try:
        built = model.model_validate(document.data)
    except ValidationError as invalid:
        details = invalid.errors(include_url=False)
        problems += [
            Problem(*problem_text(detail, document.data, model)) for detail in details if not _is_reported(detail)
        ]
    problems += contradictions(document.data)
    if built is None or problems:
        places = document.places
        if places.file is not None:
            problems.sort(key=lambda problem: problem.line or places.line(*problem.path))
        raise error("\n".join(f"{_place(problem, places)}: {problem.text}" for problem in problems))
    return built


def _is_reported(problem: Mapping[str, Any]) -> bool:
    # `contradictions` reports what is wrong with a model as a whole, and knows the lines. A list whose items are all
    # wrong is not too short, although pydantic counts only the good ones.
    return problem["type"] == "contradiction" or (problem["type"] == "too_short" and bool(problem["input"]))


def _place(problem: Problem, places: Places) -> str:
    return f"{places.file}:{problem.line}" if problem.line and places.file else places.where(*problem.path)


def _text_of(path: Path, error: type[JourneyLabError]) -> str:
    try:
        is_file, is_large = path.is_file(), path.is_file() and path.stat().st_size > _MOST_BYTES
    except (OSError, ValueError) as problem:
        raise error(
            failed_file(problem) if isinstance(problem, OSError) else f"{path!r}: {problem}. Correct it."
        ) from None
    if is_large:
        raise error(f"{path.name}:1: The file has more than {_MOST_BYTES:,} bytes. Name the YAML file of this study.")
    if not is_file:
        state = "is a folder" if path.is_dir() else "is not there"
        beside = [file.name for file in sorted(path.parent.glob("*.y*ml"))] if path.parent.is_dir() else []
        close = did_you_mean(path.name, beside)
        fix = close if close.startswith("Did") else "Name a YAML file that exists."
        raise error(f"The file “{path}” {state}. {fix}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as broken:
        line = path.read_bytes()[: broken.start].count(b"\n") + 1
        raise error(f"{path.name}:{line}: The file is not UTF-8 text. Save it with the encoding UTF-8.") from broken


def _walk(
    node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], loader: yaml.SafeLoader, above: tuple[int, ...]
) -> Iterable[Problem]:
    """Write the line of each path into `lines`; yield the keys that occur twice in one mapping."""
    if id(node) in above:
        raise yaml.MarkedYAMLError(problem="an alias refers to what holds it", problem_mark=node.start_mark)
    if len(lines) > _MOST_VALUES:
        problem = f"it has more than {_MOST_VALUES:,} values, perhaps because aliases repeat each other"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    if isinstance(node, yaml.ScalarNode) and _UNWRITABLE.search(node.value):
        raise yaml.MarkedYAMLError(problem="it has a character that no file can hold", problem_mark=node.start_mark)
    lines.setdefault(path, node.start_mark.line + 1)
    above = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _walk(item, (*path, position), lines, loader, above)
    elif isinstance(node, yaml.MappingNode):
        first: dict[Any, int] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = loader.construct_object(key_node), key_node.start_mark.line + 1
            if key in first:
                text = f"The key “{key}” stands twice, first on line {first[key]}. Keep one of them."
                yield Problem((*path, key), text, line)
                continue
            first[key] = lines[(*path, key)] = line
            yield from _walk(value, (*path, key), lines, loader, above)
