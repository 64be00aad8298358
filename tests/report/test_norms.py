from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from solidrec.nn.histories import Histories
from solidrec.report.material import Material
from solidrec.report.norms import _slot_norms, norms


def test_norms_are_those_of_each_users_own_weights(of: Material) -> None:
    run = of.runs["solid-duet"]
    assert of.data is not None
    found = _slot_norms(run, of.data)
    assert [one.slot for one in found] == list(run.model.head.slots)
    rows = of.data.rows("test")
    assert len(rows) < 256  # so every user counts
    lengths = []
    for history in of.data.histories(
        rows.users, rows.positions, run.spec.model.history_length
    ).astype(np.int64):
        with torch.inference_mode():
            one = torch.from_numpy(history)[None]
            trunk, branch = (
                part(Histories.of(one, run.model.items(one))).weights.tensors
                for part in run.model.source.children()
            )
        lengths.append((float(trunk["weight0"].norm()), float(branch["weight0"].norm())))
        assert float(branch["weight0"].abs().max()) <= 0.01 + 1e-9
    assert (found[0].trunk, found[0].branch) == pytest.approx(
        tuple(np.mean(lengths, axis=0)), rel=1e-4
    )
    assert found[0].limit == pytest.approx(0.01 * 8)
    assert found[0].branch <= found[0].limit


def test_the_table_has_the_rows_with_trunk_and_branch_and_needs_the_data(of: Material) -> None:
    text = str(norms(of).tables[0].grids)
    assert "solid-duet" in text
    assert "weight1" in text
    assert "static" not in text
    assert not norms(replace(of, data=None))
