"""The inward clip has a hard clip's values, and a weight that left can come back."""

from __future__ import annotations

import pytest
import torch

from solidrec.nn.kernels.clip import InwardClip


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_weight_outside_comes_back_and_does_not_go_further(sign: float) -> None:
    """Descent from x = 3: (clip(x) - 0.5)^2 ends at 0.5, (clip(x) - 9)^2 stays where it is."""
    for goal, end in ((0.5, 0.5), (9.0, 3.0)):
        x = torch.tensor([3.0 * sign], requires_grad=True)
        for _ in range(200):
            (InwardClip.apply(x, 1.0) - goal * sign).square().sum().backward()
            assert x.grad is not None
            x.data -= 0.1 * x.grad
            x.grad.zero_()
        assert x.tolist() == pytest.approx([end * sign])


def test_values_are_a_hard_clips() -> None:
    x = torch.randn(100, generator=torch.Generator().manual_seed(0))
    assert torch.equal(InwardClip.apply(x, 0.3), x.clamp(-0.3, 0.3))
