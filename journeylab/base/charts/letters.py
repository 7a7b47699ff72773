"""Letters: how does a figure show a text with letters that its font does not have?"""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.font_manager import findfont, get_font

from journeylab.base.html import visible

FONT = "DejaVu Sans"
# These only join or tint the emoji beside them.
_JOINING = frozenset(["\u200d", "\ufe0e", "\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))])


def drawable(text: str) -> str:
    """`text` in letters that the figures' font has.

    A letter that the font does not have is replaced by its usual form, if the font has that. A symbol, such as an
    emoji, is replaced by its name in brackets. Any other letter, and any that changes the writing direction, is
    replaced by its number.

    >>> drawable("Trial 🧨"), drawable("评估"), drawable("ＮＰＳ")
    ('Trial [firecracker]', '[U+8BC4 U+4F30]', 'NPS')
    """
    if text.isascii() and text.isprintable():
        return text
    usual = "".join(map(_usual, visible(text)))
    return "".join(_run(has, "".join(letters)) for has, letters in groupby(usual, key=_is_there))


def fitting(text: str, *, at_most: int) -> str:
    """`text`, or if it is longer than `at_most` letters its beginning in two shorter lines, so that a label leaves the
    figure room.

    >>> fitting("a long name of a stage", at_most=40), fitting("a long name of a stage and a longer way", at_most=21)
    ('a long name of a stage', 'a long name of\\na stage and a…')
    """
    if len(text) <= at_most:
        return text
    width = at_most * 2 // 3
    first, *rest = wrap(text, width)
    second = rest[0] if len(rest) == 1 else f"{rest[0][: width - 1]}…" if rest else ""
    return f"{first}\n{second}".rstrip()


def legible(value: Any) -> Any:
    """`value`, a text or whatever contains texts (a table, a list, a mapping), with every text made `drawable`."""
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, pd.DataFrame):
        texts = {name: _legible_column(column) for name, column in value.items() if column.dtype.kind == "O"}
        return value.assign(**texts).rename(columns=legible)
    if isinstance(value, Mapping):
        return {legible(key): legible(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(map(legible, value))
    if isinstance(value, pd.Series | pd.Index):
        return value.map(legible)
    return value


def _legible_column(values: pd.Series) -> pd.Series:
    changed = {text: drawable(text) for text in values.unique() if isinstance(text, str) and drawable(text) != text}
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.rename_categories(changed)
    return values.map(lambda value: changed.get(value, value)) if changed else values


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
    visible_letters = [letter for letter in letters if letter not in _JOINING]
    for is_symbol, run in groupby(visible_letters, key=lambda letter: unicodedata.category(letter) in ("So", "Sk")):
        yield is_symbol, list(run)


def _bracketed(is_symbol: bool, run: list[str]) -> str:
    if not is_symbol:
        return f"[{' '.join(f'U+{ord(letter):04X}' for letter in run)}]"
    return f"[{', '.join(unicodedata.name(letter, f'U+{ord(letter):04X}').lower() for letter in run)}]"
