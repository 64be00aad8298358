"""The grid of an experiment on prepared data: its rows, and a cell for each row and seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, product
from math import prod
from typing import Any, final

from solidrec.backbone_spec import without_own
from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec
from solidrec.errors import UsageError, nearest
from solidrec.evaluate.baselines import BASELINES
from solidrec.experiments.experiment_spec import SUBSETS, ExperimentSpec, RowSpec
from solidrec.migrations import keyed
from solidrec.semantics.modality import available
from solidrec.settings import flat, merge, nested, value_at
from solidrec.spec import ModelSpec, RunSpec

_MANY = 100_000
"""Maximum number of cells: a larger grid is a mistake and would never finish."""
_LENGTH = ModelSpec().history_length
_OF_THE_DATA = ("data", "semantics.encoded")
"""Settings that only the data decides."""


@final
@dataclass(frozen=True)
class Row:
    """One row of an experiment: its ``name``, its ``labels`` on the axes, and its ``settings``."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    baseline: str | None = None
    trials: int = 1


@final
@dataclass(frozen=True)
class Cell:
    """One row with one seed; a baseline has no ``spec`` and reads ``length`` items of a history."""

    row: str
    seed: int
    data: str
    spec: RunSpec | None
    baseline: str | None = None
    length: int = _LENGTH
    trials: int = 1

    def facts(self) -> dict[str, Any]:
        """Return what a baseline's record has in the place of a specification."""
        facts = {"baseline": self.baseline, "length": self.length}
        return facts if self.trials == 1 else {**facts, "trials": self.trials}

    @property
    def key(self) -> str:
        """The hash that names its result: of the specification, or of the baseline and the data."""
        if self.spec is not None:
            return self.spec.digest()
        named = {**self.facts(), "data": self.data}
        if self.length == _LENGTH:
            del named["length"]
        text = json.dumps(named, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def rows_of(experiment: ExperimentSpec, data: PreparedData) -> list[Row]:
    """Return the rows: the grid in the order of its axes, the last one fastest, then listed rows.

    Raises `UsageError` for two rows of one name, a baseline that is unknown or has settings, a grid
    that is far too large, and other rows that make no sense.
    """
    rows = [*_grid_rows(experiment, data), *map(_listed_row, experiment.rows)]
    names = [row.name for row in rows]
    if any(len(name.splitlines()) != 1 or not name.strip() for name in names):
        raise UsageError(
            f"{experiment.title}: a row's name is empty or has several lines; give it one line of "
            "text"
        )
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two rows are called {sorted(twice)[0]!r}; give each its own name")
    if not rows:
        raise UsageError(f"{experiment.title}: has no rows; give axes or rows")
    if experiment.reference is not None and experiment.reference not in names:
        raise UsageError(
            f"reference {experiment.reference!r} is no row{nearest(experiment.reference, names)}"
        )
    if experiment.layout == "figure5":
        _check_places(rows)
    return rows


def _grid_rows(experiment: ExperimentSpec, data: PreparedData) -> Iterator[Row]:
    """Yield the rows that the axes span."""
    axes = {key: _values_of(key, values, data) for key, values in experiment.axes.items()}
    if (count := prod(map(len, axes.values())) * experiment.seeds) > _MANY:
        raise UsageError(
            f"{experiment.title}: has {count:,} cells; give fewer values or seeds, {_MANY:,} at "
            "most"
        )
    for values in product(*axes.values()) if axes else ():
        settings = dict(zip(axes, values, strict=True))
        labels = {key: _label(value) for key, value in settings.items()}
        yield Row(_name_of(labels), labels, nested(settings))


def _listed_row(spec: RowSpec) -> Row:
    """Return a row outside the axes; its labels are the given ones, or its settings."""
    if spec.baseline is not None:
        try:
            BASELINES.check(spec.baseline)
        except UsageError as error:
            raise UsageError(f"row {spec.name!r}: baseline: {error}") from None
        if spec.settings:
            raise UsageError(
                f"row {spec.name!r}: a baseline has no settings ({', '.join(flat(spec.settings))});"
                " leave them out"
            )
    elif spec.trials != 1:
        raise UsageError(
            f"row {spec.name!r}: trials are a baseline's; search a model's settings with "
            "`solidrec search`"
        )
    labels = spec.labels
    if labels is None:
        labels = {key: _label(value) for key, value in keyed(flat(spec.settings)).items()}
    return Row(spec.name, labels, spec.settings, spec.baseline, spec.trials)


def _check_places(rows: Sequence[Row]) -> None:
    """Raise `UsageError` if λ or T is no number, or if one row would hide another in the figure."""
    places: dict[tuple[float, float], str] = {}
    for row in rows:
        try:
            place = (float(row.labels["train.codebook_weight"]), float(row.labels["model.clip"]))
        except KeyError:
            continue
        except ValueError:
            raise UsageError(
                f"row {row.name!r}: layout figure5 needs numbers for train.codebook_weight "
                "and model.clip"
            ) from None
        if (other := places.setdefault(place, row.name)) != row.name:
            raise UsageError(
                f"rows {other!r} and {row.name!r} have one place in figure5; leave other axes out, "
                "or take layout plain"
            )


def _values_of(key: str, values: Sequence[Any] | str, data: PreparedData) -> list[Any]:
    """Return the values of an axis; *subsets* becomes every subset of the data's modalities."""
    if values != SUBSETS:
        return list(values)
    if key != "semantics.modalities":
        raise UsageError(f"axis {key}: only semantics.modalities has {SUBSETS!r}; list the values")
    names = _kinds(available(data))
    return [
        list(subset) for size in range(1, len(names) + 1) for subset in combinations(names, size)
    ]


def _kinds(names: Sequence[str]) -> list[str]:
    """Return the modalities of Table 3 that the data has, in any form: item ids, pictures, text.

    >>> _kinds(["brand", "text", "text_tokens", "image_tokens", "id"])
    ['id', 'image_tokens', 'text']
    """
    of_kind = {
        kind: [name for name in names if name == kind or name.startswith(f"{kind}_")]
        for kind in ("id", "image", "text")
    }
    return [kind if kind in found else found[0] for kind, found in of_kind.items() if found]


def _label(value: Any) -> str:
    """Format a value of an axis.

    >>> _label(["id", "text"]), _label(0.01), _label(1000.0), _label(1e30), _label("sasrec")
    ('id + text', '0.01', '1000', '1e+30', 'sasrec')
    """
    if isinstance(value, float) and value.is_integer():
        value = f"{value:.15g}"
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


def _name_of(labels: Mapping[str, str]) -> str:
    """Name a row by its labels; a number is preceded by its key.

    >>> _name_of({"model.backbone.name": "sasrec", "model.clip": "0.1"})
    'sasrec · clip 0.1'
    """
    return " · ".join(
        f"{key.split('.')[-1]} {text}" if text[:1].isdigit() else text
        for key, text in labels.items()
    )


def cells_of(
    experiment: ExperimentSpec, rows: Sequence[Row], data: PreparedData, settings: Mapping[str, Any]
) -> list[Cell]:
    """Return every cell, seed by seed; `settings` are set over those of the experiment.

    A baseline reads as much of a history as the settings of all runs say.

    Raises `UsageError` for settings that the grid varies itself, that a run's seed or the data
    decides (rows with different settings would be the same), or that no `RunSpec` has.
    """
    data.rows("test")
    seeded = (*experiment.seeded, "seed")
    given = nested(keyed(flat(settings)))
    for key in (*experiment.axes, *seeded):
        if value_at(given, key) is not None:
            raise UsageError(f"--set {key}: is what this experiment varies; leave it out")
    decided = dict.fromkeys(seeded, "the seed of each run") | dict.fromkeys(
        _OF_THE_DATA, "the data"
    )
    spec_of = partial(run_spec, data, model=None, backbone=None, epochs=None)
    common = merge(experiment.settings, settings)
    length = spec_of(seed=0, settings=without_own(common)).model.history_length
    cells = []
    for seed in range(experiment.first_seed, experiment.first_seed + experiment.seeds):
        for row in rows:
            if row.baseline is not None:
                if seed == experiment.first_seed:  # the seed makes no difference
                    cells.append(
                        Cell(row.name, 0, data.fingerprint, None, row.baseline, length, row.trials)
                    )
                continue
            own = merge(common, row.settings)
            for key, by in decided.items():
                if value_at(own, key) is not None:
                    raise UsageError(
                        f"row {row.name!r} sets {key}, but {by} says that; leave it out"
                    )
            own = merge(own, nested(dict.fromkeys(experiment.seeded, seed)))
            cells.append(Cell(row.name, seed, data.fingerprint, spec_of(seed=seed, settings=own)))
    return cells
