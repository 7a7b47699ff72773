"""How are the personas of a log found: who is judged, by what, with which model, and who is which?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from journeylab.base.errors import EstimateError
from journeylab.base.ordering import largest_of_rows
from journeylab.estimators.latent_class import MAX_ROWS, Encoding
from journeylab.events.features import PROTECTED, Features, find_features
from journeylab.events.journey import Journey
from journeylab.events.log import EventLog, Window
from journeylab.events.spells import Spells, find_spells
from journeylab.findings.personas.assign import Definition
from journeylab.findings.personas.description import describe
from journeylab.findings.personas.file import read_fields
from journeylab.findings.personas.floor import find_floor
from journeylab.findings.personas.landmark import Landmark, account_numbers, check_window, labelled, shares_table
from journeylab.findings.personas.names import name_personas
from journeylab.findings.personas.number import ProgressWanted, Proving, sample_rows, telling
from journeylab.findings.personas.personas import Personas
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
    make_from_attributes: Sequence[str] = (),
    protected: Sequence[str] = PROTECTED,
    show_protected: Sequence[str] = (),
    max_personas: int = 8,
    replicates: int = REPLICATES,
    accounts: str | None = None,
    progress: ProgressWanted = False,
) -> Personas:
    """The kinds of customer in `log`, by what each did within a time from entering `journey`, and what is proven.

    Behaviour makes personas. Attributes of customers, the channel and the month in which they entered are compared
    afterwards.

    Parameters
    ----------
    log : EventLog
    journey : Journey
    within : str or timedelta
        The time from entering, as “30d”. Only customers who entered in the window, were watched that long and had
        neither been lost nor completed the journey by then are judged; `left_out` counts the others. Nothing later than
        entry + `within` is used.
    seed : int
        Of all that is random. The same seed gives the same personas.
    features : DataFrame, optional
        Further features by customer, with when each became known; see `journeylab.events.features.find_features`.
    make_from_attributes : sequence of str
        Attributes that make personas together with behaviour.
    protected : sequence of str
        Names of attributes that never make, name or rule a persona, found in the words of a column's name; see
        `journeylab.events.features.is_protected`. By default gender, age, disability, religion and the like.
    show_protected : sequence of str
        Protected attributes by which the personas are compared all the same.
    max_personas : int
        The largest number tried; `journeylab.findings.personas.number` says how it is chosen. One is a legal answer.
    replicates : int
        How many resamples, and draws from each null model, prove the personas. At least 19 draws are needed for a p of
        .05, and a mean of 20 Jaccard coefficients that vary by .1 is known to .05. With 0 nothing is proven, and the
        verdicts say so; the number is then the one with the lowest ICL.
    accounts : str, optional
        The attribute with the account of each customer, where customers are people and several may share one: whole
        accounts are then resampled and halved. By default the attribute `account`, if there is one. Without it each
        customer stands alone, which is right where customers are accounts, and people their contacts.
    progress : bool or callable
        True for a line on standard error while it runs, where that is a terminal; or a function that is called with the
        number of replicates done.

    Returns
    -------
    Personas
        Where fewer than 30 customers can be judged, or nothing differs between them, there is no persona, and `lacking`
        says why.

    Raises
    ------
    EstimateError
        If `within` is longer than the window, if a feature was known only later, if an attribute in
        `make_from_attributes` or a further feature is protected, cannot serve or is not there, if `max_personas` is
        less than 1, if `replicates` are too few to prove anything, or if there is no attribute called `accounts`.

    Examples
    --------
    >>> personas = find_personas(log, journey, within="30d", seed=7)  # doctest: +SKIP
    >>> personas.cards(log, spells, horizon="90d")  # doctest: +SKIP
    """
    _check(max_personas, replicates)
    check_window(within, log.window)
    spells = find_spells(log, journey)
    landmark = Landmark.of(log, spells, within)
    if landmark.too_few:
        return _none(landmark.too_few, landmark, spells)
    described = find_features(
        log,
        landmark.entries,
        within=within,
        milestones=_openers(journey),
        spells=spells,
        extra=features,
        make_from_attributes=make_from_attributes,
        protected=protected,
        show_protected=show_protected,
    )
    rows, observed = sample_rows(len(described.customers), at_most=MAX_ROWS, seed=seed), observe(described)
    units = account_numbers(log.customers, described.customers, accounts)
    try:
        encoding = Encoding.fit(observed.take(rows))
    except EstimateError:  # it has one reason only: nothing differs
        why = (
            f"nothing differs between the {len(described.customers):,} customers who can be judged by their first "
            f"{landmark.within}. Ask for a longer `within`."
        )
        return _none(why, landmark, spells)
    with telling(progress) as tell:
        proving = Proving(replicates, units, tell, landmark.days_of_entry(described.customers))
        scan = Scan.of(observed, encoding, rows=rows, max_personas=max_personas, seed=seed, proving=proving)
    return _personas(described, scan, landmark, spells, rows=rows, seed=seed)


def _none(why: str, landmark: Landmark, spells: Spells) -> Personas:
    return Personas.none(spells.journey, why, within=landmark.within, left_out=landmark.left_out, period=spells.window)


def _personas(
    features: Features, scan: Scan, landmark: Landmark, spells: Spells, *, rows: np.ndarray, seed: int
) -> Personas:
    """What the chosen model of `scan` says of the customers of `features`."""
    ids, labels = list(scan.proof.by_persona["persona"]), largest_of_rows(scan.probabilities)
    description = describe(features, labels, ids, rows=rows, seed=seed)
    profiles = description.profiles
    behaviour = profiles[~profiles["family"].isin(features.attributes)]
    names = name_personas(behaviour, ids, numbers=features.plan.numbers, title=spells.journey.title)
    proof = replace(scan.proof, second_opinion=second_opinion(features, labels, len(ids), seed=seed))
    return Personas(
        title=f"Personas by the first {landmark.within}",
        table=shares_table(ids, names, scan.probabilities),
        period=spells.window,
        **labelled(landmark, features.customers, scan.probabilities, ids),
        journey=spells.journey,
        definition=Definition(scan.model, scan.encoding, features.plan),
        proof=proof.below(find_floor(features, labels, days=landmark.length / pd.Timedelta(days=1))),
        description=description,
        unused=features.unused,
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
    conditions = [condition for stage in journey.stages for condition in (*stage.opened_by, *stage.reopened_by)]
    events = [[opener.event] if isinstance(opener.event, str) else opener.event for opener in conditions]
    return tuple(sorted(set(chain(*events))))


def read_personas(path: str | Path, *, period: Window | None = None) -> Personas:
    """The personas that `Personas.write` wrote to a file: the same labels, tables and model, to the last digit.

    The file is data: nothing in it is run. Where its customers were left out, `labels` and the like are empty; the
    personas still describe, and assign further customers.

    Parameters
    ----------
    path : str or Path
        The file, `*.persona.json`.
    period : Window, optional
        The window of the log that the personas were found in, which the file does not hold.

    Returns
    -------
    Personas

    Raises
    ------
    StudyError
        Where there is no such file, it is not JSON, is something else, was written in another version of the format,
        was changed after it was written, or its parts do not fit together.
    """
    return Personas(**read_fields(path), period=period)
