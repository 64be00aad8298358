from __future__ import annotations

from speed.compare import changes, slower, with_peers
from speed.measurement import Row


def row(name: str, value: float, unit: str = "users/s", threads: int = 1) -> Row:
    return Row(name, value, unit, threads, value, value)


def test_the_best_peer_is_the_peer() -> None:
    rows = [
        row("ours", 60),
        row("slow", 10),
        row("fast", 80),
        row("fast", 1, threads=2),
        row("fast", 9, unit="users/cpu-s"),
    ]
    ours, *others = with_peers(rows, {"ours": ("slow", "fast", "absent")})
    assert (ours.peer, ours.ratio) == ("fast", 60 / 80)
    assert ours.ratios == {"slow": 60 / 10, "fast": 60 / 80}
    assert [other.peer for other in others] == [None] * 4


def test_a_time_is_better_when_smaller() -> None:
    ours, _ = with_peers(
        [row("ours", 2, "ms/call"), row("naive", 8, "ms/call")], {"ours": ("naive",)}
    )
    assert ours.ratio == 8 / 2


def test_nothing_is_compared_with_nothing() -> None:
    rows = [row("ours", 0, "MB extra"), row("naive", 5, "MB extra")]
    assert with_peers(rows, {"ours": ("naive",)})[0].ratio is None
    assert with_peers(rows, {"naive": ("ours",)})[1].ratio is None
    assert changes(rows, [row("ours", 5, "MB extra"), row("naive", 0, "MB extra")]) == []


def test_what_got_slower_is_named() -> None:
    before = [
        row("rate", 100),
        row("steady", 100),
        row("time", 10, "ms/call"),
        row("gone", 1),
        row("rate", 100, threads=2),
    ]
    after = [
        row("rate", 79),
        row("steady", 81),
        row("time", 13, "ms/call"),
        row("new", 1),
        row("rate", 300, threads=2),
    ]
    found = changes(before, after)
    assert [(change.name, change.threads) for change in found] == [
        ("time", 1),
        ("rate", 1),
        ("steady", 1),
        ("rate", 2),
    ]
    assert [change.name for change in slower(found, tolerance=0.2)] == [
        "time",
        "rate",
    ]  # 10/13 and 79/100, not 81/100
    assert slower(found, tolerance=0.5) == []
