"""Proven, claimed but unproven, not yet: counted by hand; and losses compared without immortal time."""

from functools import partial

import by_hand
import numpy as np
import pandas as pd
import pytest
from by_hand import LOST_TO_PRICE, journey_of

from journeylab import open_study
from journeylab.base.errors import EstimateError, JourneyLabError
from journeylab.estimators.cox import fit_cox
from journeylab.events.simulate import simulate_log
from journeylab.events.spells import find_spells
from journeylab.findings.grouping import Grouping
from journeylab.findings.validation import estimate_validation

STAGES = [
    {"name": "trial", "opened_by": [{"event": "start"}], "silent_after": "30d",
     "validated_by": {"event": "use", "at_least": 2, "within": "10d"}},
    {"name": "paid", "opened_by": [{"event": "buy"}], "validated_by": {"event": "use"}},
    {"name": "plus", "opened_by": [{"event": "upgrade"}]},
    {"name": "partner", "opened_by": [{"event": "refer"}], "completes": True,
     "validated_by": {"event": "recommend", "within": "20d"}},
]  # fmt: skip
JOURNEY = journey_of(STAGES, [LOST_TO_PRICE])
spells_of = partial(by_hand.spells_of, journey=JOURNEY, end=100.0)


def tenfold(*visits) -> list[tuple]:
    """Ten customers for each of `visits` (stage, entered, left, way out, day of validation)."""
    return [(f"{place}-{number}", *visit) for place, visit in enumerate(visits) for number in range(10)]


TRIALS = tenfold(
    ("trial", 0, 20, "advanced", 4),
    ("trial", 0, 30, "price", 8),
    ("trial", 0, 5, "price", None),
    ("trial", 0, 6, "advanced", None),
    ("trial", 0, 40, "price", None),
    ("trial", 0, 50, "advanced", None),
)


def row_of(table: pd.DataFrame, **where) -> pd.Series:
    rows = table[(table[list(where)] == pd.Series(where)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_each_visit_is_validated_unproven_out_of_time_or_not_yet():
    """Still inside at the window's end: one for exactly the ten days allowed, which may still prove it, one longer."""
    visits = [
        ("a", "trial", 0, 20, "advanced", 4),
        ("b", "trial", 95, 100, None, 97),
        ("c", "trial", 0, 5, "price", None),
        ("d", "trial", 90, 100, None, None),
        ("e", "trial", 89, 100, None, None),
        ("f", "paid", 20, 100, None, None),
    ]
    counts = estimate_validation(spells_of(visits), horizons=["10d"]).counts
    assert counts.columns.tolist() == [
        "stage", "validation", "within_days", "triggered", "validated", "left_unproven", "out_of_time", "not_yet"
    ]  # fmt: skip
    assert counts.iloc[:, 3:].to_numpy().tolist() == [[5, 2, 1, 1, 1], [1, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert counts["validation"].tolist() == ["use at least 2 times within 10d", "use", "recommend within 20d"]
    assert counts["within_days"].fillna(-1).tolist() == [10, -1, 20]


def test_shares_are_of_all_who_entered_and_leaving_unproven_competes():
    """Nobody is censored. Of 60 visits 10 are validated by day 4, 20 by day 8; 10 move on and 10 are lost by day 6."""
    found = estimate_validation(spells_of(TRIALS), horizons=["4d", "10d", "45d"])
    shares = found.table.pivot(index="horizon_days", columns="to", values="estimate")
    assert shares["validated"].tolist() == pytest.approx([1 / 6, 1 / 3, 1 / 3])
    assert shares["moved on unproven"].tolist() == pytest.approx([0, 1 / 6, 1 / 6])
    assert shares["lost unproven"].tolist() == pytest.approx([0, 1 / 6, 1 / 3])
    row = row_of(found.table, to="validated", horizon_days=10.0)
    assert row[["n", "customers", "events"]].tolist() == [60, 60, 20]
    # log(-log) and logit limits aside, the interval is that of 20 of 60.
    assert row["lower"] < 0.27 < 1 / 3 < 0.41 < row["upper"]


def test_half_of_everyone_not_only_of_those_who_prove_it():
    times = estimate_validation(spells_of(TRIALS), horizons=["10d"]).times
    assert times["quantile"].tolist() == [0.25, 0.5, 0.75]
    assert times["estimate"].fillna(-1).tolist() == [8, -1, -1]
    assert times["note"].tolist() == [None, "not reached", "not reached"]
    assert times["lower"].iloc[0] == 4
    assert times["upper"].isna().all()


def test_a_way_out_that_a_stage_does_not_have_is_not_listed():
    visits = [(f"c{i}", "partner", i, 100, None, i + 3 if i % 2 else None) for i in range(20)]
    found = estimate_validation(spells_of(visits), horizons=["30d"])
    assert found.table["to"].tolist() == ["validated"]
    assert found.table["estimate"].tolist() == [0.5]
    assert (len(found.losses), len(found.ratios)) == (0, 0)


def test_visits_validated_before_they_were_watched_are_counted_but_prove_nothing_more():
    visits = [(f"c{i}", "trial", -8, 30 + i, "price", -2 if i < 12 else 1) for i in range(40)]
    found = estimate_validation(spells_of(visits), horizons=["9d"])
    assert found.counts[["triggered", "validated"]].to_numpy()[0].tolist() == [40, 40]
    row = row_of(found.table, to="validated")
    assert (row["n"], row["estimate"], row["note"]) == (28, 1.0, "given still inside on day 8.0")


def test_losses_are_compared_from_when_the_time_to_validate_is_over():
    """Inside after day 10: of 20 validated, 10 were lost on day 30; of 20 others, 10 on day 40. Before day 10 only
    visits without proof were lost, which is not held against them."""
    found = estimate_validation(spells_of(TRIALS), horizons=["25d", "35d"])
    declared = found.losses[found.losses["to"] == "declared"]
    assert declared[["validated", "horizon_days", "estimate", "n", "events"]].to_numpy().tolist() == [
        ["yes", 25, 0.5, 20, 10], ["yes", 35, 0.5, 20, 10], ["no", 25, 0.0, 20, 0], ["no", 35, 0.5, 20, 10]
    ]  # fmt: skip
    assert (declared["landmark_days"] == 10).all()
    assert declared["note"].isna().all()
    differences = found.differences[found.differences["to"] == "declared"].set_index("horizon_days")
    assert differences["estimate"].tolist() == pytest.approx([0.5, 0.0])
    assert differences.loc[25, "lower"] > 0 > differences.loc[35, "lower"]
    assert differences["n"].tolist() == [40, 40]
    silent = found.differences[found.differences["to"] == "silent"]
    assert silent["note"].tolist() == ["in part by definition: what validates also breaks the silence"] * 2


def test_without_a_time_limit_there_is_no_landmark_but_a_ratio():
    random = np.random.default_rng(2)
    left = 1 + random.exponential(20, 80).round(2)
    proven = random.uniform(0, 30, 80).round(2)
    visits = [
        (f"c{i}", "paid", 0, end, "price", proof if proof < end else None)
        for i, (end, proof) in enumerate(zip(left, proven, strict=True))
    ]
    found = estimate_validation(spells_of(visits, end=1000), horizons=["30d"])
    assert found.losses.empty
    row = row_of(found.ratios, to="declared")
    before = [(0.0, min(end, proof), end <= proof, 0.0) for end, proof in zip(left, proven, strict=True)]
    after = [(proof, end, True, 1.0) for end, proof in zip(left, proven, strict=True) if proof < end]
    entry, exit_, event, validated = np.array(before + after).T
    cox = fit_cox(validated[:, None], entry=entry, exit=exit_, event=event)
    assert row["estimate"] == pytest.approx(np.exp(cox.coefficients[0]))
    assert row["events_before"] + row["events_after"] == 80


def test_proof_that_means_nothing_changes_nothing_though_the_proven_stay_longer():
    """Half would prove it on some day, if they are still there. By how they ended up, the proven seem to be kept."""
    random = np.random.default_rng(4)
    left = random.exponential(15, 1500)
    proven = random.uniform(0, 10, 1500)
    is_proven = (proven < left) & (random.random(1500) < 0.6)
    way = np.where(random.random(1500) < 0.5, "price", "advanced")
    visits = [(f"c{i}", "trial", 0, left[i], way[i], proven[i] if is_proven[i] else None) for i in range(1500)]
    found = estimate_validation(spells_of(visits, end=1000), horizons=["20d"])
    ratio = row_of(found.ratios, to="declared")
    assert ratio["lower"] < 1 < ratio["upper"]
    difference = row_of(found.differences, to="declared")
    assert difference["lower"] < 0 < difference["upper"]
    ever = is_proven[:, None].astype(float)
    easy = fit_cox(ever, entry=np.zeros(1500), exit=left, event=way == "price")
    assert easy.hazard_ratios()[2][0] < 0.8


def test_proof_after_which_fewer_are_lost_is_found():
    """Lost at 0.06 a day before, at 0.03 after the proof, which comes at 0.1 a day: a ratio of one half."""
    random = np.random.default_rng(6)
    proof, until = random.exponential(10, 2000), random.exponential(1, 2000)
    lost = np.where(until < 0.06 * proof, until / 0.06, proof + (until - 0.06 * proof) / 0.03)
    left, ways = np.minimum(lost, 90), np.where(lost < 90, "price", None)
    proven = [day if day < end else None for day, end in zip(proof, left, strict=True)]
    visits = [(f"c{i}", "paid", 0, left[i], ways[i], proven[i]) for i in range(2000)]
    row = row_of(estimate_validation(spells_of(visits), horizons=["30d"]).ratios, to="declared")
    assert row["lower"] < 0.5 < row["upper"]
    assert row["upper"] / row["lower"] < 1.4
    assert row["p_adjusted"] < 1e-6


def test_what_lacks_customers_is_missing_and_says_why():
    visits = [(f"c{i}", "trial", 0, 20 + i, "price", 5 if i < 4 else None) for i in range(8)]
    found = estimate_validation(spells_of(visits), horizons=["10d"])
    assert found.table["estimate"].isna().all()
    assert set(found.table["note"]) == {"only 8 visits of 8 customers"}
    assert set(found.times["note"]) == {"only 8 visits of 8 customers"}
    assert found.losses["estimate"].isna().all()
    assert row_of(found.ratios, to="declared")["note"] == "only 8 customers lost this way"
    assert "“trial” cannot be estimated (only 8 visits of 8 customers)" in found.sentence()


def test_a_ratio_without_contrast_is_missing():
    visits = [(f"c{i}", "trial", 0, 20 + i, "price", None) for i in range(20)]
    row = row_of(estimate_validation(spells_of(visits), horizons=["10d"]).ratios, to="declared")
    assert row["note"] == "never some validated and others not when one was lost"
    assert np.isnan(row["estimate"])


def test_sentence_and_lanes_tell_shares_intervals_and_bases():
    found = estimate_validation(spells_of(TRIALS), horizons=["25d"])
    row = row_of(found.table, to="validated")
    limits = f"{row['lower']:.0%} to {row['upper']:.0%}"
    difference = row_of(found.differences, to="declared")
    low, high = (f"{round(100 * difference[limit]):+d}".replace("-", "−") for limit in ("lower", "upper"))
    assert found.sentence() == (
        f"Proven within 25 days of entering: “trial” 33% (95% interval {limits}; 60 visits). No validation is declared "
        "for “plus”. Declared losses differ most in “trial”: of 40 visits still inside after 10 days, 50% of the "
        "validated and 0% of the others were lost this way in the 25 days that followed (+50 points, 95% interval "
        f"{low} to {high}): an association."
    )
    lanes = found.by_stage()
    assert lanes.index.tolist() == ["trial", "paid", "plus", "partner"]
    assert lanes.loc["trial", "validated"] == f"33% within 25 days ({limits}; 60 visits)"
    assert lanes.loc["trial", "declared losses"] == "0% of 20 unproven, 50% of 20 proven, in the 25 days after day 10"
    assert lanes.drop(index="trial").isna().all(axis=None)


def test_groups_stand_beside_each_other():
    spells = spells_of(TRIALS)
    names = [f"{place}-{number}" for place in range(6) for number in range(10)]
    plan = pd.Series(["<b>x</b>" if int(name[-1]) % 2 else "y" for name in names], index=names, name="plan")
    found = estimate_validation(spells, horizons=["10d"], by=plan, min_at_risk=5)
    assert found.table["group"].unique().tolist() == ["<b>x</b>", "y"]
    assert found.counts["triggered"].tolist() == [30, 0, 0, 30, 0, 0]
    assert list(found.by_stage()) == [
        "validated (<b>x</b>)", "declared losses (<b>x</b>)", "validated (y)", "declared losses (y)"
    ]  # fmt: skip
    assert found.sentence().startswith(
        "Proven in “trial” within 10 days of entering: plan “<b>x</b>” 33% (95% interval"
    )
    assert "<b>x</b>" not in found._repr_html_()
    assert found.plot().png().startswith(b"\x89PNG")
    assert found.plot(found.plot().axes).png().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_simulated_share_of_proof_is_that_of_complete_histories():
    """Whether a visit is validated in time does not depend on the window, but for those still inside: the shares of
    visits entered early enough to be judged lie within the intervals."""
    simulation = simulate_log(1500, seed=3)
    spells = find_spells(simulation.log, simulation.journey)
    table = estimate_validation(spells, horizons=["90d"]).table
    visits = spells.to_pandas()
    judged = visits[(visits["entered"] >= spells.window.start)]
    judged = judged[judged["entered"] <= spells.window.end - pd.Timedelta(days=90)]
    for stage in ("evaluating", "onboarding", "adopting"):
        row = row_of(table, stage=stage, to="validated")
        share = judged.loc[judged["stage"] == stage, "validated"].notna().mean()
        assert row["lower"] < share < row["upper"]


@pytest.mark.slow
def test_students_of_the_open_university_prove_that_they_study(project, shared):
    study = open_study(project / "examples" / "oulad", data=shared / "data" / "oulad")
    found = estimate_validation(study.spells, horizons=["60d", "90d"])
    visits = study.spells.to_pandas()
    for row in found.counts.itertuples():
        here = visits[visits["stage"] == row.stage]
        here = here[(here["left"] > here["observed_from"]) | (here["observed_from"] == here["entered"])]
        assert (row.triggered, row.validated) == (len(here), here["validated"].notna().sum())
    assert "registered" in found.unruled
    assert (found.table.loc[found.table["to"] == "validated", "estimate"] > 0.5).any()


ERRORS = [
    ({"horizons": []}, "No horizon is given. Name one or more, such as horizons=[“30d”, “90d”]."),
    ({"confidence": 0}, "The confidence is 0. Give a share above 0 and below 1, such as 0.95."),
    ({"min_at_risk": 0}, "`min_at_risk` is 0, less than 1. An estimate needs someone at risk."),
    ({"by": "plan"}, "The customers have no attribute “plan” to group by. None is known."),
]


@pytest.mark.parametrize(("details", "message"), ERRORS)
def test_what_makes_no_sense_is_refused(details, message):
    with pytest.raises(EstimateError) as caught:
        estimate_validation(spells_of(TRIALS), **{"horizons": "10d"} | details)
    assert str(caught.value) == message
    with pytest.raises(JourneyLabError, match="“10” is not a duration"):
        estimate_validation(spells_of(TRIALS), horizons="10")


def test_visits_that_are_not_accounted_for_are_refused():
    found = estimate_validation(spells_of(TRIALS), horizons=["10d"])
    with pytest.raises(EstimateError) as caught:
        type(found)(**{**vars(found), "counts": found.counts.assign(validated=7)})
    assert str(caught.value) == (
        "Of 60 visits to “trial”, 47 are accounted for. Each visit is validated, left unproven, out of time or not yet "
        "validated: find the spells again."
    )


UNRULED = journey_of([{key: stage[key] for key in stage if key != "validated_by"} for stage in STAGES], [LOST_TO_PRICE])
NO_LABEL = Grouping("persona", pd.Series([], index=pd.Index([], dtype=object, name="customer_id"), dtype=object))
LACKING = {
    "no spell": (spells_of([]), None, "Nobody was in a stage while it was watched"),
    "no label": (spells_of(TRIALS), NO_LABEL, "Nobody has a known persona, so there is nothing to compare by it."),
    "no rule": (spells_of(TRIALS, journey=UNRULED), None, "No stage of the journey declares a validation, so nothing"),
}


@pytest.mark.parametrize("name", LACKING)
def test_where_nothing_can_be_proven_it_is_empty_and_says_so(name):
    spells, by, lacking = LACKING[name]
    found = estimate_validation(spells, horizons=["10d"], by=by)
    assert found.lacking.startswith(lacking)
    assert found.sentence() == found.lacking == found.plot().alt
    assert found.table.empty
    assert found.table["estimate"].dtype == np.float64
    assert ("group" in found.table) == (by is not None)
    assert found.by_stage().isna().all(axis=None)
    assert found.lacking in found._repr_html_()


def proofs(n_proven_lost: int, n_others_lost: int):
    """Of 40 proven and 40 others still inside after 10 days so many are lost on day 15; the rest move on on day 20."""
    rows = []
    for validated, n_lost in ((4, n_proven_lost), (None, n_others_lost)):
        name = "p" if validated else "o"
        rows += [
            (f"{name}{i}", "trial", 0, 15 if i < n_lost else 20, "price" if i < n_lost else "advanced", validated)
            for i in range(40)
        ]
    return estimate_validation(spells_of(rows), horizons=["30d"])


def test_whether_proof_protects_is_said_plainly():
    assert proofs(4, 20).protection_in_words("30d") == (
        "Fewer of the proven than of the others are lost by a loss event: “trial” 10% of the proven, 50% of the others "
        "(−40 points, −56 to −20; 80 visits still inside after 10 days)."
    )


def test_proof_that_does_not_protect_is_said_with_what_it_may_mean():
    meaning = (
        "In “trial” more of the proven than of the others are lost: proof does not seem to protect. There the "
        "validation may not prove what the stage is about, or those who meet it may have been at more risk from the "
        "start."
    )
    worse = proofs(20, 4).protection_in_words("30d")
    assert worse.startswith("More of the proven are lost by a loss event: “trial” 50% of the proven, 10% of the others")
    assert worse.endswith(meaning)
    # A difference that may be chance is said to be none, and that it points the wrong way.
    unclear = proofs(12, 10).protection_in_words("30d")
    assert unclear.startswith("No clear difference is shown: “trial” 30% of the proven, 25% of the others (+5 points")
    assert unclear.endswith(meaning)


def test_no_difference_is_no_warning():
    assert "does not seem to protect" not in proofs(10, 10).protection_in_words("30d")


def test_where_proof_is_lacking_most_is_named():
    assert estimate_validation(spells_of(TRIALS), horizons=["10d"]).claims_in_words() == (
        "Claimed but unproven: “trial” stands out, where 40 of 60 visits ended without the proof so far (use at "
        "least 2 times within 10d)."
    )


def test_being_lost_unproven_to_silence_alone_is_no_0_before_the_silence_window():
    silent_only = journey_of(STAGES[:2], [])
    visits = tenfold(("trial", 0, 20, "advanced", 4), ("trial", 0, 30, "silent", None), ("trial", 0, 90, None, None))
    found = estimate_validation(by_hand.spells_of(visits, journey=silent_only, end=100.0), horizons=["9d", "40d"])
    early, late = (row_of(found.table, stage="trial", to="lost unproven", horizon_days=day) for day in (9.0, 40.0))
    assert np.isnan(early["estimate"])
    assert early["note"] == "cannot show before day 30"
    assert late["estimate"] == pytest.approx(1 / 3)
    both = estimate_validation(spells_of(visits), horizons=["9d"])
    row = row_of(both.table, stage="trial", to="lost unproven")
    assert (row["estimate"], row["note"]) == (0, "“silent” cannot show before day 30")
    assert row_of(both.table, stage="trial", to="validated")["note"] is None
