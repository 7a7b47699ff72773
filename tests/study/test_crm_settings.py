"""study.yml may say where the CRM's records are: each mistake is told by line, and the study reads them."""

from pathlib import Path

import pytest

from journeylab.base.errors import StudyError
from journeylab.study.settings import Folders, read_settings
from journeylab.study.study import EVENT_CODE, open_study

HEAD = """\
study: Trials
journey: journey.yml
events: [{path: data/raw/events.csv, columns: {customer_id: who, event: what, time: when}, timezone: UTC}]
window: {start: 2025-01-01, end: 2025-07-01}
horizons: [30d]
"""
JOURNEY = """\
journeylab: 1
name: Trials
goal: Plan the week
stages:
  - {name: trial, opened_by: [{event: started}], silent_after: 60d, crm_bucket: SQL}
"""
EVENTS = "who,what,when,crm_stage\na,started,2025-02-01,\na,looked,2025-02-03,SQL\nb,started,2025-05-20,\n"
CRM = "account,changed,stage\na,2025-02-04,SQL\nb,2024-12-01,Lead\nb,2025-08-01,SQL\n"
TABLE = "crm: {path: data/raw/crm.csv, columns: {customer_id: account, time: changed, bucket: stage}, timezone: UTC}\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/events.csv").write_text(EVENTS)
    (tmp_path / "data/raw/crm.csv").write_text(CRM)
    (tmp_path / "journey.yml").write_text(JOURNEY)
    return tmp_path


def study(folder, crm):
    (folder / "study.yml").write_text(HEAD + crm)
    return open_study(folder)


def buckets(records):
    return records.table[["customer_id", "bucket"]].to_numpy().tolist()


def test_a_study_reads_the_table_that_it_names(folder):
    assert buckets(study(folder, TABLE).crm) == [["a", "SQL"], ["b", "Lead"]]
    assert study(folder, TABLE).crm.refused == "1 refused (1 after the window)"


def test_a_study_reads_the_column_of_the_events_that_it_names(folder):
    assert buckets(study(folder, "crm: {column: crm_stage}\n").crm) == [["a", "SQL"]]


def test_a_study_may_say_nothing_of_a_crm(folder):
    assert study(folder, "").crm is None


def test_spells_do_not_depend_on_it(folder):
    assert study(folder, TABLE)._fingerprint(EVENT_CODE) == study(folder, "")._fingerprint(EVENT_CODE)


@pytest.mark.parametrize(
    ("crm", "text"),
    [
        (TABLE.replace("crm.csv", "crms.csv"),
         "study.yml:6: “data/raw/crms.csv” is not there. Put the file there, or correct the path."),
        (TABLE.replace("bucket:", "buckt:"), "study.yml:6: Unknown key “buckt” of “columns”. Did you mean “bucket”?"),
        (TABLE.replace("timezone: UTC", "timezone: UTZ"),
         "study.yml:6: “timezone” is wrong: “UTZ” is not a time zone. Did you mean “UTC”?"),
        ("crm: {path: data/raw/crm.csv, column: crm_stage}\n",
         "study.yml:6: “crm” names both a table (“data/raw/crm.csv”) and a column of the events (“crm_stage”). "
         "Keep one of them."),
        ("crm: {timezone: UTC}\n",
         "study.yml:6: “crm” says neither in which table (“path”) nor in which column of the events (“column”) the "
         "CRM’s buckets are. Add one of them."),
        ("crm: data/raw/crm.csv\n",
         "study.yml:6: “crm” must be a mapping of keys to values, found “data/raw/crm.csv”. Write it like "
         "{path: data/raw/crm.csv, columns: {customer_id: account}}."),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_and_how_to_mend_it(folder, crm, text):
    (folder / "study.yml").write_text(HEAD + crm)
    with pytest.raises(StudyError) as error:
        read_settings(Folders(folder))
    assert str(error.value) == text
