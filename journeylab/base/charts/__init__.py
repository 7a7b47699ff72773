"""Charts: from a tidy table to a figure with alternative text, in one theme and one colour-blind-safe palette."""

from journeylab.base.charts.chart import INK, PALETTE, Chart, colours, note
from journeylab.base.charts.curves import areas, curves, lines
from journeylab.base.charts.flows import flows
from journeylab.base.charts.funnel import funnel
from journeylab.base.charts.marks import intervals, stacked, tiles
from journeylab.base.charts.moods import moods
from journeylab.base.charts.profiles import profiles
from journeylab.base.charts.river import river
from journeylab.base.charts.wall import wall

__all__ = [
    "INK",
    "PALETTE",
    "Chart",
    "areas",
    "colours",
    "curves",
    "flows",
    "funnel",
    "intervals",
    "lines",
    "moods",
    "note",
    "profiles",
    "river",
    "stacked",
    "tiles",
    "wall",
]
