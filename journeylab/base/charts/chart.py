"""A chart: a figure with its message in words, in one theme and one colour-blind-safe palette."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal

import lazy_loader
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from journeylab.base.charts.letters import drawable, legible
from journeylab.base.charts.pixels import to_png
from journeylab.base.files import replaced

# It brings scipy.stats and half a second with it, which only who draws has to wait for.
seaborn = lazy_loader.load("seaborn")

# Okabe and Ito's colours, the darkest first: those after the fifth are too light for text on white.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5C00", "#56B4E9", "#E69F00", "#4D4D4D", "#882255", "#B7BEC5",
)  # fmt: skip
INK, QUIET, FAINT = "#1F2933", "#5B6770", "#D9DEE3"
SIZE = (7.6, 4.2)
DPI = 200
# Pixels across of a picture that is shown; a sheet for the wall, written to a file, has more.
_MOST_ACROSS = 1700
# About as many letters of running text are an inch wide at the theme's size.
LETTERS_PER_INCH = 15
_THEME = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.bottom": True,
    "svg.hashsalt": "journeylab",
    # What customers and companies call things is no formula, whatever dollars it holds.
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Chart:
    """A drawn figure.

    axes: the matplotlib Axes (of small multiples the first), for those who want to draw further.
    alt: the same message in words, with the key numbers. Shown instead of the picture where pictures are not.
    """

    axes: Axes
    alt: str

    def png(self, dpi: float = DPI) -> bytes:
        """The picture as PNG, the same bytes each time."""
        return to_png(self._drawn(dpi))

    def write(self, path: str | Path) -> Path:
        """Write the picture; the ending of `path` (png, svg, pdf) tells the format."""
        path = Path(path)
        with replaced(path) as temporary:
            if path.suffix == ".png":
                temporary.write_bytes(self.png())
            else:
                self._save(temporary, path.suffix.removeprefix("."))
        return path

    def _drawn(self, dpi: float) -> np.ndarray:
        """The pixels in full colour. `savefig` would draw it twice, the first time to find its layout."""
        figure = self.axes.figure.figure
        shown_by, own_dpi, face = figure.canvas, figure.dpi, figure.get_facecolor()
        try:
            with matplotlib.rc_context(theme()):
                canvas = FigureCanvasAgg(figure)
                figure.set(dpi=dpi, facecolor="white")
                canvas.draw()
                return np.asarray(canvas.buffer_rgba())
        finally:
            figure.set(dpi=own_dpi, facecolor=face, canvas=shown_by)

    def _save(self, target, kind: str) -> None:
        unstamped = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        with matplotlib.rc_context(theme()):
            self.axes.figure.figure.savefig(target, format=kind, dpi=DPI, facecolor="white", metadata=unstamped)

    def _repr_mimebundle_(self, include=None, exclude=None):  # noqa: ARG002
        inches = self.axes.figure.figure.get_size_inches()[0]
        picture = self.png(min(DPI, _MOST_ACROSS / inches))
        bundle = {"image/png": base64.b64encode(picture).decode(), "text/plain": self.alt}
        return bundle, {"image/png": {"width": round(min(inches * 100, _MOST_ACROSS / 2))}}


@cache
def theme() -> dict[str, Any]:
    """The settings of matplotlib under which every figure is drawn."""
    return {**seaborn.axes_style("white"), **_THEME}


def themed(draw: Callable[..., Chart]) -> Callable[..., Chart]:
    """`draw`, a function that draws a figure, run under the theme, with its texts and tables made `legible`.

    Column names are made legible too, and so are the arguments that name them. `alt`, the words for the figure, stays.
    """

    @wraps(draw)
    def drawn(*arguments: Any, **options: Any) -> Chart:
        legibly = {name: value if name in ("alt", "ax") else legible(value) for name, value in options.items()}
        with matplotlib.rc_context(theme()):
            return draw(*map(legible, arguments), **legibly)

    return drawn


def rule(axes: Axes, along: Literal["x", "y"], *, percent: bool = False) -> None:
    """Draw fine lines at the ticks of one axis, under the marks; `percent`: the axis shows shares."""
    axes.grid(axis=along, color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    if percent:
        getattr(axes, f"{along}axis").set_major_formatter(PercentFormatter(1, decimals=0))


def write_beside(axes: Axes, text: str, y: float, *, points: float, size: float, colour: str) -> None:
    """Write `text` at height `y`, so many `points` to the right of the axes."""
    axes.annotate(
        text, (1, y), xycoords=axes.get_yaxis_transform(), xytext=(points, 0), textcoords="offset points", va="center",
        fontsize=size, color=colour, annotation_clip=False,
    )  # fmt: skip


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in the order given; after ten they repeat.

    Figures that show some of the same names agree on colours when they pass the same `colour_order`.
    """
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(dict.fromkeys(names))}


def shades(names: Iterable[str]) -> dict[str, str]:
    """A shade of one hue for each name, from light to dark: for what comes one after the other."""
    names = list(dict.fromkeys(names))
    return dict(zip(names, seaborn.light_palette(PALETTE[0], len(names) + 2).as_hex()[2:], strict=True))


def note(text: str, *, title: str, ax: Axes | None = None) -> Chart:
    """A figure that shows only `text`, for where there is nothing to draw; the alternative text is the same."""
    with matplotlib.rc_context(theme()):
        width = ax.get_position().width * ax.figure.figure.get_size_inches()[0] if ax else SIZE[0]
        rows = wrap(drawable(text), width=max(20, int(width * LETTERS_PER_INCH)))
        axes = ax or new_axes(height=0.7 + 0.2 * len(rows))
        axes.text(0, 1, "\n".join(rows), transform=axes.transAxes, va="top", linespacing=1.5)
        axes.set_axis_off()
        axes.set_title(drawable(title))
    return Chart(axes, text)


def new_axes(*, height: float = SIZE[1], width: float = SIZE[0]) -> Axes:
    """Axes of a figure of their own, inches wide and high."""
    # Figure rather than pyplot: nothing global, and no backend that shows the figure a second time.
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def readable_on(colour: str) -> str:
    """White or ink: the one that can be read on `colour`."""
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.6 else INK
