"""The project's files agree with each other, and the floors of the house hold."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "journeylab"
FLOORS = ["base", "estimators", "events", "findings", "reporting", "study"]
# Library -> the places (relative to the package) that may import it.
FENCES = {
    "ibis": ["events"],
    "duckdb": ["events"],
    "matplotlib": ["base/charts"],
    "seaborn": ["base/charts"],
    "sklearn": ["estimators", "findings"],
    "lifelines": ["estimators", "findings"],
    "statsmodels": ["estimators", "findings"],
    "scipy": ["estimators", "findings"],
    "PIL": ["base/charts"],
    "nbclient": ["reporting"],
    "nbconvert": ["reporting"],
    "jinja2": ["reporting"],
    "typer": ["cli.py"],
}
# The rooms of findings that any finding may use.
SHARED = ("arguments", "exit_curves", "finding", "grouping", "quotes", "rows")
# What reporting knows of findings.
CONTRACT = (["findings", "finding"], ["findings", "grouping"])
# What conda-forge calls differently, or splits: the name there of each dependency here.
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework[duckdb]": "ibis-duckdb",
    "jupyter-client": "jupyter_client",
    "lazy-loader": "lazy_loader",
    "matplotlib": "matplotlib-base",
    "playwright": "playwright-python",
}
# What conda-forge does not have; pip installs it there too.
ONLY_PYPI = ("axe-playwright-python",)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[str]:
    """Dotted names that the file at `path` imports; of `from a import b`, `a.b`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} line {node.lineno}: imports are absolute"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_and_stay_within_their_fences(path):
    place = path.relative_to(PACKAGE)
    floor = FLOORS.index(place.parts[0]) if place.parts[0] in FLOORS else len(FLOORS)
    for name in imports(path):
        library, *rest = name.split(".")
        allowed = FENCES.get(library)
        assert allowed is None or any(place.as_posix().startswith(each) for each in allowed), f"{place} imports {name}"
        if library != "journeylab" or not rest or rest[0] not in FLOORS:
            continue
        assert FLOORS.index(rest[0]) <= floor, f"{place} imports {name} from a floor above"
        if floor == FLOORS.index("events"):
            assert rest[0] != "estimators", f"{place} imports {name}: events know no estimator"
        if floor == FLOORS.index("findings") == FLOORS.index(rest[0]) and place.name != "__init__.py":
            home = place.parts[1].removesuffix(".py")
            assert rest[1] in (*SHARED, home), f"{place} imports its sibling {name}"
        if floor == FLOORS.index("reporting"):
            knows = rest[0] in ("base", "events", "reporting") or rest[:2] in CONTRACT
            assert knows, f"{place} imports {name}: reporting knows a finding by its contract"


def test_no_import_hides_inside_a_function():
    hidden = [
        f"{path.relative_to(PACKAGE)}:{inner.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_every_library_that_is_imported_is_declared():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    named = project["project"]["dependencies"]
    declared = {re.match(r"[\w\-]+", each)[0].replace("-", "_") for each in named}
    declared |= {"PIL", "ibis", "sklearn", "stdnum", "yaml", "journeylab", *sys.stdlib_module_names}
    # pydantic_core is the other half of pydantic, which pins it.
    imported = {name.split(".")[0] for path in modules() for name in imports(path)} - {"pydantic_core"}
    assert imported - declared == set()


def test_environment_yml_names_the_same_ranges_as_pyproject():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text())
    wanted, with_pip = {f"python{project['project']['requires-python']}", "pip"}, ["-e ."]
    for dependency in project["project"]["dependencies"] + project["dependency-groups"]["dev"]:
        name, ranges = re.fullmatch(r"([\w\-\[\]]+)(.*)", dependency).groups()
        if name in ONLY_PYPI:
            with_pip.append(dependency)
        else:
            wanted.add(CONDA_NAMES.get(name, name) + ranges)
    assert environment["dependencies"][-1] == {"pip": with_pip}
    assert set(environment["dependencies"][:-1]) == wanted


def test_no_text_of_the_project_names_a_folder_of_somebodys_machine():
    shipped = [*PROJECT.glob("*.*"), *PACKAGE.rglob("*"), *PROJECT.glob("docs/**/*"), *PROJECT.glob("notebooks/*")]
    texts = {".py", ".md", ".yml", ".toml", ".ipynb", ".j2", ".json", ".css"}
    telling = re.compile(r"/(?:home|root|Users|tmp|work)/\w")
    found = [
        str(path.relative_to(PROJECT))
        for path in shipped
        if path.is_file() and path.suffix in texts and telling.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


# What puts in order what is shown; floats must go through base/ordering.py.
CHOOSING = ("argmax", "argmin", "idxmax", "idxmin", "nlargest", "nsmallest", "argsort", "lexsort", "rank")
# The places that put something in order by themselves, and why the last bit of a float does not decide there.
EXACT = {
    "counts": (
        "findings/crm/estimate.py sort_values",
        "findings/funnel/funnel.py idxmax",
        "findings/funnel/funnel.py sort_values",
        "findings/hazards/design.py idxmax",
        "findings/paths/tables.py sort_values",
        "findings/paths/flow.py idxmax",
        "findings/paths/variants.py argsort",
        "findings/personas/assign.py sort_values",
        "findings/personas/scan.py argsort",
        "findings/survival/survival.py idxmax",
        "findings/thoughts/statements.py sort_values",
        "findings/touchpoints.py nlargest",
        "findings/validation/validation.py idxmax",
    ),
    "whole numbers that stand for labels": (
        "findings/occupancy/curves.py argsort",
        "findings/personas/rules.py argsort",  # besides, F1 of counts, to six decimals
    ),
}


def test_floats_are_put_in_order_in_one_way():
    chosen = set()
    for path in [*PACKAGE.glob("findings/**/*.py"), *PACKAGE.glob("reporting/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
                falls = name == "sort_values" and any(keyword.arg == "ascending" for keyword in node.keywords)
                if name in CHOOSING or falls:
                    chosen.add(f"{path.relative_to(PACKAGE).as_posix()} {name}")
    assert chosen == {place for places in EXACT.values() for place in places}
