"""What to find out next, and what may be handed on."""

import numpy as np
import pandas as pd
import pytest

from journeylab.events.journey import Journey
from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.dropoff.estimate import unexplained_branches


def journey(*branches, silent=None):
    stage = {"name": "trial", "opened_by": [{"event": "start"}]} | ({"silent_after": silent} if silent else {})
    return Journey.model_validate(
        {"journeylab": 1, "name": "n", "goal": "g", "stages": [stage], "loss_branches": list(branches)}
    )


def branch(name, event="cancel", **where):
    return {"name": name, "when": {"event": event} | ({"where": where} if where else {})}


def test_silence_and_branches_named_for_having_no_reason_are_unexplained():
    found = journey(branch("price", reason="price"), branch("Other reasons", event="leave"), silent="9d")
    assert unexplained_branches(found) == ("Other reasons", "silent")
    for name in ("other", "Others", "unknown", "misc", "not_stated", "no_reason_given", "all other reasons"):
        assert unexplained_branches(journey(branch(name, event="leave"))) == (name,)
    for name in ("no_sponsor", "other_tool", "price"):
        assert unexplained_branches(journey(branch(name, event="leave"))) == ()


@pytest.mark.parametrize(
    "name", ["cancelled", "declined", "withdrew", "withdrew_before_start", "no_show", "Plan ended", "LeftUs", "failed"]
)
def test_the_name_of_an_outcome_is_no_reason(name):
    assert unexplained_branches(journey(branch(name))) == (name,)
    assert unexplained_branches(journey(branch(name, status="closed"))) == (name,), "nor is a column that holds none"
    assert unexplained_branches(journey(branch(name, churn_reason=["price", "budget"]))) == ()
    assert unexplained_branches(journey(branch(name, reason=["price", "unknown"]))) == (name,)
    assert unexplained_branches(journey(branch(name) | {"reason": "Their card had expired"})) == ()


def test_a_name_that_nothing_in_the_log_bears_out_is_said_to_be_only_a_name(spells_of):
    visits = [("a", "trial", 0, 5, "price")]
    for asked, is_told in (
        (branch("price", event="cancel"), False),
        (branch("price", event="moved_to_cheaper_tool"), True),
        (branch("price", event="cancel", category="price"), True),
        (branch("price", event="cancel", status="closed"), False),
    ):
        found = estimate_dropoff(spells_of(visits, journey=journey(asked)), horizons=["9d"])
        words = found.unexplained_in_words("9d")
        assert words.startswith("Every loss branch of the journey names a reason") == is_told
        assert ("nothing in the log gives the one of “price”" in words) == (not is_told)


def test_a_branch_that_takes_the_rest_of_an_event_is_unexplained():
    rest = branch("went", event=["cancel", "leave"])
    found = journey(branch("price", reason="price"), rest, branch("moved", event="m"))
    assert unexplained_branches(found) == ("went",)


@pytest.fixture
def found(spells_of):
    """Of 60 in trial 24 are lost to price, 12 to other, 6 to silence on day 30; of 18 in paid 6 to other."""
    ways = ["price"] * 24 + ["other"] * 12 + ["silent"] * 6 + ["advanced"] * 18
    rows = [(f"c{i}", "trial", 0, 30 if way == "silent" else 5, way) for i, way in enumerate(ways)]
    rows += [(f"c{i}", "paid", 5, 9, "other" if i < 48 else "advanced") for i in range(42, 60)]
    return estimate_dropoff(spells_of(rows), horizons=["40d"])


def test_the_unexplained_are_ranked_with_their_share_of_all_losses(found):
    table = found.unexplained("40d")
    assert table.head(3)[["rank", "stage", "branch"]].to_numpy().tolist() == [
        [1, "trial", "other"], [2, "trial", "silent"], [3, "paid", "other"],
    ]  # fmt: skip
    assert table["estimate"].head(3).tolist() == pytest.approx([12, 6, 6])
    assert table["of_losses"].head(3).tolist() == pytest.approx([12 / 42, 6 / 42, 1])
    # Nothing is censored, so the interval is that of 12 of 42 on the logit scale, the 42 taken as they are.
    share, error = 12 / 42, np.sqrt(12 / 42 * 30 / 42 / 42)
    factor = np.exp(1.959964 * error / (share * (1 - share)))
    assert table.loc[0, "of_losses_lower"] == pytest.approx(1 / (1 + factor * (1 - share) / share), rel=1e-4)
    assert table.loc[3, "rank"] is pd.NA


def test_the_sentence_says_how_much_is_unexplained_and_where_to_ask_first(found):
    assert found.unexplained_in_words("40d") == (
        "Of all visits lost within 40 days of entering a stage, 50% (95% interval 36% to 64%) are lost without a "
        "stated reason (to “other” and “silent”). Find out first why about 12 of 60 visits (12 to 19) are lost in "
        "“trial” to “other”, 29% of all lost there."
    )


def test_where_all_is_explained_or_nothing_lost_the_sentence_says_so(spells_of):
    kept = [(f"c{i}", "trial", 0, 9, "advanced") for i in range(12)]
    assert estimate_dropoff(spells_of(kept), horizons=["9d"]).unexplained_in_words("9d") == (
        "No customer is known to be lost without a reason (to “other” and “silent”) in any stage where that can be "
        "estimated."
    )
    named = journey(branch("price", reason="price"))
    found = estimate_dropoff(spells_of([("a", "trial", 0, 5, "price")], journey=named), horizons=["9d"])
    assert found.unexplained_in_words("9d") == (
        "Every loss branch of the journey names a reason: no loss is without a reason."
    )
    nobody = estimate_dropoff(spells_of([]), horizons=["9d"])
    assert nobody.unexplained_in_words("9d") == nobody.lacking


def test_what_is_handed_on_tells_of_no_fewer_than_five(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, "price" if i == 0 else "other" if i < 4 else "advanced") for i in range(30)]
    found = estimate_dropoff(spells_of(rows), horizons=["9d"])
    shown = found.for_export()
    trial = shown.ledger.set_index("stage").loc["trial"]
    assert trial[["entered", "advanced", "silent", "ongoing"]].tolist() == [30, 26, 0, 0]
    assert trial[["price", "other"]].isna().all()
    ways = shown.table[shown.table["stage"] == "trial"].set_index("to")
    assert ways.loc[["price", "other"], ["events", "crude"]].isna().all(axis=None)
    assert ways.loc["other", ["estimate", "n"]].tolist() == pytest.approx([0.1, 30])
    assert ways.loc["advanced", "events"] == 26
    assert found.ledger.set_index("stage").loc["trial", "price"] == 1, "the finding itself is as it was"
    assert shown.plot_ledger().alt == (
        "What became of those who entered, so far. trial: 30 entered, 26 advanced, fewer than 5 price, "
        "fewer than 5 other."
    )
    assert shown.sentence() == found.sentence()
    assert '<td class="number">–</td>' in found._repr_html_()


def test_groups_of_fewer_than_five_are_not_shown_at_all(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, "price" if i % 2 else "advanced") for i in range(24)]
    size = pd.Series({f"c{i}": "few" if i < 4 else "many" for i in range(24)}, name="size")
    shown = estimate_dropoff(spells_of(rows), horizons=["9d"], by=size, min_at_risk=1).for_export()
    few = shown.ledger[(shown.ledger["group"] == "few") & (shown.ledger["stage"] == "trial")]
    assert few[["entered", "advanced", "price"]].isna().all(axis=None)
    rows_of_few = shown.table[(shown.table["group"] == "few") & (shown.table["stage"] == "trial")]
    numbers = ["estimate", "lower", "upper", "crude", "n", "customers", "events", "at_risk"]
    assert rows_of_few[numbers].isna().all(axis=None)


def test_a_ranking_that_is_handed_on_does_not_say_how_few_were_lost(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, "price" if i < 4 else "other" if i < 16 else "advanced") for i in range(30)]
    found = estimate_dropoff(spells_of(rows), horizons=["9d"])
    plain, shown = (each.vulnerability("9d").set_index("branch") for each in (found, found.for_export()))
    plain, shown = (each[each["stage"] == "trial"] for each in (plain, shown))
    assert plain.loc["price", ["estimate", "events"]].tolist() == pytest.approx([4, 4])
    assert shown.loc["price", ["estimate", "lower", "upper", "share", "events"]].isna().all(axis=None)
    assert shown.loc["price", ["rank", "n", "note"]].tolist() == [2, 30, "fewer than 5 lost"]
    assert shown.loc["other", ["estimate", "events"]].tolist() == pytest.approx([12, 12])
    assert found.for_export().rank_stability("9d", seed=1)["first"].isna().tolist()[:2] == [False, True]
    assert len(found.for_export().plot_vulnerability("9d", seed=1).axes.get_yticks()) == 1


def test_the_naive_view_that_is_handed_on_does_not_count_few(spells_of):
    rows = [(f"c{i}", "trial", 0, 5, None if i < 3 else "price" if i < 16 else "advanced") for i in range(30)]
    shown = estimate_dropoff(spells_of(rows), horizons=["4d"]).for_export()
    assert shown.against_naive("4d").set_index("stage").loc["trial", ["entered", "moved_on"]].tolist() == [30, 14]
    assert shown.naive_in_words("4d") == (
        "Counting who moved on, the largest share seems to be lost in “trial”: 53% of 30 visits have not moved on. But "
        "fewer than 5 of them are still inside, and not everyone was watched for equally long. Estimated within 4 days "
        "of entering, the largest share is lost in “trial” too: 0% (0% to 11%) of 30 visits."
    )
    # Silence cannot show after four days.
    assert shown.plot(horizon="4d").alt.endswith("trial, other: 0% (0% to 11%) of 30.")


def test_with_groups_the_share_is_of_what_the_group_loses_in_the_stage(spells_of):
    ways = ["price"] * 15 + ["other"] * 5 + ["price"] * 5 + ["other"] * 15
    rows = [(f"c{i}", "trial", 0, 5, way) for i, way in enumerate(ways)]
    half = pd.Series({f"c{i}": "first" if i < 20 else "second" for i in range(40)}, name="half")
    found = estimate_dropoff(spells_of(rows), horizons=["9d"], by=half)
    table = found.unexplained("9d").head(2)
    assert table[["group", "branch", "of_losses"]].to_numpy().tolist() == [
        ["second", "other", 0.75], ["first", "other", 0.25],
    ]  # fmt: skip
    assert found.unexplained_in_words("9d").endswith(
        "are lost in “trial” to “other” among customers with half “second”, 75% of all lost there."
    )
