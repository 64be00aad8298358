"""The application: what all commands share, and how errors become one line and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from solidrec.errors import NAMES_OPTIONS, SolidrecError, StorageError, UsageError, one_line

app = typer.Typer(
    help="Dynamic sequential recommendation: train on your click log, recommend for histories "
    "never seen.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_DEBUG = "SOLIDREC_DEBUG"
_LONG = 100
"""The most characters of a name in an error."""


@app.callback()
def _main_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Take the options that come before a command."""
    if debug:
        os.environ[_DEBUG] = "1"


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def main() -> None:
    """Run the command line; print a known error as one line and exit with its code."""
    # Waiting threads should sleep: beside another busy process, spinning makes two threads many
    # times slower than one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ[NAMES_OPTIONS] = "1"
    try:
        _check_words(sys.argv[1:])
        if sys.stdout is None:
            raise StorageError("standard output is closed; send it to a file, for example > out")
        code = app(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code)
    except TyperException as error:
        text = error.format_message()
        # A help text is shown when no command was given.
        shown_help = text.lstrip().startswith("Usage:")
        print(text if shown_help else f"error: {one_line(text)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SolidrecError as error:
        if os.environ.get(_DEBUG):
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if os.environ.get(_DEBUG):
            raise
        print(f"error: {one_line(_of_file(error))}", file=sys.stderr)
        sys.exit(74)
    except Exception as error:
        if os.environ.get(_DEBUG):
            raise
        print(_unexpected(error), file=sys.stderr)
        sys.exit(70)


def _check_words(words: Sequence[str]) -> None:
    """Raise `UsageError` for an argument whose bytes are no text."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"argument {word[:_LONG]!r}: its bytes are no UTF-8 text; rename the file, or type "
                "it in a terminal that writes UTF-8"
            ) from None


def _of_file(error: OSError) -> str:
    """Return one line about an error of a file, or of standard output, which is given up then."""
    why = error.strerror or error
    if error.filename is not None:
        name = str(error.filename)
        return f"{name if len(name) <= _LONG else f'{name[:_LONG]}...'}: {why}; check the path"
    # Whoever writes a file names it. What is left in the buffer would fail again at the end.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return f"standard output: {why}; send it elsewhere, or make space"


def _unexpected(error: Exception) -> str:
    """Return one line about an error that nobody raised on purpose."""
    text = str(error).strip().partition("\n")[0]
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text:
        return f"error: out of memory ({text}); close other programs or choose smaller sizes"
    return (
        f"error: {type(error).__name__}: {text} (a fault of solidrec; run again with --debug and "
        "report it)"
    )
