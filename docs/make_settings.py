"""Write docs/settings.md: every setting, its values, default and meaning."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

from solidrec.backbone_spec import LIBRARY, BackboneSpec
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.spec import RunSpec, Spec

INTRO = """# Settings

Every setting of a training, by the key that `--set KEY=VALUE`, a TOML file of `--config` and
`train(settings=...)` take, and below those of `prepare`. `solidrec train` without `--model` lays
`presets/mixture.toml` over these defaults; presets (`--config paper`) are files of the same form.
This page is written by `make docs`.
"""
SIGNS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}
WORDS = {int: "integer", float: "number", str: "text", bool: "true or false"}


def page() -> str:
    """Return the page."""
    parts = [INTRO]
    for title, prefix, spec in groups():
        rows = [
            row(f"{prefix}{name}", field)
            for name, field in own_fields(spec).items()
            if not is_group(field)
        ]
        parts.append(
            f"## {title}\n\n| key | values | default | meaning |\n|---|---|---|---|\n"
            + "\n".join(rows)
            + "\n"
        )
    return "\n".join(parts)


def groups() -> Iterator[tuple[str, str, type[Spec]]]:
    """Yield the title, the prefix of keys and the specification of each table."""
    model, train, semantics = (
        RunSpec.model_fields[name].annotation for name in ("model", "train", "semantics")
    )
    assert model is not None
    yield "The model", "model.", model
    yield "Its backbone", "model.backbone.", BackboneSpec
    for kind in dict.fromkeys(LIBRARY.values()):
        if kind is not BackboneSpec:
            *most, last = (f"`{name}`" for name, settings in LIBRARY.items() if settings is kind)
            yield f"The backbones {', '.join(most)} and {last}", "model.backbone.", kind
    yield "Its codebook", "model.codebook.", model.model_fields["codebook"].annotation
    yield "Training", "train.", train
    yield "Semantic ids", "semantics.", semantics
    yield "The run", "", RunSpec
    yield "`prepare`", "", PrepareSpec


def own_fields(spec: type[Spec]) -> dict[str, Any]:
    """Return the settings of a specification that are not those of the one it is built on."""
    (base,) = spec.__bases__
    return {key: of for key, of in spec.model_fields.items() if key not in base.model_fields}


def is_group(field: Any) -> bool:
    """Say whether a setting is a group of settings, which has a table of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, Spec)


def row(key: str, field: Any) -> str:
    """Return the line of one setting; raises `SystemExit` for a setting without a description."""
    if not field.description:
        raise SystemExit(f"{key}: has no description; give its Field one")
    limits = [
        f"{SIGNS[type(each)]} {limit_of(each):g}" for each in field.metadata if type(each) in SIGNS
    ]
    values = " ".join([values_of(field.annotation), *limits]).replace("|", "\\|")
    default = "" if field.is_required() else shown(field.default)
    return f"| `{key}` | {values} | {default} | {field.description.replace('|', chr(92) + '|')} |"


def limit_of(limit: Any) -> float:
    """Return the number of a limit."""
    (value,) = (getattr(limit, name) for name in ("ge", "gt", "le", "lt") if hasattr(limit, name))
    return float(value)


def shown(default: Any) -> str:
    """Return a default as a file writes it."""
    if default is None:
        return "–"
    if hasattr(default, "model_dump"):
        return ""
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def values_of(kind: Any) -> str:
    """Return in words what a setting may be."""
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(values_of(each) for each in get_args(kind) if each is not NoneType)
    if get_origin(kind) is Literal:
        return ", ".join(
            f"`{json.dumps(each) if not isinstance(each, str) else each}`"
            for each in get_args(kind)
        )
    if get_origin(kind) is Annotated:
        return values_of(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return f"list of {values_of(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"table of {values_of(get_args(kind)[1])}"
    return WORDS[kind]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
