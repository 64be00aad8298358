"""Points of a run as metrics of an MLflow run (MLFLOW_TRACKING_URI, else a local ``mlflow.db``)."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import final

from solidrec.errors import StorageError
from solidrec.json_files import read_json, write_json
from solidrec.settings import flat
from solidrec.spec import RunSpec

_FILE = "mlflow.json"
"""File in the run folder that names its MLflow run."""
_EXPERIMENT = "solidrec"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""Defaults of environment variables: no telemetry, few retries of a server that is away."""


@final
class MlflowStore:
    """An MLflow run, named by the specification's digest, with the specification as parameters."""

    def __init__(self, out: Path, spec: RunSpec) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        with _ours():
            from mlflow import MlflowClient, get_tracking_uri
            from mlflow.entities import Param

            self.uri = get_tracking_uri()
            self.client = MlflowClient(self.uri)
            self.run = self.earlier(out, spec) or self.new(out, spec)
            params = [
                Param(name, str(value))
                for name, value in flat(spec.model_dump(mode="json")).items()
            ]
            self.client.log_batch(self.run, params=params)

    def earlier(self, out: Path, spec: RunSpec) -> str | None:
        """Return the MLflow run of an earlier call for this folder and specification, restarted."""
        from mlflow.exceptions import MlflowException

        known = read_json(out / _FILE) if (out / _FILE).is_file() else {}
        if (known.get("digest"), known.get("uri")) != (spec.digest(), self.uri):
            return None
        try:
            self.client.update_run(known["run"], status="RUNNING")
        except MlflowException:
            return None  # The MLflow run was deleted.
        return str(known["run"])

    def new(self, out: Path, spec: RunSpec) -> str:
        """Create an MLflow run and save its id in the run folder."""
        tags = {"solidrec.folder": str(out.resolve()), "solidrec.data": spec.data}
        run = self.client.create_run(
            self.experiment(), run_name=spec.digest(), tags=tags
        ).info.run_id
        write_json(out / _FILE, {"digest": spec.digest(), "uri": self.uri, "run": run})
        return str(run)

    def experiment(self) -> str:
        """Return the id of the experiment, created if it is missing."""
        from mlflow.exceptions import MlflowException

        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
        found = self.client.get_experiment_by_name(name)
        try:
            return str(found.experiment_id if found else self.client.create_experiment(name))
        except MlflowException:
            found = self.client.get_experiment_by_name(name)
            # Another training may have created the experiment at the same time.
            if found is None:
                raise
            return str(found.experiment_id)

    def written(self) -> set[tuple[str, int]]:
        """Return the points of the MLflow run, under this library's names."""
        with _ours():
            names = self.client.get_run(self.run).data.metrics
            return {
                (name.replace("_at_", "@"), point.step)
                for name in names
                for point in self.client.get_metric_history(self.run, name)
            }

    def write(self, values: Mapping[str, float], epoch: int) -> None:
        """Add the metrics of an epoch in one call; MLflow has no @ in names."""
        with _ours():
            from mlflow.entities import Metric

            now = int(time.time() * 1000)
            metrics = [
                Metric(name.replace("@", "_at_"), float(value), now, epoch)
                for name, value in values.items()
            ]
            self.client.log_batch(self.run, metrics=metrics)

    def close(self, *, complete: bool) -> None:
        """Record how the run ended."""
        with _ours():
            self.client.set_terminated(self.run, status="FINISHED" if complete else "KILLED")


@contextmanager
def _ours() -> Iterator[None]:
    """Turn MLflow's errors into `StorageError`, and hide a warning about MLflow's own code."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="The ``noload`` loader strategy", category=DeprecationWarning
        )
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, OSError) as error:
            text = (str(error).splitlines() or [type(error).__name__])[0]
            raise StorageError(f"MLflow refused ({text}); see MLFLOW_TRACKING_URI") from error
