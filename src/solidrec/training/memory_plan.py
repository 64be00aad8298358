"""The memory that a training needs at least, compared with what is free before it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.errors import UsageError
from solidrec.nn.build import build, plain
from solidrec.registry import LOSSES
from solidrec.spec import RunSpec
from solidrec.training.batches import TOGETHER
from solidrec.training.passes import target_counts

_COPIES = 4
"""Arrays as large as the parameters: weights, gradients and the two moments of Adam."""
_FLOAT, _ID = 4, 8
"""Bytes of a number, and of an item."""
_SMALL = 1 << 30
"""Bytes below which nothing is counted: counting exactly takes a second of imports."""
_MEMORY = Path("/proc/meminfo")


def check_memory(data: PreparedData, spec: RunSpec, device: str) -> None:
    """Raise `UsageError` if a training cannot fit into the memory of its device.

    What is counted is a lower bound: the parameters with gradients and the moments of Adam, the
    embedded histories of one batch, and its candidates.
    """
    dim, length, drawn = spec.model.dim, spec.model.history_length, _candidates(data, spec)
    histories = min(spec.train.batch_size, len(data.event_items)) * length * dim * _FLOAT
    rough = (len(data.items) + length + dim) * dim * _COPIES * _FLOAT + histories + drawn.bytes
    if rough < _SMALL:
        return
    held = _parameters(data, spec) * _COPIES * _FLOAT
    free = free_memory(device)
    if held + histories + drawn.bytes > free:
        raise UsageError(
            f"training needs at least {_bytes(held)} for parameters, gradients and the moments of "
            f"Adam, {_bytes(histories)} for a batch's histories and {_bytes(drawn.bytes)} for its "
            f"negatives, {_bytes(free)} are free on {device}; lower model.dim={dim}, "
            f"model.history_length={length}, {drawn.setting} or "
            f"train.batch_size={spec.train.batch_size}"
        )


def least_memory(data: PreparedData, spec: RunSpec) -> float:
    """Return the bytes that a training holds at least, as `check_memory` counts them."""
    histories = min(spec.train.batch_size, len(data.event_items)) * spec.model.history_length
    held = _parameters(data, spec) * _COPIES * _FLOAT
    return held + histories * spec.model.dim * _FLOAT + _candidates(data, spec).bytes


class _Candidates(NamedTuple):
    """The bytes that the candidates of training take, and the setting that says how many."""

    bytes: int
    setting: str


def _candidates(data: PreparedData, spec: RunSpec) -> _Candidates:
    """Count the candidates of one batch, and the ids and labels of batches made together."""
    train = spec.train
    loss = LOSSES[train.loss](train, items=len(data.items), codebook_weight=0.0)
    targets = int(target_counts(np.asarray(data.offsets[:-1]), np.asarray(data.train_end)).sum())
    batch, together = (min(count * train.batch_size, targets) for count in (1, TOGETHER))
    if loss.shared is not None:  # a score of each for each target
        size = loss.shared * (batch + spec.model.dim) * _FLOAT
        return _Candidates(size, f"train.shared={loss.shared}")
    embedded = batch * spec.model.dim * _FLOAT
    size = (1 + loss.each) * (embedded + together * (_ID + _FLOAT))
    return _Candidates(size, f"train.negatives={train.negatives}")


def _parameters(data: PreparedData, spec: RunSpec) -> float:
    """Count the parameters of the (neural) model, built on the meta device, where nothing is."""
    design = DESIGNS[spec.model.name]
    model = plain(spec.model) if design.is_mixture else spec.model
    semantics = torch.ones(len(data.items) + 1, dtype=torch.int64)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            built = build(model, items=len(data.items), semantic_of_item=semantics)
    except RuntimeError as error:
        if "overflow" in str(error):  # one array has more bytes than 64 bits can count
            return float("inf")
        raise
    return sum(parameter.numel() for parameter in built.parameters())


def free_memory(device: str) -> int:
    """Return the bytes that a process could still take on a device."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    if _MEMORY.exists():
        lines = dict(line.split(":") for line in _MEMORY.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _bytes(count: float) -> str:
    """Return a number of bytes for people.

    >>> _bytes(4.29e9), _bytes(float("inf"))
    ('4.3 GB', 'more than 9 EB')
    """
    if count >= 2**63:
        return "more than 9 EB"
    for size, name in ((1e18, "EB"), (1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if count >= size:
            return f"{count / size:.1f} {name}"
    return f"{count / 1e6:.0f} MB"
