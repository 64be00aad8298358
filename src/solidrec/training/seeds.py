"""Random numbers as pure functions of their purpose, so that resuming needs no hidden state."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def derive(*parts: int | str) -> int:
    """Return a 63-bit seed for a purpose, for example ``derive(seed, "order", stage, epoch)``.

    >>> derive(0, "order", 1) == derive(0, "order", 1) != derive(0, "order", 2)
    True
    """
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def rng(*parts: int | str) -> np.random.Generator:
    """Return a NumPy generator for a purpose."""
    return np.random.default_rng(derive(*parts))


def seed_torch(*parts: int | str) -> None:
    """Seed torch's global generators (parameters, dropout) for a purpose.

    Without an accelerator only the CPU's generator is seeded: for the others `torch.manual_seed`
    records its caller's stack, which takes a quarter of a millisecond.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(derive(*parts))
    else:
        torch.default_generator.manual_seed(derive(*parts))
