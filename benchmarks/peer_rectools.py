"""SASRec of rectools as a measured peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from peer_process import (
    BLOCKS,
    DIM,
    DROPOUT,
    EPOCHS,
    HEADS,
    LENGTH,
    NEGATIVES,
    TOP,
    TRAINER,
    Clock,
    Sample,
    clocked,
    positions,
)

if TYPE_CHECKING:
    import pandas as pd


def dataset(log: pd.DataFrame):
    """Return events (user, item, time) as a data set of the peer."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset

    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: log["user"],
                Columns.Item: log["item"],
                Columns.Weight: 1,
                Columns.Datetime: pd.to_datetime(log["time"], unit="s"),
            }
        )
    )


def rectools(
    log: pd.DataFrame, *, batch: int, recommend: bool, loss: str = "BCE"
) -> Callable[[], Sample]:
    """Return a measurement of rectools' SASRec with BCE, or with a softmax over the catalogue."""
    from pytorch_lightning import Callback, Trainer
    from rectools.models import SASRecModel

    clock, data, users = Clock(), dataset(log), log["user"].unique()

    def trainer() -> Trainer:
        epochs = 2 if recommend else 1 + EPOCHS
        return Trainer(max_epochs=epochs, callbacks=[clock.callback(Callback)], **TRAINER)

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

    def best() -> object:
        return model.recommend(users, data, k=TOP, filter_viewed=True)

    if not recommend:
        return train
    model.fit(data)
    return lambda: clocked(len(users), best)
