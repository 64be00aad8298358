from __future__ import annotations

from math import exp, log

import pytest
import torch

from solidrec.training.usage import CodebookStats


def test_hits_add_up_over_batches_and_padding_counts_for_nothing() -> None:
    tally = CodebookStats(codes=4, device="cpu")
    tally.add({"code_indices": torch.tensor([[0, -1], [2, 2]])})
    tally.add({"code_indices": torch.tensor([[2, -1]])})
    assert tally.hits.tolist() == [1, 0, 3, 0]
    assert tally.dead().tolist() == [1, 3]
    row = tally.row()
    assert (row["codes_used"], row["codes_dead"]) == (2, 2)
    assert row["perplexity"] == pytest.approx(exp(-(1 / 4 * log(1 / 4) + 3 / 4 * log(3 / 4))))


def test_perplexity_counts_codes_that_are_used_alike() -> None:
    tally = CodebookStats(codes=5, device="cpu")
    tally.add({"code_indices": torch.tensor([[0, 1, 2, 3, 4]])})
    assert tally.row()["perplexity"] == pytest.approx(5)


def test_the_saturated_share_is_a_mean_over_batches() -> None:
    tally = CodebookStats(codes=0, device="cpu")
    for share in (0.0, 0.5, 1.0):
        tally.add({"saturated": torch.tensor(share)})
    assert tally.row() == {"saturated": 0.5}


def test_a_model_without_clip_and_codebook_has_nothing_to_say() -> None:
    tally = CodebookStats(codes=0, device="cpu")
    tally.add({})
    assert tally.row() == {}


def test_no_hit_at_all_is_no_division_by_zero() -> None:
    tally = CodebookStats(codes=2, device="cpu")
    tally.add({"code_indices": torch.tensor([[-1, -1]])})
    assert tally.row() == {"codes_used": 0, "codes_dead": 2, "perplexity": 1.0}
