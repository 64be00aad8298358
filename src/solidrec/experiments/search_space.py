"""The space of a search: its keys checked against `RunSpec` before anything trains, and the next point to try."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, Any, final

import numpy as np

from solidrec.errors import UsageError, nearest
from solidrec.spec import RunSpec, merge
from solidrec.training.seeds import rng

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FIXED = {"data": "the data", "seed": "the seed of every training", "semantics.encoded": "a fact of the data"}
RANGE = ("low", "high", "step", "log")
RANDOM_FIRST = 5
"""Trials before the sampler learns from those before."""
Settings = dict[str, Any]
"""Values by dotted key, as ``{"model.dim": 64}``."""


@final
@dataclass(frozen=True)
class Space:
    """What may vary: a distribution of Optuna's for each dotted key. Choices are kept as JSON, so that 0 is not False."""

    keys: Mapping[str, BaseDistribution]

    def size(self) -> float:
        """Return how many different points there are, infinite if a range is continuous."""
        return float(np.prod([count(distribution) for distribution in self.keys.values()]))

    def coded(self, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a point as Optuna writes it, None if it lies outside."""
        from optuna.distributions import CategoricalDistribution

        found = {
            key: json.dumps(settings[key]) if isinstance(kind, CategoricalDistribution) else settings[key]
            for key, kind in self.keys.items()
        }
        return found if all(holds(kind, found[key]) for key, kind in self.keys.items()) else None

    def next(self, seen: Sequence[tuple[Settings, float | None]], *, seed: int, number: int, attempt: int = 0) -> Settings:
        """Return the settings of trial `number`: a function of the arguments, whatever process asks.

        `seen` are settings with their scores, None for those in training. Sampler: TPE (Bergstra et al., NeurIPS 2011).
        """
        from optuna import create_study, logging
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState, create_trial

        logging.set_verbosity(logging.WARNING)
        own = int(rng(seed, "search", number, attempt).integers(2**32))
        study = create_study(
            direction="maximize", sampler=TPESampler(seed=own, n_startup_trials=RANDOM_FIRST, constant_liar=True)
        )
        for settings, score in seen:
            if (params := self.coded(settings)) is not None:
                state = TrialState.RUNNING if score is None else TrialState.COMPLETE
                study.add_trial(create_trial(state=state, value=score, params=params, distributions=dict(self.keys)))
        asked = study.ask(dict(self.keys)).params
        return {key: plain(kind, asked[key]) for key, kind in self.keys.items()}

    def points(self) -> Iterator[Settings]:
        """Yield every point; only for a space of few."""
        for values in product(*(values_of(kind) for kind in self.keys.values())):
            yield dict(zip(self.keys, values, strict=True))


def holds(kind: BaseDistribution, value: Any) -> bool:
    """Say whether a value, as Optuna writes it, is one of a distribution's."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(kind, CategoricalDistribution):
        return value in kind.choices
    assert isinstance(kind, IntDistribution | FloatDistribution)
    if value is None or not kind.low <= value <= kind.high:
        return False
    return kind.step is None or not (Decimal(str(value)) - Decimal(str(kind.low))) % Decimal(str(kind.step))


def plain(kind: BaseDistribution, asked: Any) -> Any:
    """Return a value that Optuna asks for as a setting: a step's exact multiple, four digits where there is no step."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(kind, CategoricalDistribution):
        return json.loads(asked)
    if not isinstance(kind, FloatDistribution):
        return asked
    if kind.step is not None:
        return on_grid(kind.low, kind.step, round((asked - kind.low) / kind.step))
    return min(max(float(f"{asked:.4g}"), kind.low), kind.high)


def on_grid(low: float, step: float, number: int) -> float:
    """Return ``low + number * step`` as a person would write it.

    >>> on_grid(0.1, 0.1, 2)
    0.3
    """
    return float(Decimal(str(low)) + number * Decimal(str(step)))


def values_of(kind: BaseDistribution) -> list[Any]:
    """Return every value of a distribution that has finitely many."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(kind, CategoricalDistribution):
        return [json.loads(str(choice)) for choice in kind.choices]
    if isinstance(kind, IntDistribution):
        return list(range(kind.low, kind.high + 1, kind.step))
    assert isinstance(kind, FloatDistribution)
    assert kind.step is not None
    return [on_grid(kind.low, kind.step, number) for number in range(int(count(kind)))]


def count(distribution: BaseDistribution) -> float:
    """Return how many values a key may take."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return float("inf") if distribution.step is None else round((distribution.high - distribution.low) / distribution.step) + 1


def space_of(given: Mapping[str, Any], base: RunSpec) -> Space:
    """Check every value of a space against the specification that it varies; raises `UsageError` naming the key and the cure."""
    if not given:
        raise UsageError("a search varies nothing; give --space FILE.toml or --try key=value,value")
    for key in given:
        for fixed, what in FIXED.items():
            if key == fixed or key.startswith(f"{fixed}."):
                raise UsageError(f"a search cannot vary {key}: it is {what}")
    return Space({key: distribution(key, given[key], base) for key in sorted(given)})


def distribution(key: str, given: Any, base: RunSpec) -> BaseDistribution:
    """Return the distribution of one key: a list of choices, or a range ``{low, high, step, log}``."""
    from optuna.distributions import CategoricalDistribution

    if isinstance(given, list) and given:
        checked = [value_at(varied(base, {key: value}), key) for value in given]  # 0 for a rate becomes 0.0
        return CategoricalDistribution(list(dict.fromkeys(json.dumps(value) for value in checked)))
    if not isinstance(given, Mapping):
        raise UsageError(f"{key}: give a list of values, or a range such as {{low = 0.1, high = 0.5}}; got {given!r}")
    for name in given:
        if name not in RANGE:
            raise UsageError(f"{key}: a range has no {name!r}{nearest(name, RANGE)}")
    if not {"low", "high"} <= given.keys():
        raise UsageError(f"{key}: a range needs both low and high")
    return range_of(key, given, base)


def range_of(key: str, given: Mapping[str, Any], base: RunSpec) -> BaseDistribution:
    """Return the distribution of a range; whether of whole numbers is the specification's to say."""
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high = (value_at(varied(base, {key: given[end]}), key) for end in ("low", "high"))
    step, log = given.get("step"), given.get("log", False)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (low, high))
    if not numbers:
        raise UsageError(f"{key}: is no number; give a list of values")
    if not low < high:
        raise UsageError(f"{key}: low = {low} is not below high = {high}")
    if not isinstance(log, bool) or (log and (low <= 0 or step is not None)):
        raise UsageError(f"{key}: log = true needs low above 0 and no step")
    whole = isinstance(low, int) and isinstance(high, int)
    if step is not None and (isinstance(step, bool) or not isinstance(step, int if whole else int | float) or step <= 0):
        raise UsageError(f"{key}: step = {step} is no {'whole ' if whole else ''}number above 0")
    if step is not None and (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step)):
        raise UsageError(f"{key}: from low = {low} to high = {high} is no whole number of steps of {step}")
    if whole:
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=step)


def varied(base: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """Return the specification with other settings; raises `UsageError` naming the nearest key."""
    return RunSpec.parse(merge(base.model_dump(mode="json"), nested(settings)))


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by dotted key as a nested mapping.

    >>> nested({"model.dim": 8, "model.codebook.mlp": False, "seed": 1})
    {'model': {'dim': 8, 'codebook': {'mlp': False}}, 'seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        single = reduce(lambda inner, part: {part: inner}, reversed(key.split(".")), value)
        found = merge(found, single)
    return found


def value_at(spec: RunSpec, key: str) -> Any:
    """Return the value of a dotted key.

    >>> value_at(RunSpec(data="x"), "model.dim"), value_at(RunSpec(data="x"), "semantics.weights.id")
    (32, None)
    """
    found: Any = spec.model_dump(mode="json")
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
