from IPython.core.interactiveshell import InteractiveShell

from journeylab.base.durations import days
from journeylab.base.errors import StudyError, did_you_mean


def test_the_closest_name_is_offered():
    assert did_you_mean("acount", ["account", "time"]) == "Did you mean “account”?"


def test_without_a_close_name_all_are_listed():
    assert did_you_mean("xyz", ["account", "time"]) == "Known: account, time."
    assert did_you_mean("xyz", []) == "None is known."


def test_in_a_notebook_an_error_is_its_message_and_the_line_that_led_to_it(capsys):
    shell = InteractiveShell()
    shell.run_cell("from journeylab.base.durations import days\nshort = '1d'\nlong = days('ninety')\nlong")
    with_traceback = capsys.readouterr().out
    assert with_traceback.splitlines() == [message_of("ninety"), "    in line 3: long = days('ninety')"]


def message_of(duration):
    try:
        days(duration)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def test_an_error_that_nobody_raised_is_shown_by_its_message():
    assert StudyError("No study.")._render_traceback_() == ["StudyError: No study."]
