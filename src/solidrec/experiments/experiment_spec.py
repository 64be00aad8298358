"""The specification of an experiment: a grid of runs, read from a TOML file and checked."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field

from solidrec.errors import StorageError, UsageError, nearest
from solidrec.evaluate.runner import Protocol
from solidrec.migrations import keyed
from solidrec.settings import flat, merge, nested
from solidrec.spec_base import Spec

_SHIPPED = Path(__file__).parent / "shipped"
_SMALL = "-small"
SUBSETS = "subsets"
"""Value of an axis ``semantics.modalities``: every non-empty subset of the data's modalities."""

_Settings = Annotated[
    dict[str, Any],
    BeforeValidator(lambda given: nested(given) if isinstance(given, dict) else given),
]
_Keyed = BeforeValidator(lambda given: keyed(flat(given)) if isinstance(given, dict) else given)
_Axes = Annotated[dict[str, list[Any] | Literal["subsets"]], _Keyed]
_Protocols = tuple[Protocol, ...]


class RowSpec(Spec):
    """A row outside the axes: a ``baseline`` without training, or a run with its own ``settings``.

    With several ``trials`` the settings of a baseline are chosen on validation users
    (`evaluate.tune`); with one it has its defaults.

    ``labels`` say which row of the paper it stands for, and what it is compared with (default: all
    of its settings).
    """

    name: str
    baseline: str | None = None
    trials: int = Field(
        1, ge=1, description="settings of a baseline that are tried on validation users"
    )
    settings: _Settings = Field(default_factory=dict)
    labels: Annotated[dict[str, str] | None, _Keyed] = None


class _SmallSpec(Spec):
    """What the small size of an experiment has instead."""

    seeds: int | None = Field(None, ge=1)
    protocols: _Protocols | None = None
    settings: _Settings = Field(default_factory=dict)
    axes: _Axes = Field(default_factory=dict)


class ExperimentSpec(Spec):
    """One experiment, as in its TOML file; the error for an unknown key names the nearest one.

    ``axes`` {dotted key of a `RunSpec`: values} span the grid, in this order; ``rows`` are added to
    it. ``settings`` apply to every run. The keys in ``seeded`` get each run's seed too. ``layout``
    says how tables and figures show it, ``reference`` is the row that others are compared with
    where no model of the row decides that.
    """

    title: str
    layout: Literal["table1", "table2", "table3", "table4", "table5", "figure5", "plain"] = "plain"
    seeds: int = Field(3, ge=1, description="how many seeds each row has")
    first_seed: int = Field(0, ge=0, description="the first of them; the others follow it")
    seeded: tuple[str, ...] = ("semantics.seed",)
    protocols: _Protocols = Field(("paper", "full"), min_length=1)
    measures: tuple[Literal["stability", "cost", "few-events"], ...] = ()
    settings: _Settings = Field(default_factory=dict)
    axes: _Axes = Field(default_factory=dict)
    rows: tuple[RowSpec, ...] = ()
    reference: str | None = None
    small: _SmallSpec = _SmallSpec()

    def sized(self, *, small: bool) -> Self:
        """Return the experiment at its small size, or unchanged."""
        if not small:
            return self
        return self.model_copy(
            update={
                "axes": {**self.axes, **self.small.axes},
                "settings": merge(self.settings, self.small.settings),
                "seeds": self.small.seeds or self.seeds,
                "protocols": self.small.protocols or self.protocols,
            }
        )


def shipped() -> dict[str, Path]:
    """Return the files of the experiments that come with the package, by name.

    >>> "mixture" in shipped()
    True
    """
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.toml"))}


def read_experiment(name: str) -> ExperimentSpec:
    """Read a TOML file, or a shipped experiment by name, with ``-small`` for its small size.

    Raises `StorageError` if there is no such file and `UsageError` if it is no valid experiment.

    >>> read_experiment("table1").seeds, read_experiment("table1-small").seeds
    (5, 1)
    """
    known = shipped()
    small = name.endswith(_SMALL) and name.removesuffix(_SMALL) in known
    path = known.get(name.removesuffix(_SMALL) if small else name, Path(name))
    if not path.is_file():
        names = [*known, *(each + _SMALL for each in known)]
        raise StorageError(f"{name}: no such file, and no shipped experiment{nearest(name, names)}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML ({error})") from None
    try:
        json.dumps(values)
        return ExperimentSpec.parse(values).sized(small=small)
    except TypeError as error:
        raise UsageError(
            f"{path}: no setting takes a date or a time ({error}); write text in quotes"
        ) from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
