"""Settings and tensors of earlier versions are found under the names that they have now."""

from __future__ import annotations

import pytest
import torch

from solidrec.errors import UsageError
from solidrec.migrations import OF_BACKBONE, SETTINGS, earlier, keyed, settings, tensors
from solidrec.nn.build import build
from solidrec.spec import BACKBONE_NAMES, MODEL_NAMES, ModelSpec

LAYERS = (
    ("source.branch.codebook.codes", "source.branch.codebook.code_vectors"),
    ("source.branch.codebook.codes/exp_avg", "source.branch.codebook.code_vectors/exp_avg"),
    ("backbone.blocks.0.attention.project.weight", "backbone.blocks.0.attention.qkv_proj.weight"),
    ("backbone.blocks.0.attention.out.bias", "backbone.blocks.0.attention.out_proj.bias"),
    ("backbone.blocks.1.wise.0.weight", "backbone.blocks.1.feed_forward.0.weight"),
    ("backbone.blocks.1.norm_wise.bias", "backbone.blocks.1.norm_feed_forward.bias"),
    ("backbone.blocks.1.norm_feed.weight", "backbone.blocks.1.norm_feed_forward.weight"),
    ("backbone.blocks.1.gate_feed.bias", "backbone.blocks.1.gate_feed_forward.bias"),
    ("items.weight", "items.weight"),
)
SOURCES = {
    "static": (("source.tensors.bias0", "source.tensors.bias0"),),
    "static-codebook": (
        ("source.tensors.bias0", "source.source.tensors.bias0"),
        ("source.codebook.hits", "source.codebook.hits"),
    ),
    "duet-codebook": (
        ("source.codebook.mlp.0.bias", "source.codebook.mlp.0.bias"),
        ("source.generator.mlp.0.bias", "source.generator.mlp.0.bias"),
    ),
    "solid-duet": (
        ("source.first.semantics.weight", "source.trunk.semantics.weight"),
        ("source.second.generator.mlp.0.bias", "source.branch.generator.mlp.0.bias"),
    ),
    "sml-penalty": (
        ("source.source.first.semantics.weight", "source.source.trunk.semantics.weight"),
        ("source.source.second.generator.mlp.0.bias", "source.source.branch.generator.mlp.0.bias"),
        ("source.codebook.hits", "source.codebook.hits"),
    ),
    "mixture": (
        ("experts.counts", "experts.counts"),
        ("source.tensors.mixture", "shared.tensors.mixture"),
        ("head.out.weight", "head.out.weight"),
    ),
    "mixture-spg": (
        ("experts.counts", "experts.counts"),
        ("source.first.tensors.hidden", "shared.tensors.hidden"),
        ("source.second.semantics.weight", "deltas.0.semantics.weight"),
    ),
    "mixture-solid": (
        ("experts.counts", "experts.counts"),
        ("source.first.first.tensors.hidden", "shared.tensors.hidden"),
        ("source.first.second.semantics.weight", "deltas.0.semantics.weight"),
        ("source.second.codebook.codes", "deltas.1.codebook.code_vectors"),
    ),
}
"""Of each kind of model, names in its files as they were and as they are."""


@pytest.mark.parametrize(("before", "now"), LAYERS)
def test_each_layer_has_become(before: str, now: str) -> None:
    assert tensors({before: 1}) == {now: 1}


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_of_each_model_has_become(name: str) -> None:
    before, now = zip(*SOURCES[name], strict=True)
    assert tensors(dict.fromkeys(before)) == dict.fromkeys(now)


@pytest.mark.parametrize("name", MODEL_NAMES)
@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
def test_names_of_today_stay(name: str, backbone: str) -> None:
    spec = ModelSpec(name=name, backbone=backbone, dim=4)
    state = build(spec, items=3, semantic_of_item=torch.tensor([0, 1, 2, 1])).state_dict()
    assert list(tensors(state)) == list(state)


@pytest.mark.parametrize(("before", "now"), (SETTINGS | OF_BACKBONE).items())
def test_a_setting_has_one_name_at_a_time(before: str, now: str) -> None:
    assert (keyed({before: 1}), keyed({now: 1}), earlier(now)) == ({now: 1}, {now: 1}, before)
    with pytest.raises(UsageError, match=f"^{before} is the earlier name of {now}; give {now} "):
        keyed({before: 1, now: 1})


def test_nested_settings_are_renamed_in_their_groups_alone() -> None:
    """Blocks wait: whether they are the backbone's, only a whole specification knows."""
    found = settings({"train": {"batch": 1}, "semantics": {"weights": {"batch": 2}}, "batch": 3})
    assert found == {"train": {"batch_size": 1}, "semantics": {"weights": {"batch": 2}}, "batch": 3}
    assert settings({"model": {"blocks": 3}}) == {"model": {"blocks": 3}}
    with pytest.raises(UsageError, match=r"train\.stride is the earlier name"):
        settings({"train": {"stride": 1, "targets_per_pass": None}})
