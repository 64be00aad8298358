"""The space of a search, and the next point to try."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, final

import numpy as np

from solidrec.backbone_spec import known_to
from solidrec.settings import merge, nested
from solidrec.spec import RunSpec
from solidrec.training.seeds import rng

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_RANDOM_FIRST = 5
"""Random trials before the sampler learns from earlier ones."""
Settings = dict[str, Any]
"""Values by dotted key, as ``{"model.dim": 64}``."""


@final
@dataclass(frozen=True)
class Space:
    """What may vary: a distribution of Optuna for each dotted key.

    Choices are kept as JSON, so that 0 is not False.
    """

    keys: Mapping[str, BaseDistribution]

    def size(self) -> float:
        """Return the number of different points, infinite if a range is continuous."""
        return float(np.prod([_count(distribution) for distribution in self.keys.values()]))

    def coded(self, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a point as Optuna represents it, None if it lies outside the space."""
        from optuna.distributions import CategoricalDistribution

        found = {
            key: json.dumps(settings[key])
            if isinstance(kind, CategoricalDistribution)
            else settings[key]
            for key, kind in self.keys.items()
        }
        return found if all(_holds(kind, found[key]) for key, kind in self.keys.items()) else None

    def next(
        self,
        seen: Sequence[tuple[Settings, float | None]],
        *,
        seed: int,
        number: int,
        attempt: int = 0,
    ) -> Settings:
        """Return the settings of trial `number`, which depend on the arguments alone.

        `seen` are settings with their scores, None for those in training. The sampler is TPE
        (Bergstra et al., NeurIPS 2011).
        """
        from optuna import create_study, logging
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState, create_trial

        logging.set_verbosity(logging.WARNING)
        own = int(rng(seed, "search", number, attempt).integers(2**32))
        study = create_study(
            direction="maximize",
            sampler=TPESampler(seed=own, n_startup_trials=_RANDOM_FIRST, constant_liar=True),
        )
        for settings, score in seen:
            if (params := self.coded(settings)) is not None:
                state = TrialState.RUNNING if score is None else TrialState.COMPLETE
                study.add_trial(
                    create_trial(
                        state=state, value=score, params=params, distributions=dict(self.keys)
                    )
                )
        asked = study.ask(dict(self.keys)).params
        return {key: _plain(kind, asked[key]) for key, kind in self.keys.items()}

    def points(self) -> Iterator[Settings]:
        """Yield every point of a finite space."""
        for values in product(*(_values_of(kind) for kind in self.keys.values())):
            yield dict(zip(self.keys, values, strict=True))


def _holds(kind: BaseDistribution, value: Any) -> bool:
    """Return whether a distribution contains a value, given as Optuna represents it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(kind, CategoricalDistribution):
        return value in kind.choices
    assert isinstance(kind, IntDistribution | FloatDistribution)
    if value is None or not kind.low <= value <= kind.high:
        return False
    return kind.step is None or in_steps(kind.low, value, kind.step)


def _plain(kind: BaseDistribution, asked: Any) -> Any:
    """Return a value proposed by Optuna as a setting.

    It is an exact multiple of the step, or rounded to four digits if there is no step.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(kind, CategoricalDistribution):
        return json.loads(asked)
    if not isinstance(kind, FloatDistribution):
        return asked
    if kind.step is not None:
        return _on_grid(kind.low, kind.step, round((asked - kind.low) / kind.step))
    return min(max(float(f"{asked:.4g}"), kind.low), kind.high)


def in_steps(low: float, value: float, step: float) -> bool:
    """Return whether a whole number of steps leads from `low` to a value, in decimals.

    >>> in_steps(0.1, 0.3, 0.1)
    True
    """
    return not (Decimal(str(value)) - Decimal(str(low))) % Decimal(str(step))


def _on_grid(low: float, step: float, number: int) -> float:
    """Return ``low + number * step``, computed in decimals to avoid rounding errors.

    >>> _on_grid(0.1, 0.1, 2)
    0.3
    """
    return float(Decimal(str(low)) + number * Decimal(str(step)))


def _values_of(kind: BaseDistribution) -> list[Any]:
    """Return every value of a distribution that has finitely many."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(kind, CategoricalDistribution):
        return [json.loads(str(choice)) for choice in kind.choices]
    if isinstance(kind, IntDistribution):
        return list(range(kind.low, kind.high + 1, kind.step))
    assert isinstance(kind, FloatDistribution)
    assert kind.step is not None
    return [_on_grid(kind.low, kind.step, number) for number in range(int(_count(kind)))]


def _count(distribution: BaseDistribution) -> float:
    """Return the number of values of a distribution, infinite if it is continuous."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    if distribution.step is None:
        return float("inf")
    return round((distribution.high - distribution.low) / distribution.step) + 1


def varied(base: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """Return the specification with other settings; raises `UsageError` naming the nearest key.

    Of the settings of a backbone another one keeps those that it has too.
    """
    name = base.model.backbone.name
    # A backbone's own settings at their defaults are left out: another one has other defaults.
    values = merge(
        base.model_dump(mode="json", exclude_defaults=True), {"model": {"backbone": {"name": name}}}
    )
    values = merge(values, nested(settings))
    backbone = values["model"]["backbone"]
    if isinstance(backbone, Mapping) and backbone["name"] != name:
        kept = {"name", *known_to(values["model"])}
        values["model"]["backbone"] = {key: backbone[key] for key in backbone if key in kept}
    return RunSpec.parse(values)


def value_at(spec: RunSpec, key: str) -> Any:
    """Return the value of a dotted key, None if it is not set.

    >>> spec = RunSpec(data="x")
    >>> value_at(spec, "model.dim"), value_at(spec, "semantics.weights.id")
    (32, None)
    """
    found: Any = spec.model_dump(mode="json")
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
