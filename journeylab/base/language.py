"""Language: which language is a text written in, judging by its small words?

Every language has words that carry no subject, such as “the”, “and”, “is”. In running text they are between a third
and a half of all words. A text is in the language that has most of its small words. That needs no model and always
gives the same answer. For a very short text, or one without such words, the answer is that it is not known.
"""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import yaml

FEWEST_WORDS, FEWEST_SHARE = 2, 0.15
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_WRITTEN = yaml.safe_load(Path(__file__).with_name("small_words.yml").read_text(encoding="utf-8"))
SMALL_WORDS = {language: frozenset(words.split()) for language, words in _WRITTEN.items()}
_LANGUAGES = {
    word: tuple(language for language, small in SMALL_WORDS.items() if word in small)
    for word in frozenset().union(*SMALL_WORDS.values())
}


def language_of(text: str) -> str | None:
    """The language of `text`, such as “English”; None if it is not known.

    Ten European languages are known (the keys of `SMALL_WORDS`). A text is in the language that has more of its words
    than any other, at least two, and at least 15% of all. For a text that is mostly in letters other than Latin ones
    the answer is “Cyrillic script”, “Greek script” and so on.

    >>> language_of("Das war gut"), language_of("The board is slow"), language_of("ok")
    ('German', 'English', None)
    """
    if script := _other_script(text):
        return f"{script} script"
    words = _WORD.findall(text.lower().replace("’", "'"))
    counts = Counter(language for word in words for language in _LANGUAGES.get(word, ()))
    (language, most), (_, next_most) = [*counts.most_common(2), (None, 0), (None, 0)][:2]
    is_known = most >= FEWEST_WORDS and most > next_most and most >= FEWEST_SHARE * len(words)
    return language if is_known else None


def _other_script(text: str) -> str | None:
    """The script of most letters of `text`, where that is not the Latin one."""
    if text.isascii():
        return None
    letters = [letter for letter in text if letter.isalpha()]
    if not letters or 2 * sum(letter.isascii() for letter in letters) > len(letters):
        return None
    scripts = Counter(unicodedata.name(letter, "UNKNOWN").split()[0].title() for letter in letters)
    script, n = scripts.most_common(1)[0]
    return script if script != "Latin" and 2 * n > len(letters) else None
