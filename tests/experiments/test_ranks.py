"""Ranks that are kept are those that the metrics were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.experiments.plan import Plan
from solidrec.experiments.ranks import _ranks_of, write_ranks
from solidrec.experiments.results import Results


def test_every_cells_metric_can_be_computed_again(
    measured_experiment: Path, tmp_path: Path
) -> None:
    """From ranks alone, up to ties: one target at rank r <= 10 has NDCG@10 of 1 / log2(r + 1)."""
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    measured = {protocol: results.measured(plan, protocol) for protocol in plan.protocols}
    paths = write_ranks(tmp_path, measured)
    assert [path.name for path in paths] == [
        f"ranks-{protocol}.parquet" for protocol in plan.protocols
    ]
    for path, rows in zip(paths, measured.values(), strict=True):
        frame = pl.read_parquet(path)
        assert frame.columns == [
            "user_index",
            *(f"{row.name} · seed {seed}" for row in rows for seed in row.seeds),
        ]
        for row in rows:
            if row.deterministic:
                continue  # a baseline's ties are taken by expectation, and have no rank
            for seed, ndcg in zip(row.seeds, row.per_user["NDCG@10"], strict=True):
                place = frame[f"{row.name} · seed {seed}"].to_numpy().astype(float)
                expected = np.where(
                    (place > 0) & (place <= 10), 1 / np.log2(np.maximum(place, 1) + 1), 0
                )
                assert expected.mean() == pytest.approx(ndcg.mean(), abs=1e-9)
                assert expected.any()


def test_protocols_without_a_finished_cell_write_nothing(tmp_path: Path) -> None:
    assert write_ranks(tmp_path, {"full": []}) == []


def test_users_are_those_of_the_rows(measured_experiment: Path) -> None:
    plan = Plan.load(measured_experiment)
    rows = Results(measured_experiment).measured(plan, "full")
    assert _ranks_of(rows)["user_index"].to_list() == rows[0].users.tolist()
