"""Write docs/errors.md: every exit code and every message, read off the source.

python docs/make_errors.py docs/errors.md
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

from solidrec import errors
from solidrec.errors import SolidrecError

SOURCE = Path(errors.__file__).parent
HEAD = """# Errors

Every error that `solidrec` raises on purpose is one line that says what is wrong, where, and what
to do. In Python it is an exception of the class below, all of them of the root `SolidrecError`
(`solidrec.errors`); on the command line it is `error: ...` on standard error and the exit code.
0 is success, 130 is Ctrl-C outside training, and 70 with "a fault of solidrec" is an error that
nobody foresaw: `--debug` shows where. `...` stands for what differs from case to case. This page is
written by `make docs`.
"""


def classes() -> dict[str, type[SolidrecError]]:
    """Return the classes of errors by name, by their exit codes."""
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    known = [one for one in found if issubclass(one, SolidrecError)]
    return {one.__name__: one for one in sorted(known, key=lambda one: (one.exit_code, str(one)))}


def text_of(node: ast.expr) -> str:
    """Return the text of a message with `...` for what is put in.

    >>> text_of(ast.parse("f'{path}: is empty; give ' 'rows'", mode="eval").body)
    '...: is empty; give rows'
    """
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return "..."


def messages() -> dict[str, set[tuple[str, str]]]:
    """Return the messages of each class with the files that raise them."""
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in classes()}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            if node.func.id in found:
                text = re.sub(r"(\.\.\.)+", "...", " ".join(text_of(node.args[0]).split()))
                if re.search(r"[a-z]{3}", text):
                    found[node.func.id].add((text, path.relative_to(SOURCE).as_posix()))
    return found


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for name, lines in messages().items():
        kind = classes()[name]
        parts.append(f"\n## {kind.exit_code}: `{name}`\n\n{inspect.getdoc(kind)}\n\n")
        parts += [f"- `{text.replace('`', chr(39))}` ({where})\n" for text, where in sorted(lines)]
    return "".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
