"""Contradictions: what of a journey can no single key show to be wrong?"""

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

    Looks past parts of the wrong kind, so that these problems are told together with all others.
    """
    stages, branches = (list(_mappings(data, key)) for key in ("stages", "loss_branches"))
    yield from _names(stages, branches)
    for position, stage in stages:
        if stage.get("completes") is True and stage.get("silent_after") is not None:
            yield Problem(
                ("stages", position, "silent_after"),
                f"Stage “{stage.get('name')}” completes the journey, so nobody falls silent there. "
                "Remove one of the keys “silent_after” and “completes”.",
            )
    known = list(dict.fromkeys(stage["name"] for _, stage in stages if isinstance(stage.get("name"), str)))
    for position, branch in branches:
        path, named = ("loss_branches", position, "from"), branch.get("from")
        is_listed = isinstance(named, list | tuple)
        for item, name in enumerate(named if is_listed else [named]):
            if isinstance(name, str) and name.strip() and name not in known:
                yield Problem(
                    (*path, item) if is_listed else path,
                    f"“from” names the stage “{name}”, which the journey does not have. {did_you_mean(name, known)}",
                )


def _names(stages: Placed, branches: Placed) -> Iterator[Problem]:
    # The column `to` of spells holds either a stage or a branch: no two may share a name.
    taken: dict[str, str] = {}
    for kind, key, named in (("stage", "stages", stages), ("loss branch", "loss_branches", branches)):
        for position, each in named:
            name, path, place = each.get("name"), (key, position, "name"), f"{kind} {position + 1}"
            if not isinstance(name, str):
                continue
            if name in taken:
                text = f"The name “{name}” of {place} is already that of {taken[name]}. Rename one of them."
                yield Problem(path, text)
            elif name in (RESERVED if kind == "loss branch" else (SILENT,)):
                text = f"The name “{name}” is reserved: tables of results use it. Give the {kind} another name."
                yield Problem(path, text)
            taken.setdefault(name, place)


def _mappings(data: Any, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    listed = data.get(key) if isinstance(data, Mapping) else None
    for position, each in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if isinstance(each, Mapping):
            yield position, each
