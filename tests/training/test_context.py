from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.spec import RunSpec
from solidrec.training.context import RunContext
from solidrec.training.display import Silent


def test_a_training_writes_nothing_and_says_nothing_unless_it_is_told(
    data: PreparedData, spec_of: Callable[..., RunSpec], capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunContext(data, spec_of())
    assert (run.out, run.checkpoints, run.device) == (None, None, "cpu")
    assert isinstance(run.display, Silent)
    run.say("a line")
    assert capsys.readouterr() == ("", "")


def test_a_changed_context_leaves_the_first_as_it_was(
    data: PreparedData, spec_of: Callable[..., RunSpec]
) -> None:
    said: list[str] = []
    run = RunContext(data, spec_of(), say=said.append)
    other = run.but(out=Path("folder"), spec=spec_of("duet"))
    other.say("a line")
    assert said == ["a line"]
    assert (run.out, other.out) == (None, Path("folder"))
    assert (run.spec.model.name, other.spec.model.name) == ("solid-duet", "duet")
    assert other.data is run.data
