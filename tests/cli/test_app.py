from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.errors import DivergedError

Solidrec = Callable[..., Any]
COMMANDS = (
    *(
        "demo",
        "prepare",
        "semantics",
        "datasets",
        "encode",
        "train",
        "plan",
        "evaluate",
        "check",
        "recommend",
        "similar",
        "export",
    ),
    *("serve", "update", "search", "inspect", "doctor", "items", "experiment"),
)


def one_line(answer: Any) -> str:
    """Return the one line of an error; standard output must be empty."""
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert len(lines) == 1, answer.err
    return str(lines[0])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_names_the_command(solidrec: Solidrec, command: str) -> None:
    answer = solidrec(command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"Example: solidrec {command}" in " ".join(answer.out.split())


def test_help_lists_every_command(solidrec: Solidrec) -> None:
    answer = solidrec("--help")
    assert answer.code == 0
    assert [
        line.split()[0]
        for line in answer.out.partition("Commands:\n")[2].splitlines()
        if line.strip()
    ] == list(COMMANDS)


def test_no_command_shows_the_help_and_fails(solidrec: Solidrec) -> None:
    answer = solidrec()
    assert (answer.code, answer.out) == (2, "")
    assert "Commands:" in answer.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (
            ["train", "data", "--modle", "static"],
            "No such option: --modle (Possible options: --model)",
        ),
        (
            ["evaluate", "run", "--protcol", "full"],
            "No such option: --protcol (Possible options: --protocol)",
        ),
        (["train"], "Missing argument 'data'"),
        (["prepare", "log.csv"], "Missing option '--out'"),
        (["train", "data", "--epochs", "many"], "Invalid value for '--epochs'"),
        (["evaluate", "run", "--split", "train"], "is not one of 'valid', 'test'"),
        (
            ["recommend", "run"],
            'give either --history "ID,ID" or --batch FILE.parquet --out FILE.parquet',
        ),
        (["recommend", "run", "--batch", "x.parquet"], "--batch needs --out FILE.parquet"),
        (["recommend", "run", "--history", "a", "--separator", ""], "--separator is empty"),
        (["export", "run"], "say what to export"),
        (["export", "run", "--users", "u.parquet"], "--users needs --batch"),
        (
            ["prepare", "log.csv", "--out", "data", "--features", "clip.npy"],
            "--features clip.npy: write it as NAME=FILE.npy",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    solidrec: Solidrec, words: list[str], text: str
) -> None:
    answer = solidrec(*words)
    assert answer.code == 2
    assert text.lower() in one_line(answer).lower()


def fail(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def diagnose() -> None:
        raise error

    monkeypatch.setattr("solidrec.check.doctor.diagnose", diagnose)


def test_a_known_error_is_its_text_and_its_exit_code(
    solidrec: Solidrec, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(DivergedError("the loss became nan"), monkeypatch)
    answer = solidrec("doctor")
    assert (answer.code, one_line(answer)) == (70, "error: the loss became nan")


def test_an_unknown_error_is_a_fault_and_says_what_to_do(
    solidrec: Solidrec, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(ZeroDivisionError("division by zero"), monkeypatch)
    answer = solidrec("doctor")
    assert answer.code == 70
    assert one_line(answer) == (
        "error: ZeroDivisionError: division by zero "
        "(a fault of solidrec; run again with --debug and report it)"
    )


def test_debug_shows_the_traceback(solidrec: Solidrec, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(DivergedError("the loss became nan"), monkeypatch)
    with pytest.raises(DivergedError):
        solidrec("--debug", "doctor")


def test_ctrl_c_ends_with_130(solidrec: Solidrec, monkeypatch: pytest.MonkeyPatch) -> None:
    def diagnose() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("solidrec.check.doctor.diagnose", diagnose)
    assert solidrec("doctor").code == 130


def test_ctrl_c_while_modules_are_imported_is_one_line_and_130() -> None:
    script = """
import sys
class Stop:
    def find_spec(self, name, path, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
from solidrec.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "error: stopped (Ctrl-C)\n")


@pytest.mark.parametrize(
    "error", [MemoryError("no room"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_no_memory_left_is_no_fault_of_the_program(
    solidrec: Solidrec, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def diagnose() -> None:
        raise error

    monkeypatch.setattr("solidrec.check.doctor.diagnose", diagnose)
    done = solidrec("doctor")
    assert done.code == 70
    assert done.err.startswith("error: out of memory (")
    assert "fault of solidrec" not in done.err


def test_help_needs_none_of_the_heavy_libraries() -> None:
    script = """
import sys
from solidrec.cli import main
sys.argv = ["solidrec", "train", "--help"]
try:
    main()
except SystemExit as end:
    assert end.code == 0
heavy = {"torch", "numpy", "polars", "sklearn", "matplotlib", "pandas", "safetensors"} & \
set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--backbone" in done.stdout


def test_the_package_is_a_program_and_its_json_is_pure(run_folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "solidrec.cli",
        "recommend",
        str(run_folder),
        "--history",
        "i03,new",
        "-k",
        "2",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (len(answer["items"]), answer["ignored"], answer["fallback"]) == (2, ["new"], None)


def test_an_exit_code_reaches_the_shell(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "solidrec.cli", "inspect", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (74, "")
    assert (
        done.stderr
        == f"error: {tmp_path}: is not a run folder of solidrec (it has no manifest.json); "
        "`solidrec train` writes one\n"
    )


def in_shell(line: str, folder: Path) -> tuple[int, str]:
    """The exit code of a line of a shell, and what it said on standard error."""
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


def test_without_standard_output_nothing_is_begun(tmp_path: Path) -> None:
    """Else the first file that is opened would be taken for it."""
    assert in_shell(f"exec {sys.executable} -m solidrec inspect . >&-", tmp_path) == (
        74,
        "error: standard output is closed; send it to a file, for example > out\n",
    )


@pytest.mark.parametrize("command", ["datasets", "doctor --help"])
def test_standard_output_that_is_full_is_named(tmp_path: Path, command: str) -> None:
    line = f"ulimit -f 0; exec {sys.executable} -m solidrec {command} > out"
    assert in_shell(line, tmp_path) == (
        74,
        "error: standard output: File too large; send it elsewhere, or make space\n",
    )


@pytest.mark.parametrize("words", [("inspect", "a\nb"), ("tr\nain",)])
def test_a_line_break_in_a_word_is_shown_and_breaks_no_line(
    solidrec: Solidrec, words: tuple[str, ...]
) -> None:
    answer = solidrec(*words)
    assert answer.code in (2, 74)
    assert "\\n" in one_line(answer)
