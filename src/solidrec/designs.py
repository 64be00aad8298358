"""The table of all models: a head, and the parts that fill its slots. It does not need torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, final

from solidrec.errors import UsageError, nearest
from solidrec.registry import SOURCES, Registry

_HEADS = ("dot", "full", "low-rank", "mixture")
"""Heads of the library."""


@final
@dataclass(frozen=True)
class Parts:
    """The parts that fill the slots of a head; without any, all users share the weights (Eq. 4).

    ``trunk`` (Eq. 11) generates from the semantic history and ``branch`` (Eq. 5) from the item
    history, with a ``clip`` as in Eq. 12 and read through a ``codebook`` as in Eq. 13. A control
    model has the ``codebook_loss`` of a codebook that is not read. A mixture adds ``statistics`` of
    its evidence and ``lengths`` of histories.

    >>> TRUNK + branch(clip=True) == Parts(trunk=True, branch=True, clip=True)
    True
    """

    trunk: bool = False
    branch: bool = False
    clip: bool = False
    codebook: bool = False
    codebook_loss: bool = False
    author_code: bool = False
    statistics: bool = False
    lengths: bool = False

    def __add__(self, other: Parts) -> Parts:
        """Return the parts of both."""
        return Parts(
            **{
                field.name: getattr(self, field.name) or getattr(other, field.name)
                for field in fields(Parts)
            }
        )


SHARED = Parts()
TRUNK = Parts(trunk=True)
CODEBOOK_LOSS = Parts(codebook_loss=True)
STATISTICS = Parts(statistics=True)
LENGTHS = Parts(lengths=True)


def branch(*, clip: bool = False, codebook: bool = False) -> Parts:
    """Return a branch that reads items or, with `codebook`, their codes."""
    return Parts(branch=True, clip=clip, codebook=codebook)


_SOLID = TRUNK + branch(clip=True, codebook=True)
_RELEASED = _SOLID + Parts(author_code=True)
"""SOLID as the authors' released code computes it."""


@final
@dataclass(frozen=True)
class Design:
    """A model: its ``head`` and the ``source`` that fills the slots of the head.

    A head is *dot* (none), *full* (DUET's layers), *low-rank* (APG's) or *mixture* (weighs
    evidence). A source is made of `Parts`. Other packages may give functions instead: from a
    `ModelSpec` to an `nn.heads.Head`, and from `nn.build.Making` to an `nn.sources.Source`, itself
    or its name in `SOURCES`. ``references`` are the models that this one is compared with in
    tables, first the one it builds on. A source of another package that reads semantic ids says so
    by ``reads_semantics``. Raises `UsageError` for an unknown name of a head or a source.
    """

    head: str | Callable[..., Any]
    source: Parts | str | Callable[..., Any]
    references: tuple[str, ...] = ()
    reads_semantics: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.head, str) and self.head not in _HEADS:
            raise UsageError(f"unknown head {self.head!r}{nearest(self.head, _HEADS)}")
        if isinstance(self.source, str) and self.source not in SOURCES:
            raise UsageError(f"unknown source {self.source!r}{nearest(self.source, SOURCES)}")

    @property
    def is_mixture(self) -> bool:
        """Whether the model weighs the evidence of several experts."""
        return self.head == "mixture"

    @property
    def parts(self) -> Parts:
        """The parts of the source, or none if the source is a function of another package."""
        return self.source if isinstance(self.source, Parts) else Parts()

    @property
    def make_source(self) -> Callable[..., Any] | None:
        """The function that makes the source, imported, or None if the source is of `Parts`."""
        if isinstance(self.source, Parts):
            return None
        return SOURCES[self.source] if isinstance(self.source, str) else self.source

    @property
    def has_codebook(self) -> bool:
        """Whether there is a codebook, read or not."""
        return self.parts.codebook or self.parts.codebook_loss

    @property
    def needs_semantics(self) -> bool:
        """Whether the model requires semantic ids; a mixture reads them only if there are any."""
        return self.reads_semantics or self.parts.trunk or self.has_codebook


DESIGNS: Registry[Design] = Registry(
    "model",
    "solidrec.designs",
    {
        "plain": Design("dot", SHARED),
        "static": Design("full", SHARED),
        "static-codebook": Design("full", CODEBOOK_LOSS),
        "duet": Design("full", branch()),
        "spg": Design("full", TRUNK),
        "spg-penalty": Design("full", TRUNK + CODEBOOK_LOSS),
        "sml": Design("full", TRUNK + branch(clip=True)),
        "sml-penalty": Design("full", TRUNK + branch(clip=True) + CODEBOOK_LOSS),
        "duet-codebook": Design("full", branch(codebook=True)),
        "solid-duet": Design("full", _SOLID, references=("duet", "static", "spg", "sml")),
        "author-code": Design("full", _RELEASED),
        "apg": Design("low-rank", branch()),
        "spg-apg": Design("low-rank", TRUNK),
        "sml-apg": Design("low-rank", TRUNK + branch(clip=True)),
        "duet-codebook-apg": Design("low-rank", branch(codebook=True)),
        "solid-apg": Design("low-rank", _SOLID, references=("apg", "static", "spg-apg", "sml-apg")),
        "author-code-apg": Design("low-rank", _RELEASED),
        "mixture": Design("mixture", STATISTICS),
        "mixture-static": Design("mixture", SHARED),
        "mixture-lengths": Design("mixture", LENGTHS),
        "mixture-spg": Design("mixture", TRUNK),
        "mixture-duet": Design("mixture", branch()),
        "mixture-solid": Design("mixture", _SOLID),
        "mixture-full": Design("mixture", STATISTICS + TRUNK + branch()),
    },
    base="solidrec.designs:Design",
)
"""Every model by name; other packages add theirs by entry points or ``package.module:DESIGN``."""


def named(*, mixtures: bool) -> tuple[str, ...]:
    """Return the names of the library's own models that are mixtures, or that are not.

    >>> named(mixtures=True)[:2]
    ('mixture', 'mixture-static')
    """
    return tuple(name for name in DESIGNS.own if DESIGNS[name].is_mixture == mixtures)
