"""How well do themes agree with what people saw in 9,178 real complaints?

    python benchmarks/feelings.py [TWEETS]          by default those of ../shared/data/airline_tweets; half a minute

The tweets (to US airlines, 2015) carry labels that people chose; for complaints one of ten reasons. Themes are
compared with the reasons (adjusted Rand index, normalised mutual information, V-measure, purity beside the share of the
largest reason). Then how many themes are found where there are none: in the same texts with their words shuffled. Exits
with 1 where a figure is outside its limits.
"""

import sys
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, v_measure_score

from journeylab.base.language import language_of
from journeylab.base.redaction import Redactor
from journeylab.findings.thoughts.themes import NONE, find_themes

TWEETS = Path(__file__).parents[2] / "shared/data/airline_tweets/tweets.parquet"
AIRLINES = ("United", "American", "Delta", "Southwest", "Virgin America", "US Airways", "JetBlue")
N_SHUFFLED, SEED = 1_500, 1
LIMITS = {
    "themes found": (3, 10),
    "adjusted Rand index": (0.03, 0.2),
    "normalised mutual information": (0.1, 0.3),
    "V-measure": (0.1, 0.3),
    "purity": (0.4, 0.65),
    "themes found in shuffled words": (0, 0),
    "share told to be in English": (0.88, 1),
}


def main(path: Path) -> int:
    """Print what was found; 1 if a figure is outside its limits, else 0."""
    tweets = pd.read_parquet(path)
    found = themes(tweets) | {"share told to be in English": share_in_english(tweets)}
    is_within = True
    for name, value in found.items():
        low, high = LIMITS.get(name, (-np.inf, np.inf))
        told = f" (to lie between {low:g} and {high:g})" if name in LIMITS else ""
        print(f"{name}: {value if isinstance(value, int) else round(value, 3)}{told}")
        is_within &= low <= value <= high
    return 0 if is_within else 1


def themes(tweets: pd.DataFrame) -> dict[str, float]:
    """Agreement of themes with reasons, and themes in shuffled words."""
    complaints = tweets[tweets["airline_sentiment"] == "negative"]
    redactor = Redactor.of(AIRLINES)
    texts = [redactor.redact(text) for text in complaints["text"]]
    begun = process_time()
    found = find_themes(texts, complaints["user_hash"].tolist(), seed=SEED, language="English")
    took = process_time() - begun
    reasons = complaints["negative_reason"].to_numpy(object)
    is_told = (reasons != "Can't Tell") & (found.of_text != NONE)
    told = (reasons[is_told], found.of_text[is_told])
    return {
        "complaints": len(texts),
        "themes found": len(found.words),
        "seconds of processor time for themes": took,
        "adjusted Rand index": adjusted_rand_score(*told),
        "normalised mutual information": normalized_mutual_info_score(*told),
        "V-measure": v_measure_score(*told),
        "purity": pd.crosstab(*told).max().sum() / is_told.sum(),
        "share of the largest reason": pd.Series(told[0]).value_counts(normalize=True).iloc[0],
        "themes found in shuffled words": in_shuffled(texts),
    }


def in_shuffled(texts: list[str]) -> int:
    """How many themes are found in some of `texts` when their words are shuffled among them."""
    random = np.random.default_rng(SEED)
    chosen = [texts[place].split() for place in random.choice(len(texts), N_SHUFFLED, replace=False)]
    words = iter(random.permutation(np.array([word for text in chosen for word in text], dtype=object)))
    shuffled = [" ".join(next(words) for _ in text) for text in chosen]
    customers = [str(number) for number in range(N_SHUFFLED)]
    return len(find_themes(shuffled, customers, seed=SEED, language="English").words)


def share_in_english(tweets: pd.DataFrame) -> float:
    """The share of the texts, all of them English, that are told to be in English."""
    return float((tweets["text"].map(language_of) == "English").mean())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else TWEETS))
