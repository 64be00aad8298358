"""Adam, dense and fused, but sparse on large item tables to skip rows that a step never read."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor
from torch.optim.adam import adam

from solidrec.nn.recommender import Recommender
from solidrec.spec import TrainSpec

SPARSE_FROM = 100_000
"""Items from which on the item table is updated sparsely (see the table in docs/performance.md)."""

_Moments = dict[str, Any]


@final
class _DenseAdam:
    """Adam (Kingma and Ba, 2015) by torch's own function.

    `torch.optim.Adam` calls the same function, but it imports torch's compiler: a second and 70 MB
    per training.
    """

    def __init__(self, parameters: list[Tensor], spec: TrainSpec) -> None:
        self.parameters, self.spec = parameters, spec
        self.fused = all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
        self.state: dict[Tensor, _Moments] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        moved = [parameter for parameter in self.parameters if parameter.grad is not None]
        self.state |= {one: _start(one) for one in moved if one not in self.state}
        states = [self.state[parameter] for parameter in moved]
        adam(
            moved,
            [parameter.grad for parameter in moved if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=self.fused,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            lr=self.spec.learning_rate,
            weight_decay=self.spec.weight_decay,
            maximize=False,
        )


def _start(parameter: Tensor) -> _Moments:
    """Return Adam's state before the first step."""
    step = torch.zeros((), dtype=torch.float32, device=parameter.device)
    moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
    return {"step": step, **moments}


@final
class Optimizer:
    """Adam over all parameters that a stage trains.

    A table of `SPARSE_FROM` items or more gets sparse gradients and `torch.optim.SparseAdam`. Rows
    that a step did not read then keep their moments; under dense Adam the moments decay and go on
    moving the row. Weight decay needs the dense form.
    """

    def __init__(self, model: Recommender, spec: TrainSpec) -> None:
        table = model.items.weight
        self.parameters: list[Tensor] = [one for one in model.parameters() if one.requires_grad]
        """The trained parameters."""
        large = len(table) > SPARSE_FROM
        sparse = model.items.sparse = table.requires_grad and large and not spec.weight_decay
        dense = [one for one in self.parameters if not (sparse and one is table)]
        self.dense = _DenseAdam(dense, spec)
        self.sparse = torch.optim.SparseAdam([table], lr=spec.learning_rate) if sparse else None

    def step(self, loss: Tensor) -> None:
        """Update the parameters by the gradient of a loss."""
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        self.dense.step()
        if self.sparse is not None:
            self.sparse.step()

    def moments(self, parameter: Tensor) -> _Moments:
        """Return Adam's state of a parameter, empty before the first step."""
        sparse = {} if self.sparse is None else self.sparse.state.get(parameter, {})
        return dict(self.dense.state.get(parameter, sparse))

    def restore(self, parameter: Tensor, moments: _Moments) -> None:
        """Put back Adam's state of a parameter (dense and sparse steps differ in type)."""
        step = moments["step"].reshape(())
        if any(parameter is one for one in self.dense.parameters):
            self.dense.state[parameter] = moments | {"step": step.to(torch.float32)}
        elif self.sparse is not None:
            self.sparse.state[parameter] = moments | {"step": int(step)}
