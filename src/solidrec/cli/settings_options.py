"""Settings from the command line: a file or a preset, and key=value pairs over it."""

from __future__ import annotations

import tomllib
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
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"--config {config}: is not TOML ({error})") from None
    changes: dict[str, Any] = {}
    for pair in pairs:
        changes = merge(changes, assignment(pair))
    keyed({key: value for pair in pairs for key, value in flat(assignment(pair)).items()})
    return merge(nested(found), nested(changes))
