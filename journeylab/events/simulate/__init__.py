"""Simulated logs: what would an analysis find in a journey whose truth is known?

`simulate_log` makes up B2B accounts that travel from a trial to a partnership over two years. What drives them is
planted (`planted`: hazards; `habits`: behaviour) and kept apart from the log, in `Simulation.truth`, so that every
estimate can be held against it. A simulated log is called simulated wherever it is shown.
"""

from journeylab.events.simulate.simulation import Simulation, simulate_log
from journeylab.events.simulate.truth import Truth

__all__ = ["Simulation", "Truth", "simulate_log"]
