"""What packets cost, and when a device should ask for a new one.

    python benchmarks/device.py DATA RUN [--events 30]

DATA is split by time and RUN a recommender (no mixture) that was trained on it. The events of the
test period are what a device sees: event by event it ranks the whole catalogue (less what its user
had) with the weights that it has, for the history as it is by then. NDCG@10 is averaged within
users first. The first table has packets of every precision, renewed at every event; the second one
policies of asking: how many events come between two packets, and what that costs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from solidrec.api import load
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.significance import crossed
from solidrec.inference.scorer import evaluating
from solidrec.kit.export_kit import group_weights
from solidrec.kit.packet import PRECISIONS, decode, encode
from solidrec.nn.weights import BuiltWeights
from solidrec.recommend.engine import Engine

_MODEL = bytes(16)
_BLOCK = 256


class Events(NamedTuple):
    """E events of the test period, those of a user together and in order.

    ``user`` (E,), ``nth`` (E,) from 0 within the user, ``history`` (E, L) before the event,
    ``target`` (E,) and ``seconds`` (E,).
    """

    user: np.ndarray
    nth: np.ndarray
    history: np.ndarray
    target: np.ndarray
    seconds: np.ndarray
    position: np.ndarray


def events_of(data: PreparedData, *, most: int, length: int) -> Events:
    """Return the first events of each user in the test period that have an earlier one."""
    rows = data.rows("test")
    first = np.asarray(rows.positions)
    ends = np.minimum(data.offsets[rows.users + 1], first + most)
    count = ends - first
    user = np.repeat(np.asarray(rows.users), count)
    nth = np.arange(len(user)) - np.repeat(np.cumsum(count) - count, count)
    position = np.repeat(first, count) + nth
    history = data.histories(user, position, length).astype(np.int64)
    items, times = np.asarray(data.event_items), np.asarray(data.event_times)
    return Events(user, nth, history, items[position].astype(np.int64), times[position], position)


def slices(count: int) -> Iterator[slice]:
    """Yield blocks of rows."""
    for start in range(0, count, _BLOCK):
        yield slice(start, start + _BLOCK)


def ndcg(
    engine: Engine,
    data: PreparedData,
    events: Events,
    weights: dict[str, np.ndarray],
    use: np.ndarray,
) -> np.ndarray:
    """Return NDCG@10 of each event, scored with the weights of row ``use`` (E,)."""
    model: Any = engine.run.model
    found = []
    everything = torch.from_numpy(engine.everything)
    with evaluating(model):
        for part in slices(len(use)):
            own = BuiltWeights(
                {slot: torch.from_numpy(one[use[part]]) for slot, one in weights.items()}
            )
            scores = model.score(torch.from_numpy(events.history[part]), everything, own).numpy()
            target = scores[np.arange(len(scores)), events.target[part] - 1].copy()
            row, item = data.seen(events.user[part], events.position[part])
            scores[row, item - 1] = -np.inf
            missed = scores[np.arange(len(scores)), events.target[part] - 1] == -np.inf
            rank = (scores > target[:, None]).sum(1) + 1
            found.append(np.where(missed | (rank > 10), 0.0, 1 / np.log2(rank + 1)))
    return np.concatenate(found)


def generated(engine: Engine, events: Events) -> dict[str, np.ndarray]:
    """Return the weights of each event's history by slot, (E, ...)."""
    model: Any = engine.run.model
    parts: dict[str, list[np.ndarray]] = {}
    with evaluating(model):
        for part in slices(len(events.user)):
            weights = model.generate(torch.from_numpy(events.history[part])).weights.tensors
            for slot, tensor in weights.items():
                parts.setdefault(slot, []).append(tensor.numpy())
    return {slot: np.concatenate(one) for slot, one in parts.items()}


def through_packets(
    weights: dict[str, np.ndarray], **options: Any
) -> tuple[dict[str, np.ndarray], int]:
    """Return what is left of weights that travel in packets, and the bytes of a packet."""
    base = options.get("base")
    size, parts = 0, []
    for row in range(len(next(iter(weights.values())))):
        packet = encode(
            {slot: one[row] for slot, one in weights.items()}, model=_MODEL, created=0, **options
        )
        size = len(packet)
        parts.append(decode(packet, model=_MODEL, base=base).tensors)
    return {slot: np.stack([one[slot] for one in parts]) for slot in weights}, size


def refreshed(events: Events, asks: np.ndarray | Callable[[int, int], bool]) -> np.ndarray:
    """Return the row (E,) whose weights a device has at each event; the first is always asked."""
    use = np.arange(len(events.user))
    for row in range(1, len(use)):
        if events.nth[row] == 0:
            continue
        before = use[row - 1]
        again = asks[row] if isinstance(asks, np.ndarray) else asks(row, before)
        use[row] = row if again else before
    return use


def unsure(
    engine: Engine, events: Events, weights: dict[str, np.ndarray], *, above: float
) -> np.ndarray:
    """Return the rows used if a device asks when its scores are unsure.

    The entropy of the softmax over all items, under the weights that it has, is above a number.
    """
    model: Any = engine.run.model
    use, everything = np.arange(len(events.user)), torch.from_numpy(engine.everything)
    for nth in range(1, int(events.nth.max()) + 1):
        rows = np.flatnonzero(events.nth == nth)
        own = BuiltWeights(
            {slot: torch.from_numpy(one[use[rows - 1]]) for slot, one in weights.items()}
        )
        with evaluating(model):
            scores = model.score(torch.from_numpy(events.history[rows]), everything, own)
        entropy = torch.distributions.Categorical(logits=scores).entropy().numpy()
        use[rows] = np.where(entropy > above, rows, use[rows - 1])
    return use


def policies(
    engine: Engine, events: Events, weights: dict[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield policies by name, each as the row whose weights a device has at each event."""
    model: Any = engine.run.model
    yield "once, at the first event", refreshed(events, lambda row, before: False)
    for count in (1, 2, 3, 5, 10):
        yield (
            f"every {count} events",
            refreshed(events, lambda row, before, n=count: row - before >= n),
        )
    for minutes in (1, 5, 60):
        yield (
            f"after {minutes} min",
            refreshed(
                events,
                lambda row, before, s=60 * minutes: (
                    events.seconds[row] - events.seconds[before] >= s
                ),
            ),
        )
    if engine.run.semantics is not None:
        of_item = engine.run.semantics.table.reshape(len(engine.run.items) + 1, -1)[:, 0]
        sets = [{*of_item[one[one > 0]].tolist()} for one in events.history]
        for new in (1, 2, 3):
            yield (
                f"{new} new semantic ids",
                refreshed(events, lambda row, before, n=new: len(sets[row] - sets[before]) >= n),
            )
    for entropy in (6.0, 6.5, 7.0):
        yield f"entropy above {entropy}", unsure(engine, events, weights, above=entropy)
    # What the device knows by itself: the state of its backbone.
    nothing = torch.zeros(1, 1, engine.run.spec.model.dim)
    with evaluating(model):
        states = []
        for part in slices(len(events.user)):
            history = torch.from_numpy(events.history[part])
            states.append(model.backbone(model.items(history), history > 0, nothing)[:, 0])
    state = torch.nn.functional.normalize(torch.cat(states), dim=1).numpy()
    for drift in (0.1, 0.3, 0.6):
        yield (
            f"state drifted by {drift}",
            refreshed(
                events, lambda row, before, d=drift: 1 - float(state[row] @ state[before]) > d
            ),
        )


def by_user(events: Events, values: np.ndarray) -> np.ndarray:
    """Return the mean of each user."""
    _, number = np.unique(events.user, return_inverse=True)
    return np.asarray(np.bincount(number, values) / np.bincount(number))


def draw(rows: list[dict[str, Any]], always: float, path: Path) -> None:
    """Draw quality against packets an event, one line a kind of policy."""
    import matplotlib.pyplot as plt

    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kind = "".join(sign for sign in row["policy"] if not sign.isdigit() and sign != ".")
        kinds.setdefault(" ".join(kind.split()), []).append(row)
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.axhline(always, color="0.7", linewidth=1, label="a packet at every event")
    for (kind, own), marker in zip(kinds.items(), "os^vDPX", strict=False):
        own = sorted(own, key=lambda row: row["calls"])
        axes.plot(
            [row["calls"] for row in own],
            [row["NDCG@10"] for row in own],
            marker=marker,
            label=kind,
        )
    axes.set(xlabel="packets an event", ylabel="NDCG@10", xlim=(0, 1))
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=130)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--events", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    engine, data = load(args.run).engine, PreparedData.open(args.data)
    events = events_of(data, most=args.events, length=engine.run.spec.model.history_length)
    weights, rows = generated(engine, events), np.arange(len(events.user))
    fresh = by_user(events, ndcg(engine, data, events, weights, rows))
    print(f"{len(fresh):,} users, {len(rows):,} events\n")
    found: dict[str, Any] = {
        "users": len(fresh),
        "events": len(rows),
        "packets": [],
        "policies": [],
    }

    group = group_weights(engine)
    print("| packet | bytes | NDCG@10 | less than float32 |\n|---|---|---|---|")
    for base in (None, group):
        for precision in PRECISIONS:
            sent, size = through_packets(weights, precision=precision, base=base)
            own = by_user(events, ndcg(engine, data, events, sent, rows))
            name = f"{precision}{' differences' if base else ''}"
            found["packets"].append({"packet": name, "bytes": size, "NDCG@10": float(own.mean())})
            print(f"| {name} | {size:,} | {own.mean():.4f} | {own.mean() - fresh.mean():+.4f} |")
    same = {slot: np.broadcast_to(one, weights[slot].shape) for slot, one in group.items()}
    alone = by_user(events, ndcg(engine, data, events, same, rows))
    print(
        f"| none: the group weights | 0 | {alone.mean():.4f} | {alone.mean() - fresh.mean():+.4f} |"
    )
    found["group"] = float(alone.mean())

    print("\n| asks | packets an event | NDCG@10 | less than always (95 %) |\n|---|---|---|---|")
    for name, use in policies(engine, events, weights):
        own = by_user(events, ndcg(engine, data, events, weights, use))
        apart, calls = crossed((own - fresh)[None]), float((use == rows).mean())
        found["policies"].append(
            {"policy": name, "calls": calls, "NDCG@10": float(own.mean()), "low": apart.low,
             "high": apart.high}
        )  # fmt: skip
        print(
            f"| {name} | {calls:.3f} | {own.mean():.4f} | {apart.mean:+.4f} "
            f"({apart.low:+.4f} to {apart.high:+.4f}) |"
        )
    if args.picture:
        draw(found["policies"], float(fresh.mean()), args.picture)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
