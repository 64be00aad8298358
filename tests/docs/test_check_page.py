"""The page on `solidrec check`: its commands run as written, and its table lists every check."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.check.checks import _CHECKS
from solidrec.cli import main

PAGE = "docs/check.md"


@pytest.mark.usefixtures("shop")
def test_the_commands_run(
    repository: Path, blocks: Callable[[Path, str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line for block in blocks(repository / PAGE, "sh") for line in block.splitlines()]
    assert [line.split()[1] for line in lines] == ["prepare", "check", "train", "check"]
    for line in lines:
        monkeypatch.setattr(
            sys, "argv", shlex.split(line.replace("solidrec train", "solidrec train --epochs 2"))
        )
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code, line


def test_every_check_is_in_the_table(repository: Path) -> None:
    table = (
        (repository / PAGE)
        .read_text(encoding="utf-8")
        .partition("## The checks")[2]
        .partition("## ")[0]
    )
    assert re.findall(r"^\| `([a-z]+)`", table, re.MULTILINE) == list(_CHECKS)
