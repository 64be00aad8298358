"""A part of a model in full precision while the rest runs under autocast."""

from __future__ import annotations

import torch

from solidrec.nn.kernels.precision import full_precision


def test_products_inside_are_float32_and_outside_bfloat16() -> None:
    a = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outside = a @ a
        with full_precision(a.device):
            inside = a @ a
        again = a @ a
    assert (outside.dtype, inside.dtype, again.dtype) == (
        torch.bfloat16,
        torch.float32,
        torch.bfloat16,
    )


def test_a_device_without_autocast_is_left_alone() -> None:
    with full_precision(torch.device("meta")):
        assert (torch.ones(2, 2, device="meta") @ torch.ones(2, 2, device="meta")).shape == (2, 2)
