"""Exit codes tell who has to act, and a hint names the nearest word."""

from __future__ import annotations

import pytest

from solidrec import errors
from solidrec.errors import NAMES_OPTIONS, DataError, SolidrecError, UsageError, nearest

CODES = {
    "UsageError": 2,
    "DataError": 65,
    "DivergedError": 70,
    "StorageError": 74,
    "Interrupted": 75,
    "IncompatibleError": 76,
    "DamagedError": 77,
    "RefusedError": 78,
}


def test_every_error_has_its_exit_code() -> None:
    assert {error.__name__: error.exit_code for error in SolidrecError.__subclasses__()} == CODES
    assert SolidrecError.exit_code == 70


def test_the_module_says_the_codes_in_words() -> None:
    assert errors.__doc__ is not None
    for name, code in CODES.items():
        assert f"``{name}`` ({code})" in errors.__doc__


@pytest.mark.parametrize(
    ("word", "known", "prefix", "hint"),
    [
        ("sasrek", ["din", "sasrec"], "", "; did you mean 'sasrec'?"),
        ("dimm", ["dim", "clip"], "model.", "; did you mean 'model.dim'?"),
        ("zzz", ["din", "sasrec"], "", "; known: din, sasrec"),
        ("zzz", [], "", "; known: none"),
    ],
)
def test_the_nearest_word_or_all_of_them(
    word: str, known: list[str], prefix: str, hint: str
) -> None:
    assert nearest(word, known, prefix=prefix) == hint


@pytest.mark.parametrize(
    ("option", "argument"),
    [
        ("choose another --out or say --overwrite", "choose another out or say overwrite=True"),
        ("--device gpu: unknown", "device gpu: unknown"),
        ("say --feature-start 0 or 1", "say feature_start=0 or 1"),
        ("with --on-bad-row quarantine", "with on_bad_row='quarantine'"),
        ("--valid-from and --test-from cut", "valid_from and test_from cut"),
        ("more than --max-bad-fraction 0.01", "more than max_bad_fraction=0.01"),
        ("give --split leave-one-out or time", "give split='leave-one-out' or time"),
        ("give --set model.dim=64", "give settings={'model.dim': 64}"),
        ("--set seed: is what varies", "settings seed: is what varies"),
        ("--fit-all with --epochs-from RUN", "split='none' with epochs_from=RUN"),
        ("a - b -- c, x--y is no option", "a - b -- c, x--y is no option"),
    ],
)
def test_python_reads_arguments_and_the_command_line_options(
    monkeypatch: pytest.MonkeyPatch, option: str, argument: str
) -> None:
    monkeypatch.delenv(NAMES_OPTIONS)
    assert str(UsageError(option)) == argument
    monkeypatch.setenv(NAMES_OPTIONS, "1")
    assert str(UsageError(option)) == option


def test_a_name_with_a_line_break_makes_one_line() -> None:
    assert str(DataError("a\nb.csv: has no\u2028column 'x\ry'")) == (
        "a\\nb.csv: has no\\u2028column 'x\\ry'"
    )
