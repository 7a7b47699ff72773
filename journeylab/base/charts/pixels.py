"""Pixels: how does a figure become a small PNG that looks the same?"""

from io import BytesIO

import numpy as np
from PIL import Image

_PALETTE = 256
# The palette is chosen by one pixel in so many of a colour, and at least one. On the sample's figures that takes a
# fifth of the time of all pixels, and fewer of them end up far from their colour, as rare colours count for more.
_PIXELS_PER_VOTE = 20


def to_png(pixels: np.ndarray) -> bytes:
    """The PNG of opaque `pixels` (red, green, blue, alpha; uint8 [height, width, 4]), the same bytes each time.

    A figure has few colours, and a palette of 256 holds it in a third of the bytes. Where it has more, which are shades
    of the edges of letters and lines, median cut (Heckbert 1982) chooses those that stand for them.
    """
    colours = np.ascontiguousarray(pixels).view("<u4").ravel()
    begins = np.flatnonzero(np.concatenate(([True], colours[1:] != colours[:-1])))
    lengths = np.diff(begins, append=len(colours))
    distinct, which = np.unique(colours[begins], return_inverse=True)
    shades = np.ascontiguousarray(distinct.view(np.uint8).reshape(-1, 4)[:, :3])
    codes, palette = _in_few(shades, np.bincount(which, weights=lengths))
    few = Image.fromarray(np.repeat(codes[which], lengths).reshape(pixels.shape[:2]), "P")
    few.putpalette(palette)
    picture = BytesIO()
    few.save(picture, "png")
    return picture.getvalue()


def _in_few(shades: np.ndarray, n_pixels: np.ndarray) -> tuple[np.ndarray, bytes]:
    """A code for each of the `shades` (uint8 [n, 3]), and the palette that the codes point into."""
    if len(shades) <= _PALETTE:
        return np.arange(len(shades), dtype=np.uint8), shades.tobytes()
    votes = 1 + n_pixels.astype(np.int64) // _PIXELS_PER_VOTE
    voters = Image.fromarray(np.repeat(shades, votes, axis=0)[np.newaxis])
    cut = voters.quantize(_PALETTE, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = cut.getpalette()
    assert palette is not None, "an image cut down to few colours has a palette"
    return np.asarray(cut)[0, np.cumsum(votes) - 1], bytes(palette)
