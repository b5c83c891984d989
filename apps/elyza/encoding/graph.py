"""Writes the fused ONNX graph of a BERT sentence encoder straight from its published weights; needs no torch.

`python -m apps.elyza.encoding.graph <model directory> <target.onnx>` is run once by the model process, in a
process of its own, so that the memory of `onnx` and of the raw weights goes away with it.

The operators of the domain `com.microsoft` are ONNX Runtime's fused kernels
(https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md). Layer names are those of
Hugging Face's BertModel; masked mean pooling and L2 normalisation are part of the graph, as the
sentence-transformers model card of all-MiniLM-L6-v2 prescribes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

FUSED = "com.microsoft"
OPSET = 18
HIDDEN_OUTPUT, EMBEDDING_OUTPUT = "token_states", "embedding"


class GraphWriter:
    """Collects nodes and arrays; each method appends one operator and returns the name of its output."""

    def __init__(self, weights: Weights, *, epsilon: float, heads: int) -> None:
        self.weights = weights
        self.epsilon = epsilon
        self.heads = heads
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Store an array in the file under the given name."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str, *, transpose: bool = False) -> str:
        """Store one of the model's own arrays; a dense layer's matrix is transposed from (out, in) to (in,
        out).
        """
        array = self.weights[name]
        return self.constant(name, array.T if transpose else array)

    def node(
        self, operator: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any
    ) -> str:
        """Append an operator with one output that is used; attribute types are the operator's own."""
        outputs = [output, f"{output}.mask"] if operator == "EmbedLayerNormalization" else [output]
        self.nodes.append(
            helper.make_node(operator, inputs, outputs, name=output, domain=domain, **attributes)
        )
        return output

    def embeddings(self) -> str:
        """Word and position vectors, summed and normalised; the only token type (0) is added to the
        positions.
        """
        positions = self.weights["embeddings.position_embeddings.weight"]
        first_type = self.weights["embeddings.token_type_embeddings.weight"][0]
        return self.node(
            "EmbedLayerNormalization",
            [
                "input_ids",
                "",
                self.weight("embeddings.word_embeddings.weight"),
                self.constant("positions", positions + first_type),
                "",
                self.weight("embeddings.LayerNorm.weight"),
                self.weight("embeddings.LayerNorm.bias"),
            ],
            "embeddings",
            domain=FUSED,
            epsilon=self.epsilon,
        )

    def layer(self, index: int, states: str) -> str:
        """One transformer block: attention, then the feed-forward part, each added to its input and
        normalised.
        """
        prefix = f"encoder.layer.{index}"
        parts = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        joined = np.concatenate([self.weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self.weights[f"{part}.bias"] for part in parts])
        attended = self.node(
            "Attention",
            [
                states,
                self.constant(f"{prefix}.qkv.weight", joined),
                self.constant(f"{prefix}.qkv.bias", bias),
                "attention_mask",
            ],
            f"{prefix}.attended",
            domain=FUSED,
            num_heads=self.heads,
        )
        states = self.add_and_norm(f"{prefix}.attention.output", attended, states)
        wide = self.node(
            "MatMul",
            [states, self.weight(f"{prefix}.intermediate.dense.weight", transpose=True)],
            f"{prefix}.wide",
        )
        wide = self.node(
            "BiasGelu",
            [wide, self.weight(f"{prefix}.intermediate.dense.bias")],
            f"{prefix}.gelu",
            domain=FUSED,
        )
        return self.add_and_norm(f"{prefix}.output", wide, states)

    def add_and_norm(self, prefix: str, values: str, skip: str) -> str:
        """Dense layer, its bias, the skip connection and the layer norm, the last three in one kernel."""
        dense = self.node(
            "MatMul", [values, self.weight(f"{prefix}.dense.weight", transpose=True)], f"{prefix}.dense"
        )
        return self.node(
            "SkipLayerNormalization",
            [
                dense,
                skip,
                self.weight(f"{prefix}.LayerNorm.weight"),
                self.weight(f"{prefix}.LayerNorm.bias"),
                self.weight(f"{prefix}.dense.bias"),
            ],
            f"{prefix}.normed",
            domain=FUSED,
            epsilon=self.epsilon,
        )

    def pool(self, states: str) -> str:
        """Sum of the unmasked token states, then unit length: the mean's divisor cancels out."""
        mask = self.node("Cast", ["attention_mask"], "mask.float", to=TensorProto.FLOAT)
        row = self.node("Unsqueeze", [mask, self.constant("axis", np.array([1], np.int64))], "mask.row")
        summed = self.node("MatMul", [row, states], "pooled.row")
        flat = self.node("Squeeze", [summed, "axis"], "pooled")
        return self.node("LpNormalization", [flat], EMBEDDING_OUTPUT, axis=-1, p=2)


def build_graph(model_directory: Path) -> onnx.ModelProto:
    """Read config.json and model.safetensors and return the fused graph.

    Inputs `input_ids` and `attention_mask`: int32, shape (rows, tokens). Outputs `embedding`: float32, (rows,
    hidden), unit length, and `token_states`: float32, (rows, tokens, hidden), as the last layer leaves them.
    """
    config = json.loads((model_directory / "config.json").read_text())
    if config["hidden_act"] != "gelu":
        raise ValueError(f"only exact GELU is written, the model wants {config['hidden_act']}")
    writer = GraphWriter(
        load_file(model_directory / "model.safetensors"),
        epsilon=float(config["layer_norm_eps"]),
        heads=int(config["num_attention_heads"]),
    )
    states = writer.embeddings()
    for index in range(int(config["num_hidden_layers"])):
        states = writer.layer(index, states)
    writer.nodes[-1].output[0] = HIDDEN_OUTPUT
    writer.pool(HIDDEN_OUTPUT)
    shape = ["rows", "tokens"]
    width = int(config["hidden_size"])
    graph = helper.make_graph(
        writer.nodes,
        "sentence_encoder",
        [
            helper.make_tensor_value_info(name, TensorProto.INT32, shape)
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info(EMBEDDING_OUTPUT, TensorProto.FLOAT, ["rows", width]),
            helper.make_tensor_value_info(HIDDEN_OUTPUT, TensorProto.FLOAT, [*shape, width]),
        ],
        writer.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def write_graph(model_directory: Path, target: Path) -> None:
    """Write under a temporary name, flush to disk, then rename: a reader never sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(build_graph(model_directory).SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(target)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    write_graph(Path(sys.argv[1]), Path(sys.argv[2]))
