"""How what customers wrote becomes themes and quotes by stage."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from journeylab.estimators.shares import clustered_share
from journeylab.events.log import EventLog
from journeylab.events.spells import Spells
from journeylab.findings.arguments import MIN_CUSTOMERS, check_confidence
from journeylab.findings.finding import tidy
from journeylab.findings.grouping import By, Grouping, Where, select
from journeylab.findings.quotes import MAX_LETTERS, find_quotes, shortened
from journeylab.findings.thoughts.statements import Statements
from journeylab.findings.thoughts.themes import NONE, Themes, find_themes
from journeylab.findings.thoughts.thoughts import COLUMNS, NO_THEME, QUOTES, THEMES, Thoughts

# What is typical of so many texts, drawn by lot, is typical of more.
MOST_TO_QUOTE = 500
_LIMITS = ("estimate", "lower", "upper")


def find_thoughts(
    log: EventLog,
    spells: Spells,
    *,
    seed: int,
    by: By | None = None,
    where: Where | None = None,
    names: Iterable[str] = (),
    n_quotes: int = 2,
    confidence: float = 0.95,
) -> Thoughts:
    """What do customers say in each stage, and which themes recur in it?

    Only what customers wrote themselves, while they were in a stage, with consent where the log or the customers' table
    has a column for it (see `journeylab.events.queries.texts`). All of it is redacted first: addresses, numbers, and
    names that the customers' table holds, or `names`. Themes are sought among the texts in the commonest language and
    those whose language cannot be told; see `find_themes` for how, and how many. A quote is typical of its stage, or of
    the texts that hold most of a theme; nobody is quoted twice, and none is shown of fewer than five writers.

    seed: of all that is drawn. by: a Grouping, a Series of labels by customer or a column of `spells.customers`; texts
    count from when the label was known. n_quotes: of each stage (and group) and of each theme. Shares on fewer than 10
    customers are missing, with a note. Where there is no text the finding is empty and `lacking` says so.

    Raises EstimateError for an unknown `by` and `confidence` not between 0 and 1.
    """
    check_confidence(confidence)
    spells = select(spells, where)
    log = select(log, where)
    grouping = None if by is None else Grouping.of(by, spells)
    statements = Statements.of(log, spells, grouping, seed=seed, names=names)
    name, rows = grouping.name if grouping else None, statements.rows
    language = statements.language
    sought = rows[rows["language"].isna() | (rows["language"] == language)].reset_index(drop=True)
    themes = find_themes(sought["text"].tolist(), sought["customer_id"].tolist(), seed=seed, language=language)
    themed = sought.assign(theme=themes.of_text, weight=themes.weight)
    stages = spells.journey.stage_names
    quotes = _quotes(rows, themed, themes, stages, statements, n=n_quotes, seed=seed)
    shares = _by_stage(themed, themes, stages, confidence) if themes.words else []
    return Thoughts(
        title="What customers say" + (f", by {name}" if name else ""),
        table=tidy(shares, COLUMNS, by=name),
        themes=tidy(_overall(themed, themes, confidence), THEMES, by="theme"),
        quotes=quotes if name else quotes.drop(columns="group"),
        languages=statements.languages(),
        why_no_themes=themes.why_none,
        language=language,
        n_texts=len(rows),
        customers=int(rows["customer_id"].nunique()),
        by=name,
        stages=stages,
        confidence=confidence,
        lacking=statements.lacking,
        period=spells.window,
    )


def _overall(themed: pd.DataFrame, themes: Themes, confidence: float) -> list[dict]:
    if not themes.words:
        return []
    told = zip(themes.names, themes.words, themes.recurrence, strict=True)
    rows = [{"theme": name, "words": ", ".join(words), "recurrence": back} for name, words, back in told]
    rows.append({"theme": NO_THEME, "words": None, "recurrence": np.nan})
    shares = _shares(themed, len(themes.words), confidence)
    return [{**row, **share} for row, share in zip(rows, shares, strict=True)]


def _by_stage(themed: pd.DataFrame, themes: Themes, stages: tuple[str, ...], confidence: float) -> list[dict]:
    rows = []
    for group in sorted(themed["group"].unique()):
        for stage in stages:
            here = themed[(themed["group"] == group) & (themed["stage"] == stage)]
            shares = _shares(here, len(themes.words), confidence)
            for theme, share in zip((*themes.names, NO_THEME), shares, strict=True):
                few = share["customers"] < MIN_CUSTOMERS
                numbers = dict.fromkeys(_LIMITS, np.nan) if few else {}
                note = (
                    (f"fewer than {MIN_CUSTOMERS} customers wrote" if share["n"] else "nobody wrote") if few else None
                )
                rows.append({"group": group, "stage": stage, "theme": theme, **share, **numbers, "note": note})
    return rows


def _shares(texts: pd.DataFrame, n_themes: int, confidence: float) -> list[dict]:
    """The share of `texts` of each theme, and last of none."""
    ids = pd.factorize(texts["customer_id"])[0]
    base = {"n": len(texts), "customers": int(texts["customer_id"].nunique())}
    of_theme = texts["theme"].to_numpy()
    shares = [clustered_share(of_theme == theme, ids, confidence=confidence) for theme in (*range(n_themes), NONE)]
    return [{**dict(zip(_LIMITS, share, strict=True)), **base} for share in shares]


def _quotes(
    rows: pd.DataFrame,
    themed: pd.DataFrame,
    themes: Themes,
    stages: tuple[str, ...],
    statements: Statements,
    *,
    n: int,
    seed: int,
) -> pd.DataFrame:
    """Rows of `Thoughts.quotes`: of each group and stage what is typical, of each theme what holds most of it."""
    cells: dict[tuple, pd.DataFrame] = {}
    for group in sorted(rows["group"].unique()):
        for stage in stages:
            cells[group, stage, None] = rows[(rows["group"] == group) & (rows["stage"] == stage)]
    for place, theme in enumerate(themes.names):
        texts = themed[themed["theme"] == place]
        cells[None, None, theme] = texts[texts["weight"] >= texts["weight"].median()]
    found, quoted = {}, set()
    # Those of whom fewest wrote choose first, for whoever is quoted once is quoted nowhere else.
    for cell in sorted(cells, key=lambda cell: (cell[1] is None, cells[cell]["customer_id"].nunique())):
        texts = cells[cell][~cells[cell]["customer_id"].isin(quoted)]
        if len(texts) > MOST_TO_QUOTE:
            drawn = np.random.default_rng(seed).choice(len(texts), MOST_TO_QUOTE, replace=False)
            texts = texts.iloc[np.sort(drawn)]
        found[cell] = find_quotes(texts, n=n, seed=seed, names=statements.redactor).table
        quoted |= _writers(texts, set(found[cell]["quote"]))
    places = [dict(zip(("group", "stage", "theme"), cell, strict=True)) for cell in cells]
    told = [
        {**place, **row} for place, cell in zip(places, cells, strict=True) for row in found[cell].to_dict("records")
    ]
    return pd.DataFrame(told, columns=list(QUOTES)).astype(QUOTES)


def _writers(texts: pd.DataFrame, quotes: set[str]) -> set[str]:
    """All who wrote what one of `quotes` shows."""
    shown = texts["text"].map(lambda text: shortened(" ".join(text.split()), MAX_LETTERS))
    return set(texts["customer_id"][shown.isin(quotes)])
