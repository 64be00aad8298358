"""The floor's counts as sums of matrix products, for the defaults: D 32, L 10, K 16, 2 blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from solidrec.nn.build import build
from solidrec.spec import ModelSpec, TrainSpec
from speed.floor import head_flops, matrix_product, scoring_flops, training_flops

D, L, K = 32, 10, 16
EVERY = TrainSpec(targets_per_pass=L)


def spec(name: str = "static", backbone: str = "sasrec") -> ModelSpec:
    return ModelSpec.parse({"name": name, "backbone": backbone})


def product(rows: int, inner: int, columns: int) -> int:
    return 2 * rows * inner * columns


def test_sasrec_static_by_hand() -> None:
    block = (
        product(1, D, 3 * D) + product(1, D, D) + 2 * product(1, D, D)
    )  # query, key and value; output; two layers
    attention = 2 * product(1, D, L) / 2  # logits and shares, on average over half of the window
    head, dots = 2 * product(1, D, D), product(1, D, 5)
    assert training_flops(spec(), EVERY, codes=0) == 3 * (2 * (block + attention) + head + dots)


def test_full_windows_encode_every_item_of_each() -> None:
    once, each = (
        training_flops(spec(), TrainSpec(targets_per_pass=stride), codes=0) for stride in (L, 1)
    )
    block = (
        product(1, D, 3 * D) + product(1, D, D) + 2 * product(1, D, D) + 2 * product(1, D, L) / 2
    )
    last = product(1, D, 2 * D)  # of the last block, the other places give key and value alone
    assert each - once == pytest.approx(3 * (L - 1) * (block + last))


def test_a_generated_layer_is_bilinear() -> None:
    assert head_flops(spec("duet")) == 2 * (
        product(1, D * D, D) + product(1, D, D)
    )  # (z (x) x) A, and its bias
    assert head_flops(spec("solid-duet")) == 2 * head_flops(spec("duet"))
    assert head_flops(spec("apg")) == 2 * (2 * product(1, D, K) + product(1, K * D, K))


def test_codes_are_searched_once_and_have_no_backward_pass() -> None:
    searched = ModelSpec.parse({"name": "solid-duet", "codebook": {"find": "nearest"}})
    few, many = (training_flops(searched, EVERY, codes=codes) for codes in (100, 300))
    assert many - few == product(1, D, 200)
    few, many = (training_flops(spec("solid-duet"), EVERY, codes=codes) for codes in (100, 300))
    assert many == few  # the code of a semantic id is a look-up


@pytest.fixture
def counted() -> Iterator[FlopCounterMode]:
    with FlopCounterMode(display=False) as counter:
        yield counter


@pytest.mark.parametrize("backbone", ["din", "bert4rec", "ligr", "bsarec"])
def test_the_floor_is_below_what_is_computed(backbone: str, counted: FlopCounterMode) -> None:
    """The floor of one user's 100 scores is within 40 % of the operations that torch counts."""
    model = build(spec(backbone=backbone), items=200).eval()
    with torch.no_grad():
        model(torch.arange(1, L + 1)[None], torch.arange(1, 101)[None])
    floor = scoring_flops(spec(backbone=backbone), candidates=100, codes=0)
    assert floor <= 1.4 * counted.get_total_flops()
    assert floor >= 0.6 * counted.get_total_flops()


def test_the_rate_counts_what_it_does(tmp_path: Path) -> None:
    found = matrix_product("tall").prepare(tmp_path)()
    times = found.work * 1e9 / product(10_240, 32, 128)
    assert times == pytest.approx(round(times))
    assert times >= 1
