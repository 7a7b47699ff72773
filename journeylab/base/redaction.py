"""Redaction: what does a text say without the parts that tell who wrote it, or how to reach them?

A text is read from left to right. An address, a number or a known name is replaced by a mark in brackets: “[email]”. A
mark is never replaced, so redacting twice changes nothing.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import phonenumbers
from stdnum import iban, luhn

from journeylab.base.characters import clean, compared, usual_forms

LABELS = ("email", "phone", "handle", "card", "number", "ip", "url", "iban", "name")
FEWEST_LETTERS, FEWEST_DIGITS = 3, 7
_LONGEST_PHONE, _CARD_DIGITS = 15, range(13, 20)
_MOST_WORDS, _MANY_COLONS = 6, 4
# How “@” and “.” are written out. Without brackets they are words too, so an address then ends as addresses do.
_AT_WORD, _DOT_WORD = "(?:at|arobase|arroba|chiocciola|klammeraffe|ät)", "(?:dot|point|ponto|punkt|punto)"
_AT = rf"(?:@|&\#64;|&commat;|%40|\s?[\[({{<]\s?(?:@|{_AT_WORD})\s?[\])}}>]\s?)"
_DOT = rf"(?:\.|\s?[\[({{<]\s?(?:\.|{_DOT_WORD})\s?[\])}}>]\s?)"
_DOMAIN = rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,8}}"
_ENDINGS = "app|biz|com|dev|edu|gov|info|io|net|org|shop|ch|de|es|eu|fr|nl|pl|uk"
_SPOKEN_DOT = f"[ _-]{{1,3}}{_DOT_WORD}[ _-]{{1,3}}"
_SPOKEN = rf"(?:{_SPOKEN_DOT}[a-z0-9]{{1,63}}){{0,3}}{_SPOKEN_DOT}(?:{_ENDINGS})\b"
# Signs that stand between the digits of a phone number.
_SIGNS = r"[ \t.\-/()_~*|\u00a0\u00b7\u2010-\u2015\u2022\u2027\u2212\u2219\u22c5\u30fb]"
# Where the phone numbers come from that are tried on digits that may be something else.
_REGIONS = ("FR", "DE", "GB", "US", "ES", "IT", "NL", "BE", "CH", "PT", "PL", "BR", "IN")
# Every repetition has an upper limit: however long and strange a text is, the time to read it grows with its length.
_KINDS = {
    "mark": re.compile(rf"\[(?:{'|'.join(LABELS)})\]"),
    "url": re.compile(
        r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|tel:)[^\s\[\]<>“”\"]{1,2000}"
        rf"|(?:[a-z0-9-]{{1,63}}\.){{1,8}}(?:{_ENDINGS})"
        r"(?:[/?#:][^\s\[\]<>“”\"]{0,2000}|(?![\w@]))",
        re.IGNORECASE,
    ),
    "email": re.compile(
        rf"(?:(?!%40)[\w.%+'-]){{1,255}}+{_AT}{_DOMAIN}"
        rf"|[\w.%+'-]{{1,255}}+\s{{1,3}}@\s{{1,3}}[\w-]{{1,63}}(?:\s?\.\s?[\w-]{{1,63}}){{0,3}}\s?\.\s?(?:{_ENDINGS})\b"
        rf"|[a-z0-9.%+']{{1,255}}+(?:{_SPOKEN_DOT}[a-z0-9]{{1,63}})?"
        rf"[ _-]{{1,3}}{_AT_WORD}[ _-]{{1,3}}[a-z0-9]{{1,63}}{_SPOKEN}",
        re.IGNORECASE,
    ),
    "handle": re.compile(r"@\w[\w.-]{1,254}(?:@[\w.-]{1,255})?"),
    "iban": re.compile(
        r"[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?(?=[A-Z]{0,2}\d)[A-Z0-9]{1,3})?"
        r"|[a-z]{2}\d\d(?:[ -]?[a-z0-9]{4})(?:[ -]?(?=[a-z]{0,3}\d)[a-z0-9]{4}){1,6}(?:[ -]?\d{1,3})?"
    ),
    "ip": re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)|[0-9a-f]{0,4}(?::[0-9a-f.]{0,15}){2,40}", re.IGNORECASE),
    # In four groups or more: a phone number rather than a date; with commas perhaps neither.
    "groups": re.compile(r"\d{1,4}(?:[-/.,]\d{1,4}){3,500}"),
    "date": re.compile(
        r"(?:(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}(?!\1\d)|\d{1,2}([-/.])\d{1,2}\2(?:(?:19|20)\d\d|\d\d)(?!\2\d)"
        r"|(?:19|20)\d\d ?[-/–] ?(?:19|20)\d\d)(?!\d)"
    ),
    "digits": re.compile(rf"[+(]{{0,2}}\d(?:{_SIGNS}{{0,3}}\d){{0,500}}"),
    "letters": re.compile(r"[^\W\d_]+"),
}
_START = re.compile(r"[\w@\[(+]|::")
# Every kind of `LABELS` but a name holds one of these: seven digits, a sign as of an address, written out or not, or a
# point or colon with something after it (a web address; an address of a machine, however few its digits).
_SIGN = re.compile(
    rf"@|[.:]\S|&\#64;|&commat;|%40|[\[({{<]\s?{_AT_WORD}|{_AT_WORD}[ _-].{{1,250}}{_DOT_WORD}[ _-]"
    rf"|\d(?:\D*\d){{{FEWEST_DIGITS - 1}}}",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_BETWEEN = re.compile(r"[^\w\[\]]{0,3}")


@dataclass(frozen=True)
class Redactor:
    """Redacts texts. `names`: each name as a tuple of words in the form that is compared, by its first word."""

    names: dict[str, frozenset[tuple[str, ...]]]

    @classmethod
    def of(cls, names: Iterable[str] = ()) -> "Redactor":
        """The redactor that replaces `names`; those with fewer than three letters or digits are ignored."""
        by_first_word: dict[str, set[tuple[str, ...]]] = {}
        for name in names:
            words = tuple(compared(word) for word in _TOKEN.findall(clean(str(name))))
            if 0 < len(words) <= _MOST_WORDS and sum(map(len, words)) >= FEWEST_LETTERS:
                by_first_word.setdefault(words[0], set()).add(words)
        return cls({first: frozenset(several) for first, several in by_first_word.items()})

    def redact(self, text: str) -> str:
        """`text` without what identifies; see the function `redact`."""
        redacted, before = clean(text), None
        # What a mark has replaced may leave a neighbour that reads differently now. Each round takes characters away.
        while redacted != before and self._may_change(redacted):
            redacted, before = self._round(redacted), redacted
        return redacted

    def redact_each(self, texts: Iterable[str], owners: Iterable[str]) -> list[str]:
        """Each of `texts` without what identifies, nor its owner's name or id (one of `owners` for each)."""
        redact, of_owner = cache(self.redact), cache(lambda owner: Redactor.of([owner]))
        return [of_owner(owner).redact(redact(text)) for text, owner in zip(texts, owners, strict=True)]

    def _may_change(self, text: str) -> bool:
        """Whether a round may find anything in `text`: it holds a sign of it, or a word that a name begins with.

        Most texts hold neither, and to look for that takes a fraction of the time of looking at each place.
        """
        plain = usual_forms(text)
        if _SIGN.search(plain):
            return True
        if plain.isascii():
            return not self.names.keys().isdisjoint(_TOKEN.findall(plain.lower()))
        return any(compared(word) in self.names for word in _TOKEN.findall(plain))

    def _round(self, text: str) -> str:
        plain, parts, copied_to = usual_forms(text), [], 0
        start = _START.search(plain)
        while start:
            label, end = self._found(plain, start.start())
            if label in LABELS:
                parts += [text[copied_to : start.start()], f"[{label}]"]
                copied_to = end
            start = _START.search(plain, end)
        return "".join((*parts, text[copied_to:]))

    def _found(self, plain: str, start: int) -> tuple[str, int]:
        """What begins at `start`, and where it ends; what is no label is kept as it is."""
        if mark := _KINDS["mark"].match(plain, start):
            return "mark", mark.end()
        name = self._name_end(plain, start)
        for kind, tell in _TELLERS.items():
            match = _KINDS[kind].match(plain, start)
            if match and match.end() >= name and (label := tell(match[0])):
                return label, match.end()
        if name > start:
            return "name", name
        word = _KINDS["digits"].match(plain, start) or _KINDS["letters"].match(plain, start)
        return "kept", word.end() if word else start + 1

    def _name_end(self, plain: str, start: int) -> int:
        """Where the longest known name that begins at `start` ends; `start` if there is none."""
        first = _TOKEN.match(plain, start)
        several = self.names.get(compared(first[0]), ()) if first else ()
        words: tuple[str, ...] = ()
        end = longest = start
        while several and len(words) < _MOST_WORDS and (token := _TOKEN.match(plain, end)):
            words = (*words, compared(token[0]))
            longest = token.end() if words in several else longest
            between = _BETWEEN.match(plain, token.end())
            end = between.end() if between else token.end()
        return longest


def redact(text: str, *, names: Iterable[str] = ()) -> str:
    """Replace what identifies a person in a text by a mark in brackets.

    Parameters
    ----------
    text
        Any text. Redacting it twice changes nothing.
    names
        Names to replace as whole words, in any case and with or without accents. Names of fewer than three letters and
        digits are ignored.

    Returns
    -------
    str
        The text with these marks: “[email]”, also for “(at)” and “a at b dot com”; “[phone]”, 7 to 15 digits; “[card]”,
        13 to 19 digits that pass Luhn's check; “[iban]”, letters and digits of the right length for their country with
        valid check digits; “[number]”, other long numbers, also those that look like an IBAN but fail its check;
        “[handle]”, @somebody; “[ip]”, of both versions; “[url]”; “[name]”. Invisible characters, control characters and
        marks of writing direction are removed, because they can hide or reverse what is shown; so are more than four
        combining marks on a letter. Emoji stay.

    Notes
    -----
    A redacted text tells less about a person, but it is not anonymous. Names are found only if they are in `names`, and
    not if they are misspelt or inflected. A name that is also a word (“Will”) is replaced wherever the word occurs. A
    long order number is taken for a phone. Postal addresses, dates, places, and what a person tells about themselves
    stay.

    Examples
    --------
    >>> redact("Ask Maria, maria@example.com or +49 151 2345678", names=["maria"])
    'Ask [name], [email] or [phone]'
    """
    return Redactor.of(names).redact(text)


def _url(written: str) -> str:  # noqa: ARG001
    return "url"


def _ip(written: str) -> str | None:
    # “::add” may be an address, but is rather a name in code; 12:30:45 is a time.
    if not any(character.isdigit() for character in written):
        return None
    if written.count(":") >= _MANY_COLONS:
        return "ip"
    try:
        ipaddress.ip_address(written if written.endswith("::") else written.rstrip(".:"))
    except ValueError:
        return None
    return "ip"


def _iban(written: str) -> str | None:
    if iban.is_valid(written):
        return "iban"
    # Wrong check digits are most often a slip of the pen, so the number is not kept.
    return "number" if sum(map(str.isdigit, written)) >= 2 + FEWEST_DIGITS else None


def _groups(written: str) -> str | None:
    """Groups of digits are a phone number if some country has such a number, and none of them is a year of a date.
    With commas they are more often amounts, unless they begin as such a number does."""
    if re.match(r"(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.]|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d(?!\d)", written):
        return "date"
    is_list = "," in written and not written.startswith("0")
    digits = "".join(re.findall(r"\d", written))
    return "phone" if not is_list and len(digits) <= _LONGEST_PHONE and _is_phone(digits) else None


def _is_phone(digits: str) -> bool:
    """Whether a country of `_REGIONS` has such a number."""
    for region in _REGIONS:
        with suppress(phonenumbers.NumberParseException):
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
    return False


def _digits(written: str) -> str | None:
    groups = ["".join(str(unicodedata.digit(digit)) for digit in group) for group in re.findall(r"\d+", written)]
    n_digits = sum(map(len, groups))
    if n_digits < FEWEST_DIGITS:
        return None
    if _has_card(groups):
        return "card"
    return "phone" if n_digits <= _LONGEST_PHONE else "number"


# What may begin at a place, tried in this order, and what tells its label from the text found.
_TELLERS: dict[str, Callable[[str], str | None]] = {
    "url": _url,
    "email": lambda _: "email",
    "handle": lambda _: "handle",
    "iban": _iban,
    "ip": _ip,
    "groups": _groups,
    "date": lambda _: "date",
    "digits": _digits,
}


def _has_card(groups: list[str]) -> bool:
    """Whether some groups of digits in a row are the number of a card (13 to 19 digits, Luhn's check, not all 0)."""
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group
            if len(number) > _CARD_DIGITS.stop:
                break
            if len(number) in _CARD_DIGITS and luhn.is_valid(number) and int(number):
                return True
    return False
