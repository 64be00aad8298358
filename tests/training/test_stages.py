"""How a stage of Algorithm 1 begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.nn.codebook import Codebook, NearestCodebook, SemanticCodebook
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import RunSpec
from solidrec.training.loop import codebook_of
from solidrec.training.semantics import cached_semantics
from solidrec.training.stages import start_of_stage


@pytest.fixture
def semantics(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
) -> SemanticIds:
    return cached_semantics(data, spec_of(), no_training)


def codebook(data: PreparedData, spec: RunSpec, semantics: SemanticIds) -> Codebook:
    model = start_of_stage(data, spec, semantics, None, stage=2, device="cpu")
    found = codebook_of(model)
    assert found is not None
    return found


def test_an_item_counts_once_in_the_loss_however_often_it_was_trained_on(
    data: PreparedData, spec_of: Callable[..., RunSpec], semantics: SemanticIds
) -> None:
    found = codebook(data, spec_of(model={"codebook": {"schedule": "joint"}}), semantics)
    assert isinstance(found, SemanticCodebook)
    assert found.item_weight is not None
    seen = [0] * (1 + len(data.items))
    for begin, end in zip(data.offsets[:-1], data.train_end, strict=True):
        for item in data.event_items[begin:end].tolist():
            seen[item] += 1
    assert max(seen) > 1
    np.testing.assert_allclose(
        found.item_weight.numpy(), [1 / max(count, 1) for count in seen], rtol=1e-6
    )


def test_codes_that_are_searched_count_every_event(
    data: PreparedData, spec_of: Callable[..., RunSpec], semantics: SemanticIds
) -> None:
    spec = spec_of(model={"codebook": {"schedule": "joint", "find": "nearest"}})
    assert isinstance(codebook(data, spec, semantics), NearestCodebook)
