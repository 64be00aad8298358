"""Rank on a device: a kit, a packet of the user's weights, and no solidrec.

    solidrec export run --onnx kit
    solidrec serve run &
    python examples/device/rank.py kit http://127.0.0.1:8000 50 181 174

Only onnxruntime and NumPy are needed. The weights are fetched once; after that the device ranks by
itself, as the history grows, until it asks for a new packet. Without a packet, or with one that is
for another model, it ranks with the group weights of the kit.
"""

from __future__ import annotations

import json
import struct
import sys
import urllib.request
import zlib
from pathlib import Path

import numpy as np
import onnxruntime

TYPES = (np.dtype("<f4"), np.dtype("<f2"), np.dtype("<i1"))


def read_packet(packet: bytes, model: str) -> dict[str, np.ndarray]:
    """Return the weights in a packet; raise `ValueError` if it is damaged or for another model."""
    if packet[:5] != b"SRPK\x01" or zlib.crc32(packet[:-4]) != struct.unpack("<I", packet[-4:])[0]:
        raise ValueError("the packet is damaged, or of another version")
    kind, delta, count = packet[5:8]
    if packet[8:24].hex() != model:
        raise ValueError("the packet is for another model")
    if delta:
        raise ValueError("this example adds no differences; ask for a whole packet")
    at, slots = 32, []
    for _ in range(count):
        length = packet[at]
        name = packet[at + 1 : at + 1 + length].decode()
        dimensions = packet[at + 1 + length]
        at += 2 + length
        shape = struct.unpack_from(f"<{dimensions}I", packet, at)
        at += 4 * dimensions
        scale = struct.unpack_from("<f", packet, at)[0] if kind == 2 else 1.0
        at += 4 * (kind == 2)
        slots.append((name, shape, scale))
    weights = {}
    for name, shape, scale in slots:
        values = np.frombuffer(packet, TYPES[kind], int(np.prod(shape)), at)
        at += values.nbytes
        weights[name] = values.reshape(shape).astype(np.float32) * np.float32(scale)
    return weights


def fetch_packet(service: str, history: list[str]) -> bytes:
    """Ask the service for the weights of this user."""
    request = urllib.request.Request(
        f"{service}/v1/parameters",
        json.dumps({"history": history, "precision": "fp16"}).encode(),
        {"content-type": "application/json", "accept": "application/vnd.solidrec.packet"},
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.read()


class Device:
    """The primary model on a device."""

    def __init__(self, kit: Path) -> None:
        self.facts = json.loads((kit / "kit.json").read_text())
        self.items = json.loads((kit / "items.json").read_text())
        self.index = {item: number for number, (item, _) in enumerate(self.items, start=1)}
        self.session = onnxruntime.InferenceSession(kit / "device.onnx")
        self.weights = read_packet((kit / "group.packet").read_bytes(), self.facts["model"])

    def take(self, packet: bytes) -> bool:
        """Use the weights of a packet; keep those of before if it cannot be used."""
        try:
            self.weights = read_packet(packet, self.facts["model"])
        except ValueError as error:
            print(f"going on with the weights of before: {error}", file=sys.stderr)
            return False
        return True

    def rank(self, history: list[str], k: int = 10) -> list[tuple[str, str | None, float]]:
        """Return the k best items that are not in the history."""
        known = [self.index[item] for item in history if item in self.index]
        length = self.facts["history_length"]
        window = np.zeros((1, length), dtype=np.int64)
        window[0, : len(known[-length:])] = known[-length:]
        everything = np.arange(1, len(self.items) + 1)[None]
        named = {slot: tensor[None] for slot, tensor in self.weights.items()}
        inputs = {"history": window, "candidates": everything, **named}
        (scores,) = self.session.run(None, inputs)
        banned = {*known, *self.facts["delisted"]}
        scores[0, np.array([*banned], dtype=int) - 1] = -np.inf
        best = np.argsort(-scores[0], kind="stable")[: min(k, len(self.items) - len(banned))]
        return [(*self.items[column], float(scores[0, column])) for column in best]


def main() -> None:
    """Rank for the history on the command line."""
    kit, service, *history = sys.argv[1:]
    device = Device(Path(kit))
    try:
        packet = fetch_packet(service, history)
        device.take(packet)
        print(f"a packet of {len(packet):,} bytes", file=sys.stderr)
    except OSError as error:
        print(f"no service, so the weights of the group: {error}", file=sys.stderr)
    for item, title, score in device.rank(history):
        print(f"{item}\t{score:.4f}\t{title or ''}")


if __name__ == "__main__":
    main()
