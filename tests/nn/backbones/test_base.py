"""What every backbone promises, whatever its equations."""

from __future__ import annotations

import pytest
import torch
from tests.nn.backbones.equations import LENGTHS, C, D, L, inputs, make, new

from solidrec.nn.backbones import CausalBackbone
from solidrec.registry import BACKBONES


@pytest.mark.parametrize("name", list(BACKBONES))
def test_one_state_a_user_or_one_a_candidate(name: str) -> None:
    assert make(name)(*inputs()).shape == (len(LENGTHS), C if name == "din" else 1, D)


@pytest.mark.parametrize("name", list(BACKBONES))
def test_what_stands_in_the_padding_is_not_read(name: str) -> None:
    """Nor does it get a gradient."""
    backbone = make(name)
    items, mask, candidates = inputs()
    items.requires_grad_(True)
    state = backbone(items, mask, candidates)
    torch.testing.assert_close(state, backbone(items * mask[..., None], mask, candidates))
    state.square().sum().backward()
    assert items.grad is not None
    assert not items.grad[~mask].any()
    assert (items.grad[mask].abs().sum(-1) > 0).all()


@pytest.mark.parametrize("name", list(BACKBONES))
def test_dropout_is_off_in_eval_mode_and_on_in_training(name: str) -> None:
    torch.manual_seed(0)
    backbone = new(name, blocks=1, dropout=0.5)
    batch = inputs()
    assert torch.equal(backbone.eval()(*batch), backbone(*batch))
    assert not torch.equal(backbone.train()(*batch), backbone(*batch))


@pytest.mark.parametrize(
    ("name", "causal_attention"),
    [("sasrec", True), ("bert4rec", False), ("ligr", True), ("bsarec", False)],
)
def test_which_attention_is_causal(name: str, causal_attention: bool) -> None:
    """Causal: the first position's output ignores the second item; BSARec's filter reads it."""
    backbone = make(name)
    first = []
    backbone.blocks[0].register_forward_hook(lambda module, args, out: first.append(out[3, 0]))
    items, mask, candidates = inputs()
    backbone(items, mask, candidates)
    items[3, 1] *= -1
    backbone(items, mask, candidates)
    assert torch.allclose(first[0], first[1]) == causal_attention


@pytest.mark.parametrize("name", ["gru4rec", "sasrec", "ligr"])
def test_states_are_read_at_the_ends_of_prefixes_or_at_the_last_items(name: str) -> None:
    """Position 2 of the third user and 5 of the fourth; by default where each history ends."""
    backbone = make(name)
    assert isinstance(backbone, CausalBackbone)
    items, mask, candidates = inputs()
    states = backbone.states(items, mask)
    at = backbone.states_at(items, mask, torch.tensor([2 * L + 2, 3 * L + 5]))
    torch.testing.assert_close(at, torch.stack([states[2, 2], states[3, 5]])[:, None])
    ends = torch.stack([states[row, n - 1] for row, n in enumerate(LENGTHS) if n])[:, None]
    torch.testing.assert_close(backbone.states_at(items, mask, None)[1:], ends)
    torch.testing.assert_close(backbone(items, mask, candidates)[1:], ends)
