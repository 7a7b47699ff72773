"""Bad input of every kind ends in a right result or in an error that says what is wrong and how to fix it."""

import pytest
from hostile import documents, face, files
from hostile.harness import OUTCOMES, failures, outcome_of, table_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
GROUPS = {
    "files of events": files.event_files,
    "times": files.times,
    "tables": files.tables,
    "customers' files": files.customers,
    "YAML": documents.tries,
    "personas and maps": files.persona_files,
    "notebooks": files.notebooks,
    "durations and paths": files.durations_and_paths,
    "functions of the face": face.tries,
}


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_ends_in_a_traceback_or_is_wrong_in_silence(group, tmp_path, capsys):
    outcomes = [outcome_of(one) for one in GROUPS[group](tmp_path)]
    with capsys.disabled():
        print(f"\n{table_of({group: outcomes})}")
    assert failures(outcomes, *OUTCOMES[2:]) == []
