"""Encoder from any vision network in an ONNX file, with its preprocessing in a small JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from solidrec.arrays import Floats32 as Floats
from solidrec.artifacts import sha256
from solidrec.errors import DataError, StorageError, UsageError, nearest
from solidrec.semantics.modalities.base import key_of
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Pixels
from solidrec.semantics.modalities.encoders import ImageEncoder
from solidrec.semantics.modalities.needs import need

ONNX = "onnx:"
_EXTRA = "image"
_EXAMPLE = (
    '{"size": 224, "scale": 0.00392156862745098, '
    '"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}'
)
_Three = tuple[float, float, float]


@final
class OnnxSettings(BaseModel):
    """Input of an ONNX network: a picture of `size`, with values (pixel * scale - mean) / std.

    Pixels are 0..255; `mean` and `std` are in the order of `channels`. `output` names a tensor,
    also one inside the graph, such as the features before a classifier. `average` are the axes to
    average an output over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=8, le=2048)
    resize: int = Field(default=0, ge=0, le=4096)
    fit: Literal["crop", "squash"] = "crop"
    filter: Literal["bilinear", "bicubic"] = "bicubic"
    scale: float = Field(gt=0)
    mean: _Three
    std: _Three
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR"] = "RGB"
    output: str | None = None
    average: tuple[Literal[1, 2, 3], ...] = ()

    @model_validator(mode="after")
    def _sizes(self) -> OnnxSettings:
        if self.resize and self.resize < self.size:
            raise ValueError(f"resize {self.resize} is less than size {self.size}")
        if not all(self.std):
            raise ValueError("std has a zero")
        return self

    @property
    def view(self) -> View:
        """View of a picture; without `resize` nothing is cut off along the shorter side."""
        resize = self.resize or self.size
        return View(size=self.size, resize=resize, fit=self.fit, filter=self.filter)


@final
class OnnxEncoder(ImageEncoder):
    """The network of an ONNX file.

    Raises `UsageError` for settings that it cannot serve and `DataError` if the file has none.
    """

    def __init__(
        self,
        path: Path,
        settings: OnnxSettings,
        *,
        name: str,
        device: str = "cpu",
        threads: int = 1,
    ) -> None:
        super().__init__(device=device, threads=threads)
        need(_EXTRA, "onnxruntime")
        if not path.is_file():
            raise StorageError(f"{path}: no such file; give --image-encoder {ONNX}PATH")
        self.name, self.settings, self.view = name, settings, settings.view
        # The name may have characters that a pattern would not take literally.
        others = sorted(path.parent.iterdir())
        beside = [
            *(p for p in others if p.name.startswith(path.name) and p.name.endswith(".data")),
            *(p for p in others if p.name == f"{path.name}_data"),
        ]
        self.key = key_of(
            files=[sha256(file) for file in (path, *beside)],
            settings=settings.model_dump(mode="json"),
        )
        self.session, self.output = _open_session(
            path, settings.output, device=device, threads=threads
        )
        given = self.session.get_inputs()
        if len(given) != 1 or len(given[0].shape) != 4:
            raise UsageError(
                f"{path}: takes inputs of shape {[each.shape for each in given]}; "
                "one of four axes is needed"
            )
        self.input = given[0].name
        self.fixed = given[0].shape[0] if isinstance(given[0].shape[0], int) else None

    def encode(self, inputs: Sequence[Pixels]) -> Floats:
        """Return (n, F) vectors; `average` must reduce an output of more axes to two."""
        values = self._values(np.stack(inputs))
        if self.fixed is None:
            return self._run(values)
        size = self.fixed
        zeros = np.zeros((-len(values) % size, *values.shape[1:]), dtype=np.float32)
        padded = np.concatenate([values, zeros])  # to a multiple of the fixed batch
        parts = [self._run(padded[start : start + size]) for start in range(0, len(padded), size)]
        return np.concatenate(parts)[: len(values)]

    def _values(self, pixels: Pixels) -> Floats:
        ordered = pixels[..., ::-1] if self.settings.channels == "BGR" else pixels
        scaled = ordered.astype(np.float32) * np.float32(self.settings.scale)
        values = (scaled - np.array(self.settings.mean, dtype=np.float32)) / np.array(
            self.settings.std, dtype=np.float32
        )
        if self.settings.layout == "NCHW":
            values = values.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(values)

    def _run(self, values: Floats) -> Floats:
        try:
            output = self.session.run([self.output], {self.input: values})[0]
            found = np.asarray(output, dtype=np.float32)
        except Exception as error:  # onnxruntime's errors derive from Exception alone
            text = f"takes no {self.settings.layout} input of shape {values.shape}"
            raise UsageError(
                f"{self.name}: {text} ({str(error).splitlines()[0][:200]}); correct its settings"
            ) from error
        if self.settings.average:
            found = found.mean(axis=self.settings.average)
        if found.ndim != 2 and found.size == len(found) * max(found.shape[1:], default=0):
            found = found.reshape(len(found), -1)  # (n, F, 1, 1)
        if found.ndim != 2:
            raise UsageError(
                f"{self.name}: output {self.output!r} has shape {found.shape}; "
                'name another or set "average"'
            )
        return found


def _open_session(path: Path, output: str | None, *, device: str, threads: int) -> tuple[Any, str]:
    """Return an onnxruntime session and the name of the output to read."""
    import onnxruntime

    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(
        device.partition(":")[0]
    )
    if provider not in onnxruntime.get_available_providers():
        raise UsageError(
            f"--device {device}: the installed onnxruntime has "
            f"{', '.join(onnxruntime.get_available_providers())}"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
        names = [found.name for found in session.get_outputs()]
        if output is None:
            if len(names) > 1:
                raise UsageError(
                    f'{path}: has outputs {", ".join(names)}; say which in its settings as "output"'
                )
            return session, names[0]
        if output not in names:
            session = onnxruntime.InferenceSession(
                _with_output(path, output), options, providers=[provider]
            )
    except (UsageError, DataError):
        raise
    except Exception as error:  # onnxruntime's errors derive from Exception alone
        raise DataError(
            f"{path}: is not an ONNX network that runs here ({str(error).splitlines()[0][:200]})"
        ) from error
    return session, output


def _with_output(path: Path, output: str) -> bytes:
    """Return the network with an inner tensor as one more output, or raise `UsageError`."""
    need(_EXTRA, "onnx")
    import onnx

    model = onnx.load(path)
    tensors = [name for node in model.graph.node for name in node.output]
    if output not in tensors:
        raise UsageError(f"{path}: has no tensor {output!r}{nearest(output, tensors[-20:])}")
    model.graph.output.append(onnx.ValueInfoProto(name=output))
    return bytes(model.SerializeToString())


def read_settings(path: Path, settings: Path | None) -> OnnxSettings:
    """Return the settings of an ONNX file, by default of the JSON file named alike beside it.

    Raises `UsageError` with an example when there is none or it does not fit.
    """
    file = settings or path.with_suffix(".json")
    how = f"write one such as {_EXAMPLE}"
    try:
        return OnnxSettings.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{file}: no settings for {path.name} ({error.strerror}); {how}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "settings"
        raise UsageError(f"{file}: {where}: {first['msg']}; {how}") from None
    except ValueError as error:
        raise UsageError(f"{file}: is not JSON ({error}); {how}") from None
