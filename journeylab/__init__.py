"""Customer-journey research: from interaction logs and a journey.yml to findings with intervals.

    import journeylab as jl

    study = jl.open_study("..")                      # study.yml names the data, the journey and the decisions
    study.log                                        # EventLog: what was observed, and what was refused
    study.journey                                    # Journey: stages, triggers, validation, loss branches
    study.spells                                     # Spells: each visit of each customer to each stage

    jl.estimate_survival(study.spells)               # how long do customers stay in each stage?
    jl.estimate_dropoff(study.spells, horizons=["30d", "90d"])      # where, and by which branch, are they lost?
    study.personas                                   # who are they? found from their first days
    jl.estimate_dropoff(study.spells, horizons=["90d"], by=study.personas.grouping())

Every finding has `.table` (tidy, with interval and base), `.sentence()`, `.plot()` and `.by_stage()`. Without a study
folder: `read_events`, `read_journey`, `find_spells`; without data: `simulate_log`.
"""

from types import FunctionType, ModuleType

import lazy_loader

from journeylab import base

# The names stand in __init__.pyi, where editors and type checkers read them; each is loaded when it is first used.
_loaded, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """The name of the face: a function checks its arguments by its annotations before it begins."""
    found = _loaded(name)
    if isinstance(found, ModuleType):
        return found
    if isinstance(found, FunctionType):
        found = base.kinds.checked(found)
        found.__module__ = __name__  # where a pickle finds it again
    globals()[name] = found
    return found
