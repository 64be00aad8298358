from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from solidrec.errors import DamagedError, IncompatibleError
from solidrec.runs import WEIGHTS, load_run
from solidrec.weight_files import load_weights

Tensors = dict[str, torch.Tensor]


def load_changed(run: Path, folder: Path, change: Callable[[Tensors], Tensors]) -> None:
    """Load changed weights of a run, written to another folder, into its model."""
    save_file(change(load_file(run / WEIGHTS)), folder / WEIGHTS)
    load_weights(load_run(run).model, folder / WEIGHTS)


@pytest.mark.parametrize("change", ["missing", "extra", "double", "integer"])
def test_t12_weights_of_other_names_or_types_are_refused(
    run_folder: Path, tmp_path: Path, change: str
) -> None:
    def altered(tensors: Tensors) -> Tensors:
        name = "backbone.norm.weight"
        if change == "missing":
            del tensors[name]
        else:
            types = {"extra": torch.float32, "double": torch.float64, "integer": torch.int64}
            tensors["surplus" if change == "extra" else name] = (
                tensors[name].clone().to(types[change])
            )
        return tensors

    with pytest.raises(
        IncompatibleError,
        match="first difference: " + ("surplus" if change == "extra" else "backbone.norm.weight"),
    ):
        load_changed(run_folder, tmp_path, altered)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_t12_weights_that_are_not_finite_are_refused(
    run_folder: Path, tmp_path: Path, value: float
) -> None:
    def poisoned(tensors: Tensors) -> Tensors:
        tensors["items.weight"][7, 3] = value
        return tensors

    with pytest.raises(
        DamagedError, match=r"tensor 'items.weight' holds values that are not finite"
    ):
        load_changed(run_folder, tmp_path, poisoned)
