"""What the checks share: the sample, the short training, the model as saved and loaded again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from solidrec.check.subject import CANDIDATES, HISTORIES, Subject, Verdict

Make = Callable[..., Subject]


def test_a_verdict_passes_without_a_cause_and_may_only_warn() -> None:
    green = Verdict("it holds", "0 of 9")
    assert (green.status, Verdict("x", "y", "cause").status) == ("pass", "fail")
    assert Verdict("x", "y", "cause", warns=True).status == "warning"
    assert Verdict("x", "y", warns=True).status == "pass"
    assert green.to_json() == {
        "status": "pass",
        "promise": "it holds",
        "measured": "0 of 9",
        "cause": "",
        "cure": "",
    }


def test_the_sample_has_histories_of_every_length_of_real_events(subject: Make) -> None:
    made = subject(model={"history_length": 7})
    history, candidates = made.sample
    assert (history.shape, candidates.shape) == ((HISTORIES, 7), (HISTORIES, CANDIDATES))
    lengths = (history > 0).sum(1)
    assert set(lengths.tolist()) == set(range(7 + 1))
    assert all((row[:n] > 0).all() for row, n in zip(history, lengths, strict=True))
    events = np.resize(made.data.event_items, (HISTORIES, 7))
    assert (history.numpy()[history > 0] == events[history > 0]).all()
    assert 1 <= candidates.min() <= candidates.max() <= len(made.data.items)


def test_long_histories_are_sampled_from_none_to_all(subject: Make) -> None:
    lengths = (subject(model={"history_length": 100}).sample.history > 0).sum(1)
    assert (int(lengths.min()), int(lengths.max())) == (0, 100)
    assert lengths.unique().numel() == HISTORIES


def test_the_short_training_is_made_once_and_ends_with_a_checkpoint(subject: Make) -> None:
    made = subject()
    assert made.training is made.training
    last, model = made.training.last, made.model
    assert not model.training
    assert {f"model/{name}" for name in model.state_dict()} == {
        name for name in last if name.startswith("model/")
    }
    assert {name.split("/")[0] for name in last} == {"model", "best", "optimizer"}
    best = {f"best/{name}": value for name, value in model.state_dict().items()}
    assert all(torch.equal(last[name], value) for name, value in best.items())


def test_a_trained_model_is_checked_in_the_place_of_one_trained_here(subject: Make) -> None:
    made = subject()
    given = Subject(made.data, made.spec, made.semantics, made.folder / "x", made.model.train())
    assert given.model is made.model
    assert not given.model.training
    assert not (made.folder / "x").exists()


def test_the_precise_model_is_the_same_in_double_precision(subject: Make) -> None:
    made = subject()
    history, candidates = made.sample
    with torch.no_grad():
        one = made.model(history, candidates).logits
    two = made.precise(history, candidates).logits
    assert two.dtype == torch.float64
    assert not two.requires_grad
    torch.testing.assert_close(two.float(), one, rtol=1e-4, atol=1e-5)
    assert made.model.items.weight.dtype == torch.float32


def test_the_loaded_run_has_the_models_tensors_and_the_training_counts(subject: Make) -> None:
    made = subject("duet")
    run = made.loaded
    assert run.spec == made.spec
    ours, read = made.model.state_dict(), run.model.state_dict()
    assert ours.keys() == read.keys()
    assert all(torch.equal(ours[name], read[name]) for name in ours)
    assert run.catalog["training_count"].to_list() == made.data.train_counts[1:].tolist()
