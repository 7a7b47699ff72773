"""Spells: how long was each visit of each customer to each stage, and how did it end?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from journeylab.base import html
from journeylab.base.durations import DAY, since_1970
from journeylab.base.errors import StudyError
from journeylab.base.files import fingerprint, replaced
from journeylab.base.words import counted
from journeylab.events.journey import Journey
from journeylab.events.log import KNOWN_AT, TIME, EventLog, Window
from journeylab.events.spells.exits import visits_to
from journeylab.events.spells.kernel import NOWHERE, OUTCOMES, Moves, Visits, walk_signals
from journeylab.events.spells.signals import Signals, find_signals

COLUMNS = {
    "customer_id": "string",
    "spell": "integer",
    "stage": "string",
    "entered": "time",
    "left": "time",
    "observed_from": "time",
    "days": "number",
    "outcome": "string",
    "to": "string",
    "validated": "time",
    "last_event": "time",
    "events": "integer",
    "returned_from": "string",
}
_NAMED = ("stage", "outcome", "to", "returned_from")
_TYPES = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "time": TIME}
_SCHEMA = pa.schema(
    {
        column: pa.dictionary(pa.int32(), pa.string()) if column in _NAMED else _TYPES[kind]
        for column, kind in COLUMNS.items()
    }
)
_MADE_WITH = b"journeylab.spells"


@dataclass(frozen=True, eq=False)
class Spells:
    """One row per visit of a customer to a stage, by customer and time, tiling the customer's time in the journey.

    Parameters
    ----------
    table : pyarrow.Table
        The columns of `COLUMNS`; ``stage``, ``outcome``, ``to`` and ``returned_from`` are dictionary encoded.
    journey : Journey
    window : Window
        What the spells were found with.
    customers : DataFrame
        Attributes known at the start, by customer_id.
    """

    table: pa.Table
    journey: Journey
    window: Window
    customers: pd.DataFrame

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        return f"Spells: {self.sentence()}"

    def _repr_html_(self) -> str:
        spells = self.table.select(["stage", "outcome"]).to_pandas()
        counts = spells.groupby(["stage", "outcome"], observed=False).size().unstack()
        counts = counts.reindex(index=list(self.journey.stage_names), columns=list(OUTCOMES), fill_value=0)
        counts.insert(0, "spells", counts.sum(axis=1))
        table = html.table(counts.rename_axis(columns=None).reset_index(), csv=False)
        return html.card("Spells", html.paragraph(self.sentence()), table)

    def sentence(self) -> str:
        """How many visits of how many customers, observed from when to when."""
        n_customers = len(self.table["customer_id"].unique())
        return f"{counted(len(self), 'spell')} of {counted(n_customers, 'customer')}, from {self.window}."

    def to_pandas(self) -> pd.DataFrame:
        """A fresh DataFrame with the columns of `COLUMNS`."""
        return self.table.to_pandas()

    def write(self, path: str | Path) -> Path:
        """Write the spells as one Parquet file, marked with journey and window for `read_spells`; returns it."""
        made_with = {_MADE_WITH: _made_with(self.journey, self.window).encode()}
        with replaced(path) as temporary:
            pq.write_table(self.table.replace_schema_metadata(made_with), temporary, compression="zstd")
        return Path(path)

    def only(self, *, customers: Iterable[str]) -> "Spells":
        """The spells of these customers; there may be none."""
        chosen = self.customers.index.intersection(pd.Index(customers))
        rows = pc.is_in(self.table["customer_id"], value_set=pa.array(chosen, pa.string()))
        return replace(self, table=self.table.filter(rows), customers=self.customers.loc[chosen])

    def durations(self, stage: str) -> pd.DataFrame:
        """How long each watched visit to `stage` lasted and how it ended, ready for lifelines, statsmodels or seaborn.

        Parameters
        ----------
        stage : str
            The name of a stage.

        Returns
        -------
        DataFrame
            One row per visit, by customer and spell:

            - ``customer_id``, ``spell``, ``entered`` (UTC);
            - ``entry``: days from entering to the start of watching, 0 where it was watched from its start;
            - ``exit``: days from entering to leaving, or to the window's end;
            - ``is_over``: whether the visit ended; False is right-censored;
            - ``outcome`` and ``to``: how it ended, and the next stage or the loss branch; “ongoing” and missing if not;
            - the customers' attributes. One that became known later (a column ``NAME_known_at`` says when) is missing
              for visits that began before.

            A customer who came back has several rows: pass ``cluster_col="customer_id"`` to what fits a model.

        Raises
        ------
        EstimateError
            If the journey has no such stage, or nobody can leave it.

        Examples
        --------
        >>> import journeylab as jl
        >>> simulation = jl.simulate_log(50, seed=1)
        >>> spells = jl.find_spells(simulation.log, simulation.journey)
        >>> spells.durations("onboarding")[["customer_id", "entry", "exit", "outcome"]].shape[1]
        4
        """
        visits = visits_to(self.to_pandas(), self.journey, stage)
        entered = visits["entered"]
        frame = pd.DataFrame(
            {
                "customer_id": visits["customer_id"],
                "spell": visits["spell"],
                "entered": entered,
                "entry": (visits["observed_from"] - entered) / pd.Timedelta(days=1),
                "exit": visits["days"],
                "is_over": visits["outcome"] != "ongoing",
                "outcome": visits["outcome"].astype(str),
                "to": visits["to"].astype(object),
            }
        )
        attributes = _attributes(self.customers, visits).drop(columns=frame.columns, errors="ignore")
        return frame.join(attributes).reset_index(drop=True)


def find_spells(log: EventLog, journey: Journey, *, batch_rows: int = 1_000_000) -> Spells:
    """Find the spells of `log`'s customers in the stages of `journey`.

    Parameters
    ----------
    log : EventLog
    journey : Journey
    batch_rows : int
        About how many events are walked at once: bounds memory and changes no result.

    Returns
    -------
    Spells
        One row per visit. Spells that ended before the window's start are left out. Entering a stage that completes
        the journey is always the outcome ``completed``.

    Raises
    ------
    JourneyError
        If a condition asks for a column that the log lacks, or sets bounds on one that holds no numbers.
    """
    return find_spells_under(log, [journey], batch_rows=batch_rows)[0]


def find_spells_under(log: EventLog, journeys: Sequence[Journey], *, batch_rows: int = 1_000_000) -> list[Spells]:
    """What `find_spells` finds for each of `journeys`, which may differ in `silent_after` alone.

    The log is read, and matched with their rules, once for all of them.
    """
    ids, batches = find_signals(log, journeys, batch_rows=batch_rows)
    moves, end = [Moves.of(journey) for journey in journeys], since_1970(log.window.end)
    parts: list[list[pa.Table]] = [[_with_names(_SCHEMA.empty_table(), journey)] for journey in journeys]
    for signals in batches:
        for tables, journey, of_journey in zip(parts, journeys, moves, strict=True):
            tables.append(_table(signals, walk_signals(signals, of_journey, end=end), ids, journey, log.window))
    return [
        Spells(pa.concat_tables(tables).combine_chunks(), journey, log.window, log.customers)
        for tables, journey in zip(parts, journeys, strict=True)
    ]


def read_spells(path: str | Path, *, journey: Journey, window: Window, customers: pd.DataFrame) -> Spells:
    """The spells that `Spells.write` wrote to `path`, found with this `journey` in this `window`.

    Raises StudyError where the file was not written by journeylab, or with another journey or window.
    """
    table = pq.read_table(path)
    if (table.schema.metadata or {}).get(_MADE_WITH, b"").decode() != _made_with(journey, window):
        raise StudyError(
            f"“{Path(path).name}” does not hold the spells of journey “{journey.name}” from {window}. "
            "Delete it, and find the spells again from the log."
        )
    return Spells(_with_names(table.replace_schema_metadata(None), journey), journey, window, customers)


def _attributes(customers: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """The attributes of the customers of `visits` (same index) that were known when each visit began."""
    rows = customers.reindex(visits["customer_id"]).set_axis(visits.index)
    names = [name for name in rows.columns if not str(name).endswith(KNOWN_AT)]
    dated = {name: column for name in names for column in (KNOWN_AT, f"{name}_{KNOWN_AT}") if column in rows.columns}
    known_at = {name: pd.to_datetime(rows[column], utc=True) for name, column in dated.items()}
    return rows[names].apply(
        lambda column: column.where(known_at.get(column.name, visits["entered"]) <= visits["entered"])
    )


def _made_with(journey: Journey, window: Window) -> str:
    return fingerprint(journey.fingerprint(), window.start.isoformat(), window.end.isoformat())


def _table(signals: Signals, visits: Visits, ids: pa.Array, journey: Journey, window: Window) -> pa.Table:
    """`visits` as rows of `COLUMNS`, without those that ended before the window's start."""
    start = since_1970(window.start)
    visits = visits.only(visits.left >= start)
    validated, is_validated = _validated(signals, visits, journey)
    last_event, n_events = _own_events(signals, visits)
    names = _categories(journey)
    columns = (
        ids.take(pa.array(signals.customers[visits.customer])),
        pa.array(_counted(visits.customer)),
        _named(visits.stage, names["stage"]),
        _times(visits.entered),
        _times(visits.left),
        _times(np.maximum(visits.entered, start)),
        pa.array((visits.left - visits.entered) / DAY),
        _named(visits.outcome, names["outcome"]),
        _named(visits.to, names["to"]),
        _times(validated, known=is_validated),
        _times(last_event, known=n_events > 0),
        pa.array(n_events),
        _named(visits.returned_from, names["returned_from"]),
    )
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def _validated(signals: Signals, visits: Visits, journey: Journey) -> tuple[np.ndarray, np.ndarray]:
    """When each visit was validated (microseconds), and whether it was.

    The event that opened the visit proves nothing yet; the one that ended it may, for validation comes before losses
    and openings. Nothing proves anything once the customer is silent.
    """
    time = np.zeros(len(visits.stage), np.int64)
    is_validated = np.zeros(len(visits.stage), bool)
    for at, stage in enumerate(journey.stages):
        proofs = signals.proofs[at]
        if stage.validated_by is None or not len(proofs):
            continue
        spells = np.flatnonzero(visits.stage == at)
        nth = np.searchsorted(proofs, visits.opened[spells], side="right") + stage.validated_by.at_least - 1
        row = proofs[np.minimum(nth, len(proofs) - 1)]
        time[spells] = signals.time[row]
        is_within = row < visits.ended[spells] + visits.includes_end[spells]
        is_within &= time[spells] <= visits.left[spells]
        if stage.validated_by.within_us is not None:
            is_within &= time[spells] - visits.entered[spells] <= stage.validated_by.within_us
        is_validated[spells] = is_within & (nth < len(proofs))
    return time, is_validated


def _own_events(signals: Signals, visits: Visits) -> tuple[np.ndarray, np.ndarray]:
    """Time of the last customer event of each visit (anything where there is none), and how many there are."""
    before = signals.seen[visits.ended]
    n_events = before - signals.seen[visits.opened]
    time = np.zeros(len(n_events), np.int64)
    has_some = np.flatnonzero(n_events)
    time[has_some] = signals.time[signals.own[before[has_some] - 1]]
    return time, n_events


def _counted(customer: np.ndarray) -> np.ndarray:
    """1, 2, 3 ... within each run of equal customers."""
    rows = np.arange(len(customer))
    starts = np.flatnonzero(np.diff(customer, prepend=-1))
    return rows - np.repeat(starts, np.diff(starts, append=len(customer))) + 1


def _categories(journey: Journey) -> dict[str, pa.Array]:
    """What each dictionary-encoded column can hold, in the journey's order: the codes of `Visits` are positions."""
    stages, branches = journey.stage_names, journey.branches
    names = {"stage": stages, "outcome": OUTCOMES, "to": (*stages, *branches), "returned_from": branches}
    return {column: pa.array(list(of_column), pa.string()) for column, of_column in names.items()}


def _named(codes: np.ndarray, names: pa.Array) -> pa.DictionaryArray:
    """`codes` (positions in `names`, or NOWHERE) as names, or null."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes == NOWHERE), names)


def _with_names(table: pa.Table, journey: Journey) -> pa.Table:
    """`table` with its named columns encoded by all that `journey` can name, as files and empty tables forget it."""
    for column, names in _categories(journey).items():
        codes = pc.index_in(table[column].combine_chunks().cast(pa.string()), value_set=names)
        encoded = pa.DictionaryArray.from_arrays(codes, names)
        table = table.set_column(table.column_names.index(column), _SCHEMA.field(column), encoded)
    return table


def _times(microseconds_since_1970: np.ndarray, *, known: np.ndarray | None = None) -> pa.Array:
    return pa.array(microseconds_since_1970, mask=None if known is None else ~known).cast(TIME)
