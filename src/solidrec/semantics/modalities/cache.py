"""Cache of vectors by content, in blocks that are only added, each committed by a rename."""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import suppress
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats32 as Floats
from solidrec.artifacts import sha256
from solidrec.disk import write_file

_BLOCK_NAME = re.compile(r"[0-9a-f]{64}\.npy")


@final
class VectorCache:
    """The vectors of one encoder (`key`) in a folder; a block's name is the sha256 of its bytes.

    A damaged block is dropped, so that its vectors are encoded again, and counted in `dropped`.
    `block` is the number of vectors in a `full` block, which is what a killed process may lose.
    """

    def __init__(self, folder: Path, key: str, *, block: int = 512) -> None:
        self.block = block
        self.folder = folder / key[:32]
        self.salt = bytes.fromhex(key)
        self.dropped = 0
        self.blocks: list[npt.NDArray[np.void]] = []
        self.where: dict[bytes, tuple[int, int]] = {}
        self.fresh: dict[bytes, Floats] = {}
        for path in sorted(self.folder.glob("*.npy")):
            if _BLOCK_NAME.fullmatch(path.name):
                self._open(path)

    def digest(self, content: bytes) -> bytes:
        """Return the name of a content: sha256 of the encoder's key and the content's bytes."""
        return hashlib.sha256(self.salt + content).digest()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self.where or digest in self.fresh

    def __getitem__(self, digest: bytes) -> Floats:
        if digest in self.fresh:
            return self.fresh[digest]
        block, row = self.where[digest]
        return np.asarray(self.blocks[block]["vector"][row])

    @property
    def full(self) -> bool:
        """Whether it is time to `commit`."""
        return len(self.fresh) >= self.block

    def add(self, digest: bytes, vector: Floats) -> None:
        """Keep a vector in memory until `commit`."""
        self.fresh[digest] = vector

    def commit(self) -> None:
        """Write the vectors added since the last commit as one block; raises `StorageError`."""
        if not self.fresh:
            return
        vectors = np.stack(list(self.fresh.values()))
        kind = [("digest", "u1", 32), ("vector", "<f4", vectors.shape[1])]
        block = np.empty(len(vectors), dtype=kind)
        block["digest"] = np.frombuffer(b"".join(self.fresh), dtype=np.uint8).reshape(-1, 32)
        block["vector"] = vectors
        packed = io.BytesIO()
        np.save(packed, block, allow_pickle=False)
        data = packed.getvalue()
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}.npy"
        write_file(path, lambda temporary: temporary.write_bytes(data))
        self.fresh.clear()
        self._open(path)

    def _open(self, path: Path) -> None:
        if sha256(path) != path.stem:
            self.dropped += 1
            with suppress(OSError):
                path.unlink()
            return
        block = np.load(path, mmap_mode="r", allow_pickle=False)
        self.where |= {
            digest.tobytes(): (len(self.blocks), row) for row, digest in enumerate(block["digest"])
        }
        self.blocks.append(block)
