"""The exceptions of the library: one class, one line of text and one exit code for each failure.

``SolidrecError`` (70) is the root. Its subclasses tell who has to act:

- ``UsageError`` (2): an option, a name or a setting is wrong.
- ``DataError`` (65): a file was read and its content is not usable.
- ``DivergedError`` (70): training produced a number that is not finite.
- ``StorageError`` (74): the disk, a permission or a path.
- ``Interrupted`` (75): stopped on purpose; the same command resumes.
- ``IncompatibleError`` (76): an artifact of another version, data set or specification.
- ``DamagedError`` (77): an artifact whose bytes have changed since it was written.
- ``RefusedError`` (78): an update that would publish a worse model.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
NAMES_OPTIONS = "SOLIDREC_NAMES_OPTIONS"


class SolidrecError(Exception):
    """Root of all errors that `solidrec` raises on purpose; its text is one line with a remedy.

    Its one argument names options as the command line does, its text as Python does. On the command
    line, and in the processes that it starts, the environment variable `NAMES_OPTIONS` is set, and
    the text is the argument.

    >>> str(UsageError("the log has no times; say --order file"))
    "the log has no times; say order='file'"
    """

    exit_code = 70

    def __str__(self) -> str:
        text = one_line(super().__str__())
        return text if os.environ.get(NAMES_OPTIONS) else in_python(text)


def one_line(text: str) -> str:
    r"""Return a text whose line breaks, which names may have, are written as in Python.

    >>> one_line("a\nb: no such file")
    'a\\nb: no such file'
    """
    return _BREAKS.sub(lambda found: repr(found[0])[1:-1], text)


class UsageError(SolidrecError):
    """An option, a name or a setting is wrong."""

    exit_code = 2


class DataError(SolidrecError):
    """A file was read and its content is not usable."""

    exit_code = 65


class DivergedError(SolidrecError):
    """Training produced a number that is not finite."""

    exit_code = 70


class StorageError(SolidrecError):
    """The disk, a permission or a path does not allow the operation."""

    exit_code = 74


class Interrupted(SolidrecError):
    """Training was stopped on purpose; the same command resumes it."""

    exit_code = 75


class IncompatibleError(SolidrecError):
    """An artifact belongs to another version, data set or specification."""

    exit_code = 76


class DamagedError(SolidrecError):
    """The bytes of an artifact have changed since it was written."""

    exit_code = 77


class RefusedError(SolidrecError):
    """An update is measurably worse than the model before, or cannot be judged."""

    exit_code = 78


_OPTION = re.compile(
    r"(?<![\w-])--(?P<name>[a-z][a-z-]*)"
    r"(?: (?P<key>[a-z_]+(?:\.[a-z_]+)*)=(?P<set>[\w.+-]*\w))?"
    r"(?: (?P<value>[A-Z][A-Z.]*[a-z]*|\d[\d.]*"
    r"|drop|file|first|item|leave-one-out|quarantine|time))?"
    r"(?![\w-])"
)
_FLAGS = {"fit-all": "split='none'", "overwrite": "overwrite=True", "keep-history": "keep_history"}


def in_python(text: str) -> str:
    """Return a message with the options that it names as arguments of Python.

    >>> in_python("name it with --time-column NAME, or say --fit-all or --k-core 5")
    "name it with time_column=NAME, or say split='none' or k_core=5"
    >>> in_python("train with --set train.folds=users; choose another --out")
    "train with settings={'train.folds': 'users'}; choose another out"
    """
    return _OPTION.sub(_argument, text)


def _argument(found: re.Match[str]) -> str:
    """Return one option as an argument."""
    name, key, value = (found[part] for part in ("name", "key", "value"))
    if name == "set" and key:
        number = re.fullmatch(r"[\d.]+", found["set"])
        return f"settings={{'{key}': {found['set'] if number else repr(found['set'])}}}"
    if name in _FLAGS:
        return _FLAGS[name] + found[0].removeprefix(f"--{name}")
    plain = "settings" if name == "set" else name.replace("-", "_")
    if not value:
        return plain + found[0].removeprefix(f"--{name}")
    return f"{plain}={value if value[0].isupper() or value[0].isdigit() else repr(value)}"


def nearest(word: object, known: Iterable[str], *, prefix: str = "") -> str:
    """Return a hint with the known word closest to `word`, or else the list of known words.

    `prefix` is shown before the closest word but not compared, as it would make all words similar.

    >>> nearest("sasrecc", ["din", "sasrec"])
    "; did you mean 'sasrec'?"
    >>> nearest("zzz", ["din", "sasrec"])
    '; known: din, sasrec'
    """
    known = list(known)
    close = difflib.get_close_matches(str(word), known, n=1)
    if close:
        return f"; did you mean {prefix + close[0]!r}?"
    return f"; known: {', '.join(known) or 'none'}"
