"""Softmax cross-entropy over a whole catalogue in bounded memory."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

_CELLS = 1 << 20
"""Logits that exist at a time, about: 4 MB, which stays in the cache."""


@final
class _CatalogueCrossEntropy(torch.autograd.Function):
    """The loss and its gradient, in one pass over blocks of rows that are not kept."""

    @staticmethod
    def forward(
        context: Any,
        users: Float[Tensor, "N D"],
        table: Float[Tensor, "V1 D"],
        targets: Int[Tensor, " N"],
    ) -> Float[Tensor, ""]:
        """Return the mean over rows of log sum_i exp(u . t_i) - u . t_target."""
        items = table[1:]
        total = users.new_zeros(())
        wanted = any(context.needs_input_grad[:2])
        users_grad, table_grad = torch.empty_like(users), torch.zeros_like(table)
        rows = max(1, _CELLS // len(items))
        for part in torch.arange(len(users), device=users.device).split(rows):
            some, target = users[part[0] : part[-1] + 1], targets[part] - 1
            logits = some @ items.T
            # The logit of each row's target, and the log of the sum over the catalogue.
            at = torch.arange(len(some), device=users.device), target
            wins = logits[at]
            norm = logits.logsumexp(1)
            total += (norm - wins).sum()
            if not wanted:
                continue
            # The gradient of the logits is softmax - one-hot; it overwrites the logits.
            share = logits.sub_(norm[:, None]).exp_()
            share[at] -= 1
            users_grad[part[0] : part[-1] + 1] = share @ items
            table_grad[1:].addmm_(share.T, some)
        context.save_for_backward(users_grad, table_grad)
        return total / len(users)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """Scale the gradients that the forward pass has saved."""
        users_grad, table_grad = context.saved_tensors
        scale = gradients[0] / len(users_grad)
        return users_grad * scale, table_grad * scale, None


def catalogue_cross_entropy(
    users: Float[Tensor, "N D"], table: Float[Tensor, "V1 D"], targets: Int[Tensor, " N"]
) -> Float[Tensor, ""]:
    """Return the mean cross-entropy of `targets` in 1..V over the catalogue.

    Row 0 of the item table is padding and no item. Memory holds about `_CELLS` logits at a time and
    one gradient of each argument, which comes from the same pass.

    >>> users, table = torch.tensor([[1.0]]), torch.tensor([[9.0], [0.0], [0.0]])
    >>> round(float(catalogue_cross_entropy(users, table, torch.tensor([2]))), 4)  # log 2
    0.6931
    """
    loss: Tensor = _CatalogueCrossEntropy.apply(  # type: ignore[no-untyped-call]
        users, table, targets
    )
    return loss
