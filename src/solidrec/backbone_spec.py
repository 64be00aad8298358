"""The settings of a backbone: its name and what the backbone itself declares, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny
from pydantic_core import PydanticCustomError

from solidrec.errors import UsageError, nearest
from solidrec.registry import BACKBONES
from solidrec.spec_base import Spec, part_of

_DEFAULT = "sasrec"


class BackboneSpec(Spec):
    """A backbone by its name; a subclass adds the settings that a backbone has of its own."""

    name: str = Field(
        _DEFAULT, description="the encoder of histories; `model.backbone=NAME` says the same"
    )

    def own(self) -> dict[str, Any]:
        """Return the backbone's own settings, which are arguments of its constructor.

        >>> TransformerSpec(blocks=3).own()
        {'blocks': 3, 'heads': 2}
        """
        return {key: value for key, value in self if key != "name"}


class TransformerSpec(BackboneSpec):
    """The settings of the library's transformers."""

    blocks: int = Field(2, ge=1, description="layers")
    heads: int = Field(2, ge=1, description="attention heads of a layer; `model.dim` is a multiple")


LIBRARY: dict[str, type[BackboneSpec]] = {
    "din": BackboneSpec,
    "gru4rec": BackboneSpec,
    "sasrec": TransformerSpec,
    "bert4rec": TransformerSpec,
    "ligr": TransformerSpec,
    "bsarec": TransformerSpec,
}
"""The ``Settings`` of the library's backbones, which are checked without importing torch."""


def settings_of(name: str) -> type[BackboneSpec]:
    """Return the ``Settings`` of a backbone; those of another package are imported with it.

    >>> list(settings_of("ligr").model_fields), list(settings_of("din").model_fields)
    (['name', 'blocks', 'heads'], ['name'])
    """
    found: type[BackboneSpec] = LIBRARY.get(name) or BACKBONES[name].Settings
    return found


def known_to(model: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the settings of a model's backbone, none for one that is unknown."""
    values = _mapping(model.get("backbone", _DEFAULT))
    try:
        return frozenset(settings_of(values.get("name", _DEFAULT)).model_fields)
    except (KeyError, TypeError, UsageError):
        return frozenset()


def backbone_of(given: Any) -> BackboneSpec:
    """Return the checked settings of a backbone, from a mapping or from its name alone.

    Raises an error of pydantic that names the backbone for a setting that it does not have.

    >>> backbone_of("din"), backbone_of({"heads": 4})
    (BackboneSpec(name='din'), TransformerSpec(name='sasrec', blocks=2, heads=4))
    """
    values = _mapping(given)
    name = values.get("name", _DEFAULT)
    if not isinstance(name, str):
        return BackboneSpec.model_validate(values)
    kind = settings_of(part_of(BACKBONES)(name))
    own = [key for key in kind.model_fields if key != "name"]
    for key in values:
        if key not in kind.model_fields:
            hint = nearest(key, own) if own else "; it has none"
            why = f"{name!r} has no setting {key!r}{hint}"
            raise PydanticCustomError("part", "{why}", {"why": why})
    return kind.model_validate(values)


def without_own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings of a run with nothing of its backbone but the name.

    >>> without_own({"model": {"dim": 8, "backbone": {"name": "ligr", "blocks": 3}}})
    {'model': {'dim': 8, 'backbone': {'name': 'ligr'}}}
    """
    model = settings.get("model")
    if not isinstance(model, Mapping) or not isinstance(model.get("backbone"), Mapping):
        return dict(settings)
    named = {key: value for key, value in model["backbone"].items() if key == "name"}
    return {**settings, "model": {**model, "backbone": named}}


def _mapping(given: Any) -> dict[str, Any]:
    """Return the settings of a backbone as a mapping."""
    return dict(given) if isinstance(given, Mapping | BackboneSpec) else {"name": given}


AnyBackbone = Annotated[SerializeAsAny[BackboneSpec], BeforeValidator(backbone_of)]
"""The type of a setting that is a backbone with its own settings."""
