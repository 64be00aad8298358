"""The weights that a model generates for one user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from solidrec.inference.scorer import evaluating
from solidrec.recommend.engine import Engine


def generated(engine: Engine, history: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
    """Return the tensors of a model's dynamic layers for a history of raw ids, by slot.

    They are what travels to a device, which scores with them; a static model has the same for
    everybody. Ids that the model does not know are left out.
    """
    model: Any = engine.run.model
    window = engine.window([engine.run.items.known(history)[0]])
    with evaluating(model):
        tensors = model.generate(engine.score.tensor(window)).weights.tensors
        return {slot: tensor[0].float().cpu().numpy() for slot, tensor in tensors.items()}
