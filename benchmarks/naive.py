"""Models that follow their equations literally, in plain PyTorch: a reference for speed and scores.

Each (history, candidate) row is encoded on its own, every position of every block is computed, each
user's weights are built as matrices, and nearest codes are searched among all differences (B, L, K,
D). The parameters are those of a `solidrec` model, by their names in its ``state_dict``. The
formulas are those of the papers and share no code with the package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Naive(nn.Module):
    """A model with the parameters of a ``state_dict``.

    `spec` has backbone, blocks, heads, dropout, core and clip.
    """

    def __init__(
        self, spec: Any, state: Mapping[str, Tensor], *, low_rank: bool, clipped: bool
    ) -> None:
        super().__init__()
        self.spec, self.low_rank, self.clipped = spec, low_rank, clipped
        self.names = {name: name.replace(".", "/") for name in state}
        for name, tensor in state.items():
            copy = tensor.detach().clone()
            if copy.is_floating_point():
                self.register_parameter(self.names[name], nn.Parameter(copy))
            else:
                self.register_buffer(self.names[name], copy)

    def p(self, name: str) -> Tensor:
        """Return a parameter by its name in the state."""
        return getattr(self, self.names[name])

    def has(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self.names)

    def under(self, prefix: str) -> dict[str, None]:
        """Return the distinct next parts of the names with a prefix, in order."""
        found = [name for name in self.names if name.startswith(prefix)]
        return dict.fromkeys(name.removeprefix(prefix).partition(".")[0] for name in found)

    def linear(self, name: str, x: Tensor) -> Tensor:
        bias = self.p(f"{name}.bias") if self.has(f"{name}.bias") else None
        return F.linear(x, self.p(f"{name}.weight"), bias)

    def norm(self, name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.p(f"{name}.weight"), self.p(f"{name}.bias"))

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.spec.dropout, self.training)

    def gru(self, name: str, x: Tensor) -> Tensor:
        """Return the states (N, L, D) of a GRU that starts from zeros."""
        parts = [
            self.p(f"{name}.{part}_l0") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        return torch.gru(
            x, x.new_zeros(1, len(x), x.shape[2]), parts, True, 1, 0.0, False, False, True
        )[0]

    def forward(self, history: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, C) and the codebook loss (), with a row of history per candidate."""
        rows = history[:, None].expand(-1, candidates.shape[1], -1).flatten(0, 1)
        targets = F.embedding(candidates.flatten(), self.p("items.weight"))
        state = getattr(self, self.spec.backbone.name)(rows, targets)
        weights, codebook_loss = self.weights(rows)
        user = self.head(state, weights)
        return (user * targets).sum(-1).view(candidates.shape), codebook_loss

    # ---- backbones: rows (N, L), targets (N, D) -> states (N, D)

    def sasrec(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Encode by SASRec (Kang and McAuley, 2018): x + drop(f(norm(x))) twice a block, causal."""
        embedded = F.embedding(rows, self.p("items.weight"))
        position = self.p("backbone.position.weight")[: rows.shape[1]]
        x = self.drop(embedded * math.sqrt(embedded.shape[2]) + position)
        causal = torch.ones(rows.shape[1], rows.shape[1], dtype=torch.bool).tril()
        for number in range(self.spec.backbone.blocks):
            name = f"backbone.blocks.{number}"
            normed = self.norm(f"{name}.norm_attention", x)
            x = x + self.drop(self.attention(f"{name}.attention", normed, causal))
            normed = self.norm(f"{name}.norm_feed_forward", x)
            inner = self.drop(F.relu(self.linear(f"{name}.feed_forward.0", normed)))
            x = x + self.drop(self.linear(f"{name}.feed_forward.3", inner))
        return last(self.norm("backbone.norm", x), rows)

    def bert4rec(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Encode by BERT4Rec (Sun et al., 2019): norm(x + drop(f(x))) twice a block."""
        lengths = (rows > 0).sum(1)
        steps = torch.arange(rows.shape[1] + 1)
        embedded = F.pad(F.embedding(rows, self.p("items.weight")), (0, 0, 0, 1))
        # The mask token follows the last item; its state is the result.
        at_mask = (steps == lengths[:, None])[..., None]
        embedded = torch.where(at_mask, self.p("backbone.token"), embedded)
        position = self.p("backbone.position.weight")[: len(steps)]
        x = self.drop(self.norm("backbone.norm", embedded + position))
        attn_mask = (steps <= lengths[:, None])[:, None, None]
        for number in range(self.spec.backbone.blocks):
            name = f"backbone.blocks.{number}"
            attended = self.drop(self.attention(f"{name}.attention", x, attn_mask))
            x = self.norm(f"{name}.norm_attention", x + attended)
            inner = F.gelu(self.linear(f"{name}.feed_forward.0", x))
            inner = self.linear(f"{name}.feed_forward.2", inner)
            x = self.norm(f"{name}.norm_feed_forward", x + self.drop(inner))
        return x[torch.arange(len(x)), lengths]

    def attention(self, name: str, x: Tensor, attn_mask: Tensor) -> Tensor:
        """Return multi-head attention (Vaswani et al., 2017, Eq. 1)."""
        query, key, value = (
            part.unflatten(2, (self.spec.backbone.heads, -1)).transpose(1, 2)
            for part in self.linear(f"{name}.qkv_proj", x).chunk(3, 2)
        )
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        shares = scores.masked_fill(~attn_mask, -math.inf).softmax(-1)
        found = (self.drop(shares) @ value).transpose(1, 2).flatten(2)
        return self.linear(f"{name}.out_proj", found)

    def gru4rec(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Encode by GRU4Rec (Hidasi et al., 2016): the state after the last item."""
        items = self.drop(F.embedding(rows, self.p("items.weight")))
        return last(self.gru("backbone.gru", items), rows)

    def din(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Sum items as DIN (Zhou et al., 2018, Eq. 3), weighted by item, candidate and product."""
        items = self.drop(F.embedding(rows, self.p("items.weight")))
        hidden = self.linear("backbone.from_item", items)
        hidden = hidden + self.linear("backbone.from_candidate", targets)[:, None]
        hidden = hidden + self.linear("backbone.from_product", items * targets[:, None])
        hidden = self.linear("backbone.unit.1", F.prelu(hidden, self.p("backbone.unit.0.weight")))
        weight = self.linear("backbone.unit.3", F.prelu(hidden, self.p("backbone.unit.2.weight")))
        return (weight * items * (rows > 0)[..., None]).sum(1)

    # ---- weights: rows (N, L) -> {slot: (N, ...)}

    def weights(self, rows: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return Theta_d of Eq. 4, 5, 11, 12 or 13, as the parameters say, and Eq. 13's loss."""
        # The names of the parameters tell shared weights (Eq. 4), trunk + branch, or a branch.
        items, nothing = F.embedding(rows, self.p("items.weight")), torch.zeros(())
        if self.has("source.tensors."):
            prefix = "source.tensors."
            shared = {slot: self.p(prefix + slot) for slot in self.under(prefix)}
            return {slot: x.expand(len(rows), *x.shape) for slot, x in shared.items()}, nothing
        if self.has("source.trunk."):
            ids = self.p("source.trunk.semantic_of_item")[rows]
            semantic = F.embedding(ids, self.p("source.trunk.semantics.weight"))
            trunk = self.generate("source.trunk.generator", semantic, rows)
            branch, codebook_loss = self.branch("source.branch", items, rows)
            return {slot: trunk[slot] + branch[slot] for slot in trunk}, codebook_loss
        return self.branch("source", items, rows)

    def branch(self, name: str, items: Tensor, rows: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return M_v(E_v), read through the codebook and clipped if the model does so."""
        codebook_loss = torch.zeros(())
        if self.has(f"{name}.codebook."):
            items, codebook_loss = self.coded(f"{name}.codebook", items, rows)
        found = self.generate(f"{name}.generator", items, rows)
        if self.clipped:
            clip = self.spec.clip
            found = {slot: inward(clip * tensor, clip) for slot, tensor in found.items()}
        return found, codebook_loss

    def generate(self, name: str, sequence: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Return the weights of a generator: GRU, its last state, MLP, one projection per slot."""
        state = self.drop(last(self.gru(f"{name}.encoder", self.drop(sequence)), rows))
        inner = torch.tanh(self.linear(f"{name}.mlp.0", state))
        z = self.drop(torch.tanh(self.linear(f"{name}.mlp.2", inner)))
        prefix = f"{name}.projections."
        return {slot: self.linear(prefix + slot, z) for slot in self.under(prefix)}

    def coded(self, name: str, items: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return each item's code as it is read (nearest, or by semantic id), and Eq. 13's loss."""
        codes, mask = self.p(f"{name}.code_vectors"), rows > 0
        if self.has(f"{name}.semantic_of_item"):
            index = (self.p(f"{name}.semantic_of_item")[rows] - 1).clamp(min=0)
        else:
            index = nearest(items.detach(), codes.detach())
        found = F.embedding(index, codes)
        # Straight-through: the value of the code, with the gradient passed on to the item.
        passed = items + (found - items).detach()
        read = passed + self.linear(f"{name}.mlp.2", F.relu(self.linear(f"{name}.mlp.0", passed)))
        pair = (items.detach() - found).square() + 0.25 * (items - found.detach()).square()
        return read, pair[mask].mean() if bool(mask.any()) else pair.sum() * 0

    def head(self, state: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """Return the user state after two dynamic layers, each with its own matrix per row."""
        x = state
        for number in range(2):
            matrix, bias = self.layer(number, weights)
            x = torch.bmm(x[:, None], matrix)[:, 0] + bias
            x = F.relu(x) if number == 0 else x
        return x

    def layer(self, number: int, weights: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return W (N, D, D) and b of a layer; APG's W is U S V."""
        if not self.low_rank:
            bias = weights[f"bias{number}"]
            return weights[f"weight{number}"].reshape(len(bias), bias.shape[1], bias.shape[1]), bias
        core = weights[f"core{number}"].reshape(-1, self.spec.core, self.spec.core)
        matrix = self.p(f"head.left.{number}") @ core @ self.p(f"head.right.{number}")
        return matrix, self.p(f"head.bias.{number}")


def last(states: Tensor, rows: Tensor) -> Tensor:
    """Return each row's state at its last item, or zeros where there is none."""
    lengths = (rows > 0).sum(1)
    return states[torch.arange(len(rows)), (lengths - 1).clamp(min=0)] * (lengths > 0)[:, None]


def nearest(vectors: Tensor, codes: Tensor) -> Tensor:
    """Return each vector's nearest code from all differences (B, L, K, D)."""
    return (vectors[:, :, None] - codes).square().sum(-1).argmin(-1)


def inward(x: Tensor, limit: float) -> Tensor:
    """Clip; the gradient passes inside, and outside where a descent step leads back inside."""
    # The value is clamped; the identity gradient is then masked by the hook.
    clipped = x + (x.clamp(-limit, limit) - x).detach()
    if clipped.requires_grad:
        seen = x.detach()
        clipped.register_hook(
            lambda gradient: gradient * ((seen.abs() <= limit) | (gradient * seen > 0))
        )
    return clipped
