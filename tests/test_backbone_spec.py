"""A backbone has settings of its own, and those of another are refused by name."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, final

import pytest
from pydantic import Field

from solidrec.backbone_spec import LIBRARY, BackboneSpec, TransformerSpec, known_to, settings_of
from solidrec.errors import UsageError
from solidrec.nn.backbones import GRU4Rec
from solidrec.registry import BACKBONES
from solidrec.spec import BACKBONE_NAMES, ModelSpec, RunSpec
from solidrec.spec_base import Spec


class Decay(BackboneSpec):
    decay: float = Field(0.9, gt=0, le=1)


@final
class Fading(GRU4Rec):  # type: ignore[misc]
    """A backbone as of another package."""

    Settings = Decay


@pytest.fixture
def fading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, "fading", Fading)


def parse(backbone: Any) -> BackboneSpec:
    return ModelSpec.parse({"backbone": backbone}).backbone


def test_the_table_of_the_library_is_what_its_backbones_declare() -> None:
    assert tuple(LIBRARY) == BACKBONE_NAMES
    assert {name: BACKBONES[name].Settings for name in LIBRARY} == LIBRARY


@pytest.mark.parametrize("name", BACKBONE_NAMES)
def test_a_name_alone_has_the_defaults(name: str) -> None:
    found = parse(name)
    assert found == parse({"name": name}) == settings_of(name)(name=name)
    assert ModelSpec(backbone=found).backbone == found
    assert ModelSpec.parse(ModelSpec(backbone=found).model_dump(mode="json")).backbone == found


def test_without_a_name_it_is_the_default_one() -> None:
    assert parse({}) == ModelSpec().backbone == TransformerSpec(name="sasrec")
    assert parse({"heads": 1}).own() == {"blocks": 2, "heads": 1}


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (
            {"name": "din", "blocks": 2},
            "setting model.backbone: 'din' has no setting 'blocks'; it has none",
        ),
        (
            {"name": "ligr", "hedas": 2},
            "setting model.backbone: 'ligr' has no setting 'hedas'; did you mean 'heads'?",
        ),
        ({"zzz": 2}, "setting model.backbone: 'sasrec' has no setting 'zzz'; known: blocks, heads"),
        (
            {"name": "fading", "blocks": 2},
            "setting model.backbone: 'fading' has no setting 'blocks'; known: decay",
        ),
        (
            {"name": "sasrecc", "blocks": 2},
            "setting model.backbone: unknown name 'sasrecc'; did you mean 'sasrec'?",
        ),
        (
            {"blocks": 0},
            "setting model.backbone.blocks: input should be greater than or equal to 1 (got 0)",
        ),
        (
            {"name": "fading", "decay": 2},
            "setting model.backbone.decay: input should be less than or equal to 1 (got 2)",
        ),
        (["din"], "setting model.backbone.name: input should be a valid string (got ['din'])"),
    ],
)
@pytest.mark.usefixtures("fading")
def test_a_mistake_is_one_phrase(backbone: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        RunSpec.parse({"data": "x", "model": {"backbone": backbone}})
    assert str(caught.value) == message


def test_a_mistake_in_a_group_of_another_package_is_one_phrase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fade(Spec):
        speed: int = 1

    class Settings(BackboneSpec):
        fade: Fade = Fade()

    monkeypatch.setitem(BACKBONES, "fading", type("Fading", (GRU4Rec,), {"Settings": Settings}))
    with pytest.raises(UsageError) as caught:
        ModelSpec.parse({"backbone": {"name": "fading", "fade": {"sped": 2}}})
    assert str(caught.value) == "unknown setting 'backbone.fade.sped'"


@pytest.mark.usefixtures("fading")
def test_a_setting_of_another_package_is_checked_kept_and_hashed() -> None:
    one, other = (
        RunSpec.parse({"data": "x", "model": {"backbone": {"name": "fading", "decay": decay}}})
        for decay in (0.5, 0.9)
    )
    assert one.model.backbone.own() == {"decay": 0.5}
    assert RunSpec.parse(one.model_dump(mode="json")) == one
    assert one.digest() != other.digest()
    assert other == RunSpec.parse({"data": "x", "model": {"backbone": "fading"}})


@pytest.mark.usefixtures("fading")
def test_what_every_model_had_is_dropped_where_a_backbone_does_not_have_it() -> None:
    """As in a run folder of an earlier version."""
    for name in ("din", "gru4rec", "fading"):
        given = {"name": "static", "backbone": name, "blocks": 2, "heads": 2}
        assert ModelSpec.parse(given) == ModelSpec.parse({"name": "static", "backbone": name})


def test_the_backbone_of_a_model_may_be_unknown() -> None:
    assert known_to({}) == {"name", "blocks", "heads"}
    assert known_to({"backbone": {"name": "din"}}) == {"name"}
    for backbone in ("nothing", {"name": 3}, {"name": "no_such_module:Name"}, 3):
        assert known_to({"backbone": backbone}) == frozenset()


def test_settings_of_the_library_are_checked_without_torch() -> None:
    code = (
        "import sys; from solidrec.spec import RunSpec; "
        "RunSpec.parse({'data': 'x', 'model': {'backbone': {'name': 'ligr', 'blocks': 3}}}); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
