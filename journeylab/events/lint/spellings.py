"""Spellings: which texts of a log are probably the same, written in another way?"""

import re
import unicodedata
from collections.abc import Iterable

_WHOLE = re.compile(r"([+-]?)0*(\d+)(?:\.0+)?")
_JOINT = re.compile(r"[\s_\-.]+")
_WORDS = re.compile(r"[\s_\-.]+|(?<=[a-z])(?=[A-Z])")
# A shorter name may well differ from another by one letter and mean something else.
_SHORTEST_TYPO, _SHORTEST_DOUBLE_TYPO = 5, 8


def form_of(text: str, *, keep_case: bool = False) -> str:
    """`text` without what people do not see or mean: blanks, upper case, width, quotes, leading and decimal zeros.

    >>> form_of(" Ann"), form_of("０17.0"), form_of("17"), form_of("A 7", keep_case=True)
    ('ann', '17', '17', 'A7')
    """
    if text.isascii() and text.isalnum() and not text.isdigit():  # most ids and names, of which there may be millions
        return text if keep_case else text.lower()
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isascii():
        plain = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cc"))
    plain = "".join(plain.split()).strip("'\"`’")
    if number := _WHOLE.fullmatch(plain):
        return f"{number[1].strip('+')}{number[2]}"
    return plain if keep_case else plain.casefold()


def is_near(asked: str, other: str) -> bool:
    """Whether `other` is probably meant as `asked`: but for its form, the signs between its words, or a typo.

    >>> is_near("signed_up", "Signed Up"), is_near("cancelled", "canceled"), is_near("created", "deleted")
    (True, True, False)
    """
    one, two = form_of(asked), form_of(other)
    if one == two or _joined(one) == _joined(two):
        return True
    words, others = _words(asked), _words(other)
    if len(words) != len(others):
        return _is_typo(_joined(one), _joined(two)) and words[0][:1] == others[0][:1]
    differing = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    # “opened” and “reopened”, “lock” and “unlock” are two things: a typo hardly ever changes how a word begins.
    return len(differing) == 1 and _is_typo(*differing[0])


def difference(asked: str, other: str) -> str:
    """In what `other`, which is near to `asked`, differs.

    >>> difference("signup", "Signup"), difference("signup", "signup "), difference("signup", "sign-up")
    ('in upper and lower case', 'in blanks', 'in the signs between words')
    """
    if asked.casefold() == other.casefold():
        return "in upper and lower case"
    if "".join(asked.split()) == "".join(other.split()):
        return "in blanks"
    if unicodedata.normalize("NFKC", asked) == unicodedata.normalize("NFKC", other):
        return "in how the same letters are encoded"
    if _WHOLE.fullmatch(form_of(asked)):
        return "in how the number is written"
    if form_of(asked) == form_of(other):
        return "in case, blanks or width"
    return "in the signs between words" if _joined(form_of(asked)) == _joined(form_of(other)) else "by a typo"


def same_forms(texts: Iterable[str]) -> dict[str, list[str]]:
    """Those of `texts` that differ from another only in form, by their form.

    Upper and lower case count as one, unless most texts mix the two, as codes do: “aZ7” is not “Az7” then.
    """
    texts = list(texts)
    if len({form_of(text) for text in texts}) == len(texts):
        return {}
    is_code = 2 * sum(not text.islower() and not text.isupper() and not text.isdigit() for text in texts) > len(texts)
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(form_of(text, keep_case=is_code), []).append(text)
    return {form: group for form, group in groups.items() if len(group) > 1}


def _joined(form: str) -> str:
    return _JOINT.sub("", form) if any(sign.isalpha() for sign in form) else form


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).strip()
    return [word.casefold() for word in _WORDS.split(plain) if word] or [""]


def _is_typo(one: str, two: str) -> bool:
    """Whether two words differ by one slip, or long ones by two letters left out, within the same first letter."""
    short, long = sorted((one, two), key=len)
    if len(short) < _SHORTEST_TYPO - 1 or len(long) < _SHORTEST_TYPO or short[0] != long[0]:
        return False
    if any(sign.isdigit() for sign in _changed(short, long)):
        return False
    if _is_one_slip(short, long):
        return True
    is_subsequence = all(sign in rest for rest in [iter(long)] for sign in short)
    return len(long) - len(short) == 2 and len(short) + 1 >= _SHORTEST_DOUBLE_TYPO and is_subsequence


def _is_one_slip(short: str, long: str) -> bool:
    """Whether one letter is missing or another, or two neighbours are swapped (Damerau 1964)."""
    a, b = _trimmed(short, long)
    return (len(a), len(b)) in ((0, 1), (1, 1)) or (len(a) == len(b) == 2 and a == b[::-1])


def _changed(short: str, long: str) -> str:
    return "".join(_trimmed(short, long))


def _trimmed(one: str, two: str) -> tuple[str, str]:
    """What is left of two words without the beginning and the end that they share."""
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    one, two = one[start:], two[start:]
    end = 0
    while end < min(len(one), len(two)) and one[-1 - end] == two[-1 - end]:
        end += 1
    return (one[: len(one) - end], two[: len(two) - end]) if end else (one, two)
