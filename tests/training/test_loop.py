from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from solidrec.errors import DivergedError
from solidrec.nn.codebook import Codebook
from solidrec.training.loop import Progress, Stage, copy_state

Stages = Callable[..., Stage]
SOON = {"patience_steps": 0, "min_steps": 0}


def item_table(stage: Stage) -> torch.Tensor:
    return stage.model.items.weight.detach().clone()


def codes_of(stage: Stage) -> Codebook:
    assert stage.codebook is not None
    return stage.codebook


def test_patience_counts_validations_without_a_better_uauc(stage_of: Stages) -> None:
    stage = stage_of([0.5, 0.6, 0.6, 0.59, 0.55, 0.9], patience=3, **SOON)
    stage.run()
    assert stage.progress.epoch == 2 + 3  # an equal score is no better one; the .9 is never seen
    assert (stage.progress.best, stage.progress.best_epoch) == (0.6, 2)


def test_the_best_epochs_weights_are_put_back(stage_of: Stages) -> None:
    tables: list[torch.Tensor] = []
    stage = stage_of([0.5, 0.7, 0.6], epochs=3, save=lambda stage: tables.append(item_table(stage)))
    stage.run()
    assert torch.equal(item_table(stage), tables[1])
    assert not torch.equal(tables[1], tables[2])


def test_patience_also_counts_steps(stage_of: Stages) -> None:
    stage = stage_of([0.6] + [0.5] * 20, patience=2, patience_steps=6, min_steps=0)
    stage.run()
    assert stage.progress.epoch == 1 + 6  # a step an epoch
    stage = stage_of([0.6] + [0.5] * 20, batch=100, patience=2, patience_steps=6, min_steps=0)
    stage.run()
    assert (stage.progress.epoch, stage.progress.step) == (
        1 + 2,
        3 * 6,
    )  # six steps an epoch: now the epochs are what counts


def test_no_stage_ends_before_its_least_number_of_steps(stage_of: Stages) -> None:
    stage = stage_of([0.6] + [0.5] * 20, patience=1, patience_steps=0, min_steps=9)
    stage.run()
    assert stage.progress.step == 9


def test_epochs_are_the_most_of_a_stage(stage_of: Stages) -> None:
    stage = stage_of([0.1, 0.2, 0.3, 0.4], epochs=3)
    stage.run()
    assert (stage.progress.epoch, stage.progress.best_epoch) == (3, 3)


@pytest.mark.parametrize("scores", [None, [None] * 4])
def test_without_anything_to_validate_every_epoch_is_run_and_the_last_kept(
    stage_of: Stages, scores: list[None] | None
) -> None:
    tables: list[torch.Tensor] = []
    stage = stage_of(
        scores, epochs=4, patience=1, save=lambda stage: tables.append(item_table(stage)), **SOON
    )
    stage.run()
    assert len(tables) == 4
    assert torch.equal(item_table(stage), tables[-1])


def test_the_log_has_a_row_an_epoch(stage_of: Stages) -> None:
    stage = stage_of([0.5, 0.4, 0.6], epochs=3, batch=100, model="sml")
    stage.run()
    rows = stage.progress.history
    assert [(row["stage"], row["epoch"], row["step"]) for row in rows] == [
        (1, 1, 6),
        (1, 2, 12),
        (1, 3, 18),
    ]
    assert [row["best"] for row in rows] == [True, False, True]
    assert [row["valid"] for row in rows] == [{"UAUC": 0.5}, {"UAUC": 0.4}, {"UAUC": 0.6}]
    assert all(
        0.5 < row["loss"] < 1 and row["seconds"] > 0 and row["positives_per_second"] > 0
        for row in rows
    )
    assert all(0 <= row["saturated"] < 0.5 for row in rows)  # the branch starts inside its clip
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_a_later_stage_logs_where_it_starts_and_does_not_keep_it(stage_of: Stages) -> None:
    stage = stage_of([0.9, 0.5, 0.4], epochs=2, model="solid-duet")
    stage.run()
    start = stage.progress.history[0]
    assert (start["epoch"], start["loss"], start["best"]) == (0, None, False)
    assert (stage.progress.best, stage.progress.best_epoch) == (0.5, 1)


def test_codes_are_counted_and_the_dead_ones_revived(stage_of: Stages) -> None:
    stage = stage_of([0.5, 0.5], epochs=1, model="solid-duet", codebook={"find": "nearest"})
    codes_of(stage).place(
        torch.tensor([3, 6]), torch.full((2, 8), 50.0)
    )  # far from every item: nobody will choose them
    stage.run()
    row = stage.progress.history[-1]
    assert row["codes_used"] + row["codes_dead"] == 8
    assert row["codes_revived"] == row["codes_dead"] >= 2
    assert 1 <= row["perplexity"] <= row["codes_used"]
    same = (
        codes_of(stage).code_vectors[[3, 6]].detach()[:, None]
        == stage.model.items.weight.detach()[1:]
    )
    assert same.all(2).any(1).all()  # on the embedding of an item


def test_a_revived_code_forgets_its_momentum(stage_of: Stages) -> None:
    stage = stage_of([0.5] * 3, epochs=2, model="solid-duet", codebook={"find": "nearest"})
    stage.run()
    codes = codes_of(stage).code_vectors
    before = {name: moment.clone() for name, moment in stage.optimizer.moments(codes).items()}
    stage.revive(torch.tensor([2]))
    after = stage.optimizer.moments(codes)
    for name in ("exp_avg", "exp_avg_sq"):
        assert after[name][2].count_nonzero() == 0
        assert torch.equal(after[name][3], before[name][3])
    assert torch.equal(after["step"], before["step"])


def test_revival_repeats_itself(stage_of: Stages) -> None:
    first, second = (
        stage_of([0.5], model="solid-duet", codebook={"find": "nearest"}) for _ in range(2)
    )
    torch.rand(5)
    for stage in (first, second):
        stage.revive(torch.tensor([0, 1, 2]))
    assert torch.equal(codes_of(first).code_vectors, codes_of(second).code_vectors)


@pytest.mark.parametrize(
    ("model", "find", "penalty", "weight"),
    [
        ("solid-duet", "semantic", None, 1000.0),
        ("solid-duet", "nearest", None, 0.1),
        ("author-code", "semantic", None, 0.1),
        ("solid-duet", "semantic", 0.0, 0.0),
        ("solid-duet", "nearest", 7.0, 7.0),
        ("sml", "semantic", None, 0.0),
    ],
)
def test_lambda_follows_how_codes_are_found_unless_it_is_given(
    stage_of: Stages, model: str, find: str, penalty: float | None, weight: float
) -> None:
    assert (
        stage_of([0.5], model=model, codebook={"find": find}, penalty=penalty).loss.codebook_weight
        == weight
    )


def test_the_code_of_a_semantic_id_is_not_revived(stage_of: Stages) -> None:
    stage = stage_of([0.5], model="solid-duet", codebook={"find": "semantic"})
    before = codes_of(stage).code_vectors.detach().clone()
    assert stage.revive(torch.tensor([2])) == 0
    assert torch.equal(codes_of(stage).code_vectors, before)


@pytest.mark.parametrize(("model", "revive"), [("solid-duet", False), ("author-code", True)])
def test_codes_stay_where_revival_is_off_or_codes_are_constant(
    stage_of: Stages, model: str, revive: bool
) -> None:
    stage = stage_of([0.5] * 3, epochs=2, model=model, codebook={"find": "nearest"}, revive=revive)
    codes_of(stage).place(torch.tensor([3]), torch.full((1, 8), 50.0))
    stage.run()
    assert stage.progress.history[-1]["codes_revived"] == 0
    assert stage.progress.history[-1]["codes_dead"] >= 1
    assert codes_of(stage).code_vectors[3].tolist() == [50.0] * 8


def test_what_is_frozen_is_hidden_from_the_optimizer_and_never_moves(stage_of: Stages) -> None:
    stage = stage_of([0.5] * 3, epochs=2, model="author-code")
    frozen = {
        name for name, parameter in stage.model.named_parameters() if not parameter.requires_grad
    }
    assert {name.rsplit(".", 2)[1] for name in frozen} == {"bias0", "bias1", "weight0", "weight1"}
    before = copy_state(stage.model)
    stage.run()
    held = {id(parameter) for parameter in stage.optimizer.parameters}
    parameters = dict(stage.model.named_parameters())
    assert held == {id(parameter) for name, parameter in parameters.items() if name not in frozen}
    after = stage.model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in frozen)
    assert not torch.equal(after["items.weight"], before["items.weight"])


def test_padding_stays_zero(stage_of: Stages) -> None:
    stage = stage_of([0.5] * 3, epochs=2, model="solid-duet", weight_decay=0.1)
    stage.run()
    assert stage.model.items.weight[0].count_nonzero() == 0


def test_t14_a_loss_that_is_not_finite_stops_before_anything_is_saved(stage_of: Stages) -> None:
    saved: list[Any] = []
    stage = stage_of([0.5], save=saved.append)
    with torch.no_grad():
        stage.model.items.weight[1:] = torch.nan
    with pytest.raises(
        DivergedError,
        match=r"the loss became nan at stage 1, epoch 1, step 1; lower train.learning_rate",
    ) as caught:
        stage.run()
    assert caught.value.exit_code == 70
    assert not saved


def test_t14_a_finite_loss_with_an_infinite_gradient_is_caught_before_anything_is_saved(
    stage_of: Stages,
) -> None:
    saved: list[Any] = []
    stage = stage_of(None, save=saved.append, epochs=1)
    stage.model.items.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(
        DivergedError, match=r"items.weight is no longer finite after stage 1, epoch 1"
    ):
        stage.run()
    assert not saved


def test_training_mode_is_on_while_training_whatever_validation_did(stage_of: Stages) -> None:
    modes: list[bool] = []
    stage = stage_of([0.5] * 2, epochs=2, save=lambda stage: stage.model.eval())
    stage.model.source.register_forward_hook(lambda *_: modes.append(stage.model.training))
    stage.run()
    assert modes == [True, True]


def first_losses(stage: Stage) -> float:
    stage.run_epoch()
    return float(stage.progress.history[-1]["loss"])


@pytest.mark.parametrize("model", ["static", "solid-duet"])
def test_bfloat16_trains_to_nearly_the_same_loss(stage_of: Stages, model: str) -> None:
    """Its numbers have 8 bits of fraction: not the same loss, and within a percent of it."""
    plain, rounded = (
        first_losses(stage_of([0.5], model=model, precision=name))
        for name in ("float32", "bfloat16")
    )
    assert plain != rounded
    assert rounded == pytest.approx(plain, rel=0.01)


def test_another_metric_chooses_the_epoch_and_the_log_says_so(stage_of: Stages) -> None:
    stage = stage_of(epochs=3, select="full NDCG@10")
    given = iter(
        [
            {"UAUC": 0.9, "NDCG@10": 0.1},
            {"UAUC": 0.5, "NDCG@10": 0.3},
            {"UAUC": 0.6, "NDCG@10": 0.2},
        ]
    )
    stage.validate = lambda: next(given)
    stage.run()
    assert (stage.progress.best, stage.progress.best_epoch) == (0.3, 2)
    assert {row["select"] for row in stage.progress.history} == {"full NDCG@10"}


def test_progress_of_the_next_stage_starts_at_zero_and_keeps_the_log() -> None:
    progress = Progress(
        stage=1, epoch=7, step=70, best=0.9, best_epoch=5, best_step=50, history=[{"epoch": 1}]
    )
    assert progress.next_stage() == Progress(stage=2, history=[{"epoch": 1}])
