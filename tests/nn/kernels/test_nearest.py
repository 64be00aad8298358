"""The nearest code against the distances to all codes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solidrec.nn.kernels import nearest
from solidrec.nn.kernels.nearest import nearest_code


def test_nearest_by_distance_is_the_brute_force_one(vectors: Tensor, codes: Tensor) -> None:
    found = nearest_code(vectors, codes)
    assert torch.equal(
        found, torch.cdist(vectors, codes, compute_mode="donot_use_mm_for_euclid_dist").argmin(-1)
    )
    assert found.unique().numel() > 5


def test_nearest_by_angle_ignores_the_codes_length(vectors: Tensor, codes: Tensor) -> None:
    found = nearest_code(vectors, codes, "cosine")
    cosine = torch.cosine_similarity(vectors[:, :, None], codes[None, None], dim=-1)
    assert torch.equal(found, cosine.argmax(-1))
    assert torch.equal(found, nearest_code(vectors, 7 * codes, "cosine"))
    assert not torch.equal(found, nearest_code(vectors, codes))


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_rows_are_taken_as_many_at_a_time_as_fit(
    vectors: Tensor, codes: Tensor, monkeypatch: pytest.MonkeyPatch, distance: str
) -> None:
    """Thirty vectors by thirty codes, at a budget of one row, of seven, and of none at all."""
    whole = nearest_code(vectors, codes, distance)
    for budget in (30, 7 * 30, 1):
        monkeypatch.setitem(nearest._CLOSENESS, "cpu", budget)
        assert torch.equal(nearest_code(vectors, codes, distance), whole)


def test_of_equally_near_codes_the_first_is_taken() -> None:
    codes = torch.tensor([[0.0, 3.0], [1.0, 0.0], [1.0, 0.0]])
    assert nearest_code(torch.tensor([[1.0, 0.0]]), codes).tolist() == [1]
