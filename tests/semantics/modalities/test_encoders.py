"""Encoders of other packages are requested by name, each of the kind that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from solidrec.arrays import Floats32
from solidrec.errors import UsageError
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Pixels
from solidrec.semantics.modalities.encoders import ENCODERS, ImageEncoder, TextEncoder, known
from solidrec.semantics.modalities.image import image_encoder
from solidrec.semantics.modalities.text import text_encoder


class Lengths(TextEncoder):
    name, key = "lengths", "55" * 32

    def __init__(self, *, device: str, threads: int) -> None:
        self.made_with = device, threads

    def encode(self, inputs: Sequence[str]) -> Floats32:
        return np.array([[len(text)] for text in inputs], dtype=np.float32)


class Brightness(ImageEncoder):
    name, key, view = "brightness", "66" * 32, View(size=16, resize=16)

    def encode(self, inputs: Sequence[Pixels]) -> Floats32:
        return np.stack(inputs).mean(axis=(1, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoders above, registered."""
    monkeypatch.setitem(ENCODERS, "lengths", Lengths)
    monkeypatch.setitem(ENCODERS, "brightness", Brightness)


def test_an_encoder_is_made_with_device_and_threads() -> None:
    encoder = text_encoder("lengths", device="cuda", threads=3)
    assert isinstance(encoder, Lengths)
    assert encoder.made_with == ("cuda", 3)
    assert image_encoder("brightness", threads=2).name == "brightness"
    assert text_encoder(f"{__name__}:Lengths").name == "lengths"  # by its place


def test_an_encoder_of_the_other_kind_is_refused_before_it_is_made() -> None:
    with pytest.raises(
        UsageError, match=r"'brightness' is no TextEncoder; known: minilm, lengths$"
    ):
        text_encoder("brightness")
    with pytest.raises(
        UsageError, match=r"'minilm' is no ImageEncoder; known: efficientnet-lite0, brightness$"
    ):
        image_encoder("minilm")
    with pytest.raises(UsageError, match="'os:system' is no subclass of Encoder"):
        image_encoder("os:system")


def test_unknown_names_list_the_registered_ones() -> None:
    assert known(TextEncoder) == "minilm, lengths"
    with pytest.raises(UsageError, match="known: efficientnet-lite0, brightness, onnx:PATH"):
        image_encoder("britness")


def test_a_folder_whose_name_has_a_colon_stays_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my:model").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r"my:model: has no \.safetensors weights"):
        text_encoder("my:model")
