"""Tests of what the lint says of a log itself: a clean log gives no remark; each kind of dirt is named, counted and
comes with an example and a way out. The logs are small ones of our own; users of such tools reported the kinds."""

import numpy as np
import pandas as pd
import pytest

from journeylab.events.journey import read_journey
from journeylab.events.lint import Lint, lint_journey
from journeylab.events.lint.spellings import difference, is_near, same_forms
from journeylab.events.lint.written_times import number_means
from journeylab.events.log import EventLog, Window
from journeylab.events.reading import Source, read_events

YEAR = ("2025-01-01", "2026-01-01")
JOURNEY = {
    "journeylab": 1,
    "name": "Trial",
    "goal": "Get work done",
    "stages": [
        {
            "name": "trial",
            "opened_by": {"event": "signup"},
            "validated_by": {"event": "project", "at_least": 2, "within": "14d"},
            "silent_after": "30d",
        },
        {
            "name": "paying",
            "opened_by": {"event": "subscribed"},
            "validated_by": {"event": "invite", "within": "30d"},
            "silent_after": "60d",
        },
    ],
    "loss_branches": [
        {"name": "price", "when": {"event": "cancelled", "where": {"reason": "price"}}},
        {"name": "other", "when": {"event": "cancelled"}},
    ],
}


def rows(n: int = 60) -> pd.DataFrame:
    """`n` customers who sign up over ten months; two projects, half subscribe and invite, a third cancel."""
    found = []
    for at in range(n):
        start = pd.Timestamp("2025-01-03 08:15:30") + pd.Timedelta(days=5 * at % 300, minutes=37 * at)
        steps = [("signup", 0, None), ("project", 2, None), ("project", 6, None)]
        steps += [("subscribed", 9, None), ("invite", 15, None)] if at % 2 else []
        steps += [("cancelled", 25, "price" if at % 4 else "bugs")] if at % 3 == 0 else []
        found += [(f"C{at:03d}", start + pd.Timedelta(days=day, hours=day), event, why) for event, day, why in steps]
    table = pd.DataFrame(found, columns=["customer_id", "time", "event", "reason"])
    return table.assign(time=table["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))


def read(source: object, **options) -> EventLog:
    return read_events(source, **{"window": YEAR, **options})


def lint(source: object, journey: dict = JOURNEY, **options) -> Lint:
    log = source if isinstance(source, EventLog) else read(source, **options)
    return lint_journey(read_journey(journey), log=log)


def the_remark(found: Lint, rule: str) -> pd.Series:
    """The only remark, which is of this rule."""
    assert list(found.table["rule"]) == [rule], str(found)
    return found.table.iloc[0]


def with_changed(column: str, change, where=lambda table: table.index % 10 == 0) -> pd.DataFrame:
    table = rows().astype({"customer_id": object, "time": object, "event": object})
    chosen = where(table)
    table.loc[chosen, column] = table.loc[chosen, column].map(change)
    return table


def of_event(name: str, every: int = 4):
    return lambda table: (table["event"] == name) & (table.groupby("event").cumcount() % every == 0)


def test_a_clean_log_gives_no_remark_and_what_cannot_be_judged_is_said():
    found = lint(rows())
    assert not found, str(found)
    assert found.sentence() == "Nothing to fix."
    assert found.unjudged == (
        "The log has no column “initiator”, so whether the customers or the company open and validate the stages "
        "cannot be judged.",
    )
    assert lint(rows().assign(initiator="customer")).unjudged == ()


# Names and values


@pytest.mark.parametrize(
    ("spoilt", "differs"),
    [
        ("Signup", "in upper and lower case"),
        ("SIGNUP", "in upper and lower case"),
        ("signup ", "in blanks"),
        ("signup\u00a0", "in blanks"),
        ("sign up", "in blanks"),
        ("sign_up", "in the signs between words"),
        ("ｓｉｇｎｕｐ", "in how the same letters are encoded"),
        ("sign\u200bup", "in case, blanks or width"),
        ("singup", "by a typo"),
        ("sigup", "by a typo"),
    ],
)
def test_an_event_called_nearly_as_one_that_a_rule_asks_for(spoilt, differs):
    remark = the_remark(lint(with_changed("event", lambda _: spoilt, of_event("signup"))), "event-nearly-matches")
    assert f"Beside “signup” the log has “{spoilt}” (15 events; differs {differs})." in remark["problem"]
    assert "“signup” in “opened_by” of stage “trial” takes 45 events only." in remark["problem"]
    assert "write the names alike in the log, or name all: event: [signup, " in remark["fix"]
    assert remark["where"] == "stages[0].opened_by[0].event"


def test_letters_composed_in_two_ways_are_one_name():
    journey = {**JOURNEY, "loss_branches": [{"name": "left", "when": {"event": "gek\u00fcndigt"}}]}
    table = rows().replace({"event": {"cancelled": "gek\u00fcndigt"}})
    table.loc[table[table["event"] == "gek\u00fcndigt"].index[::3], "event"] = "geku\u0308ndigt"
    remark = the_remark(lint(table, journey), "event-nearly-matches")
    assert "differs in how the same letters are encoded" in remark["problem"]


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("subscribed", "unsubscribed"),
        ("opened", "reopened"),
        ("email_opened", "email_reopened"),
        ("created", "deleted"),
        ("A_ACCEPTED", "A_PREACCEPTED"),
        ("result_pass", "result_fail"),
        ("O_SENT", "O_SENT_BACK"),
        ("step_1", "step_2"),
        ("plan_a", "plan_b"),
        ("signup", "signin"),
        ("logged_in", "logged_on"),
        ("activated", "inactivated"),
        ("1-2", "12"),
        ("-1", "1"),
        ("yes", "yet"),
    ],
)
def test_names_that_mean_two_things_are_not_near(asked, other):
    assert not is_near(asked, other)
    assert not is_near(other, asked)


def test_a_name_that_another_rule_asks_for_is_no_near_miss():
    journey = {**JOURNEY, "loss_branches": [{"name": "other", "when": {"event": ["cancelled", "Cancelled"]}}]}
    assert not lint(with_changed("event", str.title, of_event("cancelled")), journey)


@pytest.mark.parametrize("spoilt", ["Price", "price ", "prise", "PRICE", " price"])
def test_a_value_written_nearly_as_one_that_a_rule_asks_for(spoilt):
    table = rows()
    table.loc[table[table["reason"] == "price"].index[::3], "reason"] = spoilt
    remark = the_remark(lint(table), "value-nearly-matches")
    assert f"In “reason” of “cancelled”: Beside “price” the log has “{spoilt}” (5 events; differs" in remark["problem"]
    assert remark["where"] == "loss_branches[0].when.where.reason"


def test_a_code_with_leading_zeros_is_named_and_quoted():
    table = rows().assign(code=None)
    ends = table[table["event"] == "cancelled"].index
    table["code"] = table["code"].astype(object)
    table.loc[ends, "code"] = np.where(np.arange(len(ends)) % 2, "007", "7")
    journey = {**JOURNEY, "loss_branches": [{"name": "left", "when": {"event": "cancelled", "where": {"code": 7}}}]}
    remark = the_remark(lint(table, journey), "value-nearly-matches")
    assert "“007” (10 events; differs in how the number is written)" in remark["problem"]
    assert remark["fix"].endswith("name all: code: ['7', '007'].")


def test_a_name_that_never_occurs_is_suggested_by_its_form():
    found = lint(with_changed("event", str.upper, lambda table: table["event"] == "invite"))
    remark = the_remark(found, "unprovable-validation")
    assert remark["fix"] == "Did you mean “INVITE”?"


# Ids


@pytest.mark.parametrize(
    "change", [lambda i: f" {i}", lambda i: f"{i} ", str.lower, lambda i: f"{i}\u00a0", lambda i: i.replace("C", "Ｃ")]
)
def test_ids_that_differ_only_in_form_split_a_customer(change):
    def half(table: pd.DataFrame) -> pd.Series:
        return table["customer_id"].isin([f"C{n:03d}" for n in range(0, 60, 6)]) & (table["event"] != "signup")

    remark = the_remark(lint(with_changed("customer_id", change, half)), "split-ids")
    assert remark["problem"].startswith(
        "20 ids differ from another only in blanks, case, width or zeros, and stand for 10"
    )
    assert "For example, “" in remark["problem"]


@pytest.mark.parametrize("change", [lambda i: f"{i}.0", lambda i: f"00{i}"])
def test_numbers_written_in_two_ways_split_a_customer(change):
    table = rows()
    table["customer_id"] = [str(17_000 + int(one[1:])) for one in table["customer_id"]]
    later = table["event"] != "signup"
    table.loc[later, "customer_id"] = table.loc[later, "customer_id"].map(change)
    # With one letter among the ids, the column is text as a whole.
    table.loc[table["customer_id"].str.contains("17003"), "customer_id"] = "guest7"
    remark = lint(table).table.set_index("rule").loc["split-ids"]
    assert remark["problem"].startswith("118 ids differ")


def test_upper_and_lower_case_are_part_of_codes():
    assert same_forms(["aZ7q", "az7Q", "Qx1z"]) == {}
    assert list(same_forms(["ann@x.org", "Ann@x.org", "bob@x.org"])) == ["ann@x.org"]


@pytest.mark.parametrize(
    "placeholder",
    ["undefined", "null", "None", "NaN", "n/a", "-", "[object Object]", "0", "00000000-0000-0000-0000-000000000000",
     "(not set)", "{{user_id}}", "-1", "#N/A", "anonymous"],
)  # fmt: skip
def test_an_id_that_stands_for_nobody(placeholder):
    remark = the_remark(lint(with_changed("customer_id", lambda _: placeholder)), "placeholder-id")
    n = len(rows()[::10])
    assert f"The id “{placeholder}” is what programs write for a customer whom they do not know." in remark["problem"]
    assert f"It has {n} events (10% of all)" in remark["problem"]
    assert "leave the id empty in the source" in remark["fix"]


def test_where_customers_are_counted_from_0_that_is_one_of_them():
    table = rows()
    assert not lint(table.assign(customer_id=[int(one[1:]) for one in table["customer_id"]]))
    assert not lint(table.assign(customer_id=[one[1:] for one in table["customer_id"]]))
    spoilt = [0 if at % 4 == 0 else int(one[1:]) for at, one in enumerate(table["customer_id"])]
    assert "placeholder-id" in set(lint(table.assign(customer_id=spoilt)).table["rule"])


def test_one_id_with_an_outsize_share_of_the_events():
    found = lint(with_changed("customer_id", lambda _: "kiosk-7", lambda table: table.index % 4 == 0))
    remark = found.table.set_index("rule").loc["outsize-id"]
    assert "One id has 25% of all events: 65 events, where half of the customers have" in remark["problem"]
    assert remark["problem"].endswith("It is “kiosk-7”.")
    assert not any("kiosk-7" in problem for problem in found.shown["problem"])


def test_a_busy_customer_is_not_outsize():
    busy = pd.DataFrame({"customer_id": "C000", "time": "2025-03-01T10:00:00Z", "event": "project"}, index=range(12))
    busy["time"] = [f"2025-03-01T10:{at:02d}:00Z" for at in range(12)]
    assert not lint(pd.concat([rows(), busy]))


@pytest.mark.parametrize("number", ["8.90000E+11", "8,9E+11", "8.9e+11", "1E+12"])
def test_ids_that_a_spreadsheet_shortened(number):
    remark = the_remark(lint(rows().assign(customer_id=number)), "cut-ids")
    assert (
        f"A spreadsheet has shortened ids to numbers such as “{number}”: {len(rows())} events (100%)"
        in remark["problem"]
    )
    assert remark["fix"].startswith("Export the ids again, as text.")


@pytest.mark.parametrize(
    "made",
    [
        lambda at: f"{890 + at % 7}000000000",
        lambda at: f"{4929_1234_5678_901 + at}0",
        lambda at: str(int(float(1_234_567_890_123_456_789 + 1_000_003 * at))),
        lambda at: f"{8.9e11 + at - at:.0f}",
    ],
)
def test_long_ids_that_lost_their_last_digits(made):
    table = rows()
    remark = lint(table.assign(customer_id=[made(int(one[1:])) for one in table["customer_id"]])).table
    assert "cut-ids" in set(remark["rule"])
    assert "look rounded" in remark.set_index("rule").loc["cut-ids", "problem"]


@pytest.mark.parametrize("start", [1_234_567_890_123_456_789, 4_929_123_456_789_012, 100_000_000_003, 7e4])
def test_long_ids_that_are_whole(start):
    table = rows()
    whole = [str(int(start) + 1_000_003 * int(one[1:])) for one in table["customer_id"]]
    assert not lint(table.assign(customer_id=whole))


def test_codes_with_an_e_are_no_cut_numbers():
    table = rows()
    assert not lint(table.assign(customer_id=[f"{int(one[1:]):02d}e4" for one in table["customer_id"]]))


def test_customers_whose_ids_differ_from_those_of_the_customers_table():
    table = pd.DataFrame({"customer_id": [f"C{n:03d}{' ' * (n % 3 == 0)}" for n in range(60)], "plan": "Pro"})
    remark = the_remark(lint(rows(), customers=table), "customers-differ")
    assert remark["problem"] == (
        "The customers’ table and the log differ: 20 customers of 60 have no attributes there and 20 rows of it have "
        "no event. 20 ids differ only in blanks, case, width or zeros. For example, “C000” in the log is “C000 ” in "
        "the table."
    )
    assert (remark["where"], remark["fix"]) == ("customers", "Write the ids alike in both.")


@pytest.mark.parametrize(
    ("first", "last", "words"), [(5, 60, "5 customers of 60 have no"), (0, 80, "20 rows of it have no")]
)
def test_customers_who_are_in_one_of_both_only(first, last, words):
    table = pd.DataFrame({"customer_id": [f"C{n:03d}" for n in range(first, last)], "plan": "Pro"})
    assert words in the_remark(lint(rows(), customers=table), "customers-differ")["problem"]


def test_a_table_of_all_customers_is_right():
    assert not lint(rows(), customers=pd.DataFrame({"customer_id": [f"C{n:03d}" for n in range(62)], "plan": "Pro"}))


# Refusals


def from_june(table: pd.DataFrame) -> pd.Series:
    return table["time"] >= "2025-06"


def test_a_format_that_changes_midway_cuts_off_the_end():
    spoilt = with_changed("time", lambda time: pd.Timestamp(time).strftime("%d/%m/%Y %H:%M"), from_june)
    n = int(from_june(rows()).sum())
    remark = the_remark(lint(spoilt), "refused-rows")
    total = len(rows())
    assert remark["where"] == "events: time"
    assert remark["problem"].startswith(
        f"{n} rows of {total} ({n / total:.0%}) are refused: the time cannot be read. {n} are day, month and year in "
        "another order, for example “"
    )
    assert "100% of the rows of 2025-06 to 2025-11" in remark["problem"]
    assert "So the end of the log is missing: its last event that can be used is of 2025-05." in remark["problem"]
    assert "2025-06-15T14:03:00Z" in remark["fix"]
    assert "day_first: true for 31.01.2025" in remark["fix"]
    assert not lint(spoilt, day_first=True, timezone="UTC")


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("%m/%d/%Y %I:%M %p", "day, month and year in another order, with AM or PM"),
        ("%d.%m.%Y", "day, month and year in another order"),
        ("%d-%b-%Y", "a month’s name"),
        ("%Y-%m-%d %H:%M:%S CEST", "a time with the zone letters CEST"),
        ("%s", "a number: seconds since 1970"),
        ("%Y%m%d", "a number: the date as yyyymmdd"),
    ],
)
def test_the_way_of_writing_is_named_and_its_months_found(form, kind):
    def written(time: str) -> str:
        return pd.Timestamp(time).strftime(form) if form != "%s" else str(int(pd.Timestamp(time).timestamp()))

    # Zone letters are an error at the door, unless a format says that they are none.
    how = {"time_format": "%Y-%m-%dT%H:%M:%SZ", "timezone": "UTC"} if "CEST" in form else {}
    problem = the_remark(lint(with_changed("time", written, from_june), **how), "refused-rows")["problem"]
    assert f"are {kind}, for example “" in problem
    assert "100% of the rows of 2025-06 to 2025-11" in problem


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (None, "26 are empty."),
        ("  ", "26 are empty."),
        ("soon", "26 are no date at all, for example “soon”."),
        ("0000-00-00 00:00:00", "26 are no date at all, for example “0000-00-00 00:00:00”."),
        ("31.12.9999", "26 are day, month and year in another order, for example “31.12.9999”."),
    ],
)
def test_times_that_are_none_are_told_by_what_is_written(time, words):
    problem = the_remark(lint(with_changed("time", lambda _: time)), "refused-rows")["problem"]
    assert problem == f"26 rows of 260 (10%) are refused: the time cannot be read. {words}"


def test_milliseconds_told_as_seconds_for_a_part_are_named():
    seconds = [int(pd.Timestamp(time).timestamp()) for time in rows()["time"]]
    mixed = [1000 * second if at % 5 == 0 else second for at, second in enumerate(seconds)]
    problem = the_remark(lint(rows().assign(time=[str(one) for one in mixed]), time_unit="s"), "refused-rows")[
        "problem"
    ]
    assert "are a number: milliseconds since 1970, for example “17" in problem


@pytest.mark.parametrize(
    ("column", "words"), [("customer_id", "they name no customer"), ("event", "they name no event")]
)
def test_rows_of_one_month_that_lack_something(column, words):
    spoilt = rows()
    spoilt.loc[spoilt["time"].str.startswith("2025-03"), column] = ""
    remark = the_remark(lint(spoilt), "refused-rows")
    assert f"are refused: {words}, from 2025-03 to 2025-03. They are not spread evenly: 100%" in remark["problem"]
    assert remark["where"] == f"events: {column}"


def test_few_refusals_are_told_where_they_gather():
    many = rows(2_000)
    march = many[many["time"].str.startswith("2025-03-0")].index
    spread, gathered = many.copy(), many.copy()
    spread.loc[many.index[:: len(many) // 30], "customer_id"] = None
    gathered.loc[march[::6], "customer_id"] = None
    assert 0.002 < gathered["customer_id"].isna().mean() < 0.01
    assert not lint(spread)
    problem = the_remark(lint(gathered), "refused-rows")["problem"]
    assert "of the rows of 2025-03." in problem


def test_refusals_from_1_percent_are_told_even_if_spread():
    many = rows(400)
    many.loc[many.index[::80], "time"] = "soon"
    problem = the_remark(lint(many), "refused-rows")["problem"]
    assert "are no date at all, for example “soon”" in problem
    assert "spread" not in problem


def test_refusals_of_one_source_name_it(tmp_path):
    good, bad = rows(300), rows(30).assign(customer_id=None)
    for name, table in (("web.csv", good), ("shop.csv", bad.drop(columns="reason"))):
        table.to_csv(tmp_path / name, index=False)
    log = read([Source(tmp_path / "web.csv"), Source(tmp_path / "shop.csv")])
    problem = the_remark(lint(log), "refused-rows")["problem"]
    assert "100% of the rows of “" in problem
    assert "/shop.csv”" in problem
    assert str(tmp_path) not in problem


def test_what_comes_after_the_window_and_what_is_there_twice_is_refused_rightly():
    table = pd.concat([rows(), rows()[::3]])
    assert not lint(table)
    assert not lint(rows(), window=("2025-01-01", "2025-09-01"))


# Times


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("1970-01-01T00:00:00Z", "55 years before the window. They count as history"),
        ("1900-01-01T00:00:00Z", "125 years before the window. They count as history"),
        ("0001-01-01T00:00:00Z", "2,024 years before the window. They count as history"),
        ("1899-12-30T00:00:00Z", "This is day 0 of a spreadsheet"),
        (
            "9999-12-31T00:00:00Z",
            "7,974 years after the window. They are refused. This is what is written for “no end”",
        ),
        ("2099-12-31T23:59:59Z", "74 years after the window. They are refused."),
        ("2000-01-01T00:00:00Z", "This is where a clock without a battery begins"),
        ("1997-05-03T10:00:00Z", "Such times are seldom real"),
    ],
)
def test_times_far_from_the_rest(time, words):
    found = lint(with_changed("time", lambda _: time, of_event("signup", 5)))
    remark = found.table.set_index("rule").loc["far-times"]
    assert remark["problem"].startswith("12 events lie years ")
    assert words in remark["problem"]


@pytest.mark.parametrize(
    ("unit", "change", "meaning"),
    [
        ("ms", lambda seconds: seconds, "seconds since 1970"),
        ("s", lambda seconds: pd.Timestamp(seconds, unit="s").strftime("%Y%m%d"), "the date as yyyymmdd"),
        ("s", lambda seconds: 25_569 + seconds // 86_400, "days as a spreadsheet counts them"),
    ],
)
def test_numbers_of_another_unit_are_named(unit, change, meaning):
    seconds = [int(pd.Timestamp(time).timestamp()) for time in rows()["time"]]
    factor = {"s": 1, "ms": 1_000}[unit]
    mixed = [str(change(one)) if at % 10 == 0 else str(one * factor) for at, one in enumerate(seconds)]
    problem = lint(rows().assign(time=mixed), time_unit=unit).table.set_index("rule").loc["far-times", "problem"]
    assert f"fits if it is {meaning}: the unit is mixed in this column" in problem


def test_a_long_history_is_not_far():
    history = pd.DataFrame(
        {
            "customer_id": "C000",
            "time": [f"{year}-0{month}-01T10:00:00Z" for year in range(1995, 2025) for month in (1, 6)],
            "event": "project",
        }
    )
    assert "far-times" not in set(lint(pd.concat([rows(), history])).table["rule"])


def by_day(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(time=table["time"].str[:10])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Europe/London"])
def test_equal_rows_of_a_log_of_days_may_be_two_events(zone):
    table = by_day(pd.concat([rows(), rows()[rows()["event"] == "project"][::6]]))
    remark = the_remark(lint(table, timezone=zone), "equal-rows-by-day")
    assert remark["problem"].startswith("20 rows (7.1%) were refused as duplicates, but the times are days")
    assert "duplicates: keep" in remark["fix"]
    assert not lint(table, timezone=zone, duplicates="keep")


def test_a_column_that_is_empty_for_a_month():
    table = rows(300).assign(channel="web")
    table.loc[table["time"].str.startswith("2025-05"), "channel"] = None
    problem = the_remark(lint(table), "empty-months")["problem"]
    assert problem.startswith("“channel” is empty in the ")
    assert "events “project” of 2025-05, and filled in those of other months and in 4 other events." in problem


def test_a_column_that_begins_later_is_no_gap():
    table = rows(300).assign(channel="web")
    table.loc[table["time"] < "2025-05", "channel"] = None
    assert not lint(table)


# Rows there twice, and their order


@pytest.mark.parametrize(
    "column", ["loaded_at", "batch_id", "_airbyte_emitted_at", "source_file", "row_number", "Unnamed: 0"]
)
def test_rows_that_differ_only_in_what_a_loader_adds(column):
    first, again = rows(), rows()[::3]
    first[column], again[column] = [str(at) for at in range(len(first))], [f"x{at}" for at in range(len(again))]
    remark = the_remark(lint(pd.concat([first, again])), "loaded-twice")
    assert f"{len(again)} rows of " in remark["problem"]
    assert f"repeat another row and differ from it only in “{column}”." in remark["problem"]
    assert "loaded-twice" not in set(lint(first).table["rule"])


def test_lines_of_one_order_are_not_loaded_twice():
    first, again = rows().assign(batch="1", item="a"), rows()[::3].assign(batch="2", item="b")
    assert "loaded-twice" not in set(lint(pd.concat([first, again])).table["rule"])


def test_customers_who_act_before_they_sign_up():
    table = rows()
    late = (table["event"] == "signup") & table["customer_id"].isin([f"C{n:03d}" for n in (1, 3, 5, 6, 7)])
    table.loc[late, "time"] = [str(pd.Timestamp(time) + pd.Timedelta(days=40)) for time in table.loc[late, "time"]]
    found = lint(table)
    problem = the_remark(found, "acts-before-opener")["problem"]
    assert problem.startswith(
        "5 customers of 60 (8.3%) have “cancelled” or “subscribed” before their first “signup”, which opens stage "
        "“trial”."
    )
    assert "For example, “C001” on 2025-" in problem
    assert "C001" not in found.shown["problem"].iloc[0]
    assert "acts-before-opener" not in set(lint(table, {**JOURNEY, "movement": "free"}).table["rule"])


def test_reports_name_no_customer_and_no_number_of_few():
    table = rows()
    late = (table["event"] == "signup") & table["customer_id"].isin(["C001", "C003"])
    table.loc[late, "time"] = [str(pd.Timestamp(time) + pd.Timedelta(days=40)) for time in table.loc[late, "time"]]
    found = lint(table)
    assert found.table["problem"].iloc[0].startswith("2 customers of 60 (3.3%) have")
    assert found.shown["problem"].iloc[0].startswith("fewer than 5 customers of 60 have")
    assert "C001" not in found.shown["problem"].iloc[0]


def same_day(newest_first: bool) -> pd.DataFrame:
    """Customers who sign up and have two projects on one day."""
    table = rows()
    first = table.groupby("customer_id")["time"].transform("first")
    table["time"] = table["time"].where(~table["event"].eq("project"), first)
    table.loc[table["event"].eq("project") & (table.groupby(["customer_id", "event"]).cumcount() == 1), "reason"] = "b"
    table = by_day(table)
    return table[::-1] if newest_first else table


@pytest.mark.parametrize("newest_first", [True, False])
def test_answers_that_hang_on_the_order_of_rows(newest_first):
    problem = the_remark(lint(same_day(newest_first), timezone="UTC"), "hangs-on-order")["problem"]
    assert problem.startswith(
        "60 customers of 60 (100%) have other stages, losses or validations when events of one time"
    )
    assert ("from the newest to the oldest" in problem) is newest_first


def test_an_order_that_the_source_gives_is_right():
    table = same_day(newest_first=False)
    assert not lint(table.assign(seq=[1_000 * at for at in range(len(table))]), timezone="UTC")


# What numbers and names mean


def test_what_a_number_counts_is_seen_by_where_it_lies():
    year = Window.from_times(*YEAR)
    meanings = {
        1_738_357_014: "seconds since 1970",
        1_738_357_014_138: "milliseconds since 1970",
        1_738_357_014_138_000: "microseconds since 1970",
        1_738_357_014_138_000_000: "nanoseconds since 1970",
        20_250_131: "the date as yyyymmdd",
        20_250_131_1200: "the date as yyyymmdd",
        45_688: "days as a spreadsheet counts them",
        20_119: "days since 1970",
        7: None,
    }
    assert {number: number_means(number, year) for number in meanings} == meanings


def test_a_difference_is_named_by_its_simplest_cause():
    assert difference("17", "017.0") == "in how the number is written"
    assert difference("Sign Up", "sign up ") == "in case, blanks or width"
