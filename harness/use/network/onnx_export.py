"""ONNX files: written from a deployment, run by onnxruntime, quantised to int8."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.errors import RequestError, raised
from harness.use.network.deployment import Deployment, Runtime

QUANTISED = ("Conv", "Gemm", "MatMul")
"""Operators whose inputs and weights become int8; the rest stays float32."""

SCOPES, FRONT_END = "pkg.torch.onnx.name_scopes", "'front_end'"
"""Metadata of a node that name the modules which it comes from, and the front end among them."""


def write_onnx(
    deployment: Deployment,
    example: Tensor,
    names: tuple[str, str],
    path: Path,
    length: int | None,
) -> None:
    """Write a deployment as an ONNX graph of any batch and, of sounds, any length.

    Args:
        deployment: the network.
        example: of its input, two items.
        names: of input and output.
        path: the file.
        length: the axis of its input that is of any length; None if all but the batch is fixed.

    Raises:
        RequestError: torch cannot trace the network with sizes that vary.
    """
    # Without bounds: a tracer cannot prove of a range what holds for the example (that a pooling
    # has several stretches, say), and such a claim changes no operation of the graph.
    axes = (0,) if length is None else (0, length)
    dimensions: dict[int, Any] = dict.fromkeys(axes, torch.export.Dim.DYNAMIC)
    try:
        with torch.no_grad():
            # Strict: Python's own `len` of a tensor stays a size that varies.
            traced = torch.export.export(
                deployment,
                (example,),
                dynamic_shapes=(dimensions,),
                strict=True,
            )
        program = torch.onnx.export(
            traced, dynamo=True, input_names=[names[0]], output_names=[names[1]], verbose=False
        )
    except (RuntimeError, TypeError, ValueError, torch.onnx.errors.OnnxExporterError) as error:
        raise RequestError(f"this network cannot be exported to ONNX: {raised(error)}") from error
    if program is None:
        raise RequestError("this network cannot be exported to ONNX: torch gave no program")
    program.save(path)


def add_metadata(path: Path, facts: Mapping[str, str]) -> None:
    """Write names and values into a graph's metadata."""
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(facts))
    onnx.save(model, path)


def open_onnx(path: Path, threads: int) -> Runtime:
    """Return a graph as a function of a batch, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: np.asarray(session.run(None, {name: batch})[0])


def quantise(path: Path, output: Path, examples: list[NDArray[np.float32]]) -> None:
    """Write a graph with int8 weights, and int8 inputs of convolutions and matrix products.

    Ranges are those of the examples; a weight has one for each output channel. The front end stays
    float32: 8 bits hold no spectrum.

    Args:
        path: the float32 graph.
        output: the int8 graph.
        examples: inputs, `[1, ...]` each.
    """
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            self._left: Iterator[NDArray[np.float32]] = iter(examples)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            batch = next(self._left, None)
            return None if batch is None else {name: batch}

    name, kept = _layout(path)
    quantization.quantize_static(
        str(path),
        str(output),
        Reader(),
        quant_format=quantization.QuantFormat.QDQ,
        op_types_to_quantize=list(QUANTISED),
        nodes_to_exclude=kept,
        per_channel=True,
        # Processors without VNNI add two products of 8 bits in 16: 7 bits do not overflow.
        reduce_range=True,
    )


def _layout(path: Path) -> tuple[str, list[str]]:
    """Return the name of a graph's input, and the nodes of its front end."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    front = [
        node.name
        for node in graph.node
        if any(prop.key == SCOPES and FRONT_END in prop.value for prop in node.metadata_props)
    ]
    return graph.input[0].name, front
