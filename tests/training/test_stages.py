"""How a stage of Algorithm 1 begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.nn.codebook import Codebook, NearestCodebook, SemanticCodebook
from solidrec.nn.sources import Trunk
from solidrec.semantics import fuse as fusing
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import kmeans
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


def test_stage_2_starts_on_the_weights_of_stage_1_with_the_metacode_as_codes(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
) -> None:
    spec = spec_of(model={"codebook": {"find": "nearest"}})
    semantics = cached_semantics(data, spec, no_training, say=lambda line: None)
    first = start_of_stage(data, spec, semantics, None, stage=1, device="cpu")
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(0.01)
    second = start_of_stage(data, spec, semantics, first, stage=2, device="cpu")
    before, after = first.state_dict(), second.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    codebook = next(module for module in second.modules() if isinstance(module, Codebook))
    trunk = next(module for module in second.modules() if isinstance(module, Trunk))
    assert torch.equal(codebook.code_vectors, trunk.semantics.weight[1:])
    assert codebook.mlp is not None
    assert codebook.mlp(torch.randn(5, 8)).count_nonzero() == 0
    codebook.place(torch.arange(0), torch.zeros(0, 8))
    codebook.code_vectors = torch.nn.Parameter(
        second.items.weight[1:].detach().clone()
    )  # a codebook of all embeddings: a no-op
    history, candidates = torch.tensor([[3, 9, 0], [40, 1, 2]]), torch.tensor([[1, 2, 3, 4]])
    scores = [model.eval()(history, candidates).logits for model in (first, second)]
    assert torch.allclose(*scores, atol=1e-6)


def test_without_a_trunk_codes_start_from_k_means_over_the_item_table(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
) -> None:
    spec = spec_of("duet-codebook", model={"codebook": {"find": "nearest"}})
    semantics = cached_semantics(data, spec, no_training, say=lambda line: None)
    first = start_of_stage(data, spec, semantics, None, stage=1, device="cpu")
    second = start_of_stage(data, spec, semantics, first, stage=2, device="cpu")
    table = first.items.weight[1:].detach().numpy()
    codebook = next(module for module in second.modules() if isinstance(module, Codebook))
    assert np.array_equal(
        codebook.code_vectors.detach().numpy(),
        kmeans(fusing.whole(table), 10, seed=spec.seed).centroids,
    )


@pytest.mark.parametrize("name", ["solid-duet", "duet-codebook"])
def test_codes_of_semantic_ids_start_from_the_metacode_or_the_mean_of_their_items(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
    name: str,
) -> None:
    """With two levels of ids the first one's have codes."""
    for levels in (1, 2):
        spec = spec_of(name, semantics={"levels": levels})
        semantics = cached_semantics(data, spec, no_training, say=lambda line: None)
        first = start_of_stage(data, spec, semantics, None, stage=1, device="cpu")
        second = start_of_stage(data, spec, semantics, first, stage=2, device="cpu")
        codebook = next(module for module in second.modules() if isinstance(module, Codebook))
        assert codebook.code_vectors.shape == (semantics.count, spec.model.dim)
        trunk = next((module for module in second.modules() if isinstance(module, Trunk)), None)
        for semantic, code in enumerate(codebook.code_vectors.detach(), start=1):
            items = second.items.weight.detach()[semantics.members(semantic)]
            torch.testing.assert_close(
                code, items.mean(0) if trunk is None else trunk.semantics.weight.detach()[semantic]
            )
