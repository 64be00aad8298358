"""The examples of ``examples/device``: what a device ranks by a packet is what the model ranks."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from solidrec.api import Model
from solidrec.kit.export_kit import export_kit
from solidrec.kit.packet import encode, model_id
from solidrec.recommend.parameters import generated

HISTORY = ["i03", "i09", "i14"]


@pytest.fixture(scope="module")
def kit(trained: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kit") / "kit"
    export_kit(trained.run, out)
    return out


@pytest.fixture(scope="module")
def example(repository: Path) -> Any:
    path = repository / "examples" / "device" / "rank.py"
    spec = importlib.util.spec_from_file_location("rank", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def packet(model: Model, **options: Any) -> bytes:
    name = model_id(model.run.manifest["files"]["weights.safetensors"]["sha256"])
    return encode(generated(model.engine, HISTORY), model=name, created=0, **options)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_example_ranks_as_the_model_with_any_packet(
    example: Any, kit: Path, trained: Model, precision: str
) -> None:
    device = example.Device(kit)
    assert device.take(packet(trained, precision=precision))
    found = [item for item, _, _ in device.rank(HISTORY, 5)]
    expected = [one["item"] for one in trained.recommend(HISTORY, 8).items]
    if precision == "fp32":
        assert found == expected[:5]
    assert {*found} <= {*expected}


def test_s22_a_packet_that_cannot_be_used_leaves_the_weights_of_the_group(
    example: Any, kit: Path, trained: Model
) -> None:
    device = example.Device(kit)
    alone = device.rank(HISTORY)
    good = packet(trained, precision="fp32")
    other = encode(generated(trained.engine, HISTORY), model=model_id("1" * 64), created=0)
    for bad in (b"", good[:-1], good[:50] + bytes([good[50] ^ 1]) + good[51:], other):
        assert not device.take(bad)
        assert device.rank(HISTORY) == alone
    assert device.take(good)
    assert device.rank(HISTORY) != alone


@pytest.mark.serving
def test_the_example_fetches_its_packet_from_a_service(
    repository: Path, kit: Path, trained: Model, address: str
) -> None:
    words = [repository / "examples" / "device" / "rank.py", kit, address.rstrip("/"), *HISTORY]
    found = subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, check=True
    )
    best = [line.split("\t")[0] for line in found.stdout.splitlines()]
    assert best == [one["item"] for one in trained.recommend(HISTORY).items]
    assert "a packet of " in found.stderr


@pytest.fixture(scope="module")
def site(repository: Path, kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The example for browsers with a kit and onnxruntime-web, on a port of its own."""
    if shutil.which("npm") is None:
        pytest.skip("no npm")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(repository / "examples" / "device", folder, dirs_exist_ok=True)
    shutil.copytree(kit, folder / "kit")
    packed = subprocess.run(
        ["npm", "pack", "onnxruntime-web@1.30.0"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if packed.returncode:
        pytest.skip("onnxruntime-web cannot be had")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    (folder / "package" / "dist").rename(folder / "ort")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.serving
def test_a_browser_takes_a_packet_and_ranks_by_itself(
    browser: Any, site: str, trained: Model, started: Callable[..., Any]
) -> None:
    """The service lets pages of this origin ask; without that it does not."""
    from playwright.sync_api import expect

    with started("--cors", site.rstrip("/")) as address:
        page = browser.new_page()
        page.goto(f"{site}?service={address.rstrip('/')}")
        expect(page.locator("#state")).to_have_text("ready, with the weights of the group")
        page.fill("#history", ",".join(HISTORY))
        page.click("#fetch")
        expect(page.locator("#state")).to_contain_text("with a packet of ")
        page.click("#rank")
        expect(page.locator("#items li")).to_have_count(10)
        found = page.locator("#items li").evaluate_all("all => all.map(one => one.dataset.item)")
        expected = [one["item"] for one in trained.recommend(HISTORY, 12).items]
        assert found[:3] == expected[:3]
        assert {*found} <= {*expected}
        page.close()
    with started() as address:
        page = browser.new_page()
        page.goto(f"{site}?service={address.rstrip('/')}")
        expect(page.locator("#state")).to_have_text("ready, with the weights of the group")
        refused: list[str] = []
        page.on("requestfailed", lambda one: refused.append(one.url))
        page.on("pageerror", lambda error: None)
        page.click("#fetch")
        page.wait_for_timeout(500)
        assert refused == [f"{address}v1/parameters"]
        page.close()


def test_the_kit_of_the_example_is_read_as_it_is_documented(kit: Path) -> None:
    assert json.loads((kit / "kit.json").read_text())["version"] == 1
