"""Ribbons: shapes as wide as what flows through them, in inches of the figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path

# Thinner than this, in inches, nothing can be seen in print.
THINNEST = 0.008
HEAD = 0.045


def band(axes: Axes, left: tuple[float, float], right: tuple[float, float], width: float, colour: str) -> None:
    """A band between two uprights that is `width` high at both; `left` and `right` are its upper corners."""
    width = max(width, THINNEST)
    (x0, y0), (x1, y1) = left, right
    middle = (x0 + x1) / 2
    upper = [(x0, y0), (middle, y0), (middle, y1), (x1, y1)]
    lower = [(x1, y1 - width), (middle, y1 - width), (middle, y0 - width), (x0, y0 - width)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    shape = Path([*upper, *lower, (x0, y0)], codes)
    axes.add_patch(PathPatch(shape, facecolor=colour, edgecolor="none", alpha=0.3, zorder=1))


def bend(axes: Axes, corners: Sequence[tuple[float, float, float]], width: float, colour: str, *, zorder: int) -> None:
    """A ribbon along `corners` (x, y, radius of the turn there); the radii of the two ends are not used."""
    points, codes = [corners[0][:2]], [Path.MOVETO]
    for before, (x, y, radius), after in zip(corners, corners[1:], corners[2:], strict=False):
        corner = np.array([x, y])
        points += [_towards(corner, before, radius), (x, y), _towards(corner, after, radius)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    points.append(corners[-1][:2])
    codes.append(Path.LINETO)
    # A hair of white between ribbons side by side, which in grey print is all that tells them apart.
    points_wide = 72 * max(width - min(0.012, 0.2 * width), THINNEST) * _inches_per_unit(axes)
    style = {"linewidth": points_wide, "capstyle": "butt", "joinstyle": "round", "alpha": 0.85}
    axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=colour, zorder=zorder, **style))


def arrow_head(axes: Axes, x: float, y: float, width: float, colour: str) -> None:
    """The point of an arrow to the right that ends at `x`, `y`, for a ribbon of `width`."""
    half = max(width / 2 + 0.015, 0.028)
    corners = [(x, y), (x - HEAD, y + half), (x - HEAD, y - half)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor="white", linewidth=0.4, zorder=5))


def _towards(corner: np.ndarray, other: Sequence[float], radius: float) -> tuple[float, float]:
    """The point `radius` from `corner` on the way to `other`, at most half of the way."""
    way = np.array(other[:2]) - corner
    length = float(np.hypot(*way))
    return tuple(corner + way * (min(radius, length / 2) / length if length else 0.0))


def _inches_per_unit(axes: Axes) -> float:
    """How long one unit of y is on paper; close to 1 where the figure was made for its flows."""
    bottom, top = axes.get_ylim()
    return axes.get_position().height * axes.figure.figure.get_size_inches()[1] / (top - bottom)
