"""Exit codes tell who has to act, and a hint names the nearest word."""

from __future__ import annotations

import pytest

from solidrec import errors
from solidrec.errors import SolidrecError, nearest

CODES = {
    "UsageError": 2,
    "DataError": 65,
    "DivergedError": 70,
    "StorageError": 74,
    "Interrupted": 75,
    "IncompatibleError": 76,
    "DamagedError": 77,
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
