"""Packets: the generated weights of one user as a few kilobytes, versioned and checksummed.

All numbers are little-endian. A packet is

===============  ==========================================================================
4 bytes          ``SRPK``
u8               version, 1
u8               precision: 0 float32, 1 float16, 2 int8
u8               1 if the values are differences from the group weights of the kit, else 0
u8               number of slots
16 bytes         model: which device half the weights are for (`model_id`)
u64              created, in seconds since 1970
for each slot:   u8 length of the name, the name in UTF-8, u8 number of dimensions, u32 for
                 each, and for int8 one float32 scale
values           of all slots, in their order, in C order
u32              CRC-32 of all bytes before it
===============  ==========================================================================

An int8 value counts scales: x = value * scale, with scale = max |x| / 127 of its slot.
"""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from solidrec.errors import DamagedError, IncompatibleError, UsageError, nearest

Tensors = Mapping[str, npt.NDArray[np.float32]]
Precision = Literal["fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
_TYPES = (np.dtype("<f4"), np.dtype("<f2"), np.dtype("<i1"))
_MAGIC, _VERSION = b"SRPK", 1
_HEAD = struct.Struct("<4sBBBB16sQ")
_MOST = 1 << 22
"""Most values of a slot: a packet that says more is damaged, and nothing is set aside for it."""


@final
@dataclass(frozen=True)
class Packet:
    """A packet that was read: its slots' ``tensors``, and when it was ``created``."""

    tensors: dict[str, npt.NDArray[np.float32]]
    created: int
    precision: Precision


def model_id(weights_sha256: str) -> bytes:
    """Return the 16 bytes that name a device half, from the sha256 of the run's weights."""
    return hashlib.sha256(f"solidrec device {weights_sha256}".encode()).digest()[:16]


def encode(
    tensors: Tensors,
    *,
    model: bytes,
    created: int,
    precision: Precision = "fp16",
    base: Tensors | None = None,
) -> bytes:
    """Return the packet of one user's weights; with a `base`, of their differences from it.

    Raises `UsageError` for an unknown precision, and `DamagedError` for weights that are not finite
    at this precision.

    >>> weights = {"bias": np.array([0.5, -1.0], dtype=np.float32)}
    >>> packet = encode(weights, model=bytes(16), created=0)
    >>> decode(packet, model=bytes(16)).tensors["bias"].tolist()
    [0.5, -1.0]
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is unknown{nearest(precision, PRECISIONS)}")
    kind = PRECISIONS.index(precision)
    head = _HEAD.pack(_MAGIC, _VERSION, kind, base is not None, len(tensors), model, created)
    slots, values = [], []
    for slot, tensor in tensors.items():
        given = tensor if base is None else tensor - base[slot]
        scale, found = _quantised(np.asarray(given, dtype=np.float32), kind)
        if not np.isfinite(found).all():
            raise DamagedError(f"slot {slot!r}: its weights are not finite as {precision}")
        name = slot.encode()
        slots.append(struct.pack(f"<B{len(name)}sB", len(name), name, given.ndim))
        slots.append(struct.pack(f"<{given.ndim}I", *given.shape) + scale)
        values.append(found.tobytes())
    content = head + b"".join(slots) + b"".join(values)
    return content + struct.pack("<I", zlib.crc32(content))


def _quantised(tensor: npt.NDArray[np.float32], kind: int) -> tuple[bytes, npt.NDArray[np.generic]]:
    """Return the bytes of the scale, if there is one, and the values of a slot."""
    if PRECISIONS[kind] != "int8":
        with np.errstate(over="ignore"):
            return b"", tensor.astype(_TYPES[kind])
    scale = np.float32(np.abs(tensor).max(initial=0.0) / 127 or 1.0)
    if not np.isfinite(scale):
        return b"", tensor
    return struct.pack("<f", scale), np.rint(tensor / scale).astype(_TYPES[kind])


def decode(packet: bytes, *, model: bytes, base: Tensors | None = None) -> Packet:
    """Return what is in a packet for the device half `model`; a `base` is added to differences.

    Raises `DamagedError` for a packet that is cut off or changed, `IncompatibleError` for one of
    another version or another model, and for differences without a base.
    """
    if len(packet) < _HEAD.size + 4 or packet[:4] != _MAGIC:
        raise DamagedError("the packet is cut off, or none; ask for it again")
    if zlib.crc32(packet[:-4]) != struct.unpack("<I", packet[-4:])[0]:
        raise DamagedError("the packet was changed on its way; ask for it again")
    _, version, kind, is_delta, count, own, created = _HEAD.unpack_from(packet)
    if version != _VERSION or kind >= len(PRECISIONS):
        raise IncompatibleError(f"the packet is of version {version}; update the device's reader")
    if own != model:
        raise IncompatibleError("the packet is for another model; fetch the kit of the new one")
    if is_delta and base is None:
        raise IncompatibleError("the packet holds differences; give the group weights of the kit")
    try:
        tensors = _read(packet[_HEAD.size : -4], kind, count)
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise DamagedError(f"the packet is not as it was written ({error})") from None
    if is_delta and base is not None:
        if {slot: one.shape for slot, one in tensors.items()} != {
            slot: one.shape for slot, one in base.items()
        }:
            raise IncompatibleError("the packet has other slots than the kit's group weights")
        tensors = {slot: one + base[slot] for slot, one in tensors.items()}
    return Packet(tensors, created, PRECISIONS[kind])


def _read(content: bytes, kind: int, count: int) -> dict[str, npt.NDArray[np.float32]]:
    """Return the tensors of all slots; raise `ValueError` or `struct.error` for other bytes."""
    at = 0

    def taken(form: str) -> tuple[object, ...]:
        nonlocal at
        found = struct.unpack_from(form, content, at)
        at += struct.calcsize(form)
        return found

    slots: list[tuple[str, tuple[int, ...], float]] = []
    for _ in range(count):
        (length,) = taken("<B")
        (name,) = taken(f"<{length}s")
        (dimensions,) = taken("<B")
        shape = tuple(int(str(size)) for size in taken(f"<{dimensions}I"))
        scale = float(str(taken("<f")[0])) if PRECISIONS[kind] == "int8" else 1.0
        if math.prod(shape) > _MOST:
            raise ValueError("a slot is too large")
        slots.append((bytes(name).decode(), shape, scale))  # type: ignore[call-overload]
    tensors = {}
    for slot, shape, scale in slots:
        found = np.frombuffer(content, _TYPES[kind], math.prod(shape), at)
        at += found.nbytes
        tensors[slot] = found.reshape(shape).astype(np.float32) * np.float32(scale)
    if at != len(content):
        raise ValueError("bytes are left over")
    return tensors
