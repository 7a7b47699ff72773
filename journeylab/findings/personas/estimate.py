"""How are the personas of a log found: who is judged, by what, with which model, and who is which?"""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError, StudyError
from journeylab.base.ordering import largest_of_rows
from journeylab.estimators.intervals import wilson
from journeylab.estimators.latent_class import MAX_ROWS, Encoding, certainty
from journeylab.events.features import Features, find_features
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.cards import generated_name
from journeylab.findings.personas.exemplar import describe
from journeylab.findings.personas.file import read_fields
from journeylab.findings.personas.landmark import Landmark, account_numbers, check_window
from journeylab.findings.personas.number import ProgressWanted, Proving, telling
from journeylab.findings.personas.personas import Personas
from journeylab.findings.personas.profile import sets_apart
from journeylab.findings.personas.proof import VERDICTS
from journeylab.findings.personas.scan import Scan, observe, second_opinion

REPLICATES = 20
MIN_REPLICATES = 19


def find_personas(
    log: EventLog,
    journey: Journey,
    *,
    within: str | timedelta,
    seed: int,
    features: pd.DataFrame | None = None,
    max_personas: int = 8,
    replicates: int = REPLICATES,
    accounts: str | None = None,
    progress: ProgressWanted = False,
) -> Personas:
    """The personas of `log`'s customers, by what each did within `within` from entering `journey`, and what is proven
    of them.

    within: the time from entering, as “30d”. Only customers who entered in the window, were watched that long and were
        not lost by then are judged; `left_out` counts the others. Nothing later than entry + `within` is used.
    features: further features by customer, with when each became known; see `journeylab.events.features.find_features`.
    max_personas: the largest number tried; how it is chosen is in `journeylab.findings.personas.number`. One is a legal
        answer.
    replicates: how many resamples, and draws from each null model, prove the personas. 20 are the fewest that can: a p
        of .05 takes 19 draws, and a mean of 20 Jaccard coefficients that vary by .1 is known to .05. With 0 nothing is
        proven, and the verdicts say so; the number is then the one with the lowest ICL.
    accounts: the attribute that says which account each customer is of, where customers are people and several may
        share one: accounts are then resampled and halved whole. By default the attribute `account`, if there is one;
        without it each customer stands alone, which is right where customers are accounts, and people their contacts.
    progress: True for a line on standard error while it lasts, where that is a terminal; or a function that is called
        with the number of replicates done.

    Where fewer than 30 customers can be judged, or nothing differs between them, there is no persona, and `lacking`
    says why.

    Raises EstimateError if `within` is longer than the window, if a feature was known only later, if `max_personas` is
    less than 1, if `replicates` are too few to prove anything, or if no attribute is called `accounts`.
    """
    _check(max_personas, replicates)
    check_window(within, log.window)
    spells = find_spells(log, journey)
    landmark = Landmark.of(log, spells, within)
    if landmark.too_few:
        return Personas.none(
            journey, landmark.too_few, within=landmark.within, left_out=landmark.left_out, period=log.window
        )
    known = find_features(
        log, landmark.entries, within=within, milestones=_openers(journey), spells=spells, extra=features
    )
    rows, observed = _sample(known, seed), observe(known)
    units = account_numbers(log.customers, known.customers, accounts)
    try:
        encoding = Encoding.fit(observed.take(rows))
    except EstimateError:  # it has one reason only: nothing differs
        why = (
            f"nothing differs between the {len(known.customers):,} customers who can be judged by their first "
            f"{landmark.within}. Give them attributes, or ask for a longer `within`."
        )
        return Personas.none(journey, why, within=landmark.within, left_out=landmark.left_out, period=log.window)
    with telling(progress) as tell:
        proving = Proving(replicates, units, tell)
        scan = Scan.of(observed, encoding, rows=rows, max_personas=max_personas, seed=seed, proving=proving)
    return _found(known, scan, landmark=landmark, spells=spells, seed=seed)


def _found(features: Features, scan: Scan, *, landmark: Landmark, spells: Spells, seed: int) -> Personas:
    """What the chosen model of `scan` says of the customers of `features`."""
    ids = list(scan.proof["persona"])
    probabilities = pd.DataFrame(scan.probabilities, index=features.customers, columns=ids)
    labels = largest_of_rows(scan.probabilities)
    described = describe(features, labels, ids, rows=_sample(features, seed), seed=seed)
    entered = landmark.entries.set_index("customer_id")["entered"]
    return Personas(
        title=f"Personas by the first {landmark.within}",
        table=_table(scan.probabilities, ids, described.profiles),
        labels=pd.Series(np.array(ids, dtype=object)[labels], index=features.customers, name="persona"),
        probabilities=probabilities,
        verdicts=scan.proof[list(VERDICTS)],
        proof=scan.proof,
        structure=scan.structure,
        second_opinion=second_opinion(features, labels, len(ids), seed=seed),
        seed=seed,
        scan=scan.table,
        left_out=landmark.left_out,
        profiles=described.profiles,
        unused=features.unused,
        known_at=(entered + landmark.length).rename("known_at"),
        within=landmark.within,
        stages=spells.journey.stage_names,
        model=scan.model,
        encoding=scan.encoding,
        rules=described.rules,
        exemplars=described.exemplars,
        journey=spells.journey,
        period=spells.window,
        plan=features.plan,
    )


def _check(max_personas: int, replicates: int) -> None:
    if max_personas < 1:
        raise EstimateError(f"At most “{max_personas}” personas were asked for. Ask for 1 or more.")
    if replicates and replicates < MIN_REPLICATES:
        raise EstimateError(
            f"“{replicates}” replicates were asked for, but fewer than {MIN_REPLICATES} cannot prove anything at a "
            f"level of .05. Ask for {MIN_REPLICATES} or more, or for 0 to prove nothing."
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
    n = np.bincount(largest_of_rows(probabilities), minlength=len(ids))
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


def read_personas(path: str | Path, *, period: Window | None = None) -> Personas:
    """The personas that `Personas.write` wrote to `path`: the same labels, tables and model, to the last digit.

    The file is data: nothing in it is run. Where its customers were left out, `labels` and the like are empty; the
    personas still describe, and assign further customers. `period` is the window of the log that they were found in,
    where that is known: the file does not hold it. Raises StudyError where there is no such file, it is no JSON,
    holds something else, was written in another version of the format, was changed after it was written, or does not
    fit together.
    """
    found = read_fields(path)
    wanted = {each.name for each in fields(Personas)} - {"period"}
    missing, strange = sorted(wanted - set(found)), sorted(set(found) - wanted)
    if missing or strange:
        what = f"“{missing[0]}” is not there" if missing else f"“{strange[0]}” is not known"
        raise StudyError(
            f"“{Path(path).name}” holds no sound personas: {what}. It was written by another journeylab: find the "
            "personas again."
        )
    return Personas(**found, period=period)
