"""An experiment is one TOML file: a grid of runs. This turns the file and prepared data into rows, and rows into cells."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

from pydantic import BeforeValidator, Field

from solidrec.api import run_spec
from solidrec.data.prepared import PreparedData
from solidrec.errors import StorageError, UsageError, nearest
from solidrec.evaluate.baselines import BASELINES
from solidrec.evaluate.runner import Protocol
from solidrec.semantics.modality import available
from solidrec.spec import ModelSpec, RunSpec, Spec, assignment, merge

SHIPPED = Path(__file__).parent / "shipped"
SMALL = "-small"
SUBSETS = "subsets"
"""Written as the values of an axis ``semantics.modalities``: every non-empty subset of what the data has."""
MANY = 100_000
"""Cells beyond which a grid is a slip of the pen: it would not end in a lifetime."""
LENGTH = ModelSpec().length
OF_THE_DATA = ("data", "semantics.encoded")
"""Settings that only the data decides."""


Settings = dict[str, Any]
Axes = Annotated[
    dict[str, list[Any] | Literal["subsets"]], BeforeValidator(lambda axes: flat(axes) if isinstance(axes, Mapping) else axes)
]
Protocols = tuple[Protocol, ...]


class RowSpec(Spec):
    """A row that no axis gives: a ``baseline`` without training, or a run with ``settings`` of its own.

    ``labels`` say which row of the paper it stands for, and what it is compared with (default: all that it sets).
    """

    name: str
    baseline: str | None = None
    settings: Settings = Field(default_factory=dict)
    labels: dict[str, str] | None = None


class SmallSpec(Spec):
    """What the small size of an experiment has instead."""

    seeds: int | None = Field(None, ge=1)
    protocols: Protocols | None = None
    settings: Settings = Field(default_factory=dict)
    axes: Axes = Field(default_factory=dict)


class ExperimentSpec(Spec):
    """One experiment, as its TOML file says it; unknown keys are errors that name the nearest one.

    ``axes`` {dotted key of a `RunSpec`: values} span the grid, in this order; ``rows`` come besides. ``settings`` are those of
    every run. The keys in ``seeded`` get each run's seed too. ``layout`` names how tables and figures show it, ``reference`` the
    row that others are held against where no model of the row says that.
    """

    title: str
    layout: Literal["table1", "table2", "table3", "table4", "table5", "figure5", "plain"] = "plain"
    seeds: int = Field(3, ge=1, description="seeds 0, 1, ... of each row")
    seeded: tuple[str, ...] = ("semantics.seed",)
    protocols: Protocols = Field(("paper", "full"), min_length=1)
    measures: tuple[Literal["stability", "cost"], ...] = ()
    settings: Settings = Field(default_factory=dict)
    axes: Axes = Field(default_factory=dict)
    rows: tuple[RowSpec, ...] = ()
    reference: str | None = None
    small: SmallSpec = SmallSpec()

    def sized(self, *, small: bool) -> Self:
        """Return the experiment at its small size, or as it is."""
        if not small:
            return self
        small_settings = merge(nested(self.settings), nested(self.small.settings))
        return self.model_copy(update={
            "axes": {**self.axes, **self.small.axes}, "settings": small_settings, "seeds": self.small.seeds or self.seeds,
            "protocols": self.small.protocols or self.protocols,
        })  # fmt: skip


@final
@dataclass(frozen=True)
class Row:
    """One row of an experiment: its ``name``, its ``labels`` on the axes, and what makes its runs."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    baseline: str | None = None


@final
@dataclass(frozen=True)
class Cell:
    """One row with one seed. A baseline has no ``spec``: nothing of it is trained; it reads ``length`` items of a history."""

    row: str
    seed: int
    data: str
    spec: RunSpec | None
    baseline: str | None = None
    length: int = LENGTH

    @property
    def key(self) -> str:
        """Return the hash that names its result: of the specification, or of the baseline and the data."""
        if self.spec is not None:
            return self.spec.digest()
        named = {"baseline": self.baseline, "data": self.data, **({"length": self.length} if self.length != LENGTH else {})}
        text = json.dumps(named, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def shipped() -> dict[str, Path]:
    """Return the experiments that come with the package, by name.

    >>> list(shipped())[:2]
    ['figure5', 'table1']
    """
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def read_experiment(name: str) -> ExperimentSpec:
    """Read an experiment: a TOML file, or a shipped one by name, with ``-small`` after it for its small size.

    Raises `StorageError` for a file that is not there and `UsageError` for one that says nothing sensible.

    >>> read_experiment("table1").seeds, read_experiment("table1-small").seeds
    (5, 1)
    """
    known = shipped()
    small = name.endswith(SMALL) and name.removesuffix(SMALL) in known
    path = known.get(name.removesuffix(SMALL) if small else name, Path(name))
    if not path.is_file():
        names = [*known, *(each + SMALL for each in known)]
        raise StorageError(f"{name}: no such file, and no shipped experiment{nearest(name, names)}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML ({error})") from None
    try:
        json.dumps(values)
        return ExperimentSpec.parse(values).sized(small=small)
    except TypeError as error:
        raise UsageError(f"{path}: no setting takes a date or a time ({error}); write text in quotes") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def rows_of(experiment: ExperimentSpec, data: PreparedData) -> list[Row]:
    """Return the rows: the grid in the order of its axes, the last one fastest, then those that are listed.

    Raises `UsageError` for two rows of one name, a baseline that is unknown or has settings, and a grid that is far too large.
    """
    axes = {key: values_of(key, values, data) for key, values in experiment.axes.items()}
    if (count := prod(map(len, axes.values())) * experiment.seeds) > MANY:
        raise UsageError(f"{experiment.title}: has {count:,} cells; give fewer values or seeds, {MANY:,} at most")
    rows = []
    for values in product(*axes.values()) if axes else ():
        labels = {key: label(value) for key, value in zip(axes, values, strict=True)}
        settings: dict[str, Any] = {}
        for key, value in zip(axes, values, strict=True):
            settings = merge(settings, assignment(f"{key}={json.dumps(value)}"))
        rows.append(Row(name_of(labels), labels, settings))
    for extra in experiment.rows:
        if extra.baseline is not None and extra.baseline not in BASELINES:
            raise UsageError(f"row {extra.name!r}: baseline {extra.baseline!r} is unknown{nearest(extra.baseline, BASELINES)}")
        if extra.baseline is not None and extra.settings:
            raise UsageError(
                f"row {extra.name!r}: a baseline has no settings ({', '.join(flat(extra.settings))}); leave them out"
            )
        rows.append(Row(extra.name, labels_of(extra), nested(extra.settings), extra.baseline))
    names = [row.name for row in rows]
    if any(len(name.splitlines()) != 1 or not name.strip() for name in names):
        raise UsageError(f"{experiment.title}: a row's name is empty or has several lines; give it one line of text")
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two rows are called {sorted(twice)[0]!r}; give each its own name")
    if not rows:
        raise UsageError(f"{experiment.title}: has no rows; give axes or rows")
    if experiment.reference is not None and experiment.reference not in names:
        raise UsageError(f"reference {experiment.reference!r} is no row{nearest(experiment.reference, names)}")
    if experiment.layout == "figure5":
        check_places(rows)
    return rows


def check_places(rows: Sequence[Row]) -> None:
    """Raise `UsageError` unless λ and T of each row that has both are numbers, and no other row's: one would hide the other."""
    places: dict[tuple[float, float], str] = {}
    for row in rows:
        try:
            place = (float(row.labels["train.penalty"]), float(row.labels["model.clip"]))
        except KeyError:
            continue
        except ValueError:
            raise UsageError(f"row {row.name!r}: layout figure5 needs numbers for train.penalty and model.clip") from None
        if (other := places.setdefault(place, row.name)) != row.name:
            raise UsageError(
                f"rows {other!r} and {row.name!r} have one place in figure5; leave other axes out, or take layout plain"
            )


def values_of(key: str, values: Sequence[Any] | str, data: PreparedData) -> list[Any]:
    """Return the values of an axis, *subsets* written out for this data."""
    if values != SUBSETS:
        return list(values)
    if key != "semantics.modalities":
        raise UsageError(f"axis {key}: only semantics.modalities has {SUBSETS!r}; list the values")
    names = kinds(available(data))
    return [list(subset) for size in range(1, len(names) + 1) for subset in combinations(names, size)]


def kinds(names: Sequence[str]) -> list[str]:
    """Return Table 3's modalities among those of some data: item ids, pictures and text, in whatever form it has them.

    >>> kinds(["brand", "text", "text_tokens", "image_tokens", "id"])
    ['id', 'image_tokens', 'text']
    """
    of_kind = {kind: [name for name in names if name == kind or name.startswith(f"{kind}_")] for kind in ("id", "image", "text")}
    return [kind if kind in found else found[0] for kind, found in of_kind.items() if found]


def label(value: Any) -> str:
    """Write a value of an axis.

    >>> label(["id", "text"]), label(0.01), label("sasrec")
    ('id + text', '0.01', 'sasrec')
    """
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


def name_of(labels: Mapping[str, str]) -> str:
    """Name a row by its labels: those that speak for themselves alone, numbers with their key.

    >>> name_of({"model.backbone": "sasrec", "model.clip": "0.1"})
    'sasrec · clip 0.1'
    """
    return " · ".join(f"{key.split('.')[-1]} {text}" if text[:1].isdigit() else text for key, text in labels.items())


def labels_of(row: RowSpec) -> dict[str, str]:
    """Return the labels of a listed row: the given ones, or what it sets."""
    return row.labels if row.labels is not None else {key: label(value) for key, value in flat(nested(row.settings)).items()}


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return settings by dotted key.

    >>> flat({"model": {"name": "spg", "codebook": {"mlp": False}}})
    {'model.name': 'spg', 'model.codebook.mlp': False}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings nested, whether a file wrote ``"model.name" = "spg"`` or tables.

    >>> nested({"model.name": "spg", "train": {"epochs": 2}})
    {'model': {'name': 'spg'}, 'train': {'epochs': 2}}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found = merge(found, assignment(f"{key}={json.dumps(value)}"))
    return found


def cells_of(experiment: ExperimentSpec, rows: Sequence[Row], data: PreparedData, settings: Mapping[str, Any]) -> list[Cell]:
    """Return every cell, all rows of a seed before the next seed; `settings` are laid over the experiment's own.

    A baseline reads as much of a history as the settings of all runs say.

    Raises `UsageError` for settings that the grid varies itself, that each run's seed or the data decides (they would be
    overwritten, and rows that look different be the same), or that no `RunSpec` has.
    """
    data.rows("test")
    decided = {**dict.fromkeys((*experiment.seeded, "seed"), "the seed of each run"), **dict.fromkeys(OF_THE_DATA, "the data")}
    for key in (*experiment.axes, *experiment.seeded, "seed"):
        if found(settings, key) is not None:
            raise UsageError(f"--set {key}: is what this experiment varies; leave it out")
    common = merge(nested(experiment.settings), settings)
    length = run_spec(data, model=None, backbone=None, seed=0, epochs=None, settings=common).model.length
    cells = []
    for seed in range(experiment.seeds):
        for row in rows:
            if row.baseline is not None:
                cells += [Cell(row.name, 0, data.fingerprint, None, row.baseline, length)] if seed == 0 else []
                continue
            own = merge(common, row.settings)
            for key, by in decided.items():
                if found(own, key) is not None:
                    raise UsageError(f"row {row.name!r} sets {key}, but {by} says that; leave it out")
            for key in experiment.seeded:
                own = merge(own, assignment(f"{key}={seed}"))
            spec = run_spec(data, model=None, backbone=None, seed=seed, epochs=None, settings=own)
            cells.append(Cell(row.name, seed, data.fingerprint, spec))
    return cells


def found(settings: Mapping[str, Any], key: str) -> Any:
    """Return what nested settings say of a dotted key, None if nothing."""
    group: Any = settings
    for part in key.split("."):
        group = group.get(part) if isinstance(group, Mapping) else None
    return group
