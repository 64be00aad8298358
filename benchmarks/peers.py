"""Run one peer in its own process: it trains or recommends once for each line on standard input.

    python benchmarks/peers.py train/rectools/128 LOG.parquet

LOG.parquet has user, item (both from 0) and time of the training part of the data, with the events
of each user together and in order. Runs in the peers' own environment (peers-requirements.txt) and
imports nothing of solidrec. The protocol is that of `speed.worker`: a first line when it is ready,
then a line of {work, cpu, wall, peak_mb} for each line that it reads.

Training is timed from the end of one epoch to the end of a later one, so set-up and the first epoch
are not included. Both peers read the last 11 items of each user: 10 positions for a user with that
many items, each with 4 negatives.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # bench.py reads the names of the peers below without pandas
    import pandas as pd


LENGTH, DIM, BLOCKS, HEADS, DROPOUT, NEGATIVES = 10, 32, 2, 2, 0.2, 4
EPOCHS = 10
TOP = 10
Sample = tuple[float, float, float]
"""Work, CPU seconds and wall seconds."""


def positions(log: pd.DataFrame) -> int:
    """Return how many positions of an epoch enter the loss: the last 11 items but the first."""
    return int((log.groupby("user").size().clip(upper=LENGTH + 1) - 1).sum())


class Clock:
    """Records the time at the end of each epoch; `sample` covers the first to the last of them."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def note(self) -> None:
        self.ends.append((time.process_time(), time.perf_counter()))

    def sample(self, work_of_epoch: int) -> Sample:
        (cpu, wall), (last_cpu, last_wall) = self.ends[0], self.ends[-1]
        return work_of_epoch * (len(self.ends) - 1), last_cpu - cpu, last_wall - wall


def clocked(work: int, run: Callable[[], object]) -> Sample:
    """Time one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return work, time.process_time() - cpu, time.perf_counter() - wall


def rectools(
    log: pd.DataFrame, *, batch: int, recommend: bool, loss: str = "BCE"
) -> Callable[[], Sample]:
    """Return a measurement of rectools' SASRec with BCE, or with a softmax over the catalogue."""
    import pandas as pd
    from pytorch_lightning import Callback, Trainer
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    clock = Clock()

    class Note(Callback):
        def on_train_epoch_end(self, trainer: object, module: object) -> None:
            clock.note()

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=2 if recommend else 1 + EPOCHS,
            callbacks=[Note()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            devices=1,
            accelerator="cpu",
        )

    frame = pd.DataFrame(
        {
            Columns.User: log["user"],
            Columns.Item: log["item"],
            Columns.Weight: 1,
            Columns.Datetime: pd.to_datetime(log["time"], unit="s"),
        }
    )
    data = Dataset.construct(frame)
    model = SASRecModel(
        n_blocks=BLOCKS,
        n_heads=HEADS,
        n_factors=DIM,
        dropout_rate=DROPOUT,
        session_max_len=LENGTH,
        loss=loss,
        n_negatives=NEGATIVES,
        lr=1e-3,
        batch_size=batch,
        recommend_batch_size=batch,
        get_trainer_func=trainer,
    )

    def train() -> Sample:
        clock.ends.clear()
        model.fit(data)
        return clock.sample(positions(log))

    if not recommend:
        return train
    model.fit(data)
    users = frame[Columns.User].unique()
    return lambda: clocked(
        len(users), lambda: model.recommend(users, data, k=TOP, filter_viewed=True)
    )


def replay(log: pd.DataFrame, *, batch: int, recommend: bool) -> Callable[[], Sample]:
    """Return a measurement of SasRec of replay-rec with its sampled BCE loss."""
    import lightning
    import numpy as np
    from replay.data import FeatureHint, FeatureSource, FeatureType
    from replay.data.nn import (
        PandasSequentialDataset,
        TensorFeatureInfo,
        TensorFeatureSource,
        TensorSchema,
    )
    from replay.models.nn.optimizer_utils import FatOptimizerFactory
    from replay.models.nn.sequential import SasRec
    from replay.models.nn.sequential.callbacks import PandasPredictionCallback
    from replay.models.nn.sequential.postprocessors import RemoveSeenItems
    from replay.models.nn.sequential.sasrec import SasRecPredictionDataset, SasRecTrainingDataset
    from torch.utils.data import DataLoader

    clock = Clock()

    class Note(lightning.Callback):
        def on_train_epoch_end(self, trainer: object, module: object) -> None:
            clock.note()

    items = int(log["item"].max()) + 1
    schema = TensorSchema(
        TensorFeatureInfo(
            name="item",
            is_seq=True,
            cardinality=items,
            padding_value=items,
            embedding_dim=DIM,
            feature_type=FeatureType.CATEGORICAL,
            feature_hint=FeatureHint.ITEM_ID,
            feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item")],
        )
    )
    sequences = log.groupby("user", sort=True)["item"].agg(list).map(np.asarray).reset_index()
    data = PandasSequentialDataset(
        schema, query_id_column="user", item_id_column="item", sequences=sequences
    )
    model = SasRec(
        schema,
        block_count=BLOCKS,
        head_count=HEADS,
        hidden_size=DIM,
        max_seq_len=LENGTH,
        dropout_rate=DROPOUT,
        loss_type="BCE",
        loss_sample_count=NEGATIVES,
        optimizer_factory=FatOptimizerFactory(learning_rate=1e-3),
    )
    train_rows = DataLoader(
        SasRecTrainingDataset(data, max_sequence_length=LENGTH), batch_size=batch, shuffle=True
    )
    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
    }

    def train(epochs: int = 1 + EPOCHS) -> Sample:
        clock.ends.clear()
        trainer = lightning.Trainer(
            max_epochs=epochs, callbacks=[Note()], devices=1, accelerator="cpu", **quiet
        )
        trainer.fit(model, train_rows)
        return clock.sample(positions(log))

    if not recommend:
        return train
    train(2)
    rows = DataLoader(SasRecPredictionDataset(data, max_sequence_length=LENGTH), batch_size=batch)

    def predict() -> object:
        found = PandasPredictionCallback(
            top_k=TOP,
            query_column="user",
            item_column="item",
            rating_column="score",
            postprocessors=[RemoveSeenItems(data)],
        )
        lightning.Trainer(
            callbacks=[found], inference_mode=True, devices=1, accelerator="cpu", **quiet
        ).predict(model, rows, return_predictions=False)
        return found.get_result()

    return lambda: clocked(len(sequences), predict)


PEERS: dict[str, tuple[Callable[..., Callable[[], Sample]], str, int, bool]] = {
    "train/rectools/128": (rectools, "rectools", 128, False),
    "train/rectools/1024": (rectools, "rectools", 1024, False),
    "train/rectools-softmax/128": (partial(rectools, loss="softmax"), "rectools", 128, False),
    "train/rectools-softmax/1024": (partial(rectools, loss="softmax"), "rectools", 1024, False),
    "top-10/rectools": (rectools, "rectools", 1024, True),
    "train/replay/128": (replay, "replay-rec", 128, False),
    "train/replay/1024": (replay, "replay-rec", 1024, False),
    "top-10/replay": (replay, "replay-rec", 1024, True),
}
"""By name: the builder, its distribution, users per batch, and whether it recommends."""


def peak_mb() -> float:
    """Return the peak memory of this process in MB; Linux's ru_maxrss starts from the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(
            int(line.split()[1]) / 1024
            for line in status.read_text().splitlines()
            if line.startswith("VmHWM:")
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Set up, then measure once for each line on standard input."""
    import pandas as pd
    import torch

    warnings.simplefilter("ignore")
    for name in ("lightning", "pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    speech = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the peer prints goes to standard error
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    make, distribution, batch, recommend = PEERS[sys.argv[1]]
    measure = make(pd.read_parquet(sys.argv[2]), batch=batch, recommend=recommend)
    print(json.dumps({"ready": f"{distribution} {version(distribution)}"}), file=speech, flush=True)
    for _ in sys.stdin:
        work, cpu, wall = measure()
        peak = peak_mb()
        print(
            json.dumps({"work": work, "cpu": cpu, "wall": wall, "peak_mb": peak}),
            file=speech,
            flush=True,
        )


if __name__ == "__main__":
    main()
