"""Shared options offer what the library knows, and each says what it is for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from solidrec.cli import options
from solidrec.cli.options import Protocol, Seen, SplitOption
from solidrec.data.prepared import PreparedData
from solidrec.evaluate import runner

SHARED = {name: kind for name, kind in vars(options).items() if get_origin(kind) is Annotated}


@pytest.mark.parametrize(
    ("offered", "known"),
    [
        (Protocol, runner.Protocol),
        (Seen, runner.Seen),
        (SplitOption, get_type_hints(PreparedData.rows)["split"]),
    ],
)
def test_the_choices_are_the_librarys(offered: type[StrEnum], known: Any) -> None:
    assert [str(choice) for choice in offered] == list(get_args(known))


@pytest.mark.parametrize("name", list(SHARED))
def test_every_shared_option_has_a_sentence_of_help(name: str) -> None:
    (declared,) = SHARED[name].__metadata__
    assert declared.help.endswith(".")
