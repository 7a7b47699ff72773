"""The file of personas: the same personas come back, and a file that is not sound is refused with the reason."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from journeylab.base.errors import StudyError
from journeylab.estimators.latent_class import Bins, LatentClass, Levels, Shares
from journeylab.events.log import Window
from journeylab.events.simulate import simulate_log
from journeylab.findings.personas import Personas, find_personas, read_personas, stored
from journeylab.findings.personas.file import file_schema, plain_series, plain_table

SCHEMA = Path(stored.__file__).parent / "persona.schema.json"


@pytest.fixture(scope="module")
def personas():
    simulation = simulate_log(400, seed=3)
    return find_personas(simulation.log, simulation.journey, within="30d", seed=7, max_personas=2, replicates=19)


@pytest.fixture(scope="module")
def whole(personas, tmp_path_factory) -> dict:
    """The file, parsed."""
    path = personas.write(tmp_path_factory.mktemp("personas") / "whole.persona.json")
    return json.loads(path.read_text(encoding="utf-8"))


def canonical(content) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def refused(path, document, *, signed=True) -> str:
    """Why a file with this document is refused; `signed` with the right SHA-256."""
    if signed:
        digest = hashlib.sha256(canonical(document["content"]).encode()).hexdigest()
        document = {**document, "sha256": digest}
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_personas(path)
    return str(caught.value)


def changed(document: dict, *keys, to) -> dict:
    """A copy of `document` in which what lies at `keys` is `to`."""
    copy = json.loads(json.dumps(document))
    place = copy
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return copy


def same(first, second) -> None:
    """Two nouns have the same fields, to the last digit."""
    for name in (each.name for each in fields(first)):
        before, after = getattr(first, name), getattr(second, name)
        if isinstance(before, pd.DataFrame):
            pd.testing.assert_frame_equal(before, after, check_exact=True, obj=name)
        elif isinstance(before, pd.Series):
            pd.testing.assert_series_equal(before, after, check_exact=True, obj=name)
        elif name in ("proof", "description"):
            same(before, after)
        elif name not in ("definition", "period"):
            assert before == after, name


@pytest.mark.slow
def test_what_is_read_is_what_was_written_to_the_last_digit(personas, tmp_path):
    path = personas.write(tmp_path / "a.persona.json")
    again = read_personas(path)
    same(personas, again)
    assert again.labels.to_dict() == personas.labels.to_dict()
    for name in ("log_shares", "log_cells", "variables"):
        assert np.array_equal(getattr(personas.definition.model, name), getattr(again.definition.model, name))
    kept = again.definition.encoding.kept
    assert [type(each) for each in kept] == [type(each) for each in personas.definition.encoding.kept]
    assert again.definition.plan == personas.definition.plan
    assert again.sentence() == personas.sentence()
    assert again.write(tmp_path / "b.persona.json").read_bytes() == path.read_bytes()


def test_the_file_does_not_hold_the_period_and_whoever_knows_it_gives_it_when_reading(personas, tmp_path):
    window = Window.from_times("2024-01-01", "2026-01-01")
    assert personas.period == window
    path = personas.write(tmp_path / "a.persona.json")
    assert read_personas(path).period is None
    assert "Observed" not in read_personas(path)._repr_html_()
    again = read_personas(path, period=window)
    assert again._repr_html_() == personas._repr_html_()
    assert again.write(tmp_path / "b.persona.json").read_bytes() == path.read_bytes()


def test_personas_that_were_not_found_are_kept_too(personas, tmp_path):
    none = Personas.none(personas.journey, "there is nobody.", within="30 days")
    again = read_personas(none.write(tmp_path / "none.persona.json"))
    same(none, again)
    assert again.sentence() == "No personas: there is nobody."


@pytest.mark.slow
def test_without_customers_the_file_names_nobody_and_still_assigns(personas, tmp_path):
    path = personas.write(tmp_path / "shared.persona.json", customers="left out")
    text = path.read_text(encoding="utf-8")
    assert not [customer for customer in personas.labels.index if customer in text]
    again = read_personas(path)
    assert again.labels.empty
    assert again.known_at.dtype == personas.known_at.dtype
    assert again.sentence() == personas.sentence()
    others = simulate_log(200, seed=4).log
    assert again.assign(others).labels.to_dict() == personas.assign(others).labels.to_dict()
    same(again, read_personas(again.write(tmp_path / "again.persona.json")))


def test_another_word_for_customers_is_refused(personas, tmp_path):
    with pytest.raises(StudyError) as caught:
        personas.write(tmp_path / "x.persona.json", customers="hashed")
    assert str(caught.value) == ("`customers` is “hashed”. Write “kept”, or “left out” for a file that names nobody.")
    assert not list(tmp_path.iterdir())


def test_the_sum_is_that_of_the_canonical_content(whole):
    assert whole["sha256"] == hashlib.sha256(canonical(whole["content"]).encode()).hexdigest()
    assert (whole["format"], whole["version"]) == ("journeylab personas", 1)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StudyError) as caught:
        read_personas(tmp_path / "gone.persona.json")
    assert str(caught.value) == (
        f"There is no file of personas “gone.persona.json” in “{tmp_path.name}”. "
        "Write it with personas.write(path), or correct the path."
    )


def test_a_file_that_was_changed_is_refused_with_both_sums(whole, tmp_path):
    other = changed(whole, "content", "model", "log_shares", 0, to=-0.5)
    found = hashlib.sha256(canonical(other["content"]).encode()).hexdigest()
    assert refused(tmp_path / "a.persona.json", other, signed=False) == (
        f"“a.persona.json” was changed after it was written: the SHA-256 of its content is “{found[:12]}…”, and the "
        f"file says “{whole['sha256'][:12]}…”. Restore the file as it was written, or find the personas again."
    )


def test_another_version_or_format_is_refused(whole, tmp_path):
    assert refused(tmp_path / "a.persona.json", changed(whole, "version", to=2)) == (
        "“a.persona.json” is in version “2” of its format, and this journeylab reads version 1. "
        "Install the journeylab that wrote it, or find the personas again."
    )
    assert refused(tmp_path / "a.persona.json", changed(whole, "format", to="recipes")) == (
        "“a.persona.json” has no personas: it does not say that its format is “journeylab personas”. Correct the path."
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"a": NaN}', "it is not JSON: “NaN” is not a number"),
        ('{"a": Infinity}', "it is not JSON: “Infinity” is not a number"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path, text, why):
    path = tmp_path / "a.persona.json"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        read_personas(path)
    assert str(caught.value) == (
        f"“a.persona.json” cannot be read as personas: {why}. Write it again with personas.write(path)."
    )


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "a.persona.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError) as caught:
        read_personas(path)
    assert str(caught.value) == (
        "“a.persona.json” cannot be read as personas: it is not JSON: 'utf-8' codec can't decode byte 0xff in "
        "position 0: invalid start byte. Write it again with personas.write(path)."
    )


def wrong(whole) -> dict:
    """Documents with one flaw each, and what is told of it."""
    model, tables, series = (whole["content"][name] for name in ("model", "tables", "series"))
    n, cells, customers = len(model["log_shares"]), len(model["variables"]), len(whole["content"]["customers"])
    probabilities = tables["probabilities"]["columns"]
    first = probabilities[0]["cells"]
    variables, last = len(set(model["variables"])), whole["content"]["encoding"][-1]
    left = cells - len(last["cells"])
    total = 2 + sum(column["cells"][0] for column in probabilities[1:])
    return {
        "a row of cells is short": (
            ("content", "model", "log_cells", 0),
            model["log_cells"][0][:-1],
            f"content.model: {cells} cells do not fit {n} personas and the variables of {cells} cells",
        ),
        "a row of cells is missing": (
            ("content", "model", "log_cells"),
            model["log_cells"][:-1],
            f"content.model: {cells - 1} cells do not fit {n} personas and the variables of {cells} cells",
        ),
        "the encoding has another shape": (
            ("content", "encoding"),
            whole["content"]["encoding"][:-1],
            f"content: the encoding has {left} cells in {variables - 1} variables, the model {cells} in {variables}",
        ),
        "a number of the model is missing": (
            ("content", "model", "log_shares", 0),
            None,
            "content.model.log_shares.0: Input should be a valid number",
        ),
        "a probability is missing": (
            ("content", "tables", "probabilities", "columns", 0, "cells", 0),
            None,
            "content: a customer lacks a label, a probability or a landmark",
        ),
        "probabilities do not add up": (
            ("content", "tables", "probabilities", "columns", 0, "cells", 0),
            2.0,
            f"content: the probabilities of a customer add up to {total:g}, not 1",
        ),
        "a customer has no row": (
            ("content", "tables", "probabilities", "columns", 0, "cells"),
            first[:-1],
            f"content: Length of values ({customers - 1}) does not match length of index ({customers})",
        ),
        "a label is no persona": (
            ("content", "series", "labels", "column", "cells", 0),
            "P9",
            "content: a customer has the label “P9”, which is no persona",
        ),
        "a persona is not in the table": (
            ("content", "tables", "probabilities", "columns"),
            probabilities[:-1],
            f"content: the model has {n} personas, the table {n}, the probabilities {n - 1}",
        ),
        "a column holds what its type does not": (
            ("content", "tables", "left_out", "columns", 1, "cells", 0),
            "many",
            "content.tables.left_out.columns.1.int64.cells.0: Input should be a valid integer",
        ),
        "a whole number is missing": (
            ("content", "tables", "left_out", "columns", 1, "cells", 0),
            None,
            "content.tables.left_out.columns.1.int64.cells.0: Input should be a valid integer",
        ),
        "a type is unknown": (
            ("content", "tables", "left_out", "columns", 1, "dtype"),
            "pickle",
            "content.tables.left_out.columns.1: Input tag 'pickle' found using 'dtype' does not match any of the "
            "expected tags: 'object', 'str', 'bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', "
            "'uint64', 'float32', 'float64', 'datetime64[s, UTC]', 'datetime64[ms, UTC]', 'datetime64[us, UTC]', "
            "'datetime64[ns, UTC]'",
        ),
        "a part is unknown": (("content", "code"), "import os", "content.code: Extra inputs are not permitted"),
        "only the plan is missing": (
            ("content", "plan"),
            None,
            "content: only some of model, encoding and plan are there",
        ),
        "the bins are uneven": (
            ("content", "encoding", 0, "stratum_edges"),
            [1.0] * 40,
            "content.encoding.0.Bins: the bins of “events” are uneven",
        ),
        "the labels are gone": (
            ("content", "series"),
            {name: each for name, each in series.items() if name != "labels"},
            "content.series.labels: Field required",
        ),
    }


FLAWS = [
    "a row of cells is short",
    "a row of cells is missing",
    "the encoding has another shape",
    "a number of the model is missing",
    "a probability is missing",
    "probabilities do not add up",
    "a customer has no row",
    "a label is no persona",
    "a persona is not in the table",
    "a column holds what its type does not",
    "a whole number is missing",
    "a type is unknown",
    "a part is unknown",
    "only the plan is missing",
    "the bins are uneven",
    "the labels are gone",
]


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_file_that_does_not_fit_together_is_refused(whole, tmp_path, flaw):
    keys, to, why = wrong(whole)[flaw]
    assert refused(tmp_path / "a.persona.json", changed(whole, *keys, to=to)) == (
        f"“a.persona.json” cannot be read as personas: {why}. Write it again with personas.write(path)."
    )


def test_a_journey_that_is_none_is_refused(whole, tmp_path):
    told = refused(tmp_path / "a.persona.json", changed(whole, "content", "journey", "stages", to=[]))
    assert told.startswith("“a.persona.json” cannot be read as personas: content.journey: ")


def test_a_file_of_another_journeylab_is_refused(whole, tmp_path):
    tables = {name: each for name, each in whole["content"]["tables"].items() if name != "scan"}
    assert refused(tmp_path / "a.persona.json", changed(whole, "content", "tables", to=tables)) == (
        "“a.persona.json” cannot be read as personas: content.tables.scan: Field required. "
        "Write it again with personas.write(path)."
    )
    values = {**whole["content"]["values"], "mood": "good"}
    assert refused(tmp_path / "a.persona.json", changed(whole, "content", "values", to=values)) == (
        "“a.persona.json” cannot be read as personas: content.values.mood: Extra inputs are not permitted. "
        "Write it again with personas.write(path)."
    )


def test_the_schema_beside_the_code_is_that_of_the_format():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == file_schema()


@pytest.mark.parametrize(
    ("part", "noun"),
    [
        (stored.ModelPart, LatentClass),
        (stored.BinsPart, Bins),
        (stored.LevelsPart, Levels),
        (stored.SharesPart, Shares),
    ],
)
def test_every_field_of_what_assigns_is_in_the_file(part, noun):
    assert set(part.model_fields) - {"kind"} == {each.name for each in fields(noun)}


def test_columns_of_every_kind_come_back():
    table = pd.DataFrame(
        {
            "text": ["a", None, "“c” \u202e"],
            "number": [0.1, np.nan, np.inf],
            "small": np.array([0.1, -np.inf, 3], dtype=np.float32),
            "whole": [2**62, -1, 0],
            "truth": [True, False, True],
            "time": pd.to_datetime(
                ["2024-01-01 00:00:00.000001", None, "1969-01-01"], utc=True, format="ISO8601"
            ).as_unit("us"),
        },
        index=pd.Index(["x", "y", "z"], name="key"),
    )
    nobody = pd.Index([], name="customer_id")
    again = stored.StoredTable.model_validate_json(json.dumps(plain_table(table, nobody))).read(nobody)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    series = stored.StoredSeries.model_validate_json(json.dumps(plain_series(table["number"], nobody))).read(nobody)
    pd.testing.assert_series_equal(series, table["number"], check_exact=True)


def test_a_column_that_no_file_can_hold_is_refused():
    with pytest.raises(TypeError, match=r"^The column “b” holds complex128, which a file of personas does not know\.$"):
        plain_table(pd.DataFrame({"b": [1j]}), pd.Index([], name="customer_id"))
