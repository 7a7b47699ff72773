"""Running: do copies of the notebooks run from top to bottom, and if not, which cell failed?"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from journeylab.base.errors import ReportError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SHOWN_LINES = 3
# What nbformat raises for what is no notebook, or one with parts that are none.
_WRONG = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
_NO_NOTEBOOK = (nbformat.ValidationError, *_WRONG)


@dataclass(frozen=True)
class Failure:
    """What stopped a notebook: the `cell` by the number that Jupyter shows, of `n_cells` with code; how it `begins`;
    the `error`."""

    cell: int
    n_cells: int
    begins: str
    error: str

    def __str__(self) -> str:
        return f"Cell [{self.cell}] of {self.n_cells} failed: {self.error}"


@dataclass(frozen=True)
class Run:
    """What became of one notebook.

    path: the notebook, which was only read.
    notebook: its copy with the outputs, as far as it ran.
    failure: what stopped it, or None if every cell ran.
    """

    path: Path
    notebook: NotebookNode
    failure: Failure | None = None


class _ThisInterpreter(KernelSpecManager):
    """Knows one kernel, the running interpreter, and ignores all that are installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        # The log level silences ipykernel's note on unencrypted local connections, and its last words on Ctrl-C.
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=50"]
        return KernelSpec(argv=command, display_name="Python 3 (ipykernel)", language="python")


def run_notebooks(
    paths: Sequence[Path],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    workers: int | None = None,
    step: Callable[[Path, int, int], None] | None = None,
) -> tuple[Run, ...]:
    """Run a copy of each notebook, several at once, and return what became of each, in the order of `paths`.

    folder: the working directory of the kernels; it must exist.
    variables: environment variables of the kernels, besides those of this process.
    workers: how many run at once; by default as many as there are cores.
    step: called after each cell with code: the notebook's path, how many such cells are done, and how many there are.

    A failing notebook stops itself only. Raises ReportError if a notebook cannot be read.
    """
    notebooks = [read_notebook(path) for path in paths]
    workers = min(workers or os.cpu_count() or 1, len(paths) or 1)
    environment = {**os.environ, **_fixed(workers), **(variables or {})}

    async def run_all() -> list[Run]:
        free = asyncio.Semaphore(workers)
        runs = [
            _run(path, notebook, free, folder=folder, environment=environment, step=step)
            for path, notebook in zip(paths, notebooks, strict=True)
        ]
        return await asyncio.gather(*runs)

    return tuple(asyncio.run(run_all()))


def read_notebook(path: Path) -> NotebookNode:
    """The notebook at `path`. Raises ReportError if it is no notebook."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        return notebook
    except (
        nbformat.ValidationError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
        RecursionError,
    ) as error:
        raise ReportError(
            f"“{path.name}” cannot be read as a Jupyter notebook. "
            "Open it in JupyterLab and save it again, or take it out of the folder."
        ) from error


def _fixed(workers: int) -> dict[str, str]:
    """Environment variables that make two runs the same, and give each of several notebooks one core."""
    fixed = {"PYTHONHASHSEED": "0", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    return fixed | (dict.fromkeys(_THREADS, "1") if workers > 1 else {})


async def _run(
    path: Path,
    notebook: NotebookNode,
    free: asyncio.Semaphore,
    *,
    folder: Path,
    environment: Mapping[str, str],
    step: Callable[[Path, int, int], None] | None,
) -> Run:
    codes = _code_cells(notebook)
    for cell in codes:
        cell.outputs, cell.execution_count = [], None
    begun: list[NotebookNode] = []

    def begin(cell: NotebookNode, cell_index: int) -> None:  # noqa: ARG001
        begun.append(cell)

    def done(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:  # noqa: ARG001
        if step and execute_reply["content"]["status"] == "ok":
            step(path, codes.index(cell) + 1, len(codes))

    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisInterpreter())
    hooks = {"on_notebook_start": _interruptible, "on_cell_execute": begin, "on_cell_executed": done}
    client = NotebookClient(notebook, km=kernel, timeout=None, record_timing=False, **hooks)
    async with free:
        try:
            await client.async_execute(cwd=str(folder), env=dict(environment), cleanup_kc=True)
        except CellExecutionError as error:
            return Run(path, notebook, _failure(codes, begun, f"{error.ename}: {error.evalue}"))
        except DeadKernelError:
            return Run(path, notebook, _failure(codes, begun, "the kernel died, most often because memory ran out"))
    return Run(path, notebook)


def _interruptible(notebook: NotebookNode) -> None:  # noqa: ARG001
    # nbclient answers Ctrl-C by stopping the kernel that started last. Left to Python, it ends them all.
    with suppress(RuntimeError):  # in a thread there is no such handler
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def _failure(codes: list[NotebookNode], begun: list[NotebookNode], error: str) -> Failure:
    # A kernel that dies may take the number of its last cell with it; what was begun is known here.
    number = codes.index(begun[-1]) if begun else 0
    lines = codes[number].source.strip().splitlines()
    beginning = [*lines[:_SHOWN_LINES], *(["…"] if len(lines) > _SHOWN_LINES else [])]
    last = [line for line in strip_ansi(error).splitlines() if line.strip()][-1].strip()
    return Failure(number + 1, len(codes), "\n".join(beginning), last)
