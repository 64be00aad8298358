"""The recipes of ``deploy/`` as they are: nginx before two services, and the nightly update."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import polars as pl
import pytest

from solidrec.api import Model, load

BODY = {"history": ["i03", "i09"], "k": 5}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(run: Path, port: int, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service as people do, from the moment in which it is ready."""
    words = [sys.executable, "-m", "solidrec", "serve", run, "--port", port, *options]
    with subprocess.Popen([*map(str, words)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def wait_for(port: int, path: str = "ready") -> None:
    with httpx2.Client() as client:
        for _ in range(200):
            try:
                if client.get(f"http://127.0.0.1:{port}/{path}").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    raise AssertionError(f"nothing is ready on port {port}")


class Asking:
    """Clients that ask all the time, and count what they get."""

    def __init__(self, url: str, clients: int = 4) -> None:
        self.url, self.statuses = url, list[int]()
        self.versions = set[str]()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]

    def ask(self) -> None:
        with httpx2.Client(timeout=10) as client:
            while not self.over.is_set():
                try:
                    response = client.post(self.url, json=BODY)
                    self.statuses.append(response.status_code)
                    self.versions.add(response.json().get("model_version", ""))
                except (httpx2.TransportError, ValueError):
                    self.statuses.append(0)

    def __enter__(self) -> Asking:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


@contextmanager
def nginx(repository: Path, folder: Path, port: int, services: list[int]) -> Iterator[None]:
    """Run the recipe of nginx on other ports."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("no nginx; apt-get install nginx")
    recipe = (repository / "deploy" / "nginx.conf").read_text()
    for before, now in (("8001", services[0]), ("8002", services[1]), ("8080", port)):
        assert before in recipe
        recipe = recipe.replace(f"127.0.0.1:{before}", f"127.0.0.1:{now}")
    (folder / "solidrec.conf").write_text(recipe)
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ client_body_temp_path {folder}/body; "
        f"include {folder}/solidrec.conf; }}\n"
    )
    with subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    ) as process:
        try:
            wait_for(port)
            yield
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.serving
def test_s11_a_service_that_is_killed_behind_nginx_costs_no_request(
    trained: Model, repository: Path, tmp_path: Path
) -> None:
    ports, front = [free_port(), free_port()], free_port()
    run = trained.run.path
    with (
        serving(run, ports[0]) as first,
        serving(run, ports[1]),
        nginx(repository, tmp_path, front, ports),
    ):
        with Asking(f"http://127.0.0.1:{front}/v1/recommend") as asking:
            time.sleep(1.5)
            before = len(asking.statuses)
            first.kill()
            time.sleep(1.5)
            killed = len(asking.statuses)
            with serving(run, ports[0]):  # it comes back, and is asked again
                time.sleep(3)
        assert set(asking.statuses) == {200}
        assert 100 < before < killed < len(asking.statuses)
        with httpx2.Client(base_url=f"http://127.0.0.1:{front}") as client:
            assert client.request("PATCH", "/v1/items", json={}).status_code == 403
            assert client.get("/metrics").status_code == 403
            added = client.post("/v1/events", json={"user": "u", "items": ["i03"]})
            assert added.status_code == 200


@pytest.mark.serving
def test_s12_ten_swaps_under_load_fail_no_request(trained: Model, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(trained.run.path, tmp_path / "models" / name)
    (tmp_path / "token").write_text("a-token-of-some-length")
    port, admin = free_port(), free_port()
    options = ("--models", tmp_path / "models", "--admin-port", admin)
    options += ("--admin-token-file", tmp_path / "token")
    headers = {"authorization": "Bearer a-token-of-some-length"}
    with (
        serving(tmp_path / "models" / "one", port, *options),
        Asking(f"http://127.0.0.1:{port}/v1/recommend") as asking,
        httpx2.Client(headers=headers, timeout=60) as client,
    ):
        for turn in range(10):
            name = ("two", "one")[turn % 2]
            response = client.post(f"http://127.0.0.1:{admin}/models/{name}")
            assert response.status_code == 200, response.text
            time.sleep(0.2)
    assert set(asking.statuses) == {200}
    assert len(asking.versions) == 2


@pytest.mark.serving
def test_the_nightly_update_moves_services_on_and_refuses_what_is_worse(
    repository: Path, tmp_path: Path, walk: Any
) -> None:
    """A log in csv, a service on it, and one night later: the new items are recommended."""
    log, items = walk(users=120)
    start = pl.col("user").str.slice(1).cast(pl.Int64)
    log = log.select("user", "item", timestamp=start + 20 * pl.col("position"))
    log.filter(pl.col("timestamp") < 160).write_csv(tmp_path / "old.csv")
    items.drop("categories").write_csv(tmp_path / "items.csv")
    new = log.filter(pl.col("timestamp") >= 160)
    new = new.vstack(pl.DataFrame({"user": ["u001"], "item": ["brand-new"], "timestamp": [400]}))
    new.write_csv(tmp_path / "clicks.csv")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def solidrec(*words: object) -> None:
        subprocess.run(["solidrec", *map(str, words)], env=environment, check=True)

    models = tmp_path / "models"
    solidrec("prepare", tmp_path / "old.csv", "--items", tmp_path / "items.csv", "--split", "time",
             "--out", tmp_path / "data")  # fmt: skip
    solidrec("train", tmp_path / "data", "--model", "solid-duet", "--epochs", 6, "--set",
             "train.batch_size=128", "--out", models / "first")  # fmt: skip
    (models / "current").symlink_to("first")
    (tmp_path / "token").write_text("a-token-of-some-length")
    port, admin = free_port(), free_port()
    options = ("--models", models, "--admin-port", admin, "--admin-token-file", tmp_path / "token")
    night = {
        **environment,
        "MODELS": str(models),
        "CLICKS": str(tmp_path / "clicks.csv"),
        "ITEMS": str(tmp_path / "items.csv"),
        "ADMIN_PORTS": str(admin),
        "ADMIN_TOKEN_FILE": str(tmp_path / "token"),
        "OPTIONS": "--least-users 50 --epochs 6",
    }
    with serving(models / "current", port, *options), httpx2.Client(timeout=10) as client:

        def version() -> str:
            return str(client.get(f"http://127.0.0.1:{port}/v1/models").json()["current"])

        assert re.match("first-", version())
        script = repository / "deploy" / "update.sh"
        subprocess.run([script], env=night, check=True)
        moved = (models / "current").readlink().name
        assert moved != "first"
        assert version().startswith(moved)
        assert load(models / "current").run.items.index("brand-new")
        # The next night brings one event: too few to judge by. Nothing moves.
        (tmp_path / "clicks.csv").write_text("user,item,timestamp\nu002,i05,900\n")
        refused = subprocess.run([script], env=night, check=False)
        assert refused.returncode == 78
        assert (models / "current").readlink().name == moved
        assert version().startswith(moved)
