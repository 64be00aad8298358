"""Entry point of the command and of ``python -m solidrec``: Ctrl-C ends it cleanly at any time."""

from __future__ import annotations

import sys


def main() -> None:
    """Import and run the command line; Ctrl-C, during the imports too, ends with exit code 130."""
    try:
        from solidrec.cli import main as run

        run()
    except KeyboardInterrupt:
        print("error: stopped (Ctrl-C)", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
