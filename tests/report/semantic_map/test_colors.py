from __future__ import annotations

import re

import numpy as np

from solidrec.report.semantic_map.colors import Color, colors


def channels(color: str) -> np.ndarray:
    return np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)])


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    shares = channels(color) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_neighbours_can_be_told_apart() -> None:
    centres = np.stack(np.meshgrid(np.arange(12), np.arange(12)), axis=-1).reshape(-1, 2) / 12
    for tone in ("light", "dark"):
        shown = np.array([channels(getattr(color, tone)) for color in colors(centres)])
        beside = np.abs(centres[:, None] - centres[None]).sum(2).round(3) == round(1 / 12, 3)
        apart = np.linalg.norm(shown[:, None] - shown[None], axis=2)[beside]
        assert apart.min() > 25  # of 441; two colours at random are about 100 apart
        assert np.median(apart) > 60


def test_a_region_has_a_tone() -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    shown = np.array(
        [
            channels(color.light)
            for color in colors(np.stack([np.cos(angles), np.sin(angles)], axis=1))
        ]
    )
    near = np.linalg.norm(shown[:20].mean(0) - shown[20:40].mean(0))
    across = np.linalg.norm(shown[:20].mean(0) - shown[100:120].mean(0))
    assert across > 1.5 * near


def test_colours_stand_out_from_the_page_by_day_and_by_night() -> None:
    found = colors(np.random.default_rng(0).random((300, 2)))
    assert all(re.fullmatch("#[0-9a-f]{6}", tone) for color in found for tone in color)
    paper, night = 1.0, luminance("#1c2128")
    assert min((paper + 0.05) / (luminance(color.light) + 0.05) for color in found) > 2.2
    assert min((luminance(color.dark) + 0.05) / (night + 0.05) for color in found) > 3


def test_none_and_one_are_coloured() -> None:
    assert colors(np.zeros((0, 2))) == []
    assert [type(color) for color in colors(np.zeros((1, 2)))] == [Color]
