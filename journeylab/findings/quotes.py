"""Quotes: what do customers say, in their own words, without telling who they are?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from journeylab.base import html
from journeylab.base.ordering import largest
from journeylab.base.redaction import LABELS, Redactor
from journeylab.base.tables import check_columns
from journeylab.base.words import counted

MIN_WRITERS = 5
MAX_LETTERS = 160
MIN_WORDS = 4
MAX_TEXTS = 5_000
# How much being typical counts against being unlike the quotes chosen before (Carbonell & Goldstein 1998).
TYPICAL = 0.5
_SAME = 0.8
_CONTRACT = {"customer_id": "string", "time": "time", "text": "string"}
_MARKS = frozenset(f"[{label}]" for label in LABELS)
_POINTS = ".,;:!?()“”\"'"
# A word of any script counts for four; what texts are compared by has two letters or more.
_LETTERS, _WORD = re.compile(r"[^\W\d_]+"), re.compile(r"\b[^\W\d_]{2,}\b")


@dataclass(frozen=True)
class Quote:
    """What one customer wrote, redacted and not longer than asked for.

    source: the channel, None where it is not known. month: as “2025-03”, in UTC.
    """

    text: str
    source: str | None
    month: str

    @property
    def origin(self) -> str:
        """Where and when: “chat, 2025-03”."""
        return ", ".join(part for part in (self.source, self.month) if part)


@dataclass(frozen=True)
class Quotes:
    """Some of what customers wrote.

    Attributes
    ----------
    quotes : tuple of Quote
        The most representative first.
    n_texts, customers : int
        What they were chosen from: redacted texts of four words or more, and who wrote them.
    lacking : str or None
        A sentence that says why there is no quote; None where there is one.
    """

    quotes: tuple[Quote, ...]
    n_texts: int
    customers: int
    lacking: str | None = None

    @property
    def table(self) -> pd.DataFrame:
        """One row per quote: `quote`, `source`, `month`."""
        rows = [(quote.text, quote.source, quote.month) for quote in self.quotes]
        return pd.DataFrame(rows, columns=["quote", "source", "month"], dtype=object)

    def sentence(self) -> str:
        """How many quotes of how many customers, chosen from what."""
        if self.lacking:
            return self.lacking
        return (
            f"{counted(len(self.quotes), 'quote')} of as many customers, chosen from {counted(self.n_texts, 'text')} "
            f"of {counted(self.customers, 'customer')} because they are typical and unlike each other. "
            "What would tell who wrote them is redacted."
        )

    def _repr_html_(self) -> str:
        quotations = (html.quotation(quote.text, origin=quote.origin) for quote in self.quotes)
        return html.paragraph(self.sentence()) + "".join(quotations)


def find_quotes(
    texts: pd.DataFrame, *, n: int, seed: int, names: Iterable[str] | Redactor = (), at_most: int = MAX_LETTERS
) -> Quotes:
    """Find up to `n` quotes in `texts`, one per customer, typical of all and unlike each other.

    Typical is what is nearest to the middle of all customers' texts (cosine of TF-IDF weights of words, each customer
    counting once). Likeness to other quotes is measured the same way, and the two are weighed by maximal marginal
    relevance. Of more than 5,000 texts so many are drawn at random. Words are separated by spaces and signs: scripts
    written without them are not quoted.

    Parameters
    ----------
    texts : DataFrame
        Columns `customer_id`, `time` (UTC), `text`, and where known `channel`: the quote's source. With a column
        `consent`, only rows where it is True are used.
    n : int
        How many at most; there are fewer where texts repeat each other.
    seed : int
        Of the draw.
    names : iterable of str or Redactor
        Words to redact as names (a `Redactor` knows its own). A customer's own id is redacted in their texts too.
    at_most : int
        So many characters; longer texts are cut at a word, with an ellipsis.

    Returns
    -------
    Quotes
        Empty where fewer than five customers wrote four words or more besides what was redacted.

    Raises
    ------
    JourneyLabError
        If `texts` lacks a column.

    References
    ----------
    Carbonell & Goldstein (1998), The use of MMR, SIGIR, pages 335-336.

    Examples
    --------
    >>> import pandas as pd
    >>> texts = [f"the board is slow on {day}" for day in ("monday", "tuesday", "friday", "sunday", "holidays")]
    >>> table = pd.DataFrame({"customer_id": list("abcde"), "text": texts})
    >>> find_quotes(table.assign(time=pd.Timestamp("2025-03-01", tz="UTC")), n=1, seed=1).quotes[0].origin
    '2025-03'
    """
    check_columns(texts, _CONTRACT, name="The table of texts")
    redactor = names if isinstance(names, Redactor) else Redactor.of(names)
    usable = _usable(texts, redactor, seed)
    writers = usable["customer_id"].nunique()
    if writers < MIN_WRITERS:
        many = f"fewer than {MIN_WRITERS} customers" if writers else "no customer"
        why = f"No quote: {many} wrote four words or more that may be quoted, and {MIN_WRITERS} are needed."
        return Quotes((), len(usable), writers, lacking=why)
    weights = TfidfVectorizer(token_pattern=_WORD.pattern, sublinear_tf=True).fit_transform(usable["words"])
    chosen = _chosen(weights, pd.factorize(usable["customer_id"])[0], n)
    quotes = tuple(_quote(row, at_most) for row in usable.iloc[chosen].itertuples(index=False))
    return Quotes(quotes, len(usable), writers)


def shortened(text: str, at_most: int) -> str:
    """`text` in at most so many characters: cut at the last word that fits, with an ellipsis.

    >>> shortened("the board is slow", 12)
    'the board …'
    """
    if len(text) <= at_most:
        return text
    cut = text[: at_most - 1].rfind(" ")
    if cut > 0:
        return f"{text[:cut].rstrip(' ,;:-–')} …"
    # One word longer than all that may be shown is cut within, but a mark is not.
    whole = text[: at_most - 1]
    mark = whole.rfind("[")
    return f"{whole[:mark] if whole.find(']', mark) < 0 <= mark else whole}…"


def _usable(texts: pd.DataFrame, redactor: Redactor, seed: int) -> pd.DataFrame:
    """The texts that may be quoted, redacted, in an order that does not depend on theirs."""
    if "consent" in texts.columns:
        texts = texts[texts["consent"].map(lambda consent: consent is True or consent is np.True_).astype(bool)]
    texts = texts.reindex(columns=[*_CONTRACT, "channel"]).dropna(subset=["text", "customer_id"])
    channel = texts["channel"].astype(object)
    plain = texts.astype({"customer_id": str, "text": str}).assign(channel=channel.where(channel.notna(), None))
    plain = plain.sort_values(["customer_id", "time", "text", "channel"], kind="stable", ignore_index=True)
    if len(plain) > MAX_TEXTS:
        drawn = np.random.default_rng(seed).choice(len(plain), size=MAX_TEXTS, replace=False)
        plain = plain.iloc[np.sort(drawn)].reset_index(drop=True)
    redacted = [" ".join(text.split()) for text in redactor.redact_each(plain["text"], plain["customer_id"])]
    words = [" ".join(word for word in text.split() if word.strip(_POINTS) not in _MARKS) for text in redacted]
    is_usable = np.array(
        [len(_LETTERS.findall(text)) >= MIN_WORDS and bool(_WORD.search(text)) for text in words], bool
    )
    return plain.assign(text=redacted, words=words)[is_usable].reset_index(drop=True)


def _chosen(weights: csr_matrix, customers: np.ndarray, n: int) -> list[int]:
    """Rows of `weights` (unit length) by maximal marginal relevance, one per customer; of equals the first."""
    share = 1 / np.bincount(customers)[customers]
    middle = np.asarray(weights.multiply(share[:, None]).sum(axis=0)).ravel()
    typical = np.asarray(weights @ (middle / np.linalg.norm(middle))).ravel().round(9)
    likest, is_open = np.zeros(len(typical)), np.ones(len(typical), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < n and is_open.any():
        score = TYPICAL * typical - (1 - TYPICAL) * likest
        best = largest(np.where(is_open, score, -np.inf))
        chosen.append(best)
        likest = np.maximum(likest, np.asarray((weights @ weights[best].T).todense()).ravel().round(9))
        is_open &= (customers != customers[best]) & (likest < _SAME)
    return chosen


def _quote(row, at_most: int) -> Quote:
    source = None if row.channel is None else shortened(str(row.channel), 40)
    return Quote(shortened(row.text, at_most), source, f"{row.time:%Y-%m}")
