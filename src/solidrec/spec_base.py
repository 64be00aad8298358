"""The base of all specifications: frozen settings, and one line for each mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from solidrec.arguments import is_written
from solidrec.errors import UsageError, nearest
from solidrec.registry import Registry


class Spec(BaseModel):
    """A frozen group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse bytes and half characters as text, and yes or no as a number."""
        if isinstance(value, bytes | bytearray):
            raise PydanticCustomError("kind", "give a text, not bytes")
        if isinstance(value, str) and not is_written(value):
            raise PydanticCustomError("kind", "has characters that no file can hold")
        field = cls.model_fields[str(info.field_name)]
        if isinstance(value, bool) and not _takes_bool(field.annotation):
            raise PydanticCustomError("kind", "it is neither on nor off")
        return value

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Build a specification from plain values.

        Raises `UsageError`, one line that names each wrong key and the nearest known one.
        """
        if not isinstance(values, Mapping):
            raise UsageError(f"settings {values!r}: a table of names and values is needed")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise UsageError("; ".join(_explain(cls, item) for item in error.errors())) from None


def _takes_bool(annotation: Any) -> bool:
    """Return whether a setting of this type may be true or false."""
    return annotation in (bool, Any) or any(map(_takes_bool, get_args(annotation)))


def part_of(registry: Registry[Any]) -> Callable[[str], str]:
    """Return the check of a setting that names a part of a registry."""

    def check(name: str) -> str:
        try:
            return registry.check(name)
        except UsageError as error:
            raise PydanticCustomError("part", "{why}", {"why": str(error)}) from None

    return check


def _explain(spec: type[BaseModel], item: Any) -> str:
    """Say in one phrase what is wrong with one key of a specification."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "literal_error":
        known = re.findall(r"'([^']+)'", item["ctx"]["expected"])
        return f"setting {key}: unknown name {item['input']!r}{nearest(str(item['input']), known)}"
    if item["type"] == "part":
        return f"setting {key}: {item['msg']}"
    if item["type"] != "extra_forbidden":
        return f"setting {key}: {item['msg'].lower()} (got {item['input']!r})"
    group: Any = spec
    for part in item["loc"][:-1]:  # a number is a place in a list, whose parts are all of one kind
        if not isinstance(part, int) and part not in group.model_fields:
            return f"unknown setting {key!r}"  # in a group of a backbone of another package
        group = get_args(group)[0] if isinstance(part, int) else group.model_fields[part].annotation
    prefix = key.removesuffix(str(item["loc"][-1]))
    return (
        f"unknown setting {key!r}{nearest(str(item['loc'][-1]), group.model_fields, prefix=prefix)}"
    )
