"""Characters: what does a text say without those that are not seen, and in the usual forms of those that are?

Marks of writing direction and control characters hide or turn around what is shown; wide or bold letters and digits
hide an address from whoever looks for it.
"""

import unicodedata

_MOST_COMBINING = 4
# An emoji may be several characters held together by joiners; a flag of a region holds invisible letters.
_JOINER, _FLAG = "\u200d", "\U0001f3f4"


def clean(text: str) -> str:
    """`text` composed (NFC), without characters that are not seen; white space but the line's end becomes spaces."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    n_combining, in_flag = 0, False
    for place, character in enumerate(text):
        kind = unicodedata.category(character)
        n_combining = n_combining + 1 if kind in ("Mn", "Me") else 0
        in_flag = character == _FLAG or (in_flag and "\U000e0020" <= character <= "\U000e007f")
        if kind in ("Cf", "Cn", "Co"):
            if in_flag or (character == _JOINER and _joins_emoji(text, place)):
                kept.append(character)
        elif kind == "Cs":
            kept.append("\ufffd")
        elif character == "\n" or kind not in ("Cc", "Zl", "Zp", "Zs"):
            if n_combining <= _MOST_COMBINING:
                kept.append(character)
        else:
            kept.append(" ")
    return unicodedata.normalize("NFC", "".join(kept))


def _joins_emoji(text: str, place: int) -> bool:
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    is_symbol = [
        bool(each) and (unicodedata.category(each) in ("So", "Sk") or each == "\ufe0f") for each in (before, after)
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
    """`word` as names are compared: without case and accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))
