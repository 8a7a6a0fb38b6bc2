"""What is kept of a model file, and that its weights are not."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.engine import graphs
from gui.records.failure import Failure, FailureError, FailureKind

from ..conftest import SAMPLE_MODELS

LARGE = 2000
"""Elements: more bytes than are kept, whatever the type."""


def value(name: str, *shape: int | str | None, element: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element, shape)


def weights(name: str, elements: int = LARGE) -> onnx.TensorProto:
    return numpy_helper.from_array(np.arange(elements, dtype=np.float32), name)


def constant(name: str, elements: int = LARGE) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=weights(f"{name}_value", elements))


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    initializers: list[onnx.TensorProto],
    *,
    sparse: tuple[onnx.SparseTensorProto, ...] = (),
    functions: tuple[onnx.FunctionProto, ...] = (),
) -> Path:
    graph = helper.make_graph(nodes, "g", [value("x", 1)], [value("y", None)], initializers)
    graph.sparse_initializer.extend(sparse)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opsets, functions=functions)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def rich_model(tmp_path: Path) -> Path:
    """A model with large and small tensors in every place that can hold one."""
    sparse = helper.make_sparse_tensor(
        weights("sparse"), numpy_helper.from_array(np.arange(LARGE, dtype=np.int64), "sparse_indices"), [9999]
    )
    branches = {
        name: helper.make_graph(
            [constant(f"{name}_constant"), helper.make_node("Identity", [f"{name}_weights"], [f"{name}_y"])],
            name,
            [],
            [value(f"{name}_y", None)],
            [weights(f"{name}_weights"), weights(f"{name}_small", 3)],
        )
        for name in ("then_branch", "else_branch")
    }
    function = helper.make_function(
        "local",
        "Own",
        ["a"],
        ["b"],
        [constant("c"), helper.make_node("Add", ["a", "c"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    nodes = [
        constant("large"),
        constant("small", 3),
        helper.make_node("Constant", [], ["spread"], sparse_value=sparse),
        helper.make_node("Constant", [], ["ints"], value_ints=list(range(5000))),
        helper.make_node("EPContext", ["x"], ["z"], domain="com.microsoft", ep_cache_context=b"\x01" * 50_000, n=3),
        helper.make_node("If", ["condition"], ["y"], **branches),
        helper.make_node("Own", ["x"], ["o"], domain="local"),
    ]
    return save(tmp_path / "rich.onnx", nodes, [weights("w"), weights("v", 3)], sparse=(sparse,), functions=(function,))


def tensors(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    return {tensor.name: tensor for tensor in graphs.tensors_of(model)}


def messages_within(message: object) -> Iterator[object]:
    """Give a protobuf message and all messages in it."""
    yield message
    for field, content in message.ListFields():  # type: ignore[attr-defined]
        if field.message_type is not None:
            for entry in [content] if hasattr(content, "ListFields") else content:
                yield from messages_within(entry)


def failure_of(path: Path) -> Failure:
    with pytest.raises(FailureError) as caught:
        graphs.read_graph(str(path))
    return caught.value.failure


# ---- What is kept ----


@pytest.mark.parametrize("path", sorted(SAMPLE_MODELS.glob("*.onnx")), ids=lambda path: path.stem)
def test_that_only_values_are_missing_from_a_sample_model(path: Path) -> None:
    whole, kept = onnx.load(str(path)), graphs.read_graph(str(path))
    assert kept is not None
    dropped = 0
    for tensor in graphs.tensors_of(whole):
        if tensor.ByteSize() > graphs.LARGEST_VALUE:
            tensor.ClearField("raw_data")
            dropped += 1
    assert dropped
    assert kept == whole


def test_that_large_values_are_dropped_wherever_they_are(rich_model: Path) -> None:
    whole, kept = onnx.load(str(rich_model)), graphs.read_graph(str(rich_model))
    assert kept is not None
    found = tensors(kept)
    small = {"v", "small_value", "then_branch_small", "else_branch_small"}
    assert (
        set(found)
        == set(tensors(whole))
        == small
        | {
            *("w", "large_value", "c_value", "sparse", "sparse_indices"),
            *("then_branch_weights", "else_branch_weights"),
            *("then_branch_constant_value", "else_branch_constant_value"),
        }
    )
    for name, tensor in found.items():
        assert bool(tensor.raw_data) == (name in small), name
        assert list(tensor.dims) == list(tensors(whole)[name].dims), name
        assert tensor.data_type == tensors(whole)[name].data_type, name
    np.testing.assert_array_equal(numpy_helper.to_array(found["then_branch_small"]), np.arange(3, dtype=np.float32))
    # Nothing but these values may be missing, and the attributes that are large by themselves.
    for message in messages_within(whole):
        if isinstance(message, onnx.TensorProto) and message.name not in small:
            message.ClearField("raw_data")
        if isinstance(message, onnx.AttributeProto) and message.name in ("value_ints", "ep_cache_context"):
            message.ClearField("ints")
            message.ClearField("s")
    assert kept == whole
    assert kept.ByteSize() < rich_model.stat().st_size / 10


@pytest.mark.parametrize(
    ("field", "element", "content"),
    [
        ("float_data", TensorProto.FLOAT, [1.5] * LARGE),
        ("double_data", TensorProto.DOUBLE, [1.5] * LARGE),
        ("int32_data", TensorProto.INT32, [100_000] * LARGE),
        ("int64_data", TensorProto.INT64, [-1] * LARGE),
        ("uint64_data", TensorProto.UINT64, [1 << 60] * LARGE),
        ("string_data", TensorProto.STRING, [b"word"] * LARGE),
    ],
)
def test_that_values_in_fields_of_their_type_are_dropped(
    tmp_path: Path, field: str, element: int, content: list[object]
) -> None:
    tensor = TensorProto(name="w", data_type=element, dims=[LARGE], **{field: content})
    kept = graphs.read_graph(str(save(tmp_path / "m.onnx", [helper.make_node("Size", ["w"], ["y"])], [tensor])))
    assert kept is not None
    assert kept.graph.initializer[0] == TensorProto(name="w", data_type=element, dims=[LARGE])


def test_that_a_tensor_as_large_as_may_be_is_kept_whole(tmp_path: Path) -> None:
    def tensor_of(size: int) -> onnx.TensorProto:
        tensor = TensorProto(data_type=TensorProto.UINT8, dims=[graphs.LARGEST_VALUE])
        tensor.raw_data = b"\1" * (graphs.LARGEST_VALUE - tensor.ByteSize() - 3)
        tensor.raw_data += b"\1" * (size - tensor.ByteSize())
        assert tensor.ByteSize() == size
        return tensor

    pair = [tensor_of(graphs.LARGEST_VALUE), tensor_of(graphs.LARGEST_VALUE + 1)]
    kept = graphs.read_graph(str(save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], pair)))
    assert kept is not None
    assert [bool(tensor.raw_data) for tensor in kept.graph.initializer] == [True, False]


def test_that_external_data_is_named_and_not_looked_at(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["w"], ["y"])], [weights("w")])
    onnx.save(onnx.load(str(path)), str(path), save_as_external_data=True, location="w.bin", size_threshold=0)
    (tmp_path / "w.bin").unlink()
    kept = graphs.read_graph(str(path))
    assert kept is not None
    (tensor,) = kept.graph.initializer
    assert tensor.data_location == TensorProto.EXTERNAL
    assert {entry.key: entry.value for entry in tensor.external_data}["location"] == "w.bin"
    assert not tensor.raw_data


def test_that_weights_within_the_file_are_never_in_memory(tmp_path: Path) -> None:
    size = 64 << 20
    tensors = [weights(f"w{index}", size // 16) for index in range(4)]
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["w0"], ["y"])], tensors)
    assert path.stat().st_size > size
    graphs.read_graph(str(SAMPLE_MODELS / "tiny_mlp.onnx"))  # so that what is imported does not count
    tracemalloc.start()
    try:
        kept = graphs.read_graph(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept is not None
    assert [list(tensor.dims) for tensor in kept.graph.initializer] == [[size // 16]] * 4
    assert kept.ByteSize() < 1000
    assert peak < 1 << 20


def test_that_nodes_of_subgraphs_and_functions_are_found(rich_model: Path) -> None:
    kept = graphs.read_graph(str(rich_model))
    names = [node.op_type for node in graphs.nodes_of(kept)]
    assert names == [
        *("Constant", "Constant", "Constant", "Constant", "EPContext", "If", "Own"),
        *("Constant", "Add"),
        *("Constant", "Identity", "Constant", "Identity"),
    ]


# ---- How often it is read ----


def test_that_the_last_two_models_are_read_once(tmp_path: Path) -> None:
    first, second, third = (
        save(tmp_path / f"{name}.onnx", [helper.make_node("Relu", ["x"], ["y"])], []) for name in "abc"
    )
    one, two = graphs.read_graph(str(first)), graphs.read_graph(str(second))
    assert graphs.read_graph(str(first)) is one
    assert graphs.read_graph(str(second)) is two
    graphs.read_graph(str(third))
    assert graphs.read_graph(str(second)) is two
    assert graphs.read_graph(str(first)) is not one


def test_that_a_model_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], [])
    before = path.stat()
    assert graphs.read_graph(str(path)).graph.node[0].op_type == "Relu"  # type: ignore[union-attr]
    save(path, [helper.make_node("Tanh", ["x"], ["y"])], [])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert path.stat().st_size == before.st_size
    assert graphs.read_graph(str(path)).graph.node[0].op_type == "Tanh"  # type: ignore[union-attr]


# ---- What cannot be read ----


def test_that_nothing_is_read_without_the_onnx_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], [])
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert graphs.read_graph(str(path)) is None


def test_that_the_onnx_package_is_imported_only_to_read() -> None:
    code = "import sys, gui.engine.graphs as g; assert 'onnx' not in sys.modules; g.read_graph(sys.argv[1]); "
    code += "assert 'onnx' in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(SAMPLE_MODELS / "tiny_mlp.onnx")], check=True, timeout=60)


def test_that_a_missing_file_is_told(tmp_path: Path) -> None:
    failure = failure_of(tmp_path / "gone.onnx")
    assert failure.kind is FailureKind.NO_SUCH_FILE
    assert failure.message == f"There is no file gone.onnx in {tmp_path}."


def test_that_a_folder_is_no_model(tmp_path: Path) -> None:
    assert failure_of(tmp_path).kind is FailureKind.NOT_A_MODEL


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_that_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    assert failure_of(tmp_path / "pipe.onnx").kind is FailureKind.NOT_A_MODEL


def test_that_a_model_without_a_graph_is_none(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx.ModelProto(ir_version=8, producer_name="maker").SerializeToString())
    assert failure_of(path).detail == "The file holds no graph."


def test_that_a_model_cut_off_anywhere_is_none(tmp_path: Path) -> None:
    content = (SAMPLE_MODELS / "tiny_mlp.onnx").read_bytes()
    path = tmp_path / "m.onnx"
    begin_of_graph = content.index(onnx.load(str(SAMPLE_MODELS / "tiny_mlp.onnx")).graph.node[0].name.encode())
    for size in [*range(begin_of_graph, 3000, 7), *range(3000, len(content) - 200, 997)]:
        path.write_bytes(content[:size])
        failure = failure_of(path)
        assert failure.kind is FailureKind.NOT_A_MODEL, size
        assert failure.detail, size


def test_that_a_damaged_model_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    content = (SAMPLE_MODELS / "tiny_mlp.onnx").read_bytes()
    path, chance, kinds = tmp_path / "m.onnx", np.random.default_rng(0), []
    for _ in range(500):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 4, 16))):
            damaged[chance.integers(2500)] = chance.integers(256)
        path.write_bytes(damaged)
        try:
            graphs.read_graph(str(path))
        except FailureError as error:
            kinds.append(error.failure.kind)
    assert set(kinds) == {FailureKind.NOT_A_MODEL}
    assert len(kinds) < 500


def test_that_endless_nesting_is_refused(tmp_path: Path) -> None:
    def field(number: int, content: bytes) -> bytes:
        size = len(content)
        return bytes([number << 3 | 2, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + content

    graph = helper.make_graph([constant("w")], "deepest", [], [value("w", LARGE)]).SerializeToString()
    for _ in range(60):  # the onnx package itself cannot write this
        graph = field(1, field(4, b"Loop") + field(5, field(1, b"body") + field(6, graph)))
    path = tmp_path / "m.onnx"
    path.write_bytes(field(7, graph))
    failure = failure_of(path)
    assert failure.kind is FailureKind.NOT_A_MODEL
    assert "nested" in failure.detail


def test_that_a_pointer_of_git_lfs_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1000000\n")
    failure = failure_of(path)
    assert failure.kind is FailureKind.NOT_A_MODEL
    assert "git lfs pull" in failure.hint
