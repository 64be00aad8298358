"""What generates a mixture's weights: nothing before training, and then what its input says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from solidrec.nn.gate import Lengths, Pooled, Reading
from solidrec.nn.histories import Histories

SLOTS = {"mixture": (3,), "temperature": (2,)}
D, L = 4, 6


def histories(lengths: list[int]) -> Histories:
    ids = (torch.arange(L) < torch.tensor(lengths)[:, None]).long()
    items = torch.randn(len(lengths), L, D, generator=torch.Generator().manual_seed(0))
    return Histories.of(ids, items)


def trained(module: nn.Module) -> None:
    """Give every parameter some value."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()


def test_each_starts_at_zero() -> None:
    read = histories([0, 3, 6])
    answers = (
        Pooled(SLOTS, D)(read.items, read.mask).tensors,
        Reading(SLOTS, 5)(torch.randn(3, 5)).tensors,
        Lengths(SLOTS, L)(read).weights.tensors,
    )
    for tensors in answers:
        assert {slot: tuple(tensor.shape) for slot, tensor in tensors.items()} == {
            "mixture": (3, 3),
            "temperature": (3, 2),
        }
        assert not any(tensor.any() for tensor in tensors.values())


def test_pooled_reads_the_mean_and_the_last_item() -> None:
    """By its equation, one history after the other; padding plays no part."""
    pooled, read = Pooled(SLOTS, D).eval(), histories([1, 4])
    trained(pooled)
    expected = []
    for row, length in enumerate((1, 4)):
        own = read.items[row, :length]
        x = torch.cat([own.mean(0), own[-1]])
        x = (x - x.mean()) / (
            x.var(correction=0) + 1e-5
        ).sqrt() * pooled.norm.weight + pooled.norm.bias
        z = torch.tanh(pooled.hidden.weight @ x + pooled.hidden.bias)
        projection = pooled.projections["mixture"]
        expected.append(projection.weight @ z + projection.bias)
    found = pooled(read.items, read.mask).tensors["mixture"]
    torch.testing.assert_close(found, torch.stack(expected))


def test_reading_is_standardised_by_training_rows() -> None:
    """Other units of the statistics change nothing once they are standardised."""
    statistics = torch.randn(50, 5, generator=torch.Generator().manual_seed(2))
    answers = []
    for rows in (statistics, 1000 * statistics + 7):
        reading = Reading(SLOTS, 5).eval()
        trained(reading)
        reading.standardise(rows)
        answers.append(reading(rows).tensors["mixture"])
    torch.testing.assert_close(answers[0], answers[1], rtol=1e-4, atol=1e-4)
    assert answers[0].std(0).min() > 0.1


def test_a_statistic_that_never_varies_is_harmless() -> None:
    reading = Reading(SLOTS, 1)
    reading.standardise(torch.full((4, 1), 3.0))
    trained(reading)
    assert reading(torch.full((4, 1), 3.0)).tensors["mixture"].isfinite().all()


@pytest.mark.parametrize(("length", "bucket"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (6, 3)])
def test_a_length_has_the_deltas_of_its_bucket(length: int, bucket: int) -> None:
    """Buckets 0, 1, 2-3, 4-7, ..."""
    source = Lengths(SLOTS, L)
    trained(source)
    generated = source(histories([length]))
    assert torch.equal(generated.weights.tensors["mixture"][0], source.tensors["mixture"][bucket])
    assert generated.codebook_loss == 0


def test_there_is_no_answer_for_prefixes() -> None:
    read: Histories = histories([3])._replace(prefix_ends=torch.tensor([1]))
    for ask in (lambda: Lengths(SLOTS, L)(read), lambda: pooled_answer(read)):
        with pytest.raises(AssertionError, match="whole histor"):
            ask()


def pooled_answer(read: Histories) -> Tensor:
    answer: Tensor = Pooled(SLOTS, D)(read.items, read.mask, read.prefix_ends).tensors["mixture"]
    return answer
