"""Curve: how did customers feel along the stages, as a drawing that stretches with the page?

Columns are 100 wide, whatever the page makes of them; heights are in pixels. Strokes keep their width when stretched,
so a dot is a stroke without length.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup

HEIGHT, WORST, BEST = 96, -2.0, 2.0
_COLUMN, _MARGIN = 100, 8


def emotion_curve(curve: pd.DataFrame) -> Markup:
    """`curve` (`estimate`, `lower`, `upper`, `mark`, `gone` by stage, in order) as inline SVG, hidden from screen
    readers: the cells under it say the same in words. Gaps where an estimate is missing."""
    shapes = "".join(
        [
            _line("zero", 0, _y(0.0), _COLUMN * len(curve), _y(0.0)),
            *_bands(curve),
            *_lines(curve),
            *_dots(curve),
            *_lost(curve),
        ]
    )
    width = _COLUMN * len(curve)
    box = f'viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none"'
    return Markup(f'<svg class="jm-curve" {box} aria-hidden="true" focusable="false">{shapes}</svg>')


def _bands(curve: pd.DataFrame) -> Iterator[str]:
    """The interval: a band between stages that follow each other, a bar where one stands alone."""
    for run in _runs(curve[["estimate", "lower", "upper"]].notna().all(axis=1).to_numpy()):
        upper = [f"{_x(at):g},{_y(curve['upper'].iloc[at]):g}" for at in run]
        lower = [f"{_x(at):g},{_y(curve['lower'].iloc[at]):g}" for at in reversed(run)]
        if len(run) > 1:
            yield f'<polygon class="band" points="{" ".join([*upper, *lower])}"/>'
        else:
            yield _line("bar", _x(run[0]), _y(curve["upper"].iloc[run[0]]), _x(run[0]), _y(curve["lower"].iloc[run[0]]))


def _lines(curve: pd.DataFrame) -> Iterator[str]:
    for run in _runs(curve["estimate"].notna().to_numpy()):
        points = " ".join(f"{_x(at):g},{_y(curve['estimate'].iloc[at]):g}" for at in run)
        yield f'<polyline class="mean" points="{points}"/>'


def _dots(curve: pd.DataFrame) -> Iterator[str]:
    for at, row in enumerate(curve.itertuples(index=False)):
        if not np.isnan(row.estimate):
            kind = row.mark if row.mark in ("high", "low") else "plain"
            yield _line(f"dot {kind}", _x(at), _y(row.estimate), _x(at), _y(row.estimate))


def _lost(curve: pd.DataFrame) -> Iterator[str]:
    """Those who had been lost from a stage: a hollow dot, joined with the dot of those inside."""
    for at, row in enumerate(curve.itertuples(index=False)):
        if not np.isnan(row.gone):
            if not np.isnan(row.estimate):
                yield _line("gap", _x(at), _y(row.estimate), _x(at), _y(row.gone))
            yield _line("dot gone", _x(at), _y(row.gone), _x(at), _y(row.gone))
            yield _line("dot hole", _x(at), _y(row.gone), _x(at), _y(row.gone))


def _runs(is_known: np.ndarray) -> Iterator[list[int]]:
    """The positions of stages that follow each other and are known."""
    run: list[int] = []
    for at, known in enumerate(is_known):
        if known:
            run.append(at)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def _x(at: int) -> float:
    return (at + 0.5) * _COLUMN


def _y(value: float) -> float:
    share = (min(max(value, WORST), BEST) - WORST) / (BEST - WORST)
    return round(HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN), 2)
