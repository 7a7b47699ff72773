"""Draw the README's pictures from the simulated sample: python docs/pictures/draw.py"""

from pathlib import Path

import journeylab as jl

FOLDER = Path(__file__).parent

study = jl.open_study(FOLDER.parents[1])
jl.estimate_dropoff(study.spells, horizons=study.horizons).plot().write(FOLDER / "loss_branches.png")
jl.estimate_survival(study.spells).plot().write(FOLDER / "time_in_stage.png")
study.personas.plot().write(FOLDER / "personas.png")
