"""Run commands of solidrec, each in a child of this process, which has imported everything once.

One line of JSON on standard input asks for a command, one on standard output says how it ended.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import solidrec.api
import solidrec.cli
import solidrec.experiments.execute
import solidrec.search.run_search  # noqa: F401
from solidrec.cli import main


def child(asked: dict[str, Any]) -> None:
    """Become the command."""
    os.setsid()
    os.chdir(asked["folder"])
    out = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ |= {
        "KILL_UNDER": asked["folder"],
        "KILL_LOG": asked["log"],
        "KILL_AT": str(asked["at"]),
        "KILL_ERRNO": str(asked["error"]),
    }
    from sitecustomize import install

    install()
    sys.argv = ["solidrec", *asked["words"]]
    code = 70
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            child(json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
