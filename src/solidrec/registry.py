"""Open registries: parts of one kind by name, from the library and from other packages.

A name is one of the library's, one that an installed package registers as an entry point of the
registry's group, or ``package.module:Name``, which needs no registration. A part is imported only
when it is requested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isabstract
from typing import Any, Generic, TypeVar, final

from solidrec.errors import UsageError, nearest

_Part = TypeVar("_Part")


@final
class Registry(MutableMapping[str, _Part], Generic[_Part]):
    """A mapping from names to parts of one ``kind``; other packages add entry points of ``group``.

    ``own`` maps the library's names to parts or to their places, ``module:Name``. A part from
    elsewhere must be a subclass of ``base`` (``module:Name``) if that is abstract, else an instance
    of it, or callable if there is no base, so a file that names a part cannot call anything else.
    Assigning adds a part to this process only.

    >>> registry = Registry("reader", "my.readers", {"json": "json:loads"})
    >>> registry["json"]("[1]"), registry["json:dumps"]([1]), "xml" in registry
    ([1], '[1]', False)
    >>> registry.check("jsn")
    Traceback (most recent call last):
    solidrec.errors.UsageError: unknown name 'jsn'; did you mean 'json'?
    """

    def __init__(
        self, kind: str, group: str, own: Mapping[str, _Part | str], *, base: str | None = None
    ) -> None:
        self.kind, self.group, self.base = kind, group, base
        self._own: dict[str, _Part | str] = dict(own)

    @property
    def own(self) -> tuple[str, ...]:
        """The library's own names."""
        return tuple(self._own)

    @cached_property
    def _others(self) -> dict[str, str]:
        """The places of the parts of installed packages, which never replace the library's own."""
        return {
            point.name: point.value
            for point in entry_points(group=self.group)
            if point.name not in self._own
        }

    def __getitem__(self, name: str) -> _Part:
        found: Any = self._own.get(name)
        if found is None:
            found = self._others.get(name, name if ":" in name else None)
        if found is None:
            raise KeyError(name)
        return self._imported(found) if isinstance(found, str) else found

    def __setitem__(self, name: str, part: _Part) -> None:
        self._own[name] = part

    def __delitem__(self, name: str) -> None:
        del self._own[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._own, *self._others))

    def __len__(self) -> int:
        return len(self._own) + len(self._others)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._own or name in self._others or ":" in name)

    def check(self, name: str) -> str:
        """Return `name`, or raise `UsageError` with the nearest name or why its import fails."""
        if name not in self:
            raise UsageError(f"unknown name {name!r}{nearest(name, self)}")
        if name not in self._own:
            self[name]
        return name

    def _imported(self, where: str) -> _Part:
        """Return the part at ``module:Name``, or raise `UsageError` if it is not of this kind."""
        try:
            part: Any = _at(where)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            raise UsageError(
                f"{self.kind} {where!r} cannot be imported ({error}); write package.module:Name"
            ) from None
        base: Any = None if self.base is None else _at(self.base)
        if base is None:
            fits, what = callable(part), "callable"
        elif isabstract(base):
            fits = isinstance(part, type) and issubclass(part, base)
            what = f"subclass of {base.__name__}"
        else:
            fits, what = isinstance(part, base), f"instance of {base.__name__}"
        if not fits:
            raise UsageError(f"{self.kind} {where!r} is no {what}")
        found: _Part = part
        return found


def _at(where: str) -> Any:
    """Import the object at ``module:Name``."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


BACKBONES: Registry[Any] = Registry(
    "backbone",
    "solidrec.backbones",
    {
        "din": "solidrec.nn.backbones.din:DIN",
        "gru4rec": "solidrec.nn.backbones.gru4rec:GRU4Rec",
        "sasrec": "solidrec.nn.backbones.sasrec:SASRec",
        "bert4rec": "solidrec.nn.backbones.bert4rec:BERT4Rec",
        "ligr": "solidrec.nn.backbones.ligr:LiGR",
        "bsarec": "solidrec.nn.backbones.bsarec:BSARec",
    },
    base="solidrec.nn.backbones.base:Backbone",
)
"""Encoders of histories: subclasses of `nn.backbones.base.Backbone`."""

LOSSES: Registry[Any] = Registry(
    "loss",
    "solidrec.losses",
    {
        "click": "solidrec.training.losses:Click",
        "softmax": "solidrec.training.losses:Softmax",
        "gbce": "solidrec.training.losses:Gbce",
    },
    base="solidrec.training.losses:Loss",
)
"""What training minimises: subclasses of `training.losses.Loss`."""

SOURCES: Registry[Any] = Registry("source", "solidrec.sources", {})
"""Sources of other packages: functions from `nn.build.Making` to an `nn.sources.Source`.

The library's own are made of `designs.Parts`.
"""

METRICS: Registry[Any] = Registry("metric", "solidrec.metrics", {})
"""Metrics of other packages: functions from `metrics.Ranks` of R rows to values (R,).

The library's own metrics are in `metrics.per_row`.
"""
