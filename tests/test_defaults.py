from __future__ import annotations

from typing import Any

from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec


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
