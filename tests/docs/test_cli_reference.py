"""docs/cli.md is what the command line says of itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from solidrec.errors import SolidrecError


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as `make docs` writes it, in a process of its own."""
    page = tmp_path_factory.mktemp("docs") / "cli.md"
    command = [
        sys.executable,
        "-m",
        "typer",
        "solidrec.cli",
        "utils",
        "docs",
        "--name",
        "solidrec",
        "--output",
        str(page),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return page.read_text(encoding="utf-8")


def test_the_page_is_up_to_date(generated: str, repository: Path) -> None:
    assert (repository / "docs" / "cli.md").read_text(encoding="utf-8") == generated, (
        "run `make docs`"
    )


def test_make_docs_is_that_command(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    assert "typer solidrec.cli utils docs --name solidrec --output docs/cli.md" in makefile


def test_every_command_has_an_example(generated: str) -> None:
    commands = re.split(r"^## ", generated, flags=re.MULTILINE)[1:]
    assert len(commands) >= 10
    assert [text.splitlines()[0] for text in commands if "Example: solidrec " not in text] == []


def test_the_exit_codes_are_listed(repository: Path) -> None:
    table = (
        (repository / "docs" / "decisions.md")
        .read_text(encoding="utf-8")
        .partition("**Exit codes**")[2]
    )
    listed = {
        (name, int(code))
        for code, name in re.findall(r"^\| (\d+) \| `errors\.py:(\w+)` \|", table, re.MULTILINE)
    }
    assert listed == {(error.__name__, error.exit_code) for error in SolidrecError.__subclasses__()}
