"""What the tests of the checks share: small subjects, and custom backbones in place of GRU4Rec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from solidrec.check.checks import _cut
from solidrec.check.slicing import semantics_for
from solidrec.check.subject import Subject
from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec
from solidrec.nn.backbones.base import Backbone
from solidrec.registry import BACKBONES
from solidrec.settings import merge

Make = Callable[..., Subject]
Install = Callable[..., None]


def masked_mean(items: Tensor, mask: Tensor) -> Tensor:
    """The state of a backbone without a fault: the mean of a history's items."""
    return (items * mask[..., None]).sum(1, keepdim=True) / mask.sum(1).clamp(min=1)[:, None, None]


def sound(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    """A backbone without a fault."""
    state: Tensor = self.mean(items, mask)
    return state


@pytest.fixture
def subject(data: PreparedData, tiny: dict[str, Any], tmp_path: Path) -> Make:
    """Return the maker of subjects: a model, a backbone, and settings over the tiny ones."""
    numbers = count()

    def make(
        name: str = "static", backbone: str = "gru4rec", *, of: PreparedData = data, **settings: Any
    ) -> Subject:
        spec = run_spec(
            of,
            model=name,
            backbone=backbone,
            seed=None,
            epochs=None,
            settings=merge(tiny, settings),
        )
        return _cut(of, spec, semantics_for(of, spec), tmp_path / str(next(numbers)))

    return make


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that replaces GRU4Rec by a backbone made of functions of (self, ...)."""

    def put(
        forward: Callable[..., Tensor] = sound,
        start: Callable[[Any, int], None] = lambda self, dim: None,
        base: type[Backbone] = Backbone,
        **members: Any,
    ) -> None:
        def init(self: Any, dim: int, *, length: int, dropout: float) -> None:
            base.__init__(self, dim, length=length, dropout=dropout)
            start(self, dim)

        made = type(
            "Own",
            (base,),
            {"__init__": init, "forward": forward, "mean": staticmethod(masked_mean), **members},
        )
        monkeypatch.setitem(BACKBONES, "gru4rec", made)

    return put


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A check puts torch's threads back."""
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before
