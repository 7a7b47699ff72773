"""Letters: how does a figure say a text of which its font lacks letters?"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from itertools import groupby
from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.font_manager import findfont, get_font

from journeylab.base.html import visible

FONT = "DejaVu Sans"
# What the figure’s words are, not its picture, and what is no text.
_AS_THEY_ARE = ("alt", "ax")
# What only joins or tints the emoji beside it.
_JOINING = frozenset(["\u200d", "\ufe0e", "\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))])


def drawable(text: str) -> str:
    """`text` in letters that the figures' font has.

    A letter that it lacks gives way to its usual form where that is there; a symbol, such as an emoji, to its name in
    brackets; any other letter, and what would turn the direction of its surroundings, to its number.

    >>> drawable("Trial 🧨"), drawable("评估"), drawable("ＮＰＳ")
    ('Trial [firecracker]', '[U+8BC4 U+4F30]', 'NPS')
    """
    if text.isascii() and text.isprintable():
        return text
    told = "".join(map(_usual, visible(text)))
    return "".join(_run(has, "".join(letters)) for has, letters in groupby(told, key=_is_there))


def fitting(text: str, *, at_most: int) -> str:
    """`text` where it has at most so many letters, and else in two shorter lines, what is too much for them left out:
    a label must not leave the figure no room.

    >>> fitting("a long name of a stage", at_most=40), fitting("a long name of a stage and a longer way", at_most=21)
    ('a long name of a stage', 'a long name of\\na stage and a…')
    """
    if len(text) <= at_most:
        return text
    width = at_most * 2 // 3
    first, *rest = wrap(text, width)
    second = rest[0] if len(rest) == 1 else f"{rest[0][: width - 1]}…" if rest else ""
    return f"{first}\n{second}".rstrip()


def legible(draw: Callable) -> Callable:
    """`draw`, a function that draws a figure, with every text and table that it is given made `drawable`.

    Names of columns are made so too, and so are the texts that name them. The words for the figure, `alt`, stay.
    """

    @wraps(draw)
    def drawn(*given: Any, **named: Any) -> Any:
        told = {name: each if name in _AS_THEY_ARE else _legible(each) for name, each in named.items()}
        return draw(*map(_legible, given), **told)

    return drawn


def _legible(given: Any) -> Any:
    if isinstance(given, str):
        return drawable(given)
    if isinstance(given, pd.DataFrame):
        told = {name: _column(column) for name, column in given.items()}
        return given.assign(**{name: column for name, column in told.items() if column is not None}).rename(
            columns=_legible
        )
    if isinstance(given, Mapping):
        return {_legible(key): _legible(value) for key, value in given.items()}
    if isinstance(given, list | tuple | set | frozenset):
        return type(given)(map(_legible, given))
    if isinstance(given, pd.Series | pd.Index):
        return given.map(_legible)
    return given


def _column(values: pd.Series) -> pd.Series | None:
    """`values` made drawable, or None where they are so already."""
    is_text = pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)
    if not is_text and not isinstance(values.dtype, pd.CategoricalDtype):
        return None
    told = {each: drawable(each) for each in values.unique() if isinstance(each, str)}
    changed = {each: says for each, says in told.items() if each != says}
    if not changed:
        return None
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.rename_categories(changed)
    return values.map(lambda each: changed.get(each, each) if isinstance(each, str) else each)


@cache
def _letters() -> frozenset[int]:
    """The letters of the font, which comes with matplotlib, so that it is the same wherever figures are drawn."""
    return frozenset(get_font(findfont(FONT, fallback_to_default=False)).get_charmap())


def _is_there(letter: str) -> bool:
    return letter == "\n" or (letter.isprintable() and letter not in _JOINING and ord(letter) in _letters())


def _usual(letter: str) -> str:
    if letter in "\n" or _is_there(letter):
        return letter
    if letter.isspace():
        return " "
    usual = unicodedata.normalize("NFKC", letter)
    return usual if all(map(_is_there, usual)) else letter


def _run(has: bool, letters: str) -> str:
    if has:
        return letters
    return "".join(_bracketed(is_symbol, run) for is_symbol, run in _kinds(letters))


def _kinds(letters: str) -> Iterator[tuple[bool, list[str]]]:
    """Symbols and others, each run of a kind together; what joins symbols is of neither."""
    own = [letter for letter in letters if letter not in _JOINING]
    for is_symbol, run in groupby(own, key=lambda letter: unicodedata.category(letter) in ("So", "Sk")):
        yield is_symbol, list(run)


def _bracketed(is_symbol: bool, run: list[str]) -> str:
    if not is_symbol:
        return f"[{' '.join(f'U+{ord(letter):04X}' for letter in run)}]"
    return f"[{', '.join(unicodedata.name(letter, f'U+{ord(letter):04X}').lower() for letter in run)}]"
