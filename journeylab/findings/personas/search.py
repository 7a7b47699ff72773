"""How are the personas of a log found: who is judged, by what, with which model, and who is which?"""

from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base import durations
from journeylab.base.errors import EstimateError
from journeylab.estimators.intervals import wilson
from journeylab.estimators.latent_class import MAX_ROWS, Encoding, certainty
from journeylab.events.features import Features, find_features
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.card import generated_name
from journeylab.findings.personas.landmark import Landmark, check_window
from journeylab.findings.personas.personas import NO_STRUCTURE, UNPROVEN, Personas
from journeylab.findings.personas.profile import profile, sets_apart
from journeylab.findings.personas.scan import Scan, observe


def find_personas(
    log: EventLog,
    journey: Journey,
    *,
    within: str | timedelta,
    seed: int,
    features: pd.DataFrame | None = None,
    max_personas: int = 8,
) -> Personas:
    """The personas of `log`'s customers, by what each did within `within` from entering `journey`.

    within: the time from entering, as “30d”. Only customers who entered in the window, were watched that long and were
        not lost by then are judged; `left_out` counts the others. Nothing later than entry + `within` is used.
    features: further features by customer, with when each became known; see `journeylab.events.features.find_features`.
    max_personas: the largest number tried. The number is chosen by BIC; one is a legal answer.

    Where fewer than 30 customers can be judged, or nothing differs between them, there is no persona, and `lacking`
    says why.

    Raises EstimateError if `within` is longer than the window, if a feature was known only later, or if `max_personas`
    is less than 1.
    """
    if max_personas < 1:
        raise EstimateError(f"At most “{max_personas}” personas were asked for. Ask for 1 or more.")
    check_window(within, log.window)
    return _personas(
        log, find_spells(log, journey), within=within, seed=seed, extra=features, max_personas=max_personas
    )


def _personas(
    log: EventLog,
    spells: Spells,
    *,
    within: str | timedelta,
    seed: int,
    extra: pd.DataFrame | None,
    max_personas: int,
) -> Personas:
    landmark = Landmark.of(log, spells, within)
    if landmark.too_few:
        return Personas.none(spells.journey, landmark.too_few, within=landmark.within, left_out=landmark.left_out)
    features = find_features(log, landmark.entries, within=within, milestones=_openers(spells.journey), extra=extra)
    observed = observe(features)
    try:
        encoding = Encoding.fit(observed)
    except EstimateError:  # it has one reason only: nothing differs
        why = (
            f"nothing differs between the {len(features.customers):,} customers who can be judged by their first "
            f"{landmark.within}. Give them attributes, or ask for a longer `within`."
        )
        return Personas.none(spells.journey, why, within=landmark.within, left_out=landmark.left_out)
    scan = Scan.of(observed, encoding, max_personas=max_personas, seed=seed)
    ids = [f"P{number}" for number in range(1, scan.model.n_classes + 1)]
    probabilities = pd.DataFrame(scan.probabilities, index=features.customers, columns=ids)
    labels = scan.probabilities.argmax(axis=1)
    profiles = profile(features, labels, ids, rows=_sample(features, seed))
    table = _table(scan.probabilities, ids, profiles)
    verdict = NO_STRUCTURE if len(ids) == 1 else UNPROVEN
    entered = landmark.entries.set_index("customer_id")["entered"]
    return Personas(
        title=f"Personas by the first {landmark.within}",
        table=table,
        labels=pd.Series(np.array(ids, dtype=object)[labels], index=features.customers, name="persona"),
        probabilities=probabilities,
        verdicts=table[["persona", "n", "certainty"]].assign(verdict=verdict)[["persona", "verdict", "n", "certainty"]],
        scan=scan.table,
        left_out=landmark.left_out,
        profiles=profiles,
        unused=features.unused,
        known_at=(entered + pd.Timedelta(durations.microseconds(within), unit="us")).rename("known_at"),
        within=landmark.within,
        stages=spells.journey.stage_names,
        model=scan.model,
        encoding=scan.encoding,
    )


def _openers(journey: Journey) -> tuple[str, ...]:
    """Names of the events that open a stage."""
    conditions = [each for stage in journey.stages for each in (*stage.opened_by, *stage.reopened_by)]
    events = [(each.event,) if isinstance(each.event, str) else each.event for each in conditions]
    return tuple(sorted({event for several in events for event in several}))


def _sample(features: Features, seed: int) -> np.ndarray:
    n = len(features.customers)
    if n <= MAX_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=MAX_ROWS, replace=False))


def _table(probabilities: np.ndarray, ids: list[str], profiles: pd.DataFrame) -> pd.DataFrame:
    n = np.bincount(probabilities.argmax(axis=1), minlength=len(ids))
    lower, upper = wilson(n, len(probabilities))
    names = [generated_name(sets_apart(profiles, persona)) for persona in ids] if len(ids) > 1 else ["All customers"]
    return pd.DataFrame(
        {
            "persona": ids,
            "name": names,
            "n": n,
            "customers": len(probabilities),
            "share": n / len(probabilities),
            "lower": lower,
            "upper": upper,
            "certainty": certainty(probabilities),
        }
    )
