"""The weights of a run folder: safetensors files, checked before a model takes them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from solidrec import migrations
from solidrec.errors import DamagedError, IncompatibleError
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import CONTENT, LOG, SEMANTIC, Counted, Mixture
from solidrec.nn.recommender import Recommender
from solidrec.nn.semantic_memory import SemanticMemory


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file, or raise `DamagedError` if it is not one."""
    try:
        return migrations.tensors(load_file(path))
    except (SafetensorError, OSError) as error:
        raise DamagedError(
            f"{path}: is not a readable safetensors file ({error}); train again or restore it"
        ) from error


def read_counted(path: Path, items: int) -> Counted:
    """Return memories and counts of a weights file, or raise `IncompatibleError` for a misfit."""
    tensors = read_tensors(path)
    try:
        counts, recent = tensors["experts.counts"], tensors.get("experts.recent")
        log, content = (_read_memory(tensors, i, decay) for i, decay in enumerate((LOG, CONTENT)))
        of_item, ratio = (
            tensors[f"experts.memories.2.{name}"] for name in ("semantic_of_item", "ratio")
        )
    except KeyError as error:
        raise IncompatibleError(
            f"{path}: does not fit its spec.json, it has no {error.args[0]!r}; train again"
        ) from None
    if (
        len(counts) != items + 1
        or any(len(part.starts) != items + 2 for part in (log, content))
        or len(of_item) != items + 1
    ):
        raise IncompatibleError(f"{path}: its memories are not of {items:,} items; train again")
    return Counted((log, content, SemanticMemory(of_item, ratio, SEMANTIC)), counts, recent)


def _read_memory(tensors: dict[str, torch.Tensor], number: int, decay: tuple[float, ...]) -> Memory:
    """Return one memory of a mixture, or raise `KeyError` for a missing tensor."""
    starts, columns, values = (
        tensors[f"experts.memories.{number}.{name}"] for name in ("starts", "columns", "values")
    )
    return Memory(starts, columns, values, decay)


def load_weights(model: Recommender | Mixture, path: Path) -> None:
    """Load weights into a model; names, shapes and dtypes must match and all values be finite."""
    tensors = read_tensors(path)
    expected = {
        name: (tuple(tensor.shape), tensor.dtype) for name, tensor in model.state_dict().items()
    }
    found = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    if different := sorted(expected.items() ^ found.items(), key=str):
        raise IncompatibleError(
            f"{path}: does not fit its spec.json, first difference: {different[0][0]}; train again"
        )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DamagedError(
                f"{path}: tensor {name!r} holds values that are not finite; train again"
            )
    model.load_state_dict(tensors)
