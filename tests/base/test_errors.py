from journeylab.base.errors import did_you_mean


def test_the_closest_name_is_offered():
    assert did_you_mean("acount", ["account", "time"]) == "Did you mean “account”?"


def test_without_a_close_name_all_are_listed():
    assert did_you_mean("xyz", ["account", "time"]) == "Known: account, time."
    assert did_you_mean("xyz", []) == "None is known."
