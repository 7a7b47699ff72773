"""How soon customers are lost: shares by a loss event and to silence, worked by hand, and by when half of them were."""

import numpy as np
import pandas as pd
import pytest

from journeylab.findings.dropoff import estimate_dropoff
from journeylab.findings.survival import estimate_survival

# Of 20 visits to the trial 6 are lost by a loss event (5 on day 5, 1 on day 8), 4 to silence on day 30, 10 move on.
TRIALS = [
    *[(f"a{i}", "trial", 0, 5, "price") for i in range(5)],
    ("b", "trial", 0, 8, "other"),
    *[(f"c{i}", "trial", 0, 30, "silent") for i in range(4)],
    *[(f"d{i}", "trial", 0, 40, "advanced") for i in range(10)],
]
PAID = [
    *[(f"d{i}", "paid", 40, 60, "other") for i in range(2)],
    *[(f"d{i}", "paid", 40, 90, None) for i in range(2, 10)],
]


@pytest.fixture
def survival(spells_of):
    return estimate_survival(spells_of(TRIALS + PAID))


def test_losses_are_shared_out_between_loss_events_and_silence_worked_by_hand(survival):
    losses = survival.losses("50d").set_index(["stage", "kind"])
    trial = losses.loc["trial"]
    assert trial["estimate"].to_dict() == pytest.approx({"lost": 0.5, "declared": 0.3, "silent": 0.2})
    assert trial["n"].tolist() == [20, 20, 20]
    # Half of the ten are lost on day 5, half of the six as well, and half of the four when they fall silent.
    assert trial["half_days"].to_dict() == {"lost": 5, "declared": 5, "silent": 30}
    assert (trial["half_lower"] <= trial["half_days"]).all()
    assert (trial["half_upper"] >= trial["half_days"]).all()
    # Nobody can fall silent in paid: there is no such row.
    assert losses.loc["paid"].index.tolist() == ["lost", "declared"]


def test_all_losses_are_those_that_drop_off_estimates(spells_of):
    random = np.random.default_rng(4)
    ways = random.choice(["price", "other", "silent", "advanced", None], 120)
    rows = [
        (f"c{i % 90}", "trial", 200 * (i // 90), 200 * (i // 90) + (1000 - 200 if way is None else 30 + int(day)), way)
        for i, (way, day) in enumerate(zip(ways, random.integers(1, 60, 120), strict=True))
        if way is not None or i >= 90
    ]
    spells = spells_of(rows)
    losses = estimate_survival(spells).losses("60d").query("stage == 'trial'").set_index("kind")
    dropoff = estimate_dropoff(spells, horizons=["60d"]).losses.query("stage == 'trial'").iloc[0]
    for name in ("estimate", "lower", "upper", "n"):
        assert losses.loc["lost", name] == pytest.approx(dropoff[name])
    assert losses.loc[["declared", "silent"], "estimate"].sum() == pytest.approx(losses.loc["lost", "estimate"])


def test_silence_that_cannot_show_yet_is_missing_and_the_sum_says_so(survival):
    losses = survival.losses("20d").query("stage == 'trial'").set_index("kind")
    assert np.isnan(losses.loc["silent", "estimate"])
    assert losses.loc["silent", "note"] == "cannot show before day 30"
    assert losses.loc["lost", "note"] == "“silent” cannot show before day 30"
    assert "“silent” cannot show before day 30" in survival.losses_in_words("20d")


def test_the_sentence_names_the_stage_that_loses_most_how_and_how_soon(survival):
    said = survival.losses_in_words("50d")
    assert said.startswith("“trial” loses the largest share within 50 days of entering: 50% (95% interval 2")
    assert "20 visits), 30% by a loss event and 20% to silence. Half of these are lost by day 5.0 (" in said
    assert len(said.split()) <= 60


def test_a_stage_whose_losses_are_not_known_is_named(spells_of):
    rows = TRIALS + [(f"e{i}", "plus", 900, 1000, None) for i in range(12)]
    said = estimate_survival(spells_of(rows)).losses_in_words("200d")
    assert "Not known yet: “plus” (fewer than 10 at risk after day 100.0)." in said


def test_groups_are_named_and_drawn(spells_of):
    plans = pd.Series({name: "large" if name[0] in "ab" else "small" for name, *_ in TRIALS}, name="plan")
    found = estimate_survival(spells_of(TRIALS), by=plans)
    assert set(found.losses("50d")["group"]) == {"large", "small"}
    assert "with plan “small”" in found.losses_in_words("50d")
    assert found.plot_losses("50d").png().startswith(b"\x89PNG")


def test_the_figure_has_a_panel_for_each_stage_and_says_what_the_sentence_says(survival):
    chart = survival.plot_losses("50d")
    assert chart.alt == f"Share lost by days since entering each stage. {survival.losses_in_words('50d')}"
    assert len(chart.axes.figure.axes) == 2
    assert survival.plot_losses("50d").png() == chart.png()


def test_where_nobody_can_be_lost_or_nobody_came_it_says_so(spells_of):
    goal = estimate_survival(spells_of([(f"c{i}", "partner", 0, 100, None) for i in range(12)]))
    assert goal.losses("50d").empty
    assert goal.losses_in_words("50d").startswith("Nobody can be lost")
    assert goal.plot_losses("50d").alt == goal.losses_in_words("50d")
    nobody = estimate_survival(spells_of([]))
    assert nobody.losses_in_words("50d") == nobody.lacking
