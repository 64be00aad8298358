"""A packet gives back what was put in, as exactly as its precision; anything else is refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.errors import DamagedError, IncompatibleError, SolidrecError, UsageError
from solidrec.kit.packet import PRECISIONS, Precision, Tensors, decode, encode, model_id

MODEL = model_id("0" * 64)
WEIGHTS: Tensors = {
    "weight0": np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32),
    "bias0": np.array([0.0, 1e-3, -7.0], dtype=np.float32),
    "nichts-ü": np.zeros((2, 0), dtype=np.float32),
}


def packet(precision: Precision = "fp32", base: Tensors | None = None) -> bytes:
    return encode(WEIGHTS, model=MODEL, created=1_700_000_000, precision=precision, base=base)


@pytest.mark.parametrize(
    ("precision", "error", "size"),
    # 15 values; the rounding of half a unit in the last place, or of half a scale
    [("fp32", 0.0, 15 * 4), ("fp16", 7 * 2.0**-11, 15 * 2), ("int8", 7 / 127 / 2, 15 + 3 * 4)],
)
def test_a_packet_gives_back_what_was_put_in(precision: Precision, error: float, size: int) -> None:
    found = decode(packet(precision), model=MODEL)
    assert list(found.tensors) == list(WEIGHTS)
    assert (found.created, found.precision) == (1_700_000_000, precision)
    for slot, tensor in WEIGHTS.items():
        assert found.tensors[slot].shape == tensor.shape
        assert found.tensors[slot].dtype == np.float32
        assert np.abs(found.tensors[slot] - tensor).max(initial=0) <= error * 1.0001
    names = sum(len(slot.encode()) for slot in WEIGHTS)
    head = 4 + 4 + 16 + 8 + 3 * 2 + names + 4 * (2 + 1 + 2)
    assert len(packet(precision)) == head + size + 4


def test_differences_need_the_base_and_are_finer_at_int8() -> None:
    base = {slot: tensor + np.float32(0.01) for slot, tensor in WEIGHTS.items()}
    found = decode(packet("int8", base), model=MODEL, base=base)
    for slot, tensor in WEIGHTS.items():
        assert np.abs(found.tensors[slot] - tensor).max(initial=0) <= 0.0101 / 127
    with pytest.raises(IncompatibleError, match="give the group weights"):
        decode(packet("int8", base), model=MODEL)
    with pytest.raises(IncompatibleError, match="other slots"):
        decode(packet("int8", base), model=MODEL, base={"bias0": base["bias0"]})


def test_the_bytes_are_those_of_the_documentation() -> None:
    weights = {"b": np.array([1.0, -0.5], dtype=np.float32)}
    head = b"SRPK" + bytes([1, 1, 0, 1]) + MODEL + (5).to_bytes(8, "little")
    content = head + b"\x01b\x01" + (2).to_bytes(4, "little") + b"\x00\x3c\x00\xb8"
    expected = content + zlib.crc32(content).to_bytes(4, "little")
    assert encode(weights, model=MODEL, created=5, precision="fp16") == expected


def test_s22_a_packet_for_another_model_or_version_is_refused() -> None:
    with pytest.raises(IncompatibleError, match="for another model"):
        decode(packet(), model=model_id("1" * 64))
    newer = bytearray(packet())[:-4]
    newer[4] = 2
    with pytest.raises(IncompatibleError, match="version 2"):
        decode(bytes(newer) + struct.pack("<I", zlib.crc32(newer)), model=MODEL)


def test_s22_every_changed_bit_and_every_cut_is_noticed() -> None:
    whole = packet("int8")
    for at in range(len(whole)):
        with pytest.raises(DamagedError):
            decode(whole[:at], model=MODEL)
        changed = bytearray(whole)
        changed[at] ^= 1 << (at % 8)
        with pytest.raises(DamagedError):
            decode(bytes(changed), model=MODEL)


@given(st.binary(max_size=120), st.integers(0, 2))
def test_hostile_content_with_a_right_checksum_is_one_of_our_errors(body: bytes, kind: int) -> None:
    head = struct.pack("<4sBBBB16sQ", b"SRPK", 1, kind, 0, body[0] if body else 0, MODEL, 0)
    content = head + body
    try:
        found = decode(content + struct.pack("<I", zlib.crc32(content)), model=MODEL)
    except SolidrecError:
        return
    assert sum(tensor.nbytes for tensor in found.tensors.values()) <= 4 * len(body)


def test_weights_that_no_number_holds_are_refused() -> None:
    huge = {"b": np.array([1e38], dtype=np.float32)}
    assert decode(encode(huge, model=MODEL, created=0, precision="fp32"), model=MODEL)
    with pytest.raises(DamagedError, match="'b': its weights are not finite as fp16"):
        encode(huge, model=MODEL, created=0, precision="fp16")
    nan = {"b": np.array([np.nan], dtype=np.float32)}
    for precision in PRECISIONS:
        with pytest.raises(DamagedError):
            encode(nan, model=MODEL, created=0, precision=precision)
    with pytest.raises(UsageError, match="'fp8' is unknown; known: fp32, fp16, int8"):
        encode(huge, model=MODEL, created=0, precision="fp8")  # type: ignore[arg-type]
