"""The real server: it starts, answers, and stops without dropping anything."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from solidrec.api import Model
from solidrec.errors import StorageError, UsageError
from solidrec.serve.run_server import check_origins, read_token, serve


class Running(NamedTuple):
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def server(trained: Model) -> Iterator[Running]:
    port = free_port()
    words = ["serve", str(trained.run.path), "--port", str(port), "--max-batch", "4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "solidrec", *words], stderr=subprocess.PIPE, text=True
    )
    running = Running(process, f"http://127.0.0.1:{port}")
    for _ in range(300):
        try:
            if running.ask("/ready")[0] == 200:
                break
        except OSError:
            time.sleep(0.1)
    yield running
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_answers_as_the_model_does(server: Running, trained: Model) -> None:
    code, answer = server.ask("/v1/recommend", {"history": ["i03"], "k": 4})
    assert code == 200
    assert [one["item"] for one in answer["items"]] == [
        one["item"] for one in trained.recommend(["i03"], 4).items
    ]


def test_s14_a_stop_is_noticed_first_and_drops_nothing(server: Running) -> None:
    found: list[int] = []
    stopped = threading.Event()

    def load() -> None:
        while not stopped.is_set():
            try:
                found.append(server.ask("/v1/recommend", {"history": ["i03"]})[0])
            except OSError:  # nobody listens any more
                return

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert server.ask("/ready")[0] == 503
    assert server.ask("/v1/recommend", {"history": []})[0] == 200
    assert server.process.wait(20) == 0
    stopped.set()
    for thread in threads:
        thread.join()
    assert len(found) > 20
    assert set(found) == {200}


def test_ctrl_c_ends_it(server: Running) -> None:
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) in (0, 130)
    assert server.process.stderr is not None
    assert "Traceback" not in server.process.stderr.read()


def test_a_port_that_is_taken_is_one_line(trained: Model) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        with pytest.raises(StorageError, match="cannot listen there"):
            serve(trained.run.path, port=one.getsockname()[1])


def test_s16_other_machines_need_a_token(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="others can reach it"):
        serve(trained.run.path, host="0.0.0.0")
    path = tmp_path / "token"
    path.write_text("short\n")
    with pytest.raises(UsageError, match="a token of 5 characters is guessed"):
        read_token(path)
    path.write_text("a-token-that-is-long-enough\n")
    assert read_token(path) == "a-token-that-is-long-enough"
    with pytest.raises(StorageError, match="cannot be read as a token"):
        read_token(tmp_path / "none")
    assert os.environ.get("SOLIDREC_TOKEN") is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_port_that_was_taken_is_said_in_an_address_that_opens(
    trained: Model, host: str
) -> None:
    words = ["serve", str(trained.run.path), "--host", host, "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "solidrec", *words], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        url = line.partition(" on ")[2].partition(",")[0]
        assert url.startswith("http://[::1]:" if ":" in host else "http://127.0.0.1:")
        assert Running(process, url).ask("/ready")[0] == 200
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "origin", ["nonsense", "shop.example", "https://shop.example/", "https://a/b", "https://", ""]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    check_origins(["https://shop.example", "http://localhost:3000", "http://[::1]:80", "*"])
    with pytest.raises(UsageError, match="is no origin"):
        check_origins(["https://shop.example", origin])
