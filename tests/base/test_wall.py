"""The wall: at most 300 words, none smaller than 20 points but at the foot, nothing outside the sheet or its column."""

import pandas as pd
import pytest

from journeylab.base.charts import wall
from journeylab.base.charts.wall import HEIGHT, MM, MOST_WORDS, WIDTH, cut, n_words, width_of, wrapped

HEAD = {"claim": "16 of 100 are lost in Onboarding: No sponsor", "persona": "Everyone", "portrait": "A team lead " * 9,
        "goal": "Plan the week", "stamp": "Simulated", "foot": "All numbers: report 07."}  # fmt: skip
PARTS = ("goal", "crm", "owner", "trigger", "proof", "quote", "action", "pain", "moment", "do", "belief", "unknown")


def sheet(n_stages, *, name="Stage", words=30):
    stages = [f"s{n}" for n in range(n_stages)]
    cells = pd.DataFrame(
        [(stage, part, f"{part} word " * words, "open") for stage in stages for part in PARTS],
        columns=["stage", "part", "text", "mark"],
    )
    left = 1 / n_stages
    rows = [(stage, "lost", "price", left / 2, left / 3, left) for stage in stages]
    rows += [(stage, "inside", None, left / 2, left / 3, left) for stage in stages]
    river = pd.DataFrame(rows, columns=["stage", "kind", "to", "estimate", "lower", "upper"])
    feelings = pd.DataFrame(
        {"stage": stages, "estimate": 0.5, "lower": 0.4, "upper": 0.6, "mark": ["low", *[""] * (n_stages - 1)]}
    )
    days = pd.DataFrame({"stage": stages, "estimate": 20.0, "lower": 18.0, "upper": 22.0})
    titles = {stage: f"{name} {stage}" for stage in stages}
    return wall(cells, stages=stages, titles=titles, river=river, feelings=feelings, days=days, head=HEAD, alt="A map.")


@pytest.mark.parametrize(
    ("n_stages", "name"), [(1, "S"), (5, "S"), (9, "S"), (5, "A name of sixty letters, as some have")]
)
def test_it_has_few_words_in_large_letters_and_all_of_them_on_the_sheet(n_stages, name):
    chart = sheet(n_stages, name=name)
    sizes = sorted({text.get_fontsize() for text in chart.axes.texts})
    assert sizes[:2] == [14, 20]
    assert [text.get_text() for text in chart.axes.texts if text.get_fontsize() == 14] == ["All numbers: report 07."]
    assert n_words(chart.axes) <= MOST_WORDS
    figure = chart.axes.figure
    figure.draw_without_rendering()
    for text in chart.axes.texts:
        box = text.get_window_extent().transformed(chart.axes.transData.inverted())
        assert box.x0 >= 0
        assert box.x1 <= WIDTH, text.get_text()
        assert min(box.y0, box.y1) >= 0
        assert max(box.y0, box.y1) <= HEIGHT, text.get_text()
    assert figure.get_size_inches() == pytest.approx([WIDTH * MM, HEIGHT * MM])


def test_what_is_not_known_is_said_and_not_drawn():
    nothing = pd.DataFrame(columns=["stage", "part", "text", "mark"])
    chart = wall(
        nothing, stages=["s"], titles={"s": "S"}, river=None, feelings=None, days=None, head=HEAD, alt="A map."
    )
    texts = [text.get_text() for text in chart.axes.texts]
    assert "How they feel: nobody has asked yet" in texts
    assert "How many go on, stay or leave: not measured" in texts


def test_a_text_is_wrapped_by_its_width_and_never_wider_than_its_column():
    rows = wrapped("an ordinary sentence with some words " + "x" * 300, 100, 20, 3)
    assert len(rows) == 3
    assert all(width_of(row, 20) <= 100 for row in rows)
    assert rows[-1].endswith("…")
    assert cut("one two three", 2) == "one two…"
