"""Train one model of rectools and rank the targets of all users: the worker of quality_peers.py.

    python benchmarks/quality_peer.py esasrec LOG.parquet --dropout 0.5 --epochs 100 --every 5

LOG.parquet has user, item (both from 0), time (an order) and part (train, valid or test). Runs in
the peers' own environment (peers-requirements.txt) and imports nothing of solidrec. The model is
fitted to the training events. After every few epochs it recommends for validation users and, if
that is the best so far, for test users, with the validation item in their histories. Prints one
JSON object: the ranks of the test targets at that epoch (0 beyond ten), its validation NDCG@10,
epochs, CPU and wall seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from peer_process import TOP, TRAINER, speech
from peer_rectools import dataset

if TYPE_CHECKING:  # quality_peers.py reads `ndcg` below, without pandas
    import pandas as pd

BLOCKS, HEADS, LENGTH, RATE, BATCH, NEGATIVES = 2, 2, 20, 1e-3, 128, 256
"""Settings of solidrec's neural expert, but for 128 users a step and 256 negatives, the peer's own.

The peer computes the padding of every history up to LENGTH: the 50 of solidrec would take it two
and a half times as long for the few longer ones.
"""


def main() -> None:
    """Train the model and print the result."""
    options = arguments()
    output = speech()
    import pandas as pd
    import torch

    torch.manual_seed(options.seed)
    log = pd.read_parquet(options.log)
    cpu, wall = time.process_time(), time.perf_counter()
    found = fitted(log, options)
    found |= {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peer": f"rectools {version('rectools')}",
    }
    print(json.dumps(found), file=output, flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=["sasrec", "esasrec"])
    parser.add_argument("log", type=Path)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--patience", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def fitted(log: pd.DataFrame, options: argparse.Namespace) -> dict[str, object]:
    """Fit a few epochs at a time until validation stops improving, and return the best result."""
    model = build(options)
    data = dataset(log[log["part"] == "train"])
    later = dataset(log[log["part"] != "test"])
    best: dict[str, object] = {"valid": -1.0}
    waited, epochs = 0, 0
    while epochs < options.epochs and waited < options.patience:
        model.fit_partial(data, min_epochs=options.every, max_epochs=options.every)
        epochs += options.every
        valid = ndcg(ranks(model, data, log[log["part"] == "valid"]))
        waited += 1
        if valid > float(str(best["valid"])):
            targets = log[log["part"] == "test"]
            best = {"valid": valid, "epochs": epochs, "users": targets["user"].tolist()}
            best["ranks"] = ranks(model, later, targets).tolist()
            waited = 0
        print(f"{options.name} dropout {options.dropout} epoch {epochs}: {valid:.4f}", flush=True)
    return best


def build(options: argparse.Namespace):
    """Return SASRec with a softmax over all items, or eSASRec: LiGR layers, sampled softmax."""
    from pytorch_lightning import Trainer
    from rectools.models import SASRecModel
    from rectools.models.nn.transformers.ligr import LiGRLayers

    def trainer() -> Trainer:
        return Trainer(max_epochs=options.every, **TRAINER)

    own = {"loss": "softmax"}
    if options.name == "esasrec":
        own = {"loss": "sampled_softmax", "n_negatives": NEGATIVES}
        own |= {"transformer_layers_type": LiGRLayers}
    return SASRecModel(
        n_blocks=BLOCKS,
        n_heads=HEADS,
        n_factors=options.dim,
        dropout_rate=options.dropout,
        session_max_len=LENGTH,
        lr=RATE,
        batch_size=BATCH,
        recommend_batch_size=1024,
        get_trainer_func=trainer,
        **own,
    )


def ranks(model, data, targets: pd.DataFrame) -> np.ndarray:
    """Return the rank of each user's target among the ten best unseen items, 0 if it is none."""
    known = set(data.user_id_map.external_ids.tolist())
    users = np.array([user for user in targets["user"] if user in known])
    found = model.recommend(users, data, k=TOP, filter_viewed=True, on_unsupported_targets="ignore")
    hits = found.merge(
        targets.rename(columns={"user": "user_id", "item": "item_id"}), on=["user_id", "item_id"]
    )
    rank = dict(zip(hits["user_id"], hits["rank"], strict=True))
    return np.array([rank.get(user, 0) for user in targets["user"]])


def ndcg(rank: np.ndarray) -> float:
    """Return NDCG@10 of ranks, where 0 stands for no rank.

    >>> round(ndcg(np.array([1, 0, 3])), 3)
    0.5
    """
    return float(np.where(rank > 0, 1 / np.log2(np.maximum(rank, 1) + 1), 0).mean())


if __name__ == "__main__":
    main()
