"""Which parts make a file of personas, of what shape is each, and do they fit together?"""

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from journeylab.estimators.latent_class import Bins, Encoding, LatentClass, Levels, Shares
from journeylab.events.features import FeaturePlan, Habits, Vocabulary
from journeylab.findings.personas.file.tables import CUSTOMERS, Row, Scalar, StoredPart, StoredTable

FORMAT, VERSION = "journeylab personas", 1
_SUMS_TO_ONE = 1e-6
Finite = Annotated[float, Field(allow_inf_nan=False)]
Names = list[str]


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
        uneven = next((len(row) for row in self.log_cells if len(row) != n), None)
        if uneven is not None:
            raise ValueError(f"a cell has {uneven} probabilities, but there are {n} personas")
        if len(self.variables) != len(self.log_cells):
            raise ValueError(f"{len(self.log_cells)} cells have {len(self.variables)} variables")
        return self

    def read(self) -> LatentClass:
        """The model."""
        fields = dict(self)
        n = len(self.log_shares)
        arrays = {
            "log_shares": np.array(self.log_shares, dtype=float),
            "log_cells": np.array(self.log_cells, dtype=float).reshape(-1, n),
            "variables": np.array(self.variables, dtype=int),
        }
        return LatentClass(**{**fields, **arrays})


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

    @property
    def n_cells(self) -> int:
        """Number of bins."""
        return len(self.edges[0]) + 1

    def read(self) -> Bins:
        """The variable."""
        edges = np.array(self.edges, dtype=float).reshape(len(self.edges), -1)
        return Bins(self.name, edges, np.array(self.stratum_edges, dtype=float), self.by)


class LevelsPart(StoredPart):
    """See `journeylab.estimators.latent_class.Levels`."""

    kind: Literal["Levels"]
    name: str
    levels: Names

    @property
    def n_cells(self) -> int:
        """Number of levels."""
        return len(self.levels)

    def read(self) -> Levels:
        """The variable."""
        return Levels(self.name, tuple(self.levels))


class SharesPart(StoredPart):
    """See `journeylab.estimators.latent_class.Shares`."""

    kind: Literal["Shares"]
    name: str
    cells: Names
    correlation: Annotated[Finite, Field(ge=0, le=1)]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.cells)

    def read(self) -> Shares:
        """The variable."""
        return Shares(self.name, tuple(self.cells), self.correlation)


class HabitsPart(StoredPart):
    """See `journeylab.events.features.Habits`."""

    milestones: Names
    by: Literal["process", "event"]
    groups: Names
    events: Names
    told: dict[str, Names]

    def read(self) -> Habits:
        """How events are grouped."""
        told = {column: tuple(events) for column, events in self.told.items()}
        return Habits(tuple(self.milestones), self.by, tuple(self.groups), tuple(self.events), told)


class VocabularyPart(StoredPart):
    """See `journeylab.events.features.Vocabulary`."""

    name: str
    given: str
    names: Names

    def read(self) -> Vocabulary:
        """What was counted."""
        return Vocabulary(self.name, self.given, tuple(self.names))


class PlanPart(StoredPart):
    """See `journeylab.events.features.FeaturePlan`."""

    within: Annotated[int, Field(gt=0, description="Microseconds.")]
    habits: HabitsPart
    counts: list[VocabularyPart]
    numbers: Names
    among: dict[str, str]
    attributes: Names
    levels: dict[str, Names]

    def read(self) -> FeaturePlan:
        """Which features."""
        return FeaturePlan(
            within=self.within,
            habits=self.habits.read(),
            counts=tuple(each.read() for each in self.counts),
            numbers=tuple(self.numbers),
            among=self.among,
            attributes=tuple(self.attributes),
            levels={name: tuple(levels) for name, levels in self.levels.items()},
        )


VariablePart = Annotated[BinsPart | LevelsPart | SharesPart, Field(discriminator="kind")]


class Content(StoredPart):
    """Personas: what describes them, what assigns further customers, and who is which."""

    customers: Names = Field(description="Ids of all who were judged; none where they were left out.")
    values: dict[str, Scalar | list[Scalar]]
    tables: dict[str, StoredTable]
    series: dict[str, Row]
    journey: dict[str, Any] = Field(description="As in journey.yml.")
    model: ModelPart | None
    encoding: list[VariablePart] | None
    plan: PlanPart | None

    @model_validator(mode="after")
    def _fitting(self) -> "Content":
        self._check_rows()
        if self.model is None or self.encoding is None or self.plan is None:
            if not (self.model is self.encoding is self.plan is None):
                raise ValueError("only some of model, encoding and plan are there")
            return self
        variables = [place for place, each in enumerate(self.encoding) for _ in range(each.n_cells)]
        if variables != self.model.variables:
            raise ValueError(
                f"the encoding has {len(variables)} cells in {len(self.encoding)} variables, "
                f"the model {len(self.model.variables)} in {len(set(self.model.variables))}"
            )
        self._check_personas(len(self.model.log_shares))
        return self

    def _check_rows(self) -> None:
        """Every table of customers has a row for each."""
        for name, each in {**self.tables, **self.series}.items():
            columns = each.columns if isinstance(each, StoredTable) else [each.column]
            lengths = {len(column.cells) for column in columns}
            if each.index == CUSTOMERS:
                lengths |= {len(self.customers)}
            elif each.index is not None:
                lengths |= {len(each.index.cells)}
            if len(lengths) > 1:
                raise ValueError(f"“{name}” has columns of {' and '.join(map(str, sorted(lengths)))} rows")

    def _check_personas(self, n: int) -> None:
        """As many personas everywhere as the model has classes, and every customer has one."""
        missing = {"table", "probabilities"} - set(self.tables) or {"labels", "known_at"} - set(self.series)
        if missing:
            raise ValueError(f"“{min(missing)}” is not there")
        ids = next((each.cells for each in self.tables["table"].columns if each.name == "persona"), [])
        columns = self.tables["probabilities"].columns
        if len(ids) != n or [each.name for each in columns] != ids:
            raise ValueError(f"the model has {n} personas, the table {len(ids)}, the probabilities {len(columns)}")
        if any(None in each.cells for each in (*columns, *(row.column for row in self.series.values()))):
            raise ValueError("a customer lacks a label, a probability or a landmark")
        strange = set(self.series["labels"].column.cells) - set(ids)
        if strange:
            raise ValueError(f"a customer has the label “{min(map(str, strange))}”, which is no persona")
        total = np.array([each.cells for each in columns], dtype=float).sum(axis=0)
        if (np.abs(total - 1) > _SUMS_TO_ONE).any():
            raise ValueError(f"the probabilities of a customer add up to {total[np.abs(total - 1).argmax()]:g}, not 1")

    def read(self) -> dict[str, Any]:
        """Everything but the journey, by the name of its field in Personas."""
        customers = pd.Index(self.customers, dtype=object, name="customer_id")
        found: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.values.items()
        }
        found |= {name: each.read(customers) for name, each in {**self.tables, **self.series}.items()}
        found["model"] = self.model and self.model.read()
        found["encoding"] = None if self.encoding is None else Encoding(tuple(each.read() for each in self.encoding))
        found["plan"] = self.plan and self.plan.read()
        return found


class PersonaFile(StoredPart):
    """A file of personas."""

    format: Literal["journeylab personas"]
    version: Literal[1]
    sha256: str = Field(description="Of the content as canonical JSON: sorted keys, no spaces, UTF-8.")
    content: Content
