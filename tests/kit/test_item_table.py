"""Only a table that is read by rows can be made smaller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from solidrec.errors import IncompatibleError
from solidrec.kit.item_table import shrink_items

TABLE = np.array([[0, 0], [1, -2], [0.3, 0.1]], dtype=np.float32)


def saved(path: Path, kind: str) -> Path:
    """A model that reads rows of the table, or multiplies by all of it."""
    index = helper.make_tensor_value_info("index", TensorProto.INT64, [None])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, 2])
    nodes = [helper.make_node("Gather", ["model.items.weight", "index"], ["out"])]
    if kind == "whole":
        nodes.append(helper.make_node("Add", ["model.items.weight", "model.items.weight"], ["x"]))
    table = numpy_helper.from_array(TABLE, "model.items.weight")
    graph = helper.make_graph(nodes, "g", [index], [out], [table])
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
    return path


@pytest.mark.parametrize(("precision", "error"), [("fp16", 2.0**-11), ("int8", 2 / 127 / 2)])
def test_rows_come_back_as_exactly_as_the_precision(
    tmp_path: Path, precision: str, error: float
) -> None:
    path = saved(tmp_path / "m.onnx", "rows")
    shrink_items(path, precision)  # type: ignore[arg-type]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"index": np.array([2, 0, 1])})
    assert np.abs(found - TABLE[[2, 0, 1]]).max() <= error
    assert (found[1] == 0).all()


def test_a_table_that_is_read_as_a_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IncompatibleError, match="not read by rows"):
        shrink_items(saved(tmp_path / "m.onnx", "whole"), "fp16")
