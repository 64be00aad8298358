from __future__ import annotations

import torch

from solidrec.training.seeds import derive, rng, seed_torch


def test_a_purpose_has_one_seed() -> None:
    assert derive(3, "order", 1, 2) == derive(3, "order", 1, 2)
    assert (
        len({derive(seed, purpose, epoch) for seed in range(9) for purpose in ("order", "negatives") for epoch in range(9)})
        == 162
    )


def test_parts_do_not_run_together() -> None:
    assert derive(1, 12) != derive(11, 2) != derive(112)


def test_every_seed_fits_torch_and_numpy() -> None:
    assert all(0 <= derive(part) < 2**63 for part in range(1000))
    assert rng(2**70, "order").integers(10) == rng(2**70, "order").integers(10)


def test_torch_is_seeded_whatever_came_before() -> None:
    torch.rand(7)
    seed_torch(0, "dropout", 1)
    first = torch.rand(3)
    torch.rand(5)
    seed_torch(0, "dropout", 1)
    assert torch.equal(first, torch.rand(3))
