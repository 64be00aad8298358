"""Item embeddings that start from content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.spec import RunSpec
from solidrec.training.content_start import _some_scores, content_map
from solidrec.training.stages import start_of_stage


def test_embeddings_may_start_from_content(
    data: PreparedData, spec_of: Callable[..., RunSpec]
) -> None:
    """Items of a kind start close, at a random start's size; the rest of the model is the same."""
    plain, rich = (
        start_of_stage(
            data, spec_of("static", model={"start": start}), None, None, stage=1, device="cpu"
        )
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


def test_without_content_there_is_nothing_to_start_from(
    ids_alone: PreparedData, spec_of: Callable[..., RunSpec]
) -> None:
    with pytest.raises(
        UsageError,
        match=r"model.start=content: the items of .* have no titles, categories or features",
    ):
        start_of_stage(
            ids_alone,
            spec_of("static", of=ids_alone, model={"start": "content"}),
            None,
            None,
            stage=1,
            device="cpu",
        )


@pytest.mark.parametrize("backbone", ["sasrec", "din"])
def test_the_map_of_new_items_is_judged_by_histories_of_training_events_alone(
    data: PreparedData, spec_of: Callable[..., RunSpec], backbone: str
) -> None:
    spec = spec_of("duet", model={"backbone": backbone})
    model = start_of_stage(data, spec, None, None, stage=1, device="cpu").eval()
    score, _ = _some_scores(data, model, 4)
    users = range(1, 91) if backbone == "sasrec" else np.linspace(0, 89, 50).astype(int) + 1
    histories = [
        data.event_items[data.train_end[user] - 4 : data.train_end[user]].tolist() for user in users
    ]
    with torch.no_grad():
        expected = model(torch.tensor(histories), torch.arange(1, 41)[None]).logits
    found = score(model.items.weight[1:].detach().numpy())
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_the_map_of_new_items_does_not_change_with_what_is_held_out(
    data: PreparedData, spec_of: Callable[..., RunSpec]
) -> None:
    model = start_of_stage(data, spec_of("static"), None, None, stage=1, device="cpu")
    items = np.array(data.event_items)
    for end, after in zip(data.train_end, data.offsets[1:], strict=True):
        items[end:after] = 1 + items[end:after] % 40  # other targets of validation and test
    other = replace(data, event_items=items)
    maps = [content_map(each, model, length=4, seed=0) for each in (data, other)]
    assert maps[0] is not None
    assert maps[1] is not None
    assert maps[0].facts == maps[1].facts
    np.testing.assert_array_equal(maps[0].weight, maps[1].weight)
