"""Themes: what do many customers write about, as far as the words that they use together tell?"""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from sklearn.decomposition import non_negative_factorization
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from journeylab.base.language import SMALL_WORDS
from journeylab.base.ordering import largest_of_rows, order, settled
from journeylab.findings.thoughts.statements import MARK

MIN_TEXTS, MIN_WRITERS, MIN_USERS = 100, 50, 5
MAX_THEMES, N_WORDS, N_NAMED = 10, 10, 3
# A theme recurs if, on average, this much of its ten words is the same when texts are left out (Jaccard).
RECURS = 0.6
NONE = -1
_MAX_TO_SCAN, _ROUNDS, _SHARE_LEFT = 2_000, 4, 0.8
_MAX_WORDS, _ITERATIONS = 2_000, 50
_WORD = r"\b[^\W\d_]{3,}\b"
# What is left of small words that are cut at an apostrophe, and letters that spell sounds.
_REMAINS = ("ain", "aren", "couldn", "didn", "doesn", "don", "hadn", "hasn", "haven", "isn", "let", "shouldn", "wasn",
            "weren", "won", "wouldn", "hast", "hier", "qu", "est", "cest")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Themes:
    """Themes in texts, the commonest first.

    words: of each theme its ten weightiest words. recurrence: how much of them recurs, 0 to 1, see `find_themes`.
    of_text: int64 (texts,), the theme of each text; -1 for texts that hold none of the words of any. weight: float
    (texts,), how much of its theme a text holds. why_none: a sentence where no theme was found.
    """

    words: tuple[tuple[str, ...], ...]
    recurrence: tuple[float, ...]
    of_text: np.ndarray
    weight: np.ndarray
    why_none: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each theme: its first three words, or more where two themes begin alike."""
        several = (tuple(", ".join(words[:n]) for words in self.words) for n in range(N_NAMED, N_WORDS + 1))
        return next(names for names in several if len(set(names)) == len(names) or names[0].count(",") == N_WORDS - 1)


def find_themes(texts: Sequence[str], customers: Sequence[str], *, seed: int, language: str | None = None) -> Themes:
    """Find themes in `texts`, which are redacted, of `customers`.

    Words of three letters or more that at least five customers used, without the small words of `language`, are weighed
    by TF-IDF, and non-negative matrix factorisation finds words that go together. A text belongs to the theme that it
    holds most of. How many themes: of 2 to `MAX_THEMES` the largest number in which every theme recurs. A theme recurs
    if its ten words and those of the theme matched with it, when a fifth of the texts is left out at random, overlap by
    at least 60% on average (Jaccard; four times, by `seed`, of up to 2,000 texts). If there is no such number there are
    no themes: in texts whose words were shuffled, none is found.

    Parameters
    ----------
    texts, customers : sequence of str
        The texts, and who wrote each.
    seed : int
        Of the texts left out, and of those scanned where there are more than 2,000.
    language : str, optional
        A key of `SMALL_WORDS`, of the words to leave out.

    Returns
    -------
    Themes

    References
    ----------
    Lee & Seung (1999), Nature 401:788-791; Boutsidis & Gallopoulos (2008), Pattern Recognition 41:1350-1362 (where the
    factorisation starts); Greene, O'Callaghan & Cunningham (2014), How many topics?, ECML PKDD, pages 498-513 (choosing
    the number by recurrence).
    """
    n = len(texts)
    none = (np.full(n, NONE), np.zeros(n))
    if n < MIN_TEXTS or len(set(customers)) < MIN_WRITERS:
        why = f"Fewer than {MIN_TEXTS} texts of {MIN_WRITERS} customers: too few to look for themes."
        return Themes((), (), *none, why)
    weights, words = _weighed(texts, customers, language)
    if len(words) < 2 * N_WORDS:
        return Themes((), (), *none, "The texts share too few words to look for themes.")
    random = np.random.default_rng(seed)
    scanned = np.sort(random.choice(n, _MAX_TO_SCAN, replace=False)) if n > _MAX_TO_SCAN else np.arange(n)
    recurrence = _scan(weights[scanned], min(MAX_THEMES, len(words) // N_WORDS), random)
    if recurrence is None:
        why = "No themes found: no words go together in the same way when texts are left out."
        return Themes((), (), *none, why)
    themes = _factorised(weights[scanned], len(recurrence))
    held = _held(weights, themes) * np.sqrt((themes * themes).sum(axis=1))
    return _themes(held, themes, words, recurrence)


def _weighed(texts: Sequence[str], customers: Sequence[str], language: str | None) -> tuple[csr_matrix, np.ndarray]:
    """TF-IDF weights (texts, words), and the words; without those that so few customers used that they may be known
    by them."""
    plain = [MARK.sub(" ", html.unescape(text)) for text in texts]
    small = sorted({*SMALL_WORDS.get(language, ()), *_REMAINS})
    counter = CountVectorizer(token_pattern=_WORD, stop_words=small, max_df=0.5, dtype=np.float64)
    try:
        counts = counter.fit_transform(plain)
    except ValueError:  # no word is left
        return csr_matrix((len(plain), 0)), np.zeros(0, object)
    whose = pd.factorize(np.asarray(customers, dtype=object))[0]
    by_customer = csr_matrix((np.ones(len(whose)), (whose, np.arange(len(whose))))) @ counts
    users = np.asarray((by_customer > 0).sum(axis=0)).ravel()
    min_users = max(MIN_USERS, np.sort(users)[::-1][_MAX_WORDS]) if len(users) > _MAX_WORDS else MIN_USERS
    is_common = users >= min_users
    weights = (
        TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, is_common]) if is_common.any() else counts[:, :0]
    )
    return csr_matrix(weights), counter.get_feature_names_out()[is_common]


def _scan(weights: csr_matrix, max_themes: int, random: np.random.Generator) -> tuple[float, ...] | None:
    """How much each theme recurs, for the largest number of themes in which all do; None where there is none."""
    n = weights.shape[0]
    parts = [weights[np.sort(random.choice(n, int(_SHARE_LEFT * n), replace=False))] for _ in range(_ROUNDS)]
    for n_themes in range(max_themes, 1, -1):
        reference, total = _top(_factorised(weights, n_themes)), np.zeros(n_themes)
        for done, part in enumerate(parts, start=1):
            total += _matched(reference, _top(_factorised(part, n_themes)))
            if (total + _ROUNDS - done).min() < RECURS * _ROUNDS:  # even if all came back from here on
                break
        else:
            return tuple(total / _ROUNDS)
    return None


def _factorised(weights: csr_matrix, n_themes: int) -> np.ndarray:
    """(themes, words): how much of each word a theme holds; nothing where the texts differ in fewer ways."""
    # A fixed number of rounds: the time is known, and no rounding decides when to stop.
    _, themes, _ = non_negative_factorization(
        weights, n_components=n_themes, init="nndsvd", max_iter=_ITERATIONS, tol=0, random_state=0
    )
    return themes


def _held(weights: csr_matrix, themes: np.ndarray) -> np.ndarray:
    """(texts, themes): how much of each of `themes` the texts hold."""
    held, _, _ = non_negative_factorization(
        weights, H=themes, n_components=len(themes), init="custom", update_H=False, max_iter=_ITERATIONS, tol=0
    )
    return held


def _top(themes: np.ndarray) -> list[set[int]]:
    """The words of most weight in each theme; none of a theme that holds nothing."""
    return [set(order(theme)[:N_WORDS]) if theme.any() else set() for theme in themes]


def _matched(reference: list[set[int]], others: list[set[int]]) -> np.ndarray:
    """The overlap of each theme of `reference` with the one of `others` that it is matched with."""
    overlap = np.array([[len(a & b) / max(len(a | b), 1) for b in others] for a in reference])
    rows, columns = linear_sum_assignment(-overlap)
    return overlap[rows, columns]


def _themes(held: np.ndarray, themes: np.ndarray, words: np.ndarray, recurrence: tuple[float, ...]) -> Themes:
    held = settled(held)
    of_text = np.where(held.max(axis=1) > 0, largest_of_rows(held), NONE)
    sizes = np.bincount(of_text[of_text >= 0], minlength=len(themes))
    named = [tuple(str(word) for word in words[order(theme)[:N_WORDS]]) for theme in themes]
    in_order = sorted(range(len(themes)), key=lambda theme: (-sizes[theme], named[theme]))
    rank = np.empty(len(themes) + 1, np.int64)  # the last, at NONE, is of texts without a theme
    rank[in_order], rank[NONE] = np.arange(len(themes)), NONE
    return Themes(
        tuple(named[theme] for theme in in_order),
        tuple(float(recurrence[theme]) for theme in in_order),
        rank[of_text],
        held.max(axis=1),
    )
