"""How what customers wrote becomes themes and quotes by stage."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pandas as pd

from journeylab.base.durations import microseconds
from journeylab.estimators.shares import clustered_share
from journeylab.events.log import EventLog
from journeylab.events.queries.answers import Asked
from journeylab.events.queries.scales import Scale
from journeylab.events.spells import Spells
from journeylab.findings.arguments import MIN_CUSTOMERS
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, WatchedVisits, Where, select
from journeylab.findings.quotes import MAX_LETTERS, find_quotes, shortened
from journeylab.findings.rows import ESTIMATE, estimated
from journeylab.findings.thoughts.pains import find_pains
from journeylab.findings.thoughts.statements import Statements
from journeylab.findings.thoughts.themes import NONE, Themes, find_themes
from journeylab.findings.thoughts.thoughts import COLUMNS, NO_THEME, PAINS, QUOTES, THEMES, Thoughts

# What is typical of so many texts, drawn at random, is typical of more.
MAX_TO_QUOTE = 500


def find_thoughts(
    log: EventLog,
    spells: Spells,
    *,
    seed: int,
    asked: Asked | None = None,
    by: By | None = None,
    where: Where | None = None,
    names: Iterable[str] = (),
    n_quotes: int = 2,
    scale: Scale | str | None = None,
    near: str | timedelta = "14d",
    confidence: float = 0.95,
) -> Thoughts:
    """What do customers say in each stage, which themes recur in it, and which of these are pain points?

    Read is only what customers wrote themselves while they were in a stage, with consent where the log or the
    customers' table has a column for it (see `journeylab.events.queries.texts`). All of it is redacted first:
    addresses, numbers, and names that the customers' table holds, or `names`. Themes are sought in the texts in the
    commonest language and those whose language is unknown; see `find_themes` for how, and how many. A quote is typical
    of its stage, or of the texts that hold most of a theme. Nobody is quoted twice, and there are no quotes from fewer
    than five writers.

    A theme is a pain point of a stage if it is more frequent in what was written `near` a loss, or with a low score,
    than in what those wrote who were not lost from the stage.

    Parameters
    ----------
    log : EventLog
    spells : Spells
        Those of `log`.
    seed : int
        Of all that is drawn at random.
    asked : str, list of str or mapping, optional
        The events with customers' answers, as in `estimate_feelings`: texts on them are the customers' own, whoever
        initiated the event.
    by : Grouping, Series, str or list of these, optional
        Groups to estimate one by one: labels by customer, a column of `spells.customers`, or a list for all
        combinations. Texts count from when the label was known.
    where : str or Series of bool, optional
        Only these customers, such as ``"seats > 10"``.
    names : iterable of str
        More words to redact as names.
    n_quotes : int
        Of each stage (and group) and of each theme, at most.
    scale : Scale or str, optional
        Of the scores that come with texts, as in `estimate_feelings`. An answer below the middle is a low score, on the
        scale nps one from 0 to 6. Without it no score counts as low.
    near : str or timedelta
        How long before a loss a text counts as written near it; before silence, how long before the last sign of life.
    confidence : float
        Of the intervals.

    Returns
    -------
    Thoughts
        Shares on fewer than 10 customers are missing, with a note. Empty where there is no text; `lacking` says so.

    Raises
    ------
    EstimateError
        If `asked` is no condition, `by` or `where` is unknown, `scale` is none, or `confidence` is not between 0 and 1.
    JourneyLabError
        If `near` is not a duration.

    Examples
    --------
    >>> import journeylab as jl
    >>> made = jl.simulate_log(200, seed=1)
    >>> thoughts = jl.find_thoughts(made.log, jl.find_spells(made.log, made.journey), seed=1)
    >>> thoughts.language
    'English'
    """
    watched = WatchedVisits.of(spells, by=by, where=where, confidence=confidence)
    statements = Statements.of(select(log, where), watched, seed=seed, names=names, asked=asked)
    rows, language = statements.rows, statements.language
    readable = rows[rows["language"].isna() | (rows["language"] == language)].reset_index(drop=True)
    themes = find_themes(readable["text"].tolist(), readable["customer_id"].tolist(), seed=seed, language=language)
    themed = readable.assign(theme=themes.of_text, weight=themes.weight)
    stages = spells.journey.stage_names
    pains = find_pains(
        themed,
        watched.visits,
        themes,
        stages,
        near=pd.Timedelta(microseconds=microseconds(near)),
        scale=None if scale is None else Scale.of(scale),
        confidence=confidence,
    )
    quotes = _quotes(_cells(rows, themed, themes, stages), statements, n=n_quotes, seed=seed)
    return Thoughts(
        **watched.about("What customers say"),
        table=tidy(_by_stage(themed, themes, stages, confidence), COLUMNS, by=watched.by),
        themes=tidy(_overall(themed, themes, confidence), THEMES),
        pains=tidy(pains, PAINS, by=watched.by),
        quotes=tidy(quotes, QUOTES, by=watched.by),
        languages=statements.languages(),
        why_no_themes=themes.why_none,
        language=language,
        n_texts=len(rows),
        customers=int(rows["customer_id"].nunique()),
        lacking=statements.lacking,
    )


def _overall(themed: pd.DataFrame, themes: Themes, confidence: float) -> list[dict]:
    """Rows of `Thoughts.themes`."""
    words, recurrence = [*map(", ".join, themes.words), None], [*themes.recurrence, np.nan]
    shares = _shares(themed, themes, confidence)
    return [{**share, "words": words[row], "recurrence": recurrence[row]} for row, share in enumerate(shares)]


def _by_stage(themed: pd.DataFrame, themes: Themes, stages: tuple[str, ...], confidence: float) -> list[dict]:
    """Rows of `Thoughts.table`; shares of too few customers are missing, with a note."""
    rows = []
    for group in sorted(themed["group"].unique()):
        for stage in stages:
            here = themed[(themed["group"] == group) & (themed["stage"] == stage)]
            note, missing = None, {}
            if here["customer_id"].nunique() < MIN_CUSTOMERS:
                note = f"fewer than {MIN_CUSTOMERS} customers wrote" if len(here) else "nobody wrote"
                missing = dict.fromkeys(ESTIMATE, np.nan)
            cell = {"group": group, "stage": stage, "note": note}
            rows += [{**cell, **share, **missing} for share in _shares(here, themes, confidence)]
    return rows


def _shares(texts: pd.DataFrame, themes: Themes, confidence: float) -> list[dict]:
    """A row with the share of `texts` for each theme, and last for no theme; none where there are no themes."""
    if not themes.words:
        return []
    ids = pd.factorize(texts["customer_id"])[0]
    base = {"n": len(texts), "customers": int(texts["customer_id"].nunique())}
    numbers, names = (*range(len(themes.names)), NONE), (*themes.names, NO_THEME)
    theme = texts["theme"].to_numpy()
    shares = (clustered_share(theme == number, ids, confidence=confidence) for number in numbers)
    return [{"theme": name, **estimated(share), **base} for name, share in zip(names, shares, strict=True)]


def _cells(
    rows: pd.DataFrame, themed: pd.DataFrame, themes: Themes, stages: tuple[str, ...]
) -> dict[tuple[str | None, str | None, str | None], pd.DataFrame]:
    """The texts to quote, by group, stage and theme: all of each group and stage, and those that hold most of a
    theme."""
    cells: dict[tuple, pd.DataFrame] = {
        (group, stage, None): rows[(rows["group"] == group) & (rows["stage"] == stage)]
        for group in sorted(rows["group"].unique())
        for stage in stages
    }
    for number, theme in enumerate(themes.names):
        texts = themed[themed["theme"] == number]
        cells[None, None, theme] = texts[texts["weight"] >= texts["weight"].median()]
    return cells


def _quotes(
    cells: dict[tuple[str | None, str | None, str | None], pd.DataFrame], statements: Statements, *, n: int, seed: int
) -> list[dict]:
    """Rows of `Thoughts.quotes`."""
    quotes, quoted = {}, set()
    # Cells with the fewest writers choose first, because nobody is quoted in two.
    for cell in sorted(cells, key=lambda cell: (cell[1] is None, cells[cell]["customer_id"].nunique())):
        texts = cells[cell][~cells[cell]["customer_id"].isin(quoted)]
        if len(texts) > MAX_TO_QUOTE:
            drawn = np.random.default_rng(seed).choice(len(texts), MAX_TO_QUOTE, replace=False)
            texts = texts.iloc[np.sort(drawn)]
        quotes[cell] = find_quotes(texts, n=n, seed=seed, names=statements.redactor).table
        quoted |= _writers(texts, set(quotes[cell]["quote"]))
    keys = ("group", "stage", "theme")
    return [dict(zip(keys, cell, strict=True)) | quote for cell in cells for quote in quotes[cell].to_dict("records")]


def _writers(texts: pd.DataFrame, quotes: set[str]) -> set[str]:
    """All who wrote what one of `quotes` shows."""
    text = texts["text"].map(lambda text: shortened(" ".join(text.split()), MAX_LETTERS))
    return set(texts["customer_id"][text.isin(quotes)])
