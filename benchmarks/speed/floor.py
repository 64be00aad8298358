"""The arithmetic floor: the floating-point operations that work needs, at this machine's rate.

A multiply and an add are two operations. A history of L items is encoded once for all candidates
and, where the mathematics allows it, for all targets. A generated layer counts as the bilinear form
x W(z) = (z (x) x) A, which costs as much as building W(z) first. Look-ups, norms, activations,
dropout and the optimizer count as nothing, so 100 % cannot be reached. The rate is that of the
faster of two matrix products, measured in the same run with the same number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from solidrec.designs import DESIGNS
from solidrec.nn.backbones import CausalBackbone
from solidrec.registry import BACKBONES
from solidrec.spec import ModelSpec, TrainSpec
from speed.measurement import Subject, Timed, timed

TRAINING = 3
"""The backward pass costs two products for each product of the forward pass."""
GRU_GATES = 3
SHAPES = {"tall": (10_240, 32, 128), "square": (1_024, 1_024, 1_024)}


def training_flops(spec: ModelSpec, train: TrainSpec, *, codes: int, items: int = 0) -> float:
    """Return the operations of one training positive.

    The softmax scores all `items`; other losses score a positive's own negatives. A causal backbone
    reads L items for all targets of a pass over a long history: one per target if every position is
    a target. The count is a little high for short histories, which one pass serves completely.
    Other backbones read L items for each target.
    """
    causal = issubclass(BACKBONES[spec.backbone.name], CausalBackbone)
    tokens = (
        spec.history_length / train.served(spec.history_length) if causal else spec.history_length
    )
    candidates = items if train.loss == "softmax" else 1 + train.negatives
    learned = encode_flops(spec, tokens, candidates=candidates) + candidate_flops(spec, candidates)
    generated = generate_flops(spec, tokens) + states(spec, candidates) * head_flops(spec)
    return TRAINING * (learned + generated) + search_flops(spec, tokens, codes)


def scoring_flops(spec: ModelSpec, *, candidates: int, codes: int) -> float:
    """Return the operations of one user's scores, for a history of L items and `candidates`."""
    once = encode_flops(spec, spec.history_length, candidates=candidates) + generate_flops(
        spec, spec.history_length
    )
    scores = candidate_flops(spec, candidates) + states(spec, candidates) * head_flops(spec)
    return once + scores + search_flops(spec, spec.history_length, codes)


def states(spec: ModelSpec, candidates: int) -> int:
    """Return the number of user states of a user: DIN has one per candidate."""
    return candidates if spec.backbone.name == "din" else 1


def candidate_flops(spec: ModelSpec, candidates: int) -> float:
    """Return the operations of the dot products."""
    return 2.0 * candidates * spec.dim


def encode_flops(spec: ModelSpec, tokens: float, *, candidates: int) -> float:
    """Return the operations of the backbone for `tokens` items of a history."""
    d = spec.dim
    match spec.backbone.name:
        case "gru4rec":
            return tokens * gru_flops(d)
        case "din":
            # Item and candidate apart; per pair, their product, two layers and the weighted sum.
            pair = 2 * d * 2 * d + 2 * 2 * d * d + 2 * d + 2 * d
            return (
                tokens * 4.0 * d * d + candidates * 4.0 * d * d + tokens * candidates * float(pair)
            )
        case "bert4rec":
            return transformer_flops(spec, tokens + 1, wide=4, read=spec.history_length + 1)
        case "bsarec":
            return transformer_flops(spec, tokens, wide=4, read=spec.history_length / 2)
        case "ligr":  # three layers of four times the width, and two gates
            return transformer_flops(spec, tokens, wide=7, read=spec.history_length / 2)
        case _:
            return transformer_flops(spec, tokens, wide=1, read=spec.history_length / 2)


def transformer_flops(spec: ModelSpec, tokens: float, *, wide: int, read: float) -> float:
    """Return the operations of blocks over `tokens` places that read `read` places each.

    The last block computes its output at only one of them.
    """
    d = spec.dim
    known = 2 * 2.0 * d * d  # key and value
    # query, output and feed_forward; attention logits and the weighted sum of values
    asked = 2.0 * d * d * (2 + 2 * wide) + 4.0 * d * read
    blocks: int = spec.backbone.own()["blocks"]
    return (blocks - 1) * tokens * (known + asked) + tokens * known + asked


def gru_flops(dim: int) -> float:
    """Return the operations of one step of a GRU."""
    return 2.0 * GRU_GATES * 2 * dim * dim


def generate_flops(spec: ModelSpec, tokens: float) -> float:
    """Return the operations of the generators for one user; their layers count in the head."""
    # A GRU over the history, and the two layers of the MLP.
    return generators(spec) * (tokens * gru_flops(spec.dim) + 4.0 * spec.dim**2)


def generators(spec: ModelSpec) -> int:
    """Return how many generators a model has."""
    parts = DESIGNS[spec.name].parts
    return parts.trunk + parts.branch


def head_flops(spec: ModelSpec) -> float:
    """Return the operations of the two dynamic layers for one user state."""
    d, k = spec.dim, spec.core
    if DESIGNS[spec.name].head == "dot":
        return 0.0
    if not generators(spec):
        return 2 * 2.0 * d * d
    if DESIGNS[spec.name].head == "low-rank":
        return 2 * (4.0 * d * k + generators(spec) * 2.0 * d * k * k)
    return 2 * generators(spec) * (2.0 * d**3 + 2.0 * d * d)


def search_flops(spec: ModelSpec, tokens: float, codes: int) -> float:
    """Return the operations of the nearest-code search, which has no backward pass."""
    design = DESIGNS[spec.name]
    # The code of a semantic id is a look-up, which costs nothing.
    searched = design.has_codebook and (design.parts.author_code or spec.codebook.find == "nearest")
    return 2.0 * tokens * codes * spec.dim if searched else 0.0


def matrix_product(shape: str) -> Subject:
    """Return the measurement of a matrix product, whose work is in billions of operations."""
    rows, inner, columns = SHAPES[shape]
    work = 2e-9 * rows * inner * columns

    def prepare(folder: Path) -> Callable[[], Timed]:
        torch.manual_seed(0)
        left, right = torch.randn(rows, inner), torch.randn(inner, columns)
        out = torch.empty(rows, columns)
        times = max(1, round(20 / work))

        def many() -> None:
            for _ in range(times):
                torch.mm(left, right, out=out)

        return lambda: timed(times * work, many)

    return Subject("GFLOP", prepare)
