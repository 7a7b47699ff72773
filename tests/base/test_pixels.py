from io import BytesIO

import numpy as np
from PIL import Image

from journeylab.base.charts.pixels import to_png

WHITE, INK = (255, 255, 255), (31, 41, 51)


def opaque(colours: np.ndarray) -> np.ndarray:
    return np.dstack([colours, np.full(colours.shape[:2], 255)]).astype(np.uint8)


def shown(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def shades(n: int) -> np.ndarray:
    """A row of `n` colours, all different."""
    number = np.arange(n)
    return np.stack([number % 256, number // 256, 255 - number % 256], axis=1)[np.newaxis].astype(np.uint8)


def test_up_to_256_colours_are_shown_as_they_are():
    drawn = np.repeat(shades(256), 3, axis=0)
    assert (shown(to_png(opaque(drawn))) == drawn).all()


def test_of_more_colours_those_of_whole_areas_stay_and_rare_ones_become_a_near_one():
    drawn = np.empty((200, 700, 3), np.uint8)
    drawn[:100], drawn[100:199], drawn[199:] = WHITE, INK, shades(700)
    found = shown(to_png(opaque(drawn)))
    assert (found[:199] == drawn[:199]).all()
    assert np.abs(found[199].astype(int) - drawn[199]).max() < 16
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= 256


def test_the_picture_is_a_third_of_full_colour_and_the_same_bytes_each_time():
    drawn = np.random.default_rng(1).integers(0, 9, (100, 100, 1)).repeat(3, axis=2).astype(np.uint8)
    full = BytesIO()
    Image.fromarray(drawn).save(full, "png")
    assert to_png(opaque(drawn)) == to_png(opaque(drawn))
    assert len(to_png(opaque(drawn))) < len(full.getvalue())


def test_a_picture_of_one_colour_is_one():
    drawn = np.full((4, 5, 3), WHITE, np.uint8)
    assert (shown(to_png(opaque(drawn))) == drawn).all()
