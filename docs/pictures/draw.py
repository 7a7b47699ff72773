"""Draw the README's pictures from the simulated sample: python docs/pictures/draw.py"""

from pathlib import Path

import journeylab as jl

FOLDER = Path(__file__).parent

study = jl.open_study(FOLDER.parents[1])
spells, log, score = study.spells, study.log, study.settings.score
dropoff, survival = jl.estimate_dropoff(spells, horizons=study.horizons), jl.estimate_survival(spells)
river = jl.estimate_river(spells, times=study.horizons)
river.plot().write(FOLDER / "river.png")
survival.plot().write(FOLDER / "time_in_stage.png")
jl.estimate_flow(spells).plot().write(FOLDER / "paths.png")
study.personas.cards(log, spells, horizon=study.horizons[-1]).plot().write(FOLDER / "personas.png")
findings = [
    dropoff,
    survival,
    jl.estimate_validation(spells, horizons=study.horizons),
    jl.estimate_flow(spells),
    jl.estimate_touchpoints(log, spells),
    jl.estimate_feelings(log, spells, scale=score.scale, asked=score.event),
    jl.find_thoughts(log, spells, seed=7),
    river,
]
everyone = jl.build_map(spells, findings, log=log, notes=study.notes)
(FOLDER / "journey_map.png").write_bytes(everyone.plot().png(dpi=60))
