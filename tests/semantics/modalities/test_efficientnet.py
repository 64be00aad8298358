from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from solidrec.errors import DamagedError, UsageError
from solidrec.semantics.modalities import efficientnet
from solidrec.semantics.modalities.base import Refusal
from solidrec.semantics.modalities.decoders import Decoders, Pixels
from solidrec.semantics.modalities.efficientnet import MEAN, STD, EfficientNetLite0

Pack = Callable[..., bytes]
PALACE, DAISY, MILITARY_UNIFORM = 698, 985, 652
"""Their numbers among the thousand classes of ImageNet."""


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return EfficientNetLite0()


def ready(decoders: Decoders, *contents: bytes) -> list[Pixels]:
    found = [pixels for pixels in decoders.decode(contents) if not isinstance(pixels, Refusal)]
    assert len(found) == len(contents)
    return found


def test_the_network_sees_what_is_in_a_photograph(
    network: EfficientNetLite0, decoders: Decoders, photo: bytes
) -> None:
    """The network's classifier works on our features only if weights, pixels, scale are right."""
    samples = Path(str(find_spec("sklearn.datasets.images").origin)).parent  # type: ignore[union-attr]
    contents = [(samples / "china.jpg").read_bytes(), (samples / "flower.jpg").read_bytes(), photo]
    with torch.inference_mode():
        classes = network.network._fc(torch.from_numpy(network.encode(ready(decoders, *contents))))
    best = classes.topk(3).indices.tolist()
    assert [classes[0] for classes in best[:2]] == [PALACE, DAISY]
    assert MILITARY_UNIFORM in best[2]


def test_features_are_the_average_before_the_classifier(
    network: EfficientNetLite0, decoders: Decoders, photo: bytes
) -> None:
    pixels = ready(decoders, photo)
    values = torch.from_numpy((np.stack(pixels).astype(np.float32) - MEAN) / STD).permute(
        0, 3, 1, 2
    )
    seen: list[Any] = []
    hook = network.network._fc.register_forward_pre_hook(
        lambda module, given: seen.append(given[0])
    )
    with torch.inference_mode():
        network.network(values)
    hook.remove()
    found = network.encode(pixels)
    assert found.shape == (1, 1280)
    np.testing.assert_allclose(found, seen[0].numpy(), rtol=1e-4, atol=1e-5)


def test_posters_have_vectors_of_their_own(
    network: EfficientNetLite0, decoders: Decoders, some_posters: dict[str, bytes], pack: Pack
) -> None:
    """Finite and repeatable in any batch; a poster saved as PNG or smaller is nearest to itself."""
    originals = list(some_posters.values())
    images = [Image.open(io.BytesIO(content)).convert("RGB") for content in originals]
    vectors = network.encode(ready(decoders, *originals))
    assert np.isfinite(vectors).all()
    assert vectors.std(axis=0).max() > 0.1
    np.testing.assert_array_equal(vectors, network.encode(ready(decoders, *originals)))
    alone = np.concatenate([network.encode(ready(decoders, content)) for content in originals[:4]])
    np.testing.assert_allclose(vectors[:4], alone, rtol=1e-3, atol=1e-4)

    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for copies in (
        [pack(image) for image in images],
        [pack(image.resize((72, 108)), "JPEG", quality=80) for image in images],
    ):
        again = network.encode(ready(decoders, *copies))
        near = unit @ (again / np.linalg.norm(again, axis=1, keepdims=True)).T
        assert near.argmax(axis=1).tolist() == list(range(len(originals)))
    lossless = network.encode(ready(decoders, *[pack(image) for image in images]))
    np.testing.assert_array_equal(lossless, vectors)  # the same pixels


def test_weights_of_another_hash_are_never_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "_SHA256", "0" * 64)
    with pytest.raises(DamagedError, match="is not the published file"):
        EfficientNetLite0()


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solidrec.semantics.modalities.needs.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'solidrec\[image\]'"):
        EfficientNetLite0()
