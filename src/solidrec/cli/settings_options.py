"""Settings from the command line: a file or a preset, and key=value pairs over it."""

from __future__ import annotations

import tomllib
from functools import reduce
from pathlib import Path
from typing import Any

from solidrec.errors import UsageError


def settings(config: Path | None, pairs: list[str]) -> dict[str, Any]:
    """Read settings from a TOML file or a preset, and set the --set pairs over them."""
    from solidrec.migrations import keyed
    from solidrec.presets import preset, presets
    from solidrec.settings import assignment, flat, merge, nested

    found: dict[str, Any] = {}
    if config is not None and not config.is_file() and str(config) in presets():
        found = preset(str(config))
    elif config is not None:
        try:
            found = tomllib.loads(config.read_text(encoding="utf-8"))
        except OSError as error:
            names = ", ".join(presets())
            raise UsageError(
                f"--config {config}: {error.strerror}; give a TOML file or a preset ({names})"
            ) from None
        except (ValueError, RecursionError) as error:  # of bytes, of syntax, of thousands of digits
            raise UsageError(f"--config {config}: is not TOML ({error})") from None
    given = [assignment(pair) for pair in pairs]
    keyed({key: value for one in given for key, value in flat(one).items()})  # one name for each
    return reduce(merge, map(nested, [found, *given]))
