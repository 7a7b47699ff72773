import pandas as pd
import pytest

from journeylab.base.errors import JourneyLabError
from journeylab.base.tables import check_columns

TABLE = pd.DataFrame({"customer": ["a"], "n": [1], "days": [0.5], "time": pd.to_datetime(["2026-01-01"], utc=True)})


def test_a_table_that_keeps_its_contract_passes():
    contract = {"customer": "string", "n": "integer", "days": "number", "time": "time"}
    assert check_columns(TABLE, contract, name="The table") is None


def test_a_missing_column_is_named_with_the_closest():
    with pytest.raises(JourneyLabError) as error:
        check_columns(TABLE, {"customers": "string"}, name="The table")
    assert str(error.value) == "The table lacks the column “customers”. Did you mean “customer”?"


def test_a_column_of_another_kind_is_named():
    with pytest.raises(JourneyLabError) as error:
        check_columns(TABLE, {"days": "integer"}, name="The table")
    assert str(error.value) == (
        "Column “days” in The table holds float64, not integer. Convert it before passing the table on."
    )
