"""Write the sample models that ship with the application.

    python resources/models/make_models.py [--output DIR]

Three small networks with random weights, each the smallest honest example of its kind: they have real structures and
take realistic time, but have learned nothing. The same bytes come out on every machine: the weights are drawn from
numpy's frozen `RandomState` stream with plain arithmetic only (no logarithm or root of the C library touches a drawn
value), and the files are written with protobuf's deterministic order.

IR version 8 and opset 17 keep the files loadable by every onnxruntime that has plugin execution providers.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
OPSET = 17
PRODUCER = "ort-device-explorer"
PRODUCER_VERSION = "1"

IMAGE_SIZE = 160
IMAGE_CLASSES = 10
IMAGE_STAGES = (16, 32, 64)
IMAGE_BLOCKS_PER_STAGE = 2

VOCABULARY = 256
MAX_SEQUENCE = 512
HIDDEN = 64
HEADS = 4
LAYERS = 2
# Added to the attention score of a masked position. Finite, so that a row with nothing to attend to stays finite too.
MASKED_SCORE = -10_000.0

TINY_FEATURES = 32
TINY_HIDDEN = 64
TINY_CLASSES = 4

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class GraphWriter:
    """Collects the nodes and weights of one graph, each under a readable name.

    A node's name is also the name of its (only) output.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.RandomState(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def node(self, op_type: str, name: str, inputs: Sequence[str], **attributes: float | Sequence[int]) -> str:
        """Add a node and return the name of its output."""
        self._nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: FloatArray | IntArray) -> str:
        """Add an initializer and return its name; a name that is there already is used again."""
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(values, name)
        return name

    def weight(self, name: str, shape: Sequence[int], variance: float) -> str:
        """Add an initializer drawn evenly around 0 with this variance."""
        limit = (3.0 * variance) ** 0.5
        drawn = (self._random.random_sample(shape) * 2.0 - 1.0) * limit
        return self.constant(name, drawn.astype(np.float32))

    def scale_and_shift(self, name: str, size: int) -> tuple[str, str]:
        """Add the two weights of a normalization: a scale near 1 and a shift near 0."""
        scale = 1.0 + (self._random.random_sample(size) * 2.0 - 1.0) * 0.1
        return self.constant(f"{name}.scale", scale.astype(np.float32)), self.weight(f"{name}.shift", [size], 1e-2)

    def model(
        self,
        name: str,
        description: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """Return the checked model; its shapes must agree with the declared outputs."""
        graph = helper.make_graph(
            self._nodes, name, list(inputs), list(outputs), list(self._initializers.values()), doc_string=description
        )
        model = helper.make_model(
            graph,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name=PRODUCER,
            producer_version=PRODUCER_VERSION,
            doc_string=description,
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def _convolution(
    graph: GraphWriter, name: str, source: str, *, channels: tuple[int, int], kernel: int, stride: int, gain: float
) -> str:
    """A 2-D convolution that keeps the picture's borders, with a bias as a folded batch normalization leaves it."""
    channels_in, channels_out = channels
    fan_in = channels_in * kernel * kernel
    weight = graph.weight(f"{name}.weight", [channels_out, channels_in, kernel, kernel], gain / fan_in)
    bias = graph.weight(f"{name}.bias", [channels_out], 1e-2)
    pad = kernel // 2
    return graph.node(
        "Conv",
        name,
        [source, weight, bias],
        kernel_shape=[kernel, kernel],
        strides=[stride, stride],
        pads=[pad, pad, pad, pad],
    )


def _residual_block(graph: GraphWriter, name: str, source: str, *, channels: tuple[int, int], stride: int) -> str:
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""
    channels_in, channels_out = channels
    first = _convolution(graph, f"{name}.conv1", source, channels=channels, kernel=3, stride=stride, gain=2.0)
    active = graph.node("Relu", f"{name}.relu1", [first])
    # Half the usual variance: the shortcut's is added to it, and a stack of blocks must not grow.
    second = _convolution(
        graph, f"{name}.conv2", active, channels=(channels_out, channels_out), kernel=3, stride=1, gain=1.0
    )
    shortcut = source
    if stride != 1 or channels_in != channels_out:
        shortcut = _convolution(graph, f"{name}.shortcut", source, channels=channels, kernel=1, stride=stride, gain=1.0)
    return graph.node("Relu", f"{name}.relu2", [graph.node("Add", f"{name}.add", [second, shortcut])])


def image_classifier() -> onnx.ModelProto:
    """A residual convolution network: `image` [batch, 3, 160, 160] to `probabilities` [batch, 10].

    The pooling is a GlobalAveragePool on purpose. An execution provider may claim 2-D convolutions that it then can't
    run (ggml 0.2.0 does); with an operator that it declines, the whole graph goes to the CPU, where it runs.
    """
    graph = GraphWriter(seed=1)
    channels = IMAGE_STAGES[0]
    flow = _convolution(graph, "stem.conv", "image", channels=(3, channels), kernel=3, stride=2, gain=2.0)
    flow = graph.node("Relu", "stem.relu", [flow])
    for stage, stage_channels in enumerate(IMAGE_STAGES):
        for block in range(IMAGE_BLOCKS_PER_STAGE):
            stride = 2 if stage > 0 and block == 0 else 1
            name = f"stage{stage + 1}.block{block + 1}"
            flow = _residual_block(graph, name, flow, channels=(channels, stage_channels), stride=stride)
            channels = stage_channels
    pooled = graph.node("GlobalAveragePool", "head.pool", [flow])
    flat = graph.node("Flatten", "head.flatten", [pooled], axis=1)
    weight = graph.weight("head.fc.weight", [IMAGE_CLASSES, channels], 1.0 / channels)
    bias = graph.weight("head.fc.bias", [IMAGE_CLASSES], 1e-2)
    scores = graph.node("Gemm", "head.fc", [flat, weight, bias], transB=1)
    graph.node("Softmax", "probabilities", [scores], axis=-1)
    return graph.model(
        "image_classifier",
        "A small residual image classifier with random weights: a 160 x 160 RGB picture to 10 class probabilities.",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, IMAGE_SIZE, IMAGE_SIZE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", IMAGE_CLASSES])],
    )


def _linear(graph: GraphWriter, name: str, source: str, *, size_in: int, size_out: int) -> str:
    """A matrix product over the last axis and a bias."""
    weight = graph.weight(f"{name}.weight", [size_in, size_out], 1.0 / size_in)
    bias = graph.weight(f"{name}.bias", [size_out], 1e-2)
    return graph.node("Add", name, [graph.node("MatMul", f"{name}.product", [source, weight]), bias])


def _layer_norm(graph: GraphWriter, name: str, source: str) -> str:
    """A layer normalization over the last axis."""
    scale, shift = graph.scale_and_shift(name, HIDDEN)
    return graph.node("LayerNormalization", name, [source, scale, shift], axis=-1, epsilon=1e-5)


def _gelu(graph: GraphWriter, name: str, source: str) -> str:
    """The exact GELU, `x * (1 + erf(x / sqrt(2))) * 0.5`, in the five nodes that exporters write before opset 20."""
    root_two = graph.constant("root_two", np.array(1.4142135, dtype=np.float32))
    one = graph.constant("one", np.array(1.0, dtype=np.float32))
    half = graph.constant("half", np.array(0.5, dtype=np.float32))
    inner = graph.node("Erf", f"{name}.erf", [graph.node("Div", f"{name}.div", [source, root_two])])
    weighted = graph.node("Mul", f"{name}.gate", [source, graph.node("Add", f"{name}.add", [inner, one])])
    return graph.node("Mul", name, [weighted, half])


def _self_attention(graph: GraphWriter, name: str, source: str, mask: str) -> str:
    """Self-attention of several heads over [batch, sequence, hidden]; `mask` is added to the scores."""
    head_size = HIDDEN // HEADS
    split = graph.constant("heads.split", np.array([0, 0, HEADS, head_size], dtype=np.int64))
    join = graph.constant("heads.join", np.array([0, 0, HIDDEN], dtype=np.int64))
    scale = graph.constant("heads.scale", np.array(head_size**-0.5, dtype=np.float32))

    def heads(part: str, order: Sequence[int]) -> str:
        projected = _linear(graph, f"{name}.{part}", source, size_in=HIDDEN, size_out=HIDDEN)
        shaped = graph.node("Reshape", f"{name}.{part}.split", [projected, split])
        return graph.node("Transpose", f"{name}.{part}.heads", [shaped], perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scores = graph.node("MatMul", f"{name}.scores", [query, key])
    scaled = graph.node("Mul", f"{name}.scaled", [scores, scale])
    masked = graph.node("Add", f"{name}.masked", [scaled, mask])
    weights = graph.node("Softmax", f"{name}.weights", [masked], axis=-1)
    context = graph.node("MatMul", f"{name}.context", [weights, value])
    ordered = graph.node("Transpose", f"{name}.context.order", [context], perm=[0, 2, 1, 3])
    joined = graph.node("Reshape", f"{name}.context.join", [ordered, join])
    return _linear(graph, f"{name}.output", joined, size_in=HIDDEN, size_out=HIDDEN)


def _embeddings(graph: GraphWriter) -> str:
    """The sum of what each id means and where it stands, [batch, sequence, hidden]."""
    tokens = graph.weight("embedding.tokens.table", [VOCABULARY, HIDDEN], 0.5)
    positions = graph.weight("embedding.positions.table", [MAX_SEQUENCE, HIDDEN], 0.5)
    meaning = graph.node("Gather", "embedding.tokens", [tokens, "input_ids"], axis=0)
    shape = graph.node("Shape", "embedding.shape", ["input_ids"])
    first = graph.constant("slice.zero", np.array([0], dtype=np.int64))
    second = graph.constant("slice.one", np.array([1], dtype=np.int64))
    length = graph.node("Gather", "embedding.length", [shape, second], axis=0)
    place = graph.node("Slice", "embedding.positions", [positions, first, length, first])
    return graph.node("Add", "embedding", [meaning, place])


def _attention_bias(graph: GraphWriter) -> str:
    """Zero where `attention_mask` is 1 and a large negative score where it is 0, [batch, 1, 1, sequence]."""
    mask = graph.node("Cast", "mask.float", ["attention_mask"], to=int(TensorProto.FLOAT))
    axes = graph.constant("mask.axes", np.array([1, 2], dtype=np.int64))
    wide = graph.node("Unsqueeze", "mask.wide", [mask, axes])
    one = graph.constant("one", np.array(1.0, dtype=np.float32))
    hidden = graph.node("Sub", "mask.hidden", [one, wide])
    return graph.node("Mul", "mask.bias", [hidden, graph.constant("mask.score", np.array(MASKED_SCORE, np.float32))])


def text_transformer() -> onnx.ModelProto:
    """A byte-level transformer encoder: ids and mask [batch, sequence] to `logits` [batch, sequence, 256].

    Ids are bytes, 0 to 255; the sequence has at most 512 of them, because the table of positions ends there.
    """
    graph = GraphWriter(seed=2)
    mask = _attention_bias(graph)
    flow = _embeddings(graph)
    for layer in range(LAYERS):
        name = f"layer{layer + 1}"
        normed = _layer_norm(graph, f"{name}.norm1", flow)
        attended = _self_attention(graph, f"{name}.attention", normed, mask)
        flow = graph.node("Add", f"{name}.residual1", [flow, attended])
        normed = _layer_norm(graph, f"{name}.norm2", flow)
        wide = _linear(graph, f"{name}.mlp.up", normed, size_in=HIDDEN, size_out=4 * HIDDEN)
        active = _gelu(graph, f"{name}.mlp.gelu", wide)
        narrow = _linear(graph, f"{name}.mlp.down", active, size_in=4 * HIDDEN, size_out=HIDDEN)
        flow = graph.node("Add", f"{name}.residual2", [flow, narrow])
    last = _layer_norm(graph, "head.norm", flow)
    weight = graph.weight("head.weight", [HIDDEN, VOCABULARY], 1.0 / HIDDEN)
    graph.node("MatMul", "logits", [last, weight])
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])
    attention = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "sequence"])
    return graph.model(
        "text_transformer",
        "A small two-layer transformer encoder with random weights: up to 512 bytes of text to a score for each byte.",
        [ids, attention],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", VOCABULARY])],
    )


def tiny_mlp() -> onnx.ModelProto:
    """Three hidden layers, over in microseconds: `features` [batch, 32] to `probabilities` [batch, 4]."""
    graph = GraphWriter(seed=3)
    sizes = (TINY_FEATURES, TINY_HIDDEN, TINY_HIDDEN, TINY_HIDDEN, TINY_CLASSES)
    flow = "features"
    for layer, (size_in, size_out) in enumerate(itertools.pairwise(sizes), start=1):
        weight = graph.weight(f"layer{layer}.weight", [size_in, size_out], 2.0 / size_in)
        bias = graph.weight(f"layer{layer}.bias", [size_out], 1e-2)
        flow = graph.node("Gemm", f"layer{layer}", [flow, weight, bias])
        if layer < len(sizes) - 1:
            flow = graph.node("Relu", f"layer{layer}.relu", [flow])
    graph.node("Softmax", "probabilities", [flow], axis=-1)
    return graph.model(
        "tiny_mlp",
        "A tiny multilayer perceptron with random weights, for watching very short runs: 32 features to 4 classes.",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", TINY_FEATURES])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", TINY_CLASSES])],
    )


MODELS: dict[str, Callable[[], onnx.ModelProto]] = {
    "image_classifier.onnx": image_classifier,
    "text_transformer.onnx": text_transformer,
    "tiny_mlp.onnx": tiny_mlp,
}


def write_models(output: Path) -> list[Path]:
    """Write every sample into the folder `output`, which is made if need be, and return the files."""
    output.mkdir(parents=True, exist_ok=True)
    files = []
    for name, build in MODELS.items():
        file = output / name
        file.write_bytes(build().SerializeToString(deterministic=True))
        files.append(file)
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the samples, say what was written and return the exit status."""
    parser = argparse.ArgumentParser(description="Write the sample models that ship with ORT Device Explorer.")
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent, help="folder to write to")
    options = parser.parse_args(arguments)
    for file in write_models(options.output):
        sys.stdout.write(f"{file}  {file.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
