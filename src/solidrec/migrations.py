"""Names of earlier versions, of settings and of tensors, and their present names."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any, TypeVar

from solidrec.errors import UsageError

Value = TypeVar("Value")

SETTINGS = {
    "train.batch": "train.batch_size",
    "train.penalty": "train.codebook_weight",
    "train.stride": "train.targets_per_pass",
    "model.length": "model.history_length",
}
"""Settings by dotted key."""
OF_BACKBONE = {
    "model.backbone": "model.backbone.name",
    "model.blocks": "model.backbone.blocks",
    "model.heads": "model.backbone.heads",
}
"""Settings that became the backbone's own; its name alone is still short for it."""
_BEFORE = {now: before for before, now in (SETTINGS | OF_BACKBONE).items()}
_OF_ALL = {"blocks": 2, "heads": 2}
"""Defaults of those that every model had, whether its backbone read them or not."""

LATER = {"model.clip_gradient": "inward", "model.branch_start": "inside", "train.folds": "users"}
"""Settings that came later: at these values a run has the digest that it had without them."""


def keyed(
    values: Mapping[str, Value], table: Mapping[str, str] = SETTINGS | OF_BACKBONE
) -> dict[str, Value]:
    """Return values by the present dotted keys of their settings.

    Raises `UsageError` for a setting with its earlier and its present name.

    >>> keyed({"train.batch": 8, "model.backbone": "din", "seed": 1})
    {'train.batch_size': 8, 'model.backbone.name': 'din', 'seed': 1}
    """
    for before, now in table.items():
        if before in values and now in values:
            raise UsageError(f"{before} is the earlier name of {now}; give {now} alone")
    return {table.get(key, key): value for key, value in values.items()}


def earlier(key: str) -> str:
    """Return the name that a setting had before, or else its name.

    >>> earlier("train.batch_size"), earlier("model.dim")
    ('train.batch', 'model.dim')
    """
    return _BEFORE.get(key, key)


def settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings by their present names.

    >>> settings({"model": {"length": 5, "backbone": "din"}, "seed": 1})
    {'model': {'history_length': 5, 'backbone': {'name': 'din'}}, 'seed': 1}
    """
    return {
        key: of_group(key, value) if isinstance(value, Mapping) else value
        for key, value in values.items()
    }


def of_group(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a group by their present names; `of_backbone` moves the others."""
    now = keyed({f"{group}.{key}": value for key, value in values.items()}, SETTINGS)
    found = {key.removeprefix(f"{group}."): value for key, value in now.items()}
    if group == "model" and isinstance(found.get("backbone"), str):
        found["backbone"] = {"name": found["backbone"]}
    return found


def of_backbone(model: Mapping[str, Any], known: Container[str]) -> dict[str, Any]:
    """Return a model's settings with those that became its backbone's own in their place.

    A backbone whose settings, `known`, lack them never read them: they are dropped.

    >>> of_backbone({"dim": 8, "blocks": 3}, {"blocks"}), of_backbone({"dim": 8, "blocks": 3}, ())
    ({'dim': 8, 'backbone': {'blocks': 3}}, {'dim': 8})
    """
    own = {key: model[key] for key in _OF_ALL if key in model and key in known}
    found = {key: value for key, value in model.items() if key not in _OF_ALL}
    if not own:
        return found
    backbone = dict(found.get("backbone", {}))
    both = {f"model.{key}" for key in own} | {f"model.backbone.{key}" for key in backbone}
    keyed(dict.fromkeys(both), OF_BACKBONE)
    return {**found, "backbone": backbone | own}


def without(model: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's settings without those that `by` sets by their other name.

    >>> without({"dim": 8, "blocks": 3}, {"backbone": {"blocks": 4}})
    {'dim': 8}
    >>> without({"backbone": {"name": "ligr", "blocks": 3}}, {"blocks": 4})
    {'backbone': {'name': 'ligr'}}
    """
    own, other = model.get("backbone"), by.get("backbone")
    moved = {key for key in _OF_ALL if isinstance(other, Mapping) and key in other}
    found = {key: value for key, value in model.items() if key not in moved}
    if isinstance(own, Mapping):
        gone = _OF_ALL.keys() & by.keys()
        found["backbone"] = {key: value for key, value in own.items() if key not in gone}
    return found


def as_before(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a complete specification as earlier versions wrote it, of which digests are made."""
    backbone = _OF_ALL | values["model"]["backbone"]
    model = {**values["model"], **{key: backbone.pop(key) for key in _OF_ALL}}
    model["backbone"] = backbone if len(backbone) > 1 else backbone["name"]
    groups = {"model": model, "train": values["train"]}
    return {**values, **{group: _as_before(group, found) for group, found in groups.items()}}


def _as_before(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a group by their earlier names, without later ones at defaults."""
    found = {f"{group}.{key}": value for key, value in values.items()}
    return {
        earlier(key).removeprefix(f"{group}."): value
        for key, value in found.items()
        if key not in LATER or value != LATER[key]
    }


Renames = tuple[tuple[str, str], ...]
"""Patterns in names, and their replacements."""

LAYERS: Renames = (
    (r"\bcodebook\.codes\b", "codebook.code_vectors"),
    (r"\battention\.project\b", "attention.qkv_proj"),
    (r"\battention\.out\b", "attention.out_proj"),
    (r"\bnorm_(wise|feed)\b", "norm_feed_forward"),
    (r"\bgate_feed\b", "gate_feed_forward"),
    (r"\bwise\b", "feed_forward"),
)
"""Renames for every model."""
TRUNK_AND_BRANCH: Renames = (
    (r"^((?:source\.)+)first\.", r"\1trunk."),
    (r"^((?:source\.)+)second\.", r"\1branch."),
)
STATIC_CODEBOOK: Renames = ((r"^source\.tensors\.", "source.source.tensors."),)
"""Renames for `static-codebook`, whose shared weights held the codebook."""
MIXTURE: Renames = (
    (r"^source\.first\.first\.", "shared."),
    (r"^source\.first\.second\.", "deltas.0."),
    (r"^source\.first\.", "shared."),
    (r"^source\.tensors\.", "shared.tensors."),
)
"""Renames for mixtures, whose source was shared weights, or a sum of two or three sources."""


def tensors(found: Mapping[str, Value]) -> dict[str, Value]:
    """Return tensors by their present names.

    >>> tensors({"source.first.semantics.weight": 1, "items.weight": 2})
    {'source.trunk.semantics.weight': 1, 'items.weight': 2}
    """
    table = LAYERS + _of_source(found)
    return {_renamed(name, table): value for name, value in found.items()}


def _of_source(names: Mapping[str, object]) -> Renames:
    """Return the renames for the source of the model that has tensors of these names."""

    def some(start: str) -> bool:
        return any(name.startswith(start) for name in names)

    if some("experts."):
        last = "deltas.1." if some("source.first.first.") else "deltas.0."
        return (*MIXTURE, (r"^source\.second\.", last))
    return (
        STATIC_CODEBOOK
        if some("source.tensors.") and some("source.codebook.")
        else TRUNK_AND_BRANCH
    )


def _renamed(name: str, table: Renames) -> str:
    for pattern, now in table:
        name = re.sub(pattern, now, name)
    return name
