from __future__ import annotations

import pytest
import torch

from solidrec.training.seeds import derive, rng, seed_torch


def test_a_purpose_has_one_seed() -> None:
    assert derive(3, "order", 1, 2) == derive(3, "order", 1, 2)
    assert (
        len(
            {
                derive(seed, purpose, epoch)
                for seed in range(9)
                for purpose in ("order", "negatives")
                for epoch in range(9)
            }
        )
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


def test_without_an_accelerator_only_the_cpu_is_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(derive(3, "dropout", 1))
    expected = torch.rand(3)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(torch, "manual_seed", pytest.fail)
    seed_torch(3, "dropout", 1)
    assert torch.equal(torch.rand(3), expected)


def test_an_accelerator_is_seeded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch, "manual_seed", seeded.append)
    seed_torch(3, "dropout", 1)
    assert seeded == [derive(3, "dropout", 1)]
