"""How far has the proof come? Told to whoever asked, and to nobody else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

ProgressWanted = bool | Callable[[int], None]


@contextmanager
def telling(progress: ProgressWanted) -> Iterator[Callable[[], None]]:
    """What to call after each replicate.

    progress: False tells nobody; True shows a line on standard error while it lasts, where that is a terminal; a
    function is called with the number of replicates done so far. How many there will be is not known before: drawing
    stops where the answer is clear.
    """
    done = count(1)
    if callable(progress):
        yield lambda: progress(next(done))
        return
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not (progress and console.is_terminal)) as line:
        task = line.add_task("Proving personas")
        yield lambda: line.update(task, description=f"Proving personas: {next(done):,} replicates")
