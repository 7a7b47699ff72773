"""Themes: what do many customers write about, as far as the words that they use together tell?"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from sklearn.decomposition import non_negative_factorization
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.utils.extmath import randomized_svd

from journeylab.base.language import SMALL_WORDS
from journeylab.base.ordering import largest, largest_of_rows, order, settled
from journeylab.base.redaction import LABELS

FEWEST_TEXTS, FEWEST_WRITERS, FEWEST_USERS = 100, 50, 5
MOST_THEMES, N_WORDS, N_NAMED = 10, 10, 3
# A theme recurs if, on average, this much of its ten words is the same when texts are left out (Jaccard).
RECURS = 0.6
NONE = -1
_MOST_TO_SCAN, _ROUNDS, _KEPT = 2_000, 4, 0.8
_MOST_WORDS, _ITERATIONS = 2_000, 50
# So many powers leave of the draw that the decomposition starts from no more than rounding does.
_POWERS, _NOTHING = 15, 1e-6
_MARK = re.compile(rf"\[(?:{'|'.join(LABELS)})\]")
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


def find_themes(
    texts: Sequence[str],
    customers: Sequence[str],
    *,
    seed: int,
    language: str | None = None,
    most_themes: int = MOST_THEMES,
) -> Themes:
    """Themes in `texts`, redacted ones, of `customers`.

    Words of three letters or more that at least five customers used, without the small words of `language`, are weighed
    by TF-IDF, and non-negative matrix factorisation finds words that go together. A text belongs to the theme that it
    holds most of. How many themes: of 2 to `most_themes` the largest number in which every theme recurs, that is, its
    ten words and those of its like when a fifth of the texts is left out at random overlap by at least 60% on average
    (Jaccard; themes matched one to one; four times, by `seed`, of up to 2,000 texts). If there is no such number there
    are no themes: in texts whose words were shuffled, none is found.

    Source: Lee & Seung (1999), Nature 401:788-791; Boutsidis & Gallopoulos (2008), Pattern Recognition 41:1350-1362
    (what the factorisation starts from); Greene, O'Callaghan & Cunningham (2014), How many topics?, ECML
    PKDD, pages 498-513 (choosing the number by recurrence).
    """
    n = len(texts)
    nothing = (np.full(n, NONE), np.zeros(n))
    if n < FEWEST_TEXTS or len(set(customers)) < FEWEST_WRITERS:
        why = f"Fewer than {FEWEST_TEXTS} texts of {FEWEST_WRITERS} customers: too few to look for themes."
        return Themes((), (), *nothing, why)
    weights, words = _weighed(texts, customers, language)
    if weights.shape[1] < 2 * N_WORDS:
        return Themes((), (), *nothing, "The texts share too few words to look for themes.")
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(n, _MOST_TO_SCAN, replace=False)) if n > _MOST_TO_SCAN else np.arange(n)
    start = _Start.of(weights[chosen], most_themes)
    recurrence = _scan(start, random)
    if recurrence is None:
        why = "No themes found: no words go together in the same way when texts are left out."
        return Themes((), (), *nothing, why)
    found = start.themes(len(recurrence))
    held = _held(weights, found) * np.sqrt((found * found).sum(axis=1))
    return _themes(held, found, words, recurrence)


def _weighed(texts: Sequence[str], customers: Sequence[str], language: str | None) -> tuple[csr_matrix, np.ndarray]:
    """TF-IDF weights (texts, words) and the words: what so few customers used that it may tell who they are is out."""
    plain = [_MARK.sub(" ", html.unescape(text)) for text in texts]
    small = sorted({*SMALL_WORDS.get(language, ()), *_REMAINS})
    counter = CountVectorizer(token_pattern=_WORD, stop_words=small, max_df=0.5, dtype=np.float64)
    try:
        counts = counter.fit_transform(plain)
    except ValueError:  # no word is left
        return csr_matrix((len(plain), 0)), np.zeros(0, object)
    whose = pd.factorize(np.asarray(customers, dtype=object))[0]
    by_customer = csr_matrix((np.ones(len(whose)), (whose, np.arange(len(whose))))) @ counts
    users = np.asarray((by_customer > 0).sum(axis=0)).ravel()
    is_kept = users >= max(FEWEST_USERS, np.sort(users)[::-1][: _MOST_WORDS + 1][-1] if len(users) > _MOST_WORDS else 0)
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, is_kept]) if is_kept.any() else counts[:, :0]
    return csr_matrix(weights), counter.get_feature_names_out()[is_kept]


def _scan(start: "_Start", random: np.random.Generator) -> tuple[float, ...] | None:
    """How much each theme recurs, for the largest number of themes in which all do; None where there is none."""
    n = start.weights.shape[0]
    kept = [np.sort(random.choice(n, int(_KEPT * n), replace=False)) for _ in range(_ROUNDS)]
    starts = [_Start.of(start.weights[rows], start.most) for rows in kept]
    for n_themes in range(min(each.most for each in (start, *starts)), 1, -1):
        reference, total = _top(start.themes(n_themes)), np.zeros(n_themes)
        for done, left in enumerate(starts, start=1):
            total += _matched(reference, _top(left.themes(n_themes)))
            if (total + _ROUNDS - done).min() < RECURS * _ROUNDS:  # even if all came back from here on
                break
        else:
            return tuple(total / _ROUNDS)
    return None


@dataclass(frozen=True, eq=False)
class _Start:
    """What the factorisation of `weights` starts from, whatever the number of themes: its largest singular values and
    vectors (NNDSVD). They are found once, which is most of the work."""

    weights: csr_matrix
    left: np.ndarray
    values: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, weights: csr_matrix, most: int) -> "_Start":
        """The start of up to `most` themes, fewer where the texts hold fewer words, or fewer that vary."""
        most = min(most, weights.shape[1] // N_WORDS)
        if not (most and weights.nnz):
            n_texts, n_words = weights.shape
            return cls(weights, np.zeros((n_texts, 0)), np.zeros(0), np.zeros((0, n_words)))
        left, values, right = randomized_svd(weights, most, n_iter=_POWERS, random_state=0)
        # What belongs to a value of nothing but rounding is anything.
        n = int((values > _NOTHING * values[0]).sum())
        return cls(weights, left[:, :n], values[:n], right[:n])

    @property
    def most(self) -> int:
        """The largest number of themes."""
        return len(self.values)

    def themes(self, n_themes: int) -> np.ndarray:
        """(themes, words): how much of each word a theme holds."""
        texts, words = np.zeros((self.weights.shape[0], n_themes)), np.zeros((n_themes, self.weights.shape[1]))
        for theme in range(n_themes):
            texts[:, theme], words[theme] = self._parts(theme)
        # A fixed number of rounds: the time is known, and no rounding decides when to stop.
        _, found, _ = non_negative_factorization(
            self.weights, texts, words, n_components=n_themes, init="custom", max_iter=_ITERATIONS, tol=0
        )
        return found

    def _parts(self, theme: int) -> tuple[np.ndarray, np.ndarray]:
        """The positive or the negative part of a pair of singular vectors, whichever holds more of it."""
        left, value, right = self.left[:, theme], self.values[theme], self.right[theme]
        pairs = [(np.maximum(sign * left, 0), np.maximum(sign * right, 0)) for sign in (1, -1)]
        sizes = [(_length(texts), _length(words)) for texts, words in pairs]
        best = largest([each[0] * each[1] for each in sizes])
        (texts, words), (n_texts, n_words) = pairs[best], sizes[best]
        scale = np.sqrt(value * n_texts * n_words)
        return scale * texts / (n_texts or 1.0), scale * words / (n_words or 1.0)


def _length(vector: np.ndarray) -> float:
    return float(np.sqrt((vector * vector).sum()))


def _held(weights: csr_matrix, themes: np.ndarray) -> np.ndarray:
    """(texts, themes): how much of each of `themes` the texts hold."""
    held, _, _ = non_negative_factorization(
        weights, H=themes, n_components=len(themes), init="custom", update_H=False, max_iter=_ITERATIONS, tol=0
    )
    return held


def _top(themes: np.ndarray) -> list[set[int]]:
    """The weightiest words of each theme."""
    return [set(order(theme)[:N_WORDS]) for theme in themes]


def _matched(reference: list[set[int]], others: list[set[int]]) -> np.ndarray:
    """The overlap of each theme of `reference` with the one of `others` that it is matched with."""
    overlap = np.array([[len(a & b) / len(a | b) for b in others] for a in reference])
    rows, columns = linear_sum_assignment(-overlap)
    return overlap[rows, columns]


def _themes(held: np.ndarray, themes: np.ndarray, words: np.ndarray, recurrence: tuple[float, ...]) -> Themes:
    held = settled(held)
    of_text = np.where(held.max(axis=1) > 0, largest_of_rows(held), NONE)
    sizes = np.bincount(of_text[of_text >= 0], minlength=len(themes))
    named = [tuple(str(word) for word in words[order(theme)[:N_WORDS]]) for theme in themes]
    in_order = sorted(range(len(themes)), key=lambda theme: (-sizes[theme], named[theme]))
    place = np.empty(len(themes) + 1, np.int64)
    place[in_order], place[NONE] = np.arange(len(themes)), NONE
    return Themes(
        tuple(named[theme] for theme in in_order),
        tuple(float(recurrence[theme]) for theme in in_order),
        place[of_text],
        held.max(axis=1),
    )
