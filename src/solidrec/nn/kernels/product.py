"""The product of a user state with a generated matrix, without holding the matrices of all users.

W(z) = z A + b is linear in z, so x W(z) = (x (x) z) A' + x B: one large matrix product over outer
products that are computed and dropped in blocks of rows small enough for a cache. A clipped W
(Eq. 12) is not linear in z; it is built in such blocks as well.
"""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from solidrec.nn.kernels.precision import full_precision

_ROWS = {"cpu": 128}
"""Rows of a block: on a CPU, 128 x 32 x 32 floats are half a megabyte and stay in the cache."""
_MANY_ROWS = 4096
"""Rows of a block on other devices, which are faster with fewer and larger launches."""


def generated_product(
    x: Float[Tensor, "N C I"],
    z: Float[Tensor, "N K"],
    weight: Float[Tensor, "IO K"],
    bias: Float[Tensor, " IO"],
    *,
    limit: float | None = None,
    inward: bool = True,
) -> Float[Tensor, "N C O"]:
    """Return x W with each row's own W = z `weight`^T + `bias` (I, O), clipped to [-limit, limit].

    Without a `limit` nothing is clipped. The gradient of the clip is that of `InwardClip`, or a
    hard clip's when not `inward`. `weight` and `bias` are those of an ``nn.Linear(K, I * O)``.

    >>> x, z = torch.ones(1, 1, 2), torch.tensor([[3.0]])
    >>> generated_product(x, z, torch.ones(2, 1), torch.tensor([0.0, 1.0])).item()
    7.0
    """
    with full_precision(x.device):
        x, z = x.to(weight.dtype), z.to(weight.dtype)
        if limit is None and x.shape[1] == 1:
            if not torch.is_grad_enabled():  # no call of Python in a recorded model
                return _bilinear(x[:, 0], z, weight, bias)[:, None]
            outputs: Tensor = _Bilinear.apply(  # type: ignore[no-untyped-call]
                x[:, 0], z, weight, bias
            )
            return outputs[:, None]
        if not torch.is_grad_enabled():
            return _blockwise(x, z, weight, bias, limit)
        built: Tensor = _Blockwise.apply(  # type: ignore[no-untyped-call]
            x, z, weight, bias, limit, inward
        )
        return built


@final
class _Bilinear(torch.autograd.Function):
    """(x (x) z) A' + x B, with outer products by blocks of rows, repeated in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Float[Tensor, "N I"],
        z: Float[Tensor, "N K"],
        weight: Float[Tensor, "IO K"],
        bias: Float[Tensor, " IO"],
    ) -> Float[Tensor, "N O"]:
        """Return the products."""
        ctx.save_for_backward(x, z, weight, bias)
        return _bilinear(x, z, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Float[Tensor, "N O"]) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, z, weight and bias."""
        x, z, weight, bias = ctx.saved_tensors
        width, inner = x.shape[1], z.shape[1]
        matrix = _by_pair(weight, width)
        dx, dz = torch.empty_like(x), torch.empty_like(z)
        d_matrix = x.new_zeros(matrix.shape[1], len(matrix))
        learned = ctx.needs_input_grad[2]
        room = _scratch(x, matrix)
        for rows in _blocks(x):
            # d A' is accumulated transposed: on a CPU a wide product is faster than a tall one.
            if learned:
                d_matrix.addmm_(gradient[rows].T, _outer(x[rows], z[rows], room))
            # The gradient of the outer products (N, I, K), from which those of x and z follow.
            pairs = torch.mm(gradient[rows], matrix.T, out=room[: len(x[rows])])
            pairs = pairs.view(-1, width, inner)
            # A row vector times a matrix is faster than a matrix times a column vector.
            torch.bmm(z[rows, None], pairs.transpose(1, 2), out=dx[rows, None])
            torch.bmm(x[rows, None], pairs, out=dz[rows, None])
        # The part of x B in the gradient of x.
        dx.addmm_(gradient, bias.view(width, -1).T)
        # Bring d A' back into the layout of `weight`, (I O, K).
        d_weight = None
        if learned:
            d_weight = d_matrix.view(-1, width, inner).transpose(0, 1).reshape(weight.shape)
        return dx, dz, d_weight, (x.T @ gradient).view(-1) if ctx.needs_input_grad[3] else None


@final
class _Blockwise(torch.autograd.Function):
    """x clip(z A + b), with the matrices built by blocks of rows, again in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Float[Tensor, "N C I"],
        z: Float[Tensor, "N K"],
        weight: Float[Tensor, "IO K"],
        bias: Float[Tensor, " IO"],
        limit: float | None,
        inward: bool,
    ) -> Float[Tensor, "N C O"]:
        """Return the products."""
        ctx.save_for_backward(x, z, weight, bias)
        ctx.limit, ctx.inward = limit, inward
        return _blockwise(x, z, weight, bias, limit)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Float[Tensor, "N C O"]) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, z, weight and bias."""
        x, z, weight, bias = ctx.saved_tensors
        width, learned = x.shape[2], ctx.needs_input_grad[2]
        limit = torch.inf if ctx.limit is None else ctx.limit
        dx, dz, d_bias = torch.empty_like(x), torch.empty_like(z), torch.zeros_like(bias)
        d_weight = x.new_zeros(weight.shape[1], len(weight))
        rooms = [_scratch(x, weight) for _ in range(3)]
        for rows in _blocks(x):
            flat, used, d_flat = (room[: len(x[rows])] for room in rooms)
            # Build the matrices of the block again, before the clip and after it.
            torch.addmm(bias, z[rows], weight.T, out=flat)
            torch.clamp(flat, -limit, limit, out=used)
            torch.bmm(gradient[rows], used.view(len(flat), width, -1).transpose(1, 2), out=dx[rows])
            # The gradient of the matrices: x^T times the gradient of the output.
            _products(x[rows], gradient[rows], d_flat)
            if ctx.limit is not None:
                d_flat = _passed(d_flat, flat.sub_(used), inward=ctx.inward, out=used)
            # Back through the clip and the linear layer, to z, weight and bias.
            torch.mm(d_flat, weight, out=dz[rows])
            if learned:
                d_weight.addmm_(z[rows].T, d_flat)
            if ctx.needs_input_grad[3]:
                d_bias += d_flat.sum(0)
        found = (dx, dz, d_weight.T if learned else None)
        return *found, d_bias if ctx.needs_input_grad[3] else None, None, None


def _bilinear(
    x: Float[Tensor, "N I"],
    z: Float[Tensor, "N K"],
    weight: Float[Tensor, "IO K"],
    bias: Float[Tensor, " IO"],
) -> Float[Tensor, "N O"]:
    """Return (x (x) z) A' + x B."""
    width = x.shape[1]
    # The blocks of outer products, times A', are added to x B.
    y = x @ bias.view(width, -1)
    matrix = _by_pair(weight, width)
    room = _scratch(x, matrix)
    for rows in _blocks(x):
        y[rows].addmm_(_outer(x[rows], z[rows], room), matrix)
    return y


def _blockwise(
    x: Float[Tensor, "N C I"],
    z: Float[Tensor, "N K"],
    weight: Float[Tensor, "IO K"],
    bias: Float[Tensor, " IO"],
    limit: float | None,
) -> Float[Tensor, "N C O"]:
    """Return x clip(z A + b)."""
    y = x.new_empty(x.shape[0], x.shape[1], weight.shape[0] // x.shape[2])
    room = _scratch(x, weight)
    for rows in _blocks(x):
        # Each row's own matrix, flat, in the buffer.
        flat = torch.addmm(bias, z[rows], weight.T, out=room[: len(x[rows])])
        if limit is not None:
            flat.clamp_(-limit, limit)
        torch.bmm(x[rows], flat.view(-1, x.shape[2], y.shape[2]), out=y[rows])
    return y


def _passed(
    gradient: Float[Tensor, "*N"],
    excess: Float[Tensor, "*N"],
    *,
    inward: bool,
    out: Float[Tensor, "*N"],
) -> Float[Tensor, "*N"]:
    """Return in `out` the gradient that a clip lets through.

    `excess` is how far each value lies outside the clip, with its sign; it is overwritten. Outside,
    a step against the gradient leads back inside when both signs agree.
    """
    if not inward:
        return torch.mul(gradient, excess == 0, out=out)
    # In one pass over memory, select the gradient where excess * gradient is not negative.
    least = -torch.finfo(gradient.dtype).tiny
    selected: Tensor = torch.ops.aten.threshold_backward.grad_input(
        gradient, excess.mul_(gradient), least, grad_input=out
    )
    return selected


def _by_pair(weight: Float[Tensor, "IO K"], width: int) -> Float[Tensor, "IK O"]:
    """Return A' (I K, O), the contribution of each pair of an input and a z to the outputs."""
    inner = weight.shape[1]
    return weight.view(width, -1, inner).transpose(1, 2).reshape(width * inner, -1)


def _outer(
    x: Float[Tensor, "N I"], z: Float[Tensor, "N K"], room: Float[Tensor, "R IK"]
) -> Float[Tensor, "N IK"]:
    """Return each row's outer product, flat, in the first rows of `room`."""
    used = room[: len(x)]
    torch.mul(x[:, :, None], z[:, None], out=used.view(len(x), x.shape[1], -1))
    return used


def _products(
    x: Float[Tensor, "N C I"], y: Float[Tensor, "N C O"], room: Float[Tensor, "N IO"]
) -> None:
    """Write each row's x^T y into `room`."""
    if x.shape[1] == 1:
        _outer(x[:, 0], y[:, 0], room)
    else:
        torch.bmm(x.transpose(1, 2), y, out=room.view(len(x), x.shape[2], -1))


def _block_rows(x: Float[Tensor, "N ..."]) -> int:
    """Return the number of rows of a block."""
    return min(_ROWS.get(x.device.type, _MANY_ROWS), max(len(x), 1))


def _blocks(x: Float[Tensor, "N ..."]) -> list[slice]:
    """Return slices that cover the rows."""
    return [slice(start, start + _block_rows(x)) for start in range(0, len(x), _block_rows(x))]


def _scratch(x: Float[Tensor, "N ..."], matrix: Float[Tensor, "P _"]) -> Float[Tensor, "R P"]:
    """Return a buffer for P numbers per row of a block; one for all blocks stays in the cache."""
    return x.new_empty(_block_rows(x), len(matrix))
