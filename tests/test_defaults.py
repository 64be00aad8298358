from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.defaults import chosen_settings, run_spec
from solidrec.settings import merge, nested
from solidrec.spec import RunSpec


def test_names_settings_and_defaults_are_put_together(data: PreparedData) -> None:
    nothing: dict[str, Any] = {"model": None, "backbone": None, "seed": None, "epochs": None}
    default = run_spec(data, **nothing, settings=None)
    assert (
        default.model.name,
        default.model.backbone.name,
        default.seed,
        default.train.epochs,
    ) == ("solid-duet", "sasrec", 0, 200)
    settings = {
        "seed": 7,
        "model": {"name": "duet", "dim": 4},
        "train": {"epochs": 3, "batch_size": 9},
    }
    chosen = run_spec(data, **nothing, settings=settings)
    assert (chosen.seed, chosen.model.name, chosen.model.dim, chosen.train.epochs) == (
        7,
        "duet",
        4,
        3,
    )
    named = run_spec(data, model="static", backbone="din", seed=0, epochs=5, settings=settings)
    assert (named.seed, named.model.name, named.model.backbone.name, named.model.dim) == (
        0,
        "static",
        "din",
        4,
    )
    assert (named.train.epochs, named.train.batch_size) == (5, 9)
    assert settings["model"] == {"name": "duet", "dim": 4}  # what was given is left as it was


def test_settings_of_a_run_serve_another_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of its own backbone that are at their defaults stay with it."""
    spec = RunSpec.parse({"data": "x", "model": {"backbone": {"name": "ligr", "heads": 4}}})
    history = [{"stage": 1, "epoch": 3, "best": True, "valid": {}}]
    for run, other, own in (
        (spec, "bsarec", {"blocks": 2, "heads": 4}),
        (RunSpec.parse({"data": "x", "model": {"backbone": "ligr"}}), "din", {}),
    ):
        found = SimpleNamespace(spec=run, history=history, path="run")
        monkeypatch.setattr("solidrec.defaults.load_run", lambda _, found=found: found)
        settings = chosen_settings("run", model=None, epochs=None)
        assert RunSpec.parse({"data": "x"} | settings).model == run.model
        again = RunSpec.parse({"data": "x"} | merge(settings, nested({"model.backbone": other})))
        assert (again.model.backbone.name, again.model.backbone.own()) == (other, own)
