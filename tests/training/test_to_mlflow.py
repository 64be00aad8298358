"""MLflow's own client finds in its store what history.jsonl says, each point once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import Interrupted, StorageError
from solidrec.json_files import read_json
from solidrec.settings import flat
from solidrec.spec import RunSpec
from solidrec.training.display import Display
from solidrec.training.run import train_run
from solidrec.training.to_mlflow import _EXPERIMENT, _FILE, MlflowStore, _ours
from solidrec.training.tracking import _points


def test_the_metrics_are_the_log_after_a_stop_too(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    stop: Display,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    spec = spec_of("static")
    call = partial(train_run, data, spec, tmp_path / "run", track=["mlflow"])
    with pytest.raises(Interrupted):
        call(display=stop)
    with _ours():
        from mlflow import MlflowClient

        client = MlflowClient(uri)
        (experiment,) = [e for e in client.search_experiments() if e.name == _EXPERIMENT]
        assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == [
            "KILLED"
        ]
        run = call()
        (found,) = client.search_runs([experiment.experiment_id])
        assert (found.info.status, found.info.run_name) == ("FINISHED", spec.digest())
        assert found.info.run_id == read_json(run.path / _FILE)["run"]
        assert found.data.params == {
            name: str(value) for name, value in flat(spec.model_dump(mode="json")).items()
        }
        history = {
            name: [
                (point.step, point.value)
                for point in client.get_metric_history(found.info.run_id, name)
            ]
            for name in found.data.metrics
        }
        wanted: dict[str, list[tuple[int, float]]] = {}
        for row in run.history:
            for name, value in _points(row).items():
                wanted.setdefault(name.replace("@", "_at_"), []).append((row["epoch"], value))
        clock = ("seconds", "positives_per_second")
        for name, values in wanted.items():
            steps = [step for step, _ in values]
            assert [step for step, _ in history[name]] == steps
            assert name.endswith(clock) or history[name] == values
        assert history["final/test/NDCG_at_10"] == [(0, run.metrics["test"]["metrics"]["NDCG@10"])]
        assert history.keys() == wanted.keys() | {
            f"final/{split}/{name.replace('@', '_at_')}"
            for split, entry in run.metrics.items()
            for name in entry["metrics"]
        }

        client.delete_run(found.info.run_id)
        assert (
            MlflowStore(run.path, spec).run != found.info.run_id
        )  # removed by somebody: a new one


def test_a_store_that_cannot_be_reached_is_one_line(
    spec_of: Callable[..., RunSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/mlruns")
    with pytest.raises(StorageError, match=r"^MLflow refused \(.*\); see MLFLOW_TRACKING_URI$"):
        MlflowStore(tmp_path, spec_of())
