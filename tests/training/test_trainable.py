"""What cannot be trained is said before anything is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import IncompatibleError, UsageError
from solidrec.spec import RunSpec
from solidrec.training.trainable import check_run

SpecOf = Callable[..., RunSpec]


@pytest.mark.parametrize("name", ["static", "solid-duet", "mixture"])
def test_what_goes_together_passes_and_draws_nothing(
    data: PreparedData, spec_of: SpecOf, name: str
) -> None:
    before = torch.get_rng_state()
    check_run(data, spec_of(name))
    assert torch.equal(torch.get_rng_state(), before)


def test_other_data_are_refused(data: PreparedData, spec_of: SpecOf) -> None:
    spec = spec_of().model_copy(update={"data": "0123456789abcdef"})
    said = f"the specification is of data 0123456789ab, .* is {data.fingerprint[:12]}$"
    with pytest.raises(IncompatibleError, match=said):
        check_run(data, spec)


def test_features_that_were_encoded_anew_are_refused(data: PreparedData, spec_of: SpecOf) -> None:
    spec = spec_of(semantics={"encoded": {"text": "old"}})
    check_run(replace(data, encoded={"text": "old"}), spec)
    for there in ({"text": "new"}, {}):
        with pytest.raises(IncompatibleError, match="encode them again, or train anew"):
            check_run(replace(data, encoded=there), spec)


def test_a_modality_is_needed_by_those_alone_who_need_semantic_ids(
    data: PreparedData, spec_of: SpecOf
) -> None:
    sound = {"modalities": ["sound"]}
    check_run(data, spec_of("static", semantics=sound))
    for name in ("spg", "mixture"):
        with pytest.raises(UsageError, match="'sound' is not in the data"):
            check_run(data, spec_of(name, semantics=sound))


def test_a_width_that_the_heads_do_not_divide_is_refused(
    data: PreparedData, spec_of: SpecOf
) -> None:
    with pytest.raises(
        UsageError, match=r"model.dim=7 is not a multiple of model.backbone.heads=2"
    ):
        check_run(data, spec_of("static", model={"dim": 7}))


@pytest.mark.parametrize(("name", "loss"), [("static", "softmax"), ("mixture", "click")])
def test_din_has_a_user_state_for_each_candidate(
    data: PreparedData, spec_of: SpecOf, name: str, loss: str
) -> None:
    def spec(backbone: str) -> RunSpec:
        return spec_of(name, model={"backbone": backbone}, train={"loss": loss})

    check_run(data, spec("gru4rec"))
    said = rf"model '{name}' with train.loss={loss}: din has a user state for each candidate"
    with pytest.raises(UsageError, match=said):
        check_run(data, spec("din"))


def test_folds_by_time_need_times(data: PreparedData, timed: PreparedData, spec_of: SpecOf) -> None:
    check_run(timed, spec_of("mixture", of=timed, train={"folds": "time"}))
    check_run(data, spec_of("static", train={"folds": "time"}))  # which has no folds
    with pytest.raises(UsageError, match=r"needs timestamps, the log is ordered by position"):
        check_run(data, spec_of("mixture", train={"folds": "time"}))


def test_a_mixture_without_validation_needs_epochs_and_passes(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], spec_of: SpecOf, tmp_path: Path
) -> None:
    all_of_it = prepare(walk(users=20)[0], split="none", out=tmp_path / "data")
    check_run(all_of_it, spec_of("static", of=all_of_it))
    check_run(all_of_it, spec_of("mixture", of=all_of_it, train={"passes": 2}))
    with pytest.raises(UsageError, match="--epochs-from RUN"):
        check_run(all_of_it, spec_of("mixture", of=all_of_it))
