"""SasRec of replay-rec as a measured peer."""

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


def replay(log: pd.DataFrame, *, batch: int, recommend: bool) -> Callable[[], Sample]:
    """Return a measurement of SasRec of replay-rec with its sampled BCE loss."""
    import lightning
    from replay.models.nn.optimizer_utils import FatOptimizerFactory
    from replay.models.nn.sequential import SasRec
    from replay.models.nn.sequential.sasrec import SasRecTrainingDataset
    from torch.utils.data import DataLoader

    clock, data = Clock(), dataset(log)
    model = SasRec(
        data.schema,
        block_count=BLOCKS,
        head_count=HEADS,
        hidden_size=DIM,
        max_seq_len=LENGTH,
        dropout_rate=DROPOUT,
        loss_type="BCE",
        loss_sample_count=NEGATIVES,
        optimizer_factory=FatOptimizerFactory(learning_rate=1e-3),
    )
    rows = DataLoader(
        SasRecTrainingDataset(data, max_sequence_length=LENGTH), batch_size=batch, shuffle=True
    )

    def train(epochs: int = 1 + EPOCHS) -> Sample:
        clock.ends.clear()
        note = clock.callback(lightning.Callback)
        lightning.Trainer(max_epochs=epochs, callbacks=[note], **TRAINER).fit(model, rows)
        return clock.sample(positions(log))

    if not recommend:
        return train
    train(2)
    best = recommender(model, data, batch=batch)
    return lambda: clocked(len(data), best)


def dataset(log: pd.DataFrame):
    """Return events (user, item) as a data set of the peer."""
    import numpy as np
    from replay.data import FeatureHint, FeatureSource, FeatureType
    from replay.data.nn import (
        PandasSequentialDataset,
        TensorFeatureInfo,
        TensorFeatureSource,
        TensorSchema,
    )

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
    return PandasSequentialDataset(
        schema, query_id_column="user", item_id_column="item", sequences=sequences
    )


def recommender(model, data, *, batch: int) -> Callable[[], object]:
    """Return a function that recommends the best unseen items to every user of the data."""
    import lightning
    from replay.models.nn.sequential.callbacks import PandasPredictionCallback
    from replay.models.nn.sequential.postprocessors import RemoveSeenItems
    from replay.models.nn.sequential.sasrec import SasRecPredictionDataset
    from torch.utils.data import DataLoader

    rows = DataLoader(SasRecPredictionDataset(data, max_sequence_length=LENGTH), batch_size=batch)

    def best() -> object:
        found = PandasPredictionCallback(
            top_k=TOP,
            query_column="user",
            item_column="item",
            rating_column="score",
            postprocessors=[RemoveSeenItems(data)],
        )
        trainer = lightning.Trainer(callbacks=[found], inference_mode=True, **TRAINER)
        trainer.predict(model, rows, return_predictions=False)
        return found.get_result()

    return best
