"""Item embeddings that start from content."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.spec import RunSpec
from solidrec.training.stages import start_of_stage


def test_embeddings_may_start_from_content(data: PreparedData, spec_of: Callable[..., RunSpec]) -> None:
    """Items of a kind start near each other, at the size of a random start, and the rest of the model as it would."""
    plain, rich = (
        start_of_stage(data, spec_of("static", model={"start": start}), None, None, stage=1, device="cpu")
        for start in ("random", "content")
    )
    table = rich.items.weight.detach().numpy()
    assert not table[0].any()
    assert table[1:].std() == pytest.approx(0.1, rel=0.05)
    unit = table[1:] / np.linalg.norm(table[1:], axis=1, keepdims=True)
    same = np.arange(40)[:, None] // 5 == np.arange(40) // 5
    assert (unit @ unit.T)[same].mean() > 0.8
    assert abs((unit @ unit.T)[~same].mean()) < 0.25
    others = {name: tensor for name, tensor in plain.state_dict().items() if name != "items.weight"}
    assert all(torch.equal(rich.state_dict()[name], tensor) for name, tensor in others.items())


def test_without_content_there_is_nothing_to_start_from(ids_alone: PreparedData, spec_of: Callable[..., RunSpec]) -> None:
    with pytest.raises(UsageError, match=r"model.start=content: the items of .* have no titles, categories or features"):
        start_of_stage(ids_alone, spec_of("static", of=ids_alone, model={"start": "content"}), None, None, stage=1, device="cpu")
