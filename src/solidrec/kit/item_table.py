"""Smaller item vectors in an exported model: float16, or int8 with one scale an item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from solidrec.errors import IncompatibleError
from solidrec.kit.packet import Precision

_TABLE = "model.items.weight"


def shrink_items(path: Path, precision: Precision) -> None:
    """Replace the item table of an ONNX model by one of another precision.

    The table is read by rows (Gather), so only the rows that are read are made float32 again.
    Raises `IncompatibleError` if the model has no such table.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    tables = [one for one in graph.initializer if one.name == _TABLE]
    gathers = [node for node in graph.node if node.op_type == "Gather" and node.input[0] == _TABLE]
    readers = [node for node in graph.node if _TABLE in node.input]
    if len(tables) != 1 or not gathers or len(gathers) != len(readers):
        raise IncompatibleError(f"{path}: its item vectors are not read by rows")
    values = numpy_helper.to_array(tables[0])
    graph.initializer.remove(tables[0])
    if precision == "fp16":
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), _TABLE))
    else:
        scale = np.maximum(np.abs(values).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
        rounded = np.rint(values / scale).astype(np.int8)
        graph.initializer.append(numpy_helper.from_array(rounded, _TABLE))
        graph.initializer.append(numpy_helper.from_array(scale, "items_scale"))
    made: list[Any] = []
    for node in graph.node:
        made.append(node)
        if node not in gathers:
            continue
        out, node.output[0] = node.output[0], f"{node.output[0]}_small"
        to: Any = {"to": TensorProto.FLOAT}
        if precision == "fp16":
            made.append(helper.make_node("Cast", [node.output[0]], [out], **to))
            continue
        made += [
            helper.make_node("Cast", [node.output[0]], [f"{out}_whole"], **to),
            helper.make_node("Gather", ["items_scale", node.input[1]], [f"{out}_scale"]),
            helper.make_node("Mul", [f"{out}_whole", f"{out}_scale"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(made)
    onnx.checker.check_model(model)
    onnx.save(model, path)
