"""A search over settings, in which each trial is judged on validation users alone.

Trial 0 has the settings that the search starts from. Each later trial is a function of the seed,
its number and the trials before it. ``trials.jsonl`` is the only memory, so a search that was
killed and resumed finds the same. Poor trainings end by their own patience, without a pruner.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

from solidrec.console import console, counted, say
from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec
from solidrec.disk import write_file
from solidrec.errors import (
    DamagedError,
    DivergedError,
    IncompatibleError,
    Interrupted,
    StorageError,
    UsageError,
)
from solidrec.json_files import parse_json, read_json, sealed, unsealed, write_json
from solidrec.locks import locked, stoppable
from solidrec.migrations import keyed
from solidrec.overwrite import is_empty
from solidrec.run_state import filled
from solidrec.search.findings import Trial, best_of, finding, line, write_best
from solidrec.search.read import space_of
from solidrec.search.space import Settings, Space, value_at, varied
from solidrec.search.trial import Outcome, train_trial
from solidrec.semantics.modalities.needs import need
from solidrec.settings import difference
from solidrec.spec import RunSpec
from solidrec.workers import workers

SEARCH, TRIALS = "search.json", "trials.jsonl"
_ATTEMPTS = 20
"""Proposals of known settings after which the rest of a small space is tried in order."""
_SMALL = 10_000


def run_search(
    path: Path,
    out: Path,
    *,
    space: Mapping[str, Any],
    trials: int = 12,
    model: str | None = None,
    backbone: str | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """Train `trials` variants of a specification and write the best settings to ``best.toml``.

    Each dotted key of `space` has a list of values or a range ``{low, high, step, log}``. Trials
    are judged by the validation metric `train.select` of their last stage; the test split is never
    opened. The same call resumes a search that was stopped. Returns the findings. Raises
    `UsageError` for a space that does not fit, before anything trains, and `IncompatibleError` for
    a folder of another search.
    """
    need("search", "optuna")
    data = PreparedData.open(path)
    data.rows("valid")  # raises an error with advice if there are none
    base = run_spec(data, model=model, backbone=backbone, seed=seed, epochs=None, settings=settings)
    search = _Search(data, base, space_of(space, base), out)
    asked = {"spec": base.model_dump(mode="json"), "space": keyed(space)}
    _claim(out, asked)
    with locked(out, doing="runs this search"), stoppable():
        write_json(out / SEARCH, asked)
        try:
            search.run(trials, jobs)
        except (KeyboardInterrupt, BrokenProcessPool):
            # The pool breaks when a worker was killed, for example for lack of memory.
            raise Interrupted(
                f"{out}: stopped; run the same command again to go on, finished trials are kept"
            ) from None
    return search.result()


def _claim(out: Path, asked: Mapping[str, Any]) -> None:
    """Refuse a folder with other content; a search without a finished trial may be replaced."""
    if (out / SEARCH).is_file():
        found = read_json(out / SEARCH)
        try:
            there = {"spec": filled(found["spec"]), "space": keyed(found["space"])}
        except (TypeError, KeyError, AttributeError) as error:
            raise DamagedError(
                f"{out / SEARCH}: is not as it was written ({error!r}); choose another --out"
            ) from None
        if there != asked and (out / TRIALS).is_file():
            raise IncompatibleError(
                f"{out}: holds another search ({difference(there, dict(asked))}); "
                "choose another --out"
            )
    elif out.exists() and not (out.is_dir() and is_empty(out)):
        raise StorageError(f"{out}: exists and is no folder of a search; choose another --out")


@final
class _Search:
    """The trials of one search: finished ones, on disk after each, and those in training."""

    def __init__(self, data: PreparedData, base: RunSpec, space: Space, out: Path) -> None:
        self.data, self.base, self.space, self.out = data, base, space, out
        self.done: dict[int, Trial] = {}

    def run(self, trials: int, jobs: int) -> None:
        """Train until `trials` trials are finished or nothing is left to try."""
        self.done = {trial.number: trial for trial in _read_trials(self.out / TRIALS)}
        if self.done:
            say(f"{self.out}: goes on, {len(self.done)} of {trials} trials are finished")
        running: dict[Future[Outcome], tuple[int, Settings]] = {}
        with counted(console, "trials", trials, shown=True) as step, workers(jobs) as pool:
            step(min(len(self.done), trials))
            while True:
                for number in self.free(range(trials), running.values()):
                    settings = (
                        self.propose(number, running.values()) if len(running) < jobs else None
                    )
                    if settings is None:
                        break
                    running[self.submit(pool, settings, inline=jobs == 1)] = number, settings
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self.finish(*running.pop(future), future.result())
                    step(1)
        if len(self.done) < trials:
            say(f"nothing new to try: the space ends after {len(self.done)} trials")

    @property
    def finished(self) -> list[Trial]:
        """The finished trials in their order."""
        return [trial for _, trial in sorted(self.done.items())]

    def free(self, numbers: Iterable[int], running: Iterable[tuple[int, Settings]]) -> list[int]:
        """Return the numbers of trials that are neither finished nor in training."""
        taken = self.done.keys() | {number for number, _ in running}
        return [number for number in numbers if number not in taken]

    def propose(self, number: int, running: Iterable[tuple[int, Settings]]) -> Settings | None:
        """Return the settings of trial `number`, None if all were tried.

        Trial 0 has the settings that the search starts from.
        """
        if number == 0:
            return {key: value_at(self.base, key) for key in self.space.keys}
        seen: list[tuple[Settings, float | None]] = [
            *((trial.settings, trial.score) for trial in self.finished),
            *((settings, None) for _, settings in running),
        ]
        taken = {varied(self.base, settings).digest() for settings, _ in seen}
        for attempt in range(_ATTEMPTS):
            settings = self.space.next(seen, seed=self.base.seed, number=number, attempt=attempt)
            if varied(self.base, settings).digest() not in taken:
                return settings
        rest = self.space.points() if self.space.size() <= _SMALL else iter(())
        fresh = (point for point in rest if varied(self.base, point).digest() not in taken)
        return next(fresh, None)

    def submit(self, pool: Executor, settings: Settings, *, inline: bool) -> Future[Outcome]:
        """Start a trial, or resume it, in a folder named by its specification."""
        spec = varied(self.base, settings)
        data = self.data if inline else self.data.path
        return pool.submit(train_trial, data, spec, self.out / "trials" / spec.digest())

    def finish(self, number: int, settings: Settings, outcome: Outcome) -> None:
        """Keep the outcome of a trial and report it."""
        if number == 0 and outcome.unfit:
            raise UsageError(outcome.error or "")
        digest = varied(self.base, settings).digest()
        self.done[number] = Trial(number, settings, digest, **outcome.plain())
        rows = (sealed(asdict(trial)) for trial in self.finished)
        lines = (json.dumps(row, allow_nan=False) + "\n" for row in rows)
        text = "".join(lines)
        write_file(
            self.out / TRIALS, lambda temporary: temporary.write_text(text, encoding="utf-8")
        )
        say(line(self.done[number], self.done.values()))

    def result(self) -> dict[str, Any]:
        """Write ``best.toml`` and return findings; raises `DivergedError` if all trials failed."""
        trials = self.finished
        best = best_of(trials)
        if best.error:
            raise DivergedError(
                f"{self.out}: no trial could be measured; the first: {trials[0].error}"
            )
        text = finding(trials)
        write_best(self.out, varied(self.base, best.settings), text)
        return {
            "finding": text,
            "best": asdict(best),
            "default": asdict(trials[0]),
            "trials": [asdict(trial) for trial in trials],
            "data": self.data.fingerprint,
            "split": "valid",
        }


def _read_trials(path: Path) -> list[Trial]:
    """Read the trials of an earlier call."""
    if not path.is_file():
        return []
    try:
        found = [unsealed(parse_json(text)) for text in path.read_bytes().splitlines()]
        return [Trial(**trial | {"settings": keyed(trial["settings"])}) for trial in found]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(
            f"{path}: is not as it was written ({error}); restore it, or remove it to search anew"
        ) from error
