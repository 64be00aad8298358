"""Small scripts that speak the protocol play the workers, so every figure is known beforehand."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from solidrec.errors import SolidrecError
from speed.measurement import Row, Timed
from speed.run import floored, run, total_steps
from speed.system import System
from speed.worker import serve

PLAYER = """
import json, os, sys
log, name, cpu = sys.argv[1:]
print(json.dumps({"ready": name}), flush=True)
for number, _ in enumerate(sys.stdin):
    open(log, "a").write(f"{name}{os.environ['OMP_NUM_THREADS']} ")
    seconds = float(cpu) * (100 if number == 0 else 1)
    print(json.dumps({"work": 10, "cpu": seconds, "wall": seconds / 2, "peak_mb": 64}), flush=True)
"""


def player(tmp_path: Path, name: str, cpu: float, **facts: object) -> System:
    command = (sys.executable, "-c", PLAYER, str(tmp_path / "log"), name, str(cpu))
    return System(name, command, "rows", **facts)  # type: ignore[arg-type]


def test_systems_of_a_group_take_turns_and_the_first_round_does_not_count(tmp_path: Path) -> None:
    systems = [player(tmp_path, "x/a", 1), player(tmp_path, "x/b", 2), player(tmp_path, "y/c", 4)]
    rows = run(systems, threads=[1, 2], repeats=2)
    groups = ["x/a{0} x/b{0} " * 3 + "y/c{0} " * 3]
    assert (tmp_path / "log").read_text() == "".join(groups[0].format(count) for count in (1, 2))
    found = {row.key: row.value for row in rows}
    assert found["x/a", "rows/cpu-s", 1] == 10 / 1
    assert found["x/b", "rows/s", 2] == 10 / (2 / 2)
    assert found["y/c", "rows/cpu-s", 2] == 10 / 4


def test_the_floor_is_a_share_of_the_time(tmp_path: Path) -> None:
    """The product does 10 GFLOP in a CPU-second; 10 rows of 0.5 GFLOP need half of their time."""
    product = player(tmp_path, "matrix product/p", 1)
    rows = run([product, player(tmp_path, "x/a", 1, flops=0.5e9)], threads=[1], repeats=1)
    by_unit = {row.unit: row.floor_percent for row in rows if row.name == "x/a"}
    assert by_unit == {"rows/cpu-s": pytest.approx(50), "rows/s": pytest.approx(50)}


def test_progress_ends_at_its_total(tmp_path: Path) -> None:
    """The product alternates with the group that has a floor: 2 thread counts, 1 warm-up round."""
    systems = [
        player(tmp_path, "matrix product/p", 1),
        player(tmp_path, "x/a", 1, flops=1.0),
        player(tmp_path, "y/b", 1),
    ]
    steps: list[int] = []
    run(systems, threads=[1, 2], repeats=2, step=steps.append)
    assert sum(steps) == total_steps(systems, threads=[1, 2], repeats=2) == (2 + 1) * 2 * (1 + 2)


def test_the_floor_of_a_latency() -> None:
    row = Row("a", 4.0, "ms cpu/call", 1, 4, 4)
    assert floored(row, 1e6, {"cpu-s": 1.0, "s": 9.0}).floor_percent == pytest.approx(100 * 1 / 4)


def test_a_worker_that_ends_is_named_with_its_last_words() -> None:
    system = System("x/a", (sys.executable, "-c", "import sys; sys.exit('no such thing')"), "rows")
    with pytest.raises(SolidrecError, match=r"x/a: the measured process ended \(no such thing\)"):
        run([system], threads=[1], repeats=1)


def test_an_optional_worker_that_ends_is_left_out_in_one_line(tmp_path: Path) -> None:
    said: list[str] = []
    absent = System("x/a", (str(tmp_path / "nobody"),), "rows", optional=True)
    rows = run([absent, player(tmp_path, "x/b", 1)], threads=[1], repeats=1, say=said.append)
    assert {row.name for row in rows} == {"x/b"}
    assert [line for line in said if line.startswith("without ")] == [
        f"without x/a: {line_of(absent)}"
    ]


def line_of(absent: System) -> str:
    return f"[Errno 2] No such file or directory: {absent.command[0]!r}"


def test_a_worker_answers_each_line_with_a_sample() -> None:
    answers = io.StringIO()
    serve(lambda: Timed(3, 0.5, 0.25), name="me", requests=io.StringIO("a\nb\n"), answers=answers)
    ready, *samples = map(json.loads, answers.getvalue().splitlines())
    assert ready == {"ready": "me"}
    assert [(sample["work"], sample["cpu"], sample["wall"]) for sample in samples] == [
        (3, 0.5, 0.25)
    ] * 2
    assert samples[0]["peak_mb"] > 20


def test_memory_that_a_repeat_takes_is_seen() -> None:
    """64 MB, written to and given back."""
    answers = io.StringIO()

    def take() -> Timed:
        assert bytearray(b"x" * (64 << 20))
        return Timed(1, 1, 1)

    serve(take, name="me", requests=io.StringIO("a\n"), answers=answers)
    extra = json.loads(answers.getvalue().splitlines()[1])["extra_mb"]
    if extra is None:
        pytest.skip("this system does not let a process forget its peak")
    assert extra >= 60
