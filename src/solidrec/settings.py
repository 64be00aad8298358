"""Settings as nested mappings, by dotted key, and as key=value on a command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from solidrec import migrations
from solidrec.errors import UsageError

_DEEPEST = 100
"""The most points in the name of a setting."""


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the nested `changes` laid over it.

    Both are as `nested` returns them. Of the two names that blocks and heads have, `changes` may
    say the other one.

    >>> merge({"model": {"dim": 32, "clip": 0.01}}, {"model": {"dim": 64}})
    {'model': {'dim': 64, 'clip': 0.01}}
    >>> merge({"model": {"blocks": 2}}, {"model": {"backbone": {"blocks": 4}}})
    {'model': {'backbone': {'blocks': 4}}}
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if key == "model" and isinstance(old, Mapping) and isinstance(value, Mapping):
            old = migrations.without(old, value)
        merged[key] = (
            merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def assignment(text: str) -> dict[str, Any]:
    """Turn ``model.dim=64`` into ``{"model": {"dim": 64}}``; a value that is not JSON stays text.

    >>> assignment("train.learning_rate=0.01"), assignment("model.backbone=din")
    ({'train': {'learning_rate': 0.01}}, {'model': {'backbone': 'din'}})
    """
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageError(f"--set {text}: write it as key=value, for example --set model.dim=64")
    try:
        parsed = json.loads(value)
    except json.JSONDecodeError:
        parsed = value
    except (ValueError, RecursionError):  # a number of thousands of digits, or as many brackets
        raise UsageError(f"--set {text[:60]}...: is no value that a setting could have") from None
    if parsed == {}:
        raise UsageError(f"--set {text}: sets nothing; name a setting in it, as in model.dim=64")
    return _below(key.strip(), parsed)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return settings by dotted key.

    >>> flat({"model": {"name": "spg", "codebook": {"mlp": False}}})
    {'model.name': 'spg', 'model.codebook.mlp': False}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if f"{prefix}{key}".count(".") > _DEEPEST:
            raise UsageError(f"setting {prefix}{key}"[:60] + "...: no setting is nested so deeply")
        found |= (
            flat(value, f"{prefix}{key}.")
            if isinstance(value, Mapping)
            else {f"{prefix}{key}": value}
        )
    return found


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings nested and by their present names, from dotted keys or from tables.

    Raises `UsageError` if they are no mapping from texts.

    >>> nested({"model.name": "spg", "model.length": 5, "train": {"epochs": 2}})
    {'model': {'name': 'spg', 'history_length': 5}, 'train': {'epochs': 2}}
    """
    if not isinstance(settings, Mapping) or not all(isinstance(key, str) for key in settings):
        raise UsageError(
            f"settings {settings!r}: give a dictionary, for example {{'model': {{'dim': 64}}}}"
        )
    migrations.keyed(flat(settings))  # one place says a setting by one name
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found = merge(found, migrations.settings(_below(key, value)))
    return found


def _below(key: str, value: Any) -> dict[str, Any]:
    """Return a value under a dotted key, nested."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def value_at(settings: Mapping[str, Any], key: str) -> Any:
    """Return the value of a dotted key in nested settings, or None if there is none."""
    group: Any = settings
    for part in key.split("."):
        group = group.get(part) if isinstance(group, Mapping) else None
    return group


def difference(there: Any, mine: Any, key: str = "") -> str:
    """Describe the first setting on which two specifications disagree.

    >>> difference({"seed": 1, "model": {"dim": 32}}, {"seed": 1, "model": {"dim": 64}})
    'model.dim is 32 there, 64 here'
    """
    if isinstance(there, dict) and isinstance(mine, dict):
        for name in [*mine, *there]:
            if there.get(name) != mine.get(name):
                return difference(there.get(name), mine.get(name), f"{key}.{name}" if key else name)
    return f"{key} is {there!r} there, {mine!r} here"
