"""Adam: dense and fused, but sparse on an item table so large that a step would spend its time on rows it never read."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

from solidrec.nn.recommender import Recommender
from solidrec.spec import TrainSpec

SPARSE_FROM = 100_000
"""Items from which on the item table is updated sparsely (docs/performance.md has the table)."""


@final
class Optimizer:
    """Adam over everything that a stage trains.

    A table of `SPARSE_FROM` items or more gets sparse gradients and `torch.optim.SparseAdam`: rows that a step did not
    read keep their moments, which for dense Adam decay and go on moving the row. Weight decay needs the dense form.
    """

    def __init__(self, model: Recommender, spec: TrainSpec) -> None:
        table = model.items.weight
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        model.items.sparse = table.requires_grad and len(table) > SPARSE_FROM and not spec.weight_decay
        dense = [parameter for parameter in trained if not (model.items.sparse and parameter is table)]
        fused = table.device.type in ("cpu", "cuda")
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.Adam(dense, lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=fused)
        ]
        if model.items.sparse:
            self.parts.append(torch.optim.SparseAdam([table], lr=spec.learning_rate))

    def step(self, loss: Tensor) -> None:
        """Move the parameters against the gradient of a loss."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)
        loss.backward()
        for part in self.parts:
            part.step()

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What is trained."""
        return [parameter for part in self.parts for group in part.param_groups for parameter in group["params"]]

    def moments(self, parameter: Tensor) -> dict[str, Any]:
        """Return Adam's state of a parameter, empty before the first step."""
        return next((dict(part.state[parameter]) for part in self.parts if parameter in part.state), {})

    def restore(self, parameter: Tensor, moments: dict[str, Any]) -> None:
        """Put a parameter's state back (the two forms of Adam count their steps in different types)."""
        for part in self.parts:
            if any(parameter is held for group in part.param_groups for held in group["params"]):
                step = moments["step"].reshape(())
                sparse = isinstance(part, torch.optim.SparseAdam)
                part.state[parameter] = moments | {"step": int(step) if sparse else step}
