"""The two ways to mix say the same."""

from __future__ import annotations

import pytest
import torch

from solidrec.nn import attention
from solidrec.nn.attention import SelfAttention


@pytest.mark.parametrize("asked", [1, 6])
@pytest.mark.parametrize("rows", [1, 5])
def test_the_fused_attention_is_the_plain_one(
    monkeypatch: pytest.MonkeyPatch, asked: int, rows: int
) -> None:
    """For every position or one, with a mask for all rows or one a row; values and gradients."""
    torch.manual_seed(0)
    layer = SelfAttention(8, 2, 0.3).double().eval()
    x = torch.randn(5, 6, 8, dtype=torch.float64)
    query = x if asked == 6 else x[:, :1]
    attn_mask = torch.rand(rows, asked, 6) < 0.6
    attn_mask[:, :, 0] = True
    found = []
    for longest in (0, 32):
        monkeypatch.setattr(attention, "_LONG", longest)
        layer.zero_grad()
        out = layer(query, x, attn_mask)
        out.square().sum().backward()
        found.append(
            [
                out.detach(),
                *(
                    parameter.grad.clone()
                    for parameter in layer.parameters()
                    if parameter.grad is not None
                ),
            ]
        )
    torch.testing.assert_close(found[0], found[1])
    assert len(found[0]) == 5


def test_dropout_of_the_shares_takes_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_LONG", 0)
    x, everything = torch.randn(2, 4, 8), torch.ones(1, 4, 4, dtype=torch.bool)
    layer = SelfAttention(8, 2, 0.5).train()
    assert not torch.equal(layer(x, x, everything), layer(x, x, everything))
    assert torch.equal(layer.eval()(x, x, everything), layer(x, x, everything))
