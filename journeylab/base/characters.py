"""Characters: what does a text say without its invisible characters, and with letters and digits in their usual form?

Marks of writing direction and control characters hide or reverse what is shown. Wide or bold letters and digits hide an
address from a search.
"""

import re
import unicodedata

_MOST_COMBINING = 4
# What changes the writing direction of everything after it (embeddings, overrides, isolates), and what a terminal
# obeys. Shown as a number they do nothing. The marks U+200E and U+200F, which affect only themselves, stay.
_ACTING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# An emoji may be several characters with joiners between them; the flag of a region has invisible letters.
_JOINER, _FLAG = "\u200d", "\U0001f3f4"


def clean(text: str) -> str:
    """`text` in composed form (NFC) without invisible characters; white space other than line ends becomes spaces."""
    if text.isascii() and text.isprintable():
        return text
    characters: list[str] = []
    n_combining, in_flag = 0, False
    for position, character in enumerate(text):
        kind = unicodedata.category(character)
        n_combining = n_combining + 1 if kind in ("Mn", "Me") else 0
        in_flag = character == _FLAG or (in_flag and "\U000e0020" <= character <= "\U000e007f")
        if kind in ("Cf", "Cn", "Co"):
            if in_flag or (character == _JOINER and _joins_emoji(text, position)):
                characters.append(character)
        elif kind == "Cs":
            characters.append("\ufffd")
        elif character == "\n" or kind not in ("Cc", "Zl", "Zp", "Zs"):
            if n_combining <= _MOST_COMBINING:
                characters.append(character)
        else:
            characters.append(" ")
    return unicodedata.normalize("NFC", "".join(characters))


def _joins_emoji(text: str, position: int) -> bool:
    before, after = text[max(0, position - 1) : position], text[position + 1 : position + 2]
    is_symbol = [
        bool(neighbour) and (unicodedata.category(neighbour) in ("So", "Sk") or neighbour == "\ufe0f")
        for neighbour in (before, after)
    ]
    return all(is_symbol)


def usual_forms(text: str) -> str:
    """`text` with wide and other forms of letters, digits and signs as the usual ones, character by character."""
    if text.isascii():
        return text
    return "".join(map(_usual, text))


def _usual(character: str) -> str:
    if character.isascii():
        return character
    usual = unicodedata.normalize("NFKC", character)
    return usual if len(usual) == 1 else character


def compared(word: str) -> str:
    """`word` without case and accents, for comparing names."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def visible(text: str) -> str:
    """`text` with every character shown as its number that would act on what is around it: turn its writing
    direction, or give orders to a terminal.

    >>> visible("annexe\u202efdp.exe")
    'annexe[U+202E]fdp.exe'
    """
    return _ACTING.sub(lambda acting: f"[U+{ord(acting[0]):04X}]", text)
