"""Array types by dtype, for annotations of NumPy code; shapes are given in docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
AnyInts = npt.NDArray[np.integer[Any]]
