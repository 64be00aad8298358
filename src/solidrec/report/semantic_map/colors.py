"""Colours of semantic ids by their places: one hue per region, with distinguishable neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from solidrec.arrays import Floats

_NEAREST = 10
"""Number of neighbours that a colour must differ from."""
_TURNS = (0.0, -38.0, 38.0, -19.0, 19.0)
_LIGHT = (0.57, 0.46, 0.68)
_DARK = (0.74, 0.62, 0.85)
_CHROMA = (0.145, 0.095)
_FIDELITY = 0.0006
"""Cost of a degree away from the region's hue, in colour distances (0.02 is just noticeable)."""


class Color(NamedTuple):
    """A colour for a light page and one for a dark page, as #rrggbb."""

    light: str
    dark: str


def colors(centres: Floats) -> list[Color]:
    """Return a colour for each centre (S, 2) on the map; earlier centres choose first.

    The hue follows the angle around the middle of the map. Of its shades and those of nearby hues,
    a centre takes the one most unlike the colours of its nearest neighbours that have chosen.
    """
    # the middle of the map, and each centre's angle around it as its hue in degrees, (S,)
    middle = np.median(centres, axis=0) if len(centres) else np.zeros(2)
    hues = np.degrees(np.arctan2(*(centres - middle).T[::-1]))
    # every (turn of the hue, shade, chroma) that a centre can choose, and its turn in degrees
    options = list(product(_TURNS, range(len(_LIGHT)), _CHROMA))
    turns = np.abs([turn for turn, _, _ in options])
    taken = np.full((len(centres), 3), np.nan)
    found = []
    for one, hue in enumerate(hues):
        # OKLab coordinates of each option (options, 3), and the nearest centres that have chosen
        labs = np.array([_lab(_LIGHT[at], chroma, hue + turn) for turn, at, chroma in options])
        near = np.argsort(((centres[:one] - centres[one]) ** 2).sum(1), kind="stable")[:_NEAREST]
        unlike = np.linalg.norm(labs[:, None] - taken[near][None], axis=2)  # (options, neighbours)
        # The nearest neighbours matter most: a colour like that of the tenth does little harm.
        least = (unlike * np.sqrt(1 + np.arange(len(near)))).min(1, initial=1)
        # Beyond a distance of 0.25 colours are distinct anyway, so the turn alone decides.
        best = int((np.minimum(least, 0.25) - _FIDELITY * turns).argmax())
        taken[one] = labs[best]
        turn, at, chroma = options[best]
        found.append(Color(*(_rgb(tone[at], chroma, hue + turn) for tone in (_LIGHT, _DARK))))
    return found


def _lab(lightness: float, chroma: float, hue: float) -> Sequence[float]:
    """Return the OKLab coordinates of a lightness, a chroma and a hue in degrees."""
    return lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))


def _rgb(lightness: float, chroma: float, hue: float) -> str:
    """Return an OKLCH colour (Ottosson, 2020) as #rrggbb, with less chroma if out of gamut.

    >>> _rgb(1, 0, 0), _rgb(0.628, 0.2577, 29.23)
    ('#ffffff', '#ff0000')
    """
    # Reduce the chroma until red, green and blue are displayable.
    for share in np.linspace(1, 0, 21):
        linear = _linear_rgb(*_lab(lightness, chroma * share, hue))
        if ((linear > -1e-3) & (linear < 1 + 1e-3)).all():
            break
    # the gamma of sRGB
    clear = np.clip(linear, 0, 1)
    shown = np.where(clear <= 0.0031308, 12.92 * clear, 1.055 * clear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in shown)


def _linear_rgb(lightness: float, a: float, b: float) -> Floats:
    """Return the linear red, green and blue of OKLab coordinates."""
    cones = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    back = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    return np.asarray(back @ (cones @ np.array([lightness, a, b])) ** 3)
