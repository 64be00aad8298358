"""Read the space of a search from TOML and the command line, checked before anything trains."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solidrec.errors import UsageError, nearest
from solidrec.migrations import earlier, keyed
from solidrec.search.space import Space, in_steps, value_at, varied
from solidrec.spec import RunSpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_FIXED = {
    "data": "the data",
    "seed": "the seed of every training",
    "semantics.encoded": "a fact of the data",
    "train.select": "what judges every trial",
}
_RANGE = ("low", "high", "step", "log")


def read_space(path: Path | None, tries: Sequence[str]) -> dict[str, Any]:
    """Return what varies by dotted key, from a TOML file and ``key=value,value`` pairs.

    Raises `UsageError` for a file or a pair that cannot be read.
    """
    found: dict[str, Any] = {}
    if path is not None:
        try:
            found = _dotted(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise UsageError(f"--space {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"--space {path}: is not TOML ({error})") from None
    for text in tries:
        key, sign, values = text.partition("=")
        if not (key.strip() and sign and values.strip()):
            raise UsageError(
                f"--try {text}: write it as key=value,value, "
                "for example --try model.dropout=0,0.2,0.4"
            )
        found[key.strip()] = _listed(values)
    return found


def _listed(text: str) -> list[Any]:
    """Read values between commas as JSON, or else as names.

    >>> _listed("0,0.2"), _listed("din,sasrec"), _listed('["text"],["id","text"]')
    ([0, 0.2], ['din', 'sasrec'], [['text'], ['id', 'text']])
    """
    try:
        return list(json.loads(f"[{text}]"))
    except json.JSONDecodeError:
        return [part.strip() for part in text.split(",")]


def _dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables by dotted keys; a table with ``low`` or ``high`` is a range.

    >>> _dotted({"model": {"dim": {"low": 8, "high": 64}}, "train.batch_size": [64, 128]})
    {'model.dim': {'low': 8, 'high': 64}, 'train.batch_size': [64, 128]}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, Mapping) and not {"low", "high"} & value.keys()
        found |= _dotted(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return found


def space_of(given: Mapping[str, Any], base: RunSpec) -> Space:
    """Check every value of a space against the specification `base`.

    Raises `UsageError` that names the key and the remedy.
    """
    if not given:
        raise UsageError("a search varies nothing; give --space FILE.toml or --try key=value,value")
    for key in given:
        for fixed, what in _FIXED.items():
            if key == fixed or key.startswith(f"{fixed}."):
                raise UsageError(f"a search cannot vary {key}: it is {what}")
    found = keyed(given)
    # The order decides which random number a key gets, so a key keeps its place when it is renamed.
    return Space({key: _distribution(key, found[key], base) for key in sorted(found, key=earlier)})


def _distribution(key: str, given: Any, base: RunSpec) -> BaseDistribution:
    """Return the distribution of a key from a list or a range ``{low, high, step, log}``."""
    from optuna.distributions import CategoricalDistribution

    if isinstance(given, list) and given:
        # The specification converts each value: 0 for a rate becomes 0.0.
        checked = [value_at(varied(base, {key: value}), key) for value in given]
        return CategoricalDistribution(list(dict.fromkeys(json.dumps(value) for value in checked)))
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{key}: give a list of values, or a range such as {{low = 0.1, high = 0.5}}; "
            f"got {given!r}"
        )
    for name in given:
        if name not in _RANGE:
            raise UsageError(f"{key}: a range has no {name!r}{nearest(name, _RANGE)}")
    if not {"low", "high"} <= given.keys():
        raise UsageError(f"{key}: a range needs both low and high")
    return _range_of(key, given, base)


def _range_of(key: str, given: Mapping[str, Any], base: RunSpec) -> BaseDistribution:
    """Return the distribution of a range, with integers if the specification takes integers."""
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high = (value_at(varied(base, {key: given[end]}), key) for end in ("low", "high"))
    step, log = given.get("step"), given.get("log", False)
    if not (_is_number(low) and _is_number(high)):
        raise UsageError(f"{key}: is no number; give a list of values")
    if not low < high:
        raise UsageError(f"{key}: low = {low} is not below high = {high}")
    if not isinstance(log, bool) or (log and (low <= 0 or step is not None)):
        raise UsageError(f"{key}: log = true needs low above 0 and no step")
    if step is not None:
        _check_step(key, step, low=low, high=high)
    if _whole(low, high):
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=step)


def _check_step(key: str, step: Any, *, low: float, high: float) -> None:
    """Raise `UsageError` for a step that does not lead from `low` to `high`."""
    whole = _whole(low, high)
    if not _is_number(step) or (whole and not isinstance(step, int)) or step <= 0:
        raise UsageError(f"{key}: step = {step} is no {'whole ' if whole else ''}number above 0")
    if not in_steps(low, high, step):
        raise UsageError(
            f"{key}: from low = {low} to high = {high} is no whole number of steps of {step}"
        )


def _whole(low: object, high: object) -> bool:
    """Return whether a range is one of integers."""
    return isinstance(low, int) and isinstance(high, int)


def _is_number(value: object) -> bool:
    """Return whether a value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
