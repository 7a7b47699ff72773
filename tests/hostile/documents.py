"""The YAML files of a study with each key replaced by each wrong value, and files that are no YAML at all."""

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from hostile.harness import Try

import journeylab as jl
from journeylab.study.folders import Folders
from journeylab.study.settings import read_settings

# As YAML writes them.
VALUES = ["", "~", "true", "-1", "0", "1.5", ".nan", ".inf", "''", "' '", "x", "[]", "{}", "[[]]", "[1, x]", "{a: 1}"]
VALUES += [
    "2026-13-45",
    "2026-02-30",
    "!!int abc",
    "!!bool maybe",
    "!!timestamp abc",
    "!!binary '*'",
    "!!python/tuple []",
]
VALUES += [
    "'\\0'",
    '"\\0"',
    '"\\ud800"',
    "1:60:99",
    "0x1G",
    "30",
    "-5d",
    f"{'9' * 400}d",
    f"{'9' * 5000}",
    "? [a]\n: b",
]
VALUES += [f"{'[' * 60}{']' * 60}", "*nobody", "&a [*a]", "<<: 5", "x: y: z", "\t- x", "\x07", "'unclosed", "[unclosed"]
WHOLE = [
    b"",
    b"\n",
    b"\xff\xfea\0",
    b"\xfe\xff\0a",
    b"caf\xe9: 1",
    b"\0",
    b"[" * 5_000,
    b"{a: " * 5_000,
    b"- " * 9_000,
]
WHOLE += [
    b"a: b\n" * 2,
    b"%YAML 9.9\n---\na",
    b"--- a\n--- b",
    b"@",
    b"`x`",
    b"a: !<tag> b",
    b"\x1b[31m: 1",
    b"x" * 11_000_000,
]
BOMB = "a0: &a0 [x, x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
NOTES = """\
scenario: s
owner: o
stages:
  evaluating:
    owner: growth
    opportunities: [{text: Invite the team, owner: growth}]
    pain_points: [{text: Nobody knows, evidence: interview, source: A planner, date: 2026-03-02, persona: p, status: open}]
"""
PERSONAS = "p1: {name: Solo starters, note: A remark}\n"


def tries(folder: Path) -> Iterator[Try]:
    """Each key of each file with each value, and whole files of other kinds."""
    simulation = jl.simulate_log(60, seed=1)
    simulation.write(folder)
    (folder / "notes.yml").write_text(NOTES)
    (folder / "personas.yml").write_text(PERSONAS)
    personas = jl.find_personas(simulation.log, simulation.journey, within="30d", seed=1, replicates=0)
    readers = {
        "journey.yml": jl.read_journey,
        "study.yml": lambda path: read_settings(Folders(path.parent)),
        "notes.yml": lambda path: jl.read_notes(path, journey=simulation.journey),
        "personas.yml": personas.named,
    }
    for name, read in readers.items():
        place = folder / name.removesuffix(".yml") / name
        place.parent.mkdir()
        written = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        for number, content in enumerate([*WHOLE, BOMB.encode()]):
            yield Try(f"{name}, file {number}", partial(_read, read, place, content))
        for path in _paths(written):
            for value in VALUES:
                content = _with(written, path, value).encode("utf-8", "surrogatepass")
                yield Try(f"{name} {path} {value[:20]!r}", partial(_read, read, place, content))


def _read(read: Any, place: Path, content: bytes) -> object:
    place.write_bytes(content)
    return read(place)


def _paths(document: Any, above: tuple = ()) -> Iterator[tuple]:
    """The path of each key; of lists only the first item."""
    parts = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document[:1])
        if isinstance(document, list)
        else ()
    )
    for key, value in parts:
        yield (*above, key)
        yield from _paths(value, (*above, key))


def _with(document: Any, path: tuple, value: str) -> str:
    changed = copy.deepcopy(document)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = "HERE"
    return yaml.safe_dump(changed, sort_keys=False, width=10_000).replace("HERE", value)
