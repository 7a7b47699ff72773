"""The rules of notebooks: one question each, run from top to bottom, small, and nothing in them of the machine they ran
on."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

FOLDER = Path(__file__).parents[1] / "notebooks"
MOST_CELLS = 30
MOST_BYTES_OF_OUTPUT = 500_000
MACHINE = re.compile(r"/(?:home|root|Users|tmp|work|mnt)/\w|[A-Z]:\\\\Users")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def broken_rules(notebook):
    """The rules that `notebook` breaks, in words; empty if it keeps them all."""
    codes = code_cells(notebook)
    outputs = [output for cell in codes for output in cell.outputs]
    first = notebook.cells[0] if notebook.cells else None
    checks = {
        "opens with a question as its only first-level heading": first is not None
        and first.cell_type == "markdown"
        and first.source.startswith("# ")
        and sum(_headings(cell) for cell in notebook.cells) == 1,
        "has one cell tagged parameters": _tagged(notebook, "parameters") == 1,
        "says in short what it found": _tagged(notebook, "in-short") >= 1,
        f"has at most {MOST_CELLS} cells": len(notebook.cells) <= MOST_CELLS,
        "was run from top to bottom": [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1)),
        "defines no function and no class": not any(_defines(cell.source) for cell in codes),
        "is plain Python, without magics and shell escapes": all(_is_python(cell.source) for cell in codes),
        "skips no check of nbval": not re.search(r"(?i)nbval[_-]|raises-exception", json.dumps(notebook.cells)),
        "shows no error and no warning": not any(
            output.output_type == "error" or output.get("name") == "stderr" for output in outputs
        ),
        "names no folder of a machine": not MACHINE.search(json.dumps(notebook, ensure_ascii=False)),
        "has small outputs": len(json.dumps(outputs)) < MOST_BYTES_OF_OUTPUT,
        "keeps no time, no path and no kernel of the one who ran it": set(notebook.metadata)
        <= {"kernelspec", "language_info"}
        and not any("execution" in cell.metadata for cell in notebook.cells)
        and notebook.metadata.get("kernelspec", {}).get("name", "python3") == "python3",
    }
    return [rule for rule, is_kept in checks.items() if not is_kept]


def _headings(cell):
    return len(re.findall(r"^# ", cell.source, re.MULTILINE)) if cell.cell_type == "markdown" else 0


def _tagged(notebook, tag):
    return sum(tag in cell.metadata.get("tags", []) for cell in notebook.cells)


def _is_python(source):
    # What IPython would rewrite is a magic, a shell escape or a question mark.
    return TransformerManager().transform_cell(source).strip() == source.strip() and _parsed(source) is not None


def _parsed(source):
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def _defines(source):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return any(isinstance(node, kinds) for node in ast.walk(_parsed(source) or ast.Module([], [])))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.name)
def test_the_notebook_keeps_every_rule(path):
    assert re.fullmatch(r"\d\d_[a-z_]+\.ipynb", path.name), "a notebook is called NN_question.ipynb"
    assert broken_rules(nbformat.read(path, as_version=4)) == []


@pytest.fixture
def kept():
    """A notebook that keeps every rule."""
    cells = [
        new_markdown_cell("# Where?"),
        new_code_cell("'34%'", metadata={"tags": ["in-short"]}),
        new_code_cell("seed = 7", metadata={"tags": ["parameters"]}),
    ]
    for number, cell in enumerate(cells[1:], start=1):
        cell.execution_count = number
    return new_notebook(cells=cells)


def test_a_notebook_may_keep_every_rule(kept):
    assert broken_rules(kept) == []


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda book: book.cells.pop(0), "opens with a question as its only first-level heading"),
        (
            lambda book: book.cells.append(new_markdown_cell("# More")),
            "opens with a question as its only first-level heading",
        ),
        (lambda book: book.cells[2].metadata.tags.clear(), "has one cell tagged parameters"),
        (lambda book: book.cells[1].metadata.tags.clear(), "says in short what it found"),
        (lambda book: book.cells.extend(new_markdown_cell("x") for _ in range(28)), "has at most 30 cells"),
        (lambda book: book.cells[1].update(execution_count=None), "was run from top to bottom"),
        (lambda book: book.cells[2].update(execution_count=3), "was run from top to bottom"),
        (lambda book: book.cells[2].update(source="def f(): pass"), "defines no function and no class"),
        (lambda book: book.cells[2].update(source="%time 1"), "is plain Python, without magics and shell escapes"),
        (lambda book: book.cells[2].update(source="!exit 3"), "is plain Python, without magics and shell escapes"),
        (lambda book: book.cells[2].update(source="# NBVAL_SKIP"), "skips no check of nbval"),
        (lambda book: book.cells[2].metadata.tags.append("raises-exception"), "skips no check of nbval"),
        (
            lambda book: book.cells[2].outputs.append(new_output("stream", name="stderr", text="careful")),
            "shows no error and no warning",
        ),
        (lambda book: book.cells[2].update(source="'/" + "home/me'"), "names no folder of a machine"),
        (lambda book: book.cells[2].outputs.append(new_output("stream", text="x" * 500_000)), "has small outputs"),
        (
            lambda book: book.metadata.update(papermill={}),
            "keeps no time, no path and no kernel of the one who ran it",
        ),
    ],
)
def test_each_rule_is_told_when_it_is_broken(kept, change, broken):
    change(kept)
    assert broken_rules(kept) == [broken]
