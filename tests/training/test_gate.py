"""Learning weights: the gate finds a known answer, and validation chooses only what it may."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from solidrec.nn.build import build_mixture
from solidrec.nn.evidence import KINDS, STATISTICS, Evidence
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import CONTENT, LOG, SEMANTIC, Counted, Mixture
from solidrec.nn.semantic_memory import SemanticMemory
from solidrec.spec import ModelSpec
from solidrec.training.display import Silent
from solidrec.training.gate import Gate
from solidrec.training.rows import Rows

ITEMS, C = 12, 8


def mixture(name: str) -> Mixture:
    """A mixture whose memories are empty: its evidence is given in the rows."""
    torch.manual_seed(0)
    starts = torch.zeros(ITEMS + 2, dtype=torch.int64)
    columns = torch.zeros(0, dtype=torch.int32)
    memories = (
        Memory(starts, columns, torch.zeros(0, 2), LOG),
        Memory(starts, columns, torch.zeros(0, 1), CONTENT),
        SemanticMemory((torch.arange(ITEMS + 1) > 0).long(), torch.ones(2, 2), SEMANTIC),
    )
    spec = ModelSpec.parse({"name": name, "dim": 8, "history_length": 4})
    return build_mixture(spec, Counted(memories, torch.ones(ITEMS + 1)))


def rows(count: int, *, seed: int) -> Rows:
    """First statistic > 0: forward memory is right and content misleads; < 0: the reverse."""
    generator = torch.Generator().manual_seed(seed)
    read = torch.zeros(count, STATISTICS)
    read[:, 0] = torch.randn(count, generator=generator).sign()
    counted = 0.1 * torch.rand(len(KINDS), count, C, generator=generator)
    right, wrong = (
        (read[:, 0] < 0).long() * 2,
        (read[:, 0] > 0).long() * 2,
    )  # kinds 0 and 2: forward and content
    number = torch.arange(count)
    counted[right, number, 0] = 1.0
    counted[wrong, number, 1] = 1.0  # candidate 1 is never the target
    evidence = Evidence(torch.full((count, C), -2.0), counted, torch.ones(1, count, C))
    history = torch.ones(count, 4, dtype=torch.int64)
    whole = torch.ones(count, dtype=torch.bool)
    return Rows(
        history,
        read,
        evidence,
        torch.ones(count, C, dtype=torch.bool),
        whole,
        torch.zeros(count, dtype=torch.int64),
    )


def trained(
    name: str, *, valid: Rows | None = None, passes: int = 5, data: Rows | None = None
) -> tuple[Mixture, list[Any]]:
    model, log = mixture(name), []
    data = rows(4096, seed=1) if data is None else data
    Gate(model, data, valid, passes=passes, codebook_weight=0.0, seed=0).run(Silent(), log.append)
    return model, log


def test_generated_weights_learn_whom_to_trust_where_shared_ones_cannot() -> None:
    valid = rows(1000, seed=2)
    best = {
        name: max(row["valid"]["NDCG@10"] for row in trained(name, valid=valid)[1])
        for name in ("mixture-static", "mixture")
    }
    second = 1 / torch.log2(torch.tensor(3.0))
    assert best["mixture-static"] < 0.95
    assert best["mixture"] > 0.99
    assert best["mixture-static"] > float(second) - 0.05  # it has the target first or second


def test_the_best_pass_on_validation_is_kept() -> None:
    valid = rows(500, seed=3)
    model, log = trained("mixture", valid=valid)
    assert [row["epoch"] for row in log] == [1, 2, 3, 4, 5]
    kept = Gate(model, valid, valid, passes=1, codebook_weight=0.0, seed=0).metrics(valid)
    assert kept == max((row["valid"] for row in log), key=lambda metrics: metrics["NDCG@10"])
    assert {row["stage"] for row in log} == {2}


def test_without_validation_the_last_pass_counts() -> None:
    _, log = trained("mixture", passes=3)
    assert [(row["best"], row["valid"]) for row in log] == [(True, None)] * 3


def test_a_target_that_no_expert_brings_is_a_miss() -> None:
    valid = rows(100, seed=4)
    whole = Gate(mixture("mixture-static"), valid, valid, passes=1, codebook_weight=0.0, seed=0)
    half = valid._replace(found=torch.arange(100) % 2 == 0)
    first, second = whole.metrics(valid), whole.metrics(half)
    assert second["Recall@10"] == pytest.approx(0.5)
    assert first["Recall@10"] == 1  # eight candidates are all among the first ten


def test_a_candidate_that_does_not_count_changes_nothing() -> None:
    """Neither the loss nor the metrics read it."""
    plain = rows(512, seed=5)
    kept = plain.kept.clone()
    kept[:, 3] = False
    found = []
    for value in (0.0, 50.0):
        counted = plain.evidence.counted.clone()
        counted[:, :, 3] = value
        changed = plain._replace(evidence=plain.evidence._replace(counted=counted), kept=kept)
        found.append(trained("mixture-static", passes=1, data=changed, valid=changed))
    assert found[0][1][0]["loss"] == found[1][1][0]["loss"]
    assert found[0][1][0]["valid"] == found[1][1][0]["valid"]


def test_events_near_the_end_count_more() -> None:
    """Rows far from the end that say the opposite do not matter."""
    near, far = rows(1024, seed=6), rows(1024, seed=7)
    flipped = far._replace(read=-far.read, far=torch.full((1024,), 30))
    model, _ = trained("mixture", data=Rows.together([near, flipped]), passes=30)
    alone, _ = trained("mixture", data=near, passes=30)
    valid = rows(500, seed=8)
    both = [
        Gate(one, valid, valid, passes=1, codebook_weight=0.0, seed=0).metrics(valid)["NDCG@10"]
        for one in (model, alone)
    ]
    assert min(both) > 0.95


def test_the_experts_stay_as_they_are() -> None:
    before = mixture("mixture").experts.state_dict()
    after = trained("mixture")[0].experts.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
