"""Golden answers: a model is recognised by its own, and one weight more is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from solidrec.inference.golden import Golden
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.runs import load_run


def test_a_run_keeps_the_answers_of_its_model(run_folder: Path) -> None:
    run = load_run(run_folder)
    golden = run.golden
    assert golden is not None
    scorer = scorer_of(run.model)
    made = Golden.of(scorer, items=len(run.items), length=run.spec.model.history_length)
    assert made == golden
    assert golden.distance(scorer) <= 1
    assert [len(one) for one in golden.histories] == [1, 3, 10, 10]
    for items, scores in zip(golden.items, golden.scores, strict=True):
        assert len(items) == 10
        assert scores == sorted(scores, reverse=True)


def test_another_weight_is_noticed(run_folder: Path) -> None:
    run = load_run(run_folder)
    assert run.golden is not None
    with torch.no_grad():
        run.model.items.weight[run.golden.items[0][0]] += 1e-3
    assert run.golden.distance(scorer_of(run.model)) > 1


def test_a_small_catalogue_and_no_items_are_no_faults(run_folder: Path) -> None:
    scorer = scorer_of(load_run(run_folder).model)
    small = Golden.of(scorer, items=2, length=10)
    assert [len(one) for one in small.histories] == [1, 2, 2, 2]
    assert small.distance(scorer) <= 1
    assert Golden(histories=[[1]], items=[[]], scores=[[]]).distance(scorer) == 0


@pytest.mark.parametrize("wrong", [{"histories": [["a"]]}, {"scores": [[float("nan")]]}])
def test_another_form_is_refused(wrong: dict[str, object]) -> None:
    plain = {"histories": [[1]], "items": [[1]], "scores": [[0.5]]}
    with pytest.raises(ValueError, match="validation error"):
        Golden.model_validate(plain | wrong)
