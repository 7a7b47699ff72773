"""Which parts make a file of personas, what shape does each have, and do they fit together?

Tables are plain values that JSON holds exactly: times are whole units since 1970 UTC, numbers that JSON does not know
are null (missing), “inf” and “-inf”.
"""

from dataclasses import fields
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from journeylab.estimators.latent_class import Bins, Encoding, LatentClass, Levels, Shares
from journeylab.events.features import FeaturePlan
from journeylab.events.journey import read_journey
from journeylab.findings.personas.assign import Definition
from journeylab.findings.personas.description import Description
from journeylab.findings.personas.proof import Proof

FORMAT, VERSION = "journeylab personas", 1
CUSTOMERS = "customers"
Scalar = str | int | float | bool | None
Finite = Annotated[float, Field(allow_inf_nan=False)]
_SUMS_TO_ONE = 1e-6


class StoredPart(BaseModel):
    """What all parts of the file share: no further keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(StoredPart):
    """A column of a table; `dtype` is its type as pandas calls it."""

    name: str | None
    dtype: str
    cells: list[Any]

    def read(self) -> pd.Series:
        """The column as a Series with its type."""
        return pd.Series(self.cells, dtype=self.dtype, name=self.name)


class TextColumn(Column):
    """Text, or values of several kinds; null where missing."""

    dtype: Literal["object", "str"]
    cells: list[Scalar]


class TruthColumn(Column):
    """True or false."""

    dtype: Literal["bool"]
    cells: list[bool]


class WholeColumn(Column):
    """Whole numbers."""

    dtype: Literal["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    cells: list[int]


class NumberColumn(Column):
    """Numbers, null where missing."""

    dtype: Literal["float32", "float64"]
    cells: list[Finite | Literal["inf", "-inf"] | None]

    def read(self) -> pd.Series:
        """The column as a Series with its type."""
        values = [np.nan if cell is None else float(cell) for cell in self.cells]
        return pd.Series(values, dtype=self.dtype, name=self.name)


class TimeColumn(Column):
    """Times: whole units since 1970 UTC, null where missing."""

    dtype: Literal["datetime64[s, UTC]", "datetime64[ms, UTC]", "datetime64[us, UTC]", "datetime64[ns, UTC]"]
    cells: list[int | None]

    def read(self) -> pd.Series:
        """The column as a Series with its type."""
        missing = np.iinfo(np.int64).min
        ticks = np.array([missing if cell is None else cell for cell in self.cells], dtype=np.int64)
        return pd.Series(ticks.view(self.dtype.replace(", UTC", "")), name=self.name).dt.tz_localize("UTC")


DTYPES = {
    dtype
    for kind in (TextColumn, TruthColumn, WholeColumn, NumberColumn, TimeColumn)
    for dtype in get_args(kind.model_fields["dtype"].annotation)
}
AnyColumn = Annotated[TextColumn | TruthColumn | WholeColumn | NumberColumn | TimeColumn, Field(discriminator="dtype")]


class _Indexed(StoredPart):
    """The index is the file's customers, a column, or null where rows are numbered."""

    index: Literal["customers"] | AnyColumn | None

    def read_index(self, customers: pd.Index) -> pd.Index | None:
        """The index; None where rows are numbered."""
        if isinstance(self.index, Column):
            return pd.Index(self.index.read(), name=self.index.name)
        return customers if self.index == CUSTOMERS else None


class StoredTable(_Indexed):
    """A table."""

    columns: list[AnyColumn]

    def read(self, customers: pd.Index) -> pd.DataFrame:
        """The table; `customers` are the file's."""
        index = self.read_index(customers)
        if not self.columns:
            return pd.DataFrame(index=pd.RangeIndex(0) if index is None else index)
        return pd.DataFrame({column.name: column.read().array for column in self.columns}, index=index)


class StoredSeries(_Indexed):
    """A Series."""

    column: AnyColumn

    def read(self, customers: pd.Index) -> pd.Series:
        """The Series; `customers` are the file's."""
        index = self.read_index(customers)
        return self.column.read() if index is None else self.column.read().set_axis(index)


class ModelPart(StoredPart):
    """See `journeylab.estimators.latent_class.LatentClass`."""

    log_shares: list[Finite]
    log_cells: list[list[Finite]] = Field(description="One row per cell, one number per persona.")
    variables: list[int]
    log_likelihood: Finite
    n_rows: int
    converged: bool

    @model_validator(mode="after")
    def _fitting(self) -> "ModelPart":
        n = len(self.log_shares)
        if any(len(row) != n for row in self.log_cells) or len(self.variables) != len(self.log_cells):
            raise ValueError(
                f"{len(self.log_cells)} cells do not fit {n} personas and the variables of {len(self.variables)} cells"
            )
        return self

    def read(self) -> LatentClass:
        """The model."""
        arrays = {name: np.array(getattr(self, name)) for name in ("log_shares", "log_cells", "variables")}
        return LatentClass(**{**dict(self), **arrays})


class BinsPart(StoredPart):
    """See `journeylab.estimators.latent_class.Bins`."""

    kind: Literal["Bins"]
    name: str
    edges: Annotated[list[list[Finite]], Field(min_length=1)]
    stratum_edges: list[Finite]
    by: str | None

    @model_validator(mode="after")
    def _fitting(self) -> "BinsPart":
        if len({len(row) for row in self.edges}) > 1 or len(self.edges) != len(self.stratum_edges) + 1:
            raise ValueError(f"the bins of “{self.name}” are uneven")
        return self

    def read(self) -> Bins:
        """The variable."""
        edges = np.array(self.edges, dtype=float).reshape(len(self.edges), -1)
        return Bins(self.name, edges, np.array(self.stratum_edges, dtype=float), self.by)


class LevelsPart(StoredPart):
    """See `journeylab.estimators.latent_class.Levels`."""

    kind: Literal["Levels"]
    name: str
    levels: tuple[str, ...]

    def read(self) -> Levels:
        """The variable."""
        return Levels(self.name, self.levels)


class SharesPart(StoredPart):
    """See `journeylab.estimators.latent_class.Shares`."""

    kind: Literal["Shares"]
    name: str
    cells: tuple[str, ...]
    correlation: Annotated[Finite, Field(ge=0, le=1)]

    def read(self) -> Shares:
        """The variable."""
        return Shares(self.name, self.cells, self.correlation)


class StoredValues(StoredPart):
    """What is no table; see the fields of Personas and of its proof."""

    title: str
    lacking: str | None
    within: str | None
    stages: tuple[str, ...]
    seed: int | None
    floor: str | None = None


class StoredTables(StoredPart):
    """The tables of Personas, of its proof and of its description, each by the name of its field."""

    table: StoredTable
    probabilities: StoredTable
    left_out: StoredTable
    unused: StoredTable
    profiles: StoredTable
    rules: StoredTable
    exemplars: StoredTable
    notes: StoredTable
    proof: StoredTable
    verdicts: StoredTable
    structure: StoredTable
    scan: StoredTable
    second_opinion: StoredTable


class StoredLabels(StoredPart):
    """Which persona each customer is, and since when that is known."""

    labels: StoredSeries
    known_at: StoredSeries


class Content(StoredPart):
    """Personas: what describes them, what assigns further customers, and who is which."""

    customers: list[str] = Field(description="Ids of all who were judged; none where they were left out.")
    values: StoredValues
    tables: StoredTables
    series: StoredLabels
    journey: dict[str, Any] = Field(description="As in journey.yml.")
    model: ModelPart | None
    encoding: list[Annotated[BinsPart | LevelsPart | SharesPart, Field(discriminator="kind")]] | None
    plan: FeaturePlan | None

    def read(self) -> dict[str, Any]:
        """The fields of Personas, by name.

        Raises ValueError where the parts do not fit together, and JourneyError for a journey that is none.
        """
        customers = pd.Index(self.customers, dtype=object, name="customer_id")
        tables = {name: part.read(customers) for name, part in self.tables}
        series = {name: part.read(customers) for name, part in self.series}
        definition = self._definition()
        if definition is not None:
            _check_customers(tables["table"], tables["probabilities"], series, n=definition.model.n_classes)
        tables["by_persona"] = tables["proof"]
        described, proven = ({name: tables[name] for name in _table_names(kind)} for kind in (Description, Proof))
        own = {name: tables[name] for name in ("table", "probabilities", "left_out", "unused")}
        return {
            **own,
            **series,
            **self.values.model_dump(include={"title", "lacking", "within"}),
            "journey": read_journey(self.journey),
            "definition": definition,
            "description": Description(**described),
            "proof": Proof(**proven, seed=self.values.seed, floor=self.values.floor),
        }

    def _definition(self) -> Definition | None:
        """What assigns customers, if its parts fit together."""
        if self.model is None and self.encoding is None and self.plan is None:
            return None
        if self.model is None or self.encoding is None or self.plan is None:
            raise ValueError("only some of model, encoding and plan are there")
        encoding = Encoding(tuple(variable.read() for variable in self.encoding))
        n_cells = [variable.n_cells for variable in encoding.kept]
        if np.repeat(np.arange(len(n_cells)), n_cells).tolist() != self.model.variables:
            raise ValueError(
                f"the encoding has {sum(n_cells)} cells in {len(n_cells)} variables, "
                f"the model {len(self.model.variables)} in {len(set(self.model.variables))}"
            )
        return Definition(self.model.read(), encoding, self.plan)


class PersonaFile(StoredPart):
    """A file of personas."""

    format: Literal["journeylab personas"]
    version: Literal[1]
    sha256: str = Field(description="Of the content as canonical JSON: sorted keys, no spaces, UTF-8.")
    content: Content


def _table_names(kind: type[Description | Proof]) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in ("seed", "floor")]


def _check_customers(table: pd.DataFrame, probabilities: pd.DataFrame, series: dict[str, pd.Series], *, n: int) -> None:
    """Raise ValueError unless there are `n` personas everywhere, and every customer has one."""
    ids = table["persona"].tolist()
    if len(ids) != n or list(probabilities) != ids:
        raise ValueError(
            f"the model has {n} personas, the table {len(ids)}, the probabilities {len(probabilities.columns)}"
        )
    if probabilities.isna().any(axis=None) or any(column.isna().any() for column in series.values()):
        raise ValueError("a customer lacks a label, a probability or a landmark")
    strange = set(series["labels"]) - set(ids)
    if strange:
        raise ValueError(f"a customer has the label “{min(map(str, strange))}”, which is no persona")
    total = probabilities.to_numpy(dtype=float).sum(axis=1)
    wrong = np.flatnonzero(np.abs(total - 1) > _SUMS_TO_ONE)
    if len(wrong):
        raise ValueError(f"the probabilities of a customer add up to {total[wrong[0]]:g}, not 1")
