"""The journey map: what does the journey look like for the customer, what is measured of it, and what is not?"""

from journeylab.reporting.journey_map.build import build_map
from journeylab.reporting.journey_map.change import MapChange
from journeylab.reporting.journey_map.journey_map import JourneyMap, SideBySide, read_map, side_by_side

__all__ = ["JourneyMap", "MapChange", "SideBySide", "build_map", "read_map", "side_by_side"]
