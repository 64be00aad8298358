"""The loaders answer any bytes with a value or with one line: a short run of the fuzzer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_targets import TARGETS, is_answered, seeds

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_valid_files(name: str, tmp_path: Path) -> None:
    for content in seeds()[name]:
        if name == "manifest":  # a folder without the files of a run
            assert is_answered(TARGETS[name], tmp_path, content)
        else:
            TARGETS[name](tmp_path, content)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"[" * 100_000,
        b'{"kind":' + b"9" * 5_000 + b"}",
        b'{"a": "\\ud800", "user": "\\ud800", "item": "x", "seed": NaN}',
        b'{"model": 3, "files": [], "kind": "run", "format": "1"}',
        b"<!DOCTYPE html><title>404</title>",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': [[[[\n",
        b"\x93NUMPY\x01\x00\x46\x00{'descr': '|O', 'fortran_order': False, 'shape': (9, 9)}\n",
        (2**62).to_bytes(8, "little") + b"{}",
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 5_000,
    ],
    ids=range(12),
)
def test_hostile_files_are_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    assert is_answered(TARGETS[name], tmp_path, content)


def test_a_short_run_of_the_fuzzer_finds_nothing(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has packages for Linux only")
    done = subprocess.run(
        [sys.executable, str(HERE / "fuzz_loaders.py"), str(tmp_path), "-runs=2000", "-seed=1"],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 2000 runs" in done.stderr
