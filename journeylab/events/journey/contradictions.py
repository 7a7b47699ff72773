"""Contradictions: what is wrong with a journey that no single key shows?"""

from collections.abc import Iterator, Mapping
from typing import Any

from journeylab.base.documents import Problem
from journeylab.base.errors import did_you_mean

SILENT = "silent"
# Tables of results have a column for each of these beside one for each branch.
RESERVED = (
    *(SILENT, "entered", "advanced", "regressed", "completed", "lost", "ongoing"),
    *("already_inside", "inside", "stage", "group"),
)
Placed = list[tuple[int, Mapping[str, Any]]]


def contradictions(data: Any) -> Iterator[Problem]:
    """What no single key of a journey's plain `data` can show: names used twice, unknown stages, silence at the end.

    Skips parts of the wrong kind, so that one error can list these problems and all others.
    """
    stages, branches = (list(_mappings(data, key)) for key in ("stages", "loss_branches"))
    yield from _names(stages, branches)
    for position, stage in stages:
        if stage.get("completes") is True and stage.get("silent_after") is not None:
            yield Problem(
                ("stages", position, "silent_after"),
                f"Stage “{stage.get('name')}” completes the journey, so no customer can fall silent there. "
                "Remove “silent_after” or “completes”.",
            )
    stage_names = list(dict.fromkeys(stage["name"] for _, stage in stages if isinstance(stage.get("name"), str)))
    for position, branch in branches:
        path, origin = ("loss_branches", position, "from"), branch.get("from")
        listed = origin if isinstance(origin, list | tuple) else [origin]
        for item, name in enumerate(listed):
            if isinstance(name, str) and name.strip() and name not in stage_names:
                yield Problem(
                    (*path, item) if listed is origin else path,
                    f"“from” names the stage “{name}”, but the journey has no such stage. "
                    f"{did_you_mean(name, stage_names)}",
                )


def _names(stages: Placed, branches: Placed) -> Iterator[Problem]:
    # The column `to` of spells holds either a stage or a branch: no two may share a name.
    taken: dict[str, str] = {}
    for kind, key, parts in (("stage", "stages", stages), ("loss branch", "loss_branches", branches)):
        for position, part in parts:
            name, path, subject = part.get("name"), (key, position, "name"), f"{kind} {position + 1}"
            if not isinstance(name, str):
                continue
            if name in taken:
                text = f"{subject.capitalize()} has the name “{name}”, as {taken[name]} does. Rename one of them."
                yield Problem(path, text)
            elif name in (RESERVED if kind == "loss branch" else (SILENT,)):
                text = f"The name “{name}” is reserved: tables of results use it. Give the {kind} another name."
                yield Problem(path, text)
            taken.setdefault(name, subject)


def _mappings(data: Any, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    parts = data.get(key) if isinstance(data, Mapping) else None
    for position, part in enumerate(parts if isinstance(parts, list | tuple) else ()):
        if isinstance(part, Mapping):
            yield position, part
