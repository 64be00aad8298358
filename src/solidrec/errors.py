"""The exceptions of the library: one class, one line of text and one exit code for each failure.

``SolidrecError`` (70) is the root. Its subclasses tell who has to act:

- ``UsageError`` (2): an option, a name or a setting is wrong.
- ``DataError`` (65): a file was read and its content is not usable.
- ``DivergedError`` (70): training produced a number that is not finite.
- ``StorageError`` (74): the disk, a permission or a path.
- ``Interrupted`` (75): stopped on purpose; the same command resumes.
- ``IncompatibleError`` (76): an artifact of another version, data set or specification.
- ``DamagedError`` (77): an artifact whose bytes have changed since it was written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SolidrecError(Exception):
    """Root of all errors that `solidrec` raises on purpose; its text is one line with a remedy."""

    exit_code = 70


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
