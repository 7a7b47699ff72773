"""The journey map: what does the journey look like for the customer, what is measured of it, and what is not?"""

from journeylab.reporting.journey_map.build import build_map
from journeylab.reporting.journey_map.change import MapChange
from journeylab.reporting.journey_map.journey_map import JourneyMap, MapComparison, compare_maps, read_map

__all__ = ["JourneyMap", "MapChange", "MapComparison", "build_map", "compare_maps", "read_map"]
