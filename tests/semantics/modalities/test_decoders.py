from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from solidrec.errors import SolidrecError
from solidrec.semantics.modalities import decoders as module
from solidrec.semantics.modalities.base import Refusal
from solidrec.semantics.modalities.decode import Limits, View, _decode
from solidrec.semantics.modalities.decoders import Decoders

Pack = Callable[..., bytes]
VIEW = View(size=16, resize=16)


@pytest.fixture(scope="module")
def large(pack: Pack) -> bytes:
    """A picture of 16 million pixels, none above the limit, whose decoding takes time and 64 MB."""
    return pack(Image.new("RGBA", (4000, 4000), "red"))


def small(pack: Pack, colour: str = "blue") -> bytes:
    return pack(Image.new("RGB", (20, 20), colour))


def test_a_worker_does_what_the_function_does(pack: Pack, decoders: Decoders, photo: bytes) -> None:
    contents = [photo, b"no picture", small(pack)]
    found = decoders.decode(contents)
    assert found[1] == Refusal("not_a_picture")
    for place in (0, 2):
        expected = np.frombuffer(
            _decode(contents[place], View(), Limits()), dtype=np.uint8
        ).reshape(224, 224, 3)
        np.testing.assert_array_equal(found[place], expected)


def test_several_workers_keep_the_order(pack: Pack) -> None:
    colours = [(n, 2 * n, 0) for n in range(40)]
    with Decoders(VIEW, workers=3) as decoders:
        found = decoders.decode([pack(Image.new("RGB", (20, 20), colour)) for colour in colours])
    assert [tuple(pixels[0, 0]) for pixels in found if not isinstance(pixels, Refusal)] == colours


def test_a_picture_that_takes_too_long_costs_itself_alone(pack: Pack, large: bytes) -> None:
    started = time.monotonic()
    with Decoders(VIEW, Limits(seconds=0.02)) as decoders:
        found = decoders.decode([small(pack), large, small(pack), large, small(pack)])
    assert [item if isinstance(item, Refusal) else "pixels" for item in found] == [
        "pixels",
        Refusal("timeout"),
        "pixels",
        Refusal("timeout"),
        "pixels",
    ]
    assert time.monotonic() - started < 10


def test_a_picture_that_wants_too_much_memory_costs_itself_alone(pack: Pack, large: bytes) -> None:
    with Decoders(VIEW, Limits(memory=160 << 20)) as decoders:
        found = decoders.decode([small(pack), large, small(pack)])
    assert [isinstance(item, Refusal) for item in found] == [False, True, False]
    assert found[1] in (Refusal("out_of_memory"), Refusal("decoder_died"))


def test_a_large_picture_passes_at_the_usual_limits(large: bytes) -> None:
    with Decoders(VIEW) as decoders:
        (found,) = decoders.decode([large])
    assert not isinstance(found, Refusal)
    assert (found == [255, 0, 0]).all()


def test_a_worker_that_was_killed_is_replaced(pack: Pack) -> None:
    with Decoders(VIEW) as decoders:
        decoders.decode([small(pack)])
        (worker,) = decoders.workers
        assert worker.process is not None
        first = worker.process.pid
        os.kill(first, signal.SIGKILL)
        os.waitid(
            os.P_PID, first, os.WEXITED | os.WNOWAIT
        )  # wait for its end and leave it to its owner
        assert [
            isinstance(item, Refusal) for item in decoders.decode([small(pack), small(pack)])
        ] == [False, False]
        assert worker.process.pid != first


def test_no_worker_outlives_its_decoders(pack: Pack) -> None:
    with Decoders(VIEW, workers=2) as decoders:
        decoders.decode([small(pack)] * 4)
        processes = [worker.process for worker in decoders.workers if worker.process is not None]
        assert processes
    assert all(process.returncode is not None for process in processes)


def test_a_worker_that_cannot_start_is_an_error_and_not_a_bad_picture(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "command", lambda view, limits: [sys.executable, "-c", "raise SystemExit(1)"]
    )
    with Decoders(VIEW) as decoders, pytest.raises(SolidrecError, match="does not start"):
        decoders.decode([small(pack)])
