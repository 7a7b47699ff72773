"""Charts: from a tidy table to a figure with alternative text, in one theme and one colour-blind-safe palette."""

from journeylab.base.charts.chart import INK, PALETTE, Chart, colours, note
from journeylab.base.charts.curves import areas, curves, lines
from journeylab.base.charts.flows import flows
from journeylab.base.charts.funnel import funnel
from journeylab.base.charts.journey_map import journey_map
from journeylab.base.charts.marks import intervals, stacked, tiles
from journeylab.base.charts.moods import moods
from journeylab.base.charts.profiles import profiles

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
    "journey_map",
    "lines",
    "moods",
    "note",
    "profiles",
    "stacked",
    "tiles",
]
