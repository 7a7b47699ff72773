"""Replicates side by side: the same answers in the same order, however many processors there are."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_MOST_THREADS = 4


def side_by_side(work: Callable[[int], T], n: int) -> Iterator[T]:
    """`work` of 0, 1, ... in order, a few of them computed at once. Who stops asking stops the work.

    Threads serve, because most of the time goes to array operations, which let other threads run meanwhile.
    """
    at_once = min(os.cpu_count() or 1, _MOST_THREADS)
    with ThreadPoolExecutor(at_once) as pool:
        for first in range(0, n, at_once):
            yield from pool.map(work, range(first, min(first + at_once, n)))
