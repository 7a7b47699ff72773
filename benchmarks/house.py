"""How large is the house, and how far apart are its rooms? Files, lines of code, names on the face, modules to open."""

import ast
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "journeylab"
FLOORS = ("base", "estimators", "events", "findings", "reporting", "study")
# What one has to read to follow a question from data to answer: the modules of its calls, and all that they import.
WALKS = {
    "log -> spells": ["journeylab.events.spells.spells"],
    "log -> spells -> sentence of drop-off": ["journeylab.findings.dropoff.estimate"],
    "log -> personas -> card": ["journeylab.findings.personas.estimate"],
}


def code_lines(text: str) -> int:
    """Lines of code in `text`: neither blank, comment nor docstring."""
    tree = ast.parse(text)
    lines = text.splitlines()
    left_out = {n for n, line in enumerate(lines, 1) if not line.strip() or line.strip().startswith("#")}
    for node in ast.walk(tree):
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            left_out |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines) - len(left_out)


def modules(package: Path) -> dict[str, Path]:
    """Each module of `package` by its dotted name."""
    return {
        ".".join(("journeylab", *path.relative_to(package).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in sorted(package.rglob("*.py"))
    }


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the package that the one at `path` imports."""
    wanted = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            wanted |= (names & known.keys()) or ({node.module} & known.keys())
    return wanted


def loops(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Circles of imports: each as the modules in it (Tarjan's strongly connected components)."""
    index, low, stack, circles = {}, {}, [], []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in arrows[name]:
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            circle = [stack.pop()]
            while circle[-1] != name:
                circle.append(stack.pop())
            if len(circle) > 1:
                circles.append(circle)

    for name in arrows:
        if name not in index:
            visit(name)
    return circles


def measure(package: Path) -> dict[str, object]:
    """The figures of the house at `package`, by their name."""
    known = modules(package)
    arrows = {name: imports(path, known) for name, path in known.items()}
    text = {name: path.read_text(encoding="utf-8") for name, path in known.items()}
    files = {name: path for name, path in known.items() if path.name != "__init__.py"}
    n_lines = {name: len(text[name].splitlines()) for name in files}

    def floor(name: str) -> int:
        part = name.split(".")[1] if "." in name else ""
        return FLOORS.index(part) if part in FLOORS else len(FLOORS)

    @cache
    def closure(name: str) -> frozenset[str]:
        return frozenset({name}).union(*(closure(other) for other in arrows[name]))

    stub = package / "__init__.pyi"
    face = ast.parse(stub.read_text(encoding="utf-8") if stub.exists() else text["journeylab"])
    listed = next(node.value for node in face.body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__")
    figures = {
        "files without __init__": len(files),
        "lines": sum(len(each.splitlines()) for each in text.values()),
        "lines of code": sum(code_lines(each) for each in text.values()),
        "names on the face": len(listed.elts),
        "circles": len(loops(arrows)),
        "arrows to a floor above": sum(floor(o) > floor(n) for n, others in arrows.items() for o in others),
        "share of files under 60 lines": f"{sum(n < 60 for n in n_lines.values()) / len(files):.0%}",
    }
    for walk, starts in WALKS.items():
        if all(start in arrows for start in starts):
            figures[f"modules imported, {walk}"] = len(frozenset().union(*map(closure, starts)))
    return figures


if __name__ == "__main__":
    for figure, value in measure(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE).items():
        print(f"{figure:60} {value}")
