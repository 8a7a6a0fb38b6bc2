"""The files beside a model: which are needed, which are missing, and where ORT looks for none."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.engine.models import describe_model
from gui.records.failure import FailureError, FailureKind
from gui.records.model import ExternalFile

from ..engine_process import EngineProcess
from .conftest import settings_for
from .onnx_models import WEIGHTS, external, failure_of, save, value


def adding(path: Path, *weights: onnx.TensorProto) -> Path:
    """Write a model that adds up `x` and the weights."""
    names = ["x", *(tensor.name for tensor in weights)]
    graph = helper.make_graph(
        [helper.make_node("Sum", names, ["y"])], "sum", [value("x", "N", 2048)], [value("y", "N", 2048)], weights
    )
    return save(path, graph)


@pytest.fixture
def external_model(tmp_path: Path) -> Path:
    """y = x + weights, the weights in a file beside it."""
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    return adding(tmp_path / "external.onnx", external("w", "weights.bin", offset=0, length=WEIGHTS.nbytes))


def runs(engine: EngineProcess, path: Path) -> bool:
    """Whether ORT itself runs the model."""
    try:
        engine.run_trial(settings_for(path, engine.inventory().devices[0].key, iterations=1))
    except FailureError:
        return False
    return True


# ---- What is there ----


def test_that_external_data_counts_as_part_of_the_model(engine: EngineProcess, external_model: Path) -> None:
    description = engine.describe_model(external_model)
    assert description.external_files == (ExternalFile(name="weights.bin", size_bytes=WEIGHTS.nbytes),)
    assert description.size_bytes == external_model.stat().st_size + WEIGHTS.nbytes


def test_that_a_model_that_holds_all_has_no_other_files(engine: EngineProcess, add_model: Path) -> None:
    description = engine.describe_model(add_model)
    assert description.external_files == ()
    assert description.size_bytes == add_model.stat().st_size


def test_that_each_file_counts_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a.bin", "data/b.bin"):
        (tmp_path / name).write_bytes(WEIGHTS.tobytes() * 2)
    half = WEIGHTS.nbytes
    path = adding(
        tmp_path / "m.onnx",
        external("w0", "a.bin", offset=0, length=half),
        external("w1", "a.bin", offset=half, length=half),
        external("w2", "data/b.bin", offset=half),
        external("w3", "./a.bin"),
    )
    description = describe_model(str(path))
    assert description.external_files is not None
    assert [entry.name for entry in description.external_files] == ["a.bin", "data/b.bin", "./a.bin"]
    assert {entry.size_bytes for entry in description.external_files} == {2 * half}
    assert description.size_bytes == path.stat().st_size + 2 * 2 * half


def in_constant(tensor: onnx.TensorProto) -> onnx.ModelProto:
    nodes = [helper.make_node("Constant", [], ["w"], value=tensor), helper.make_node("Add", ["x", "w"], ["y"])]
    graph = helper.make_graph(nodes, "g", [value("x", "N", 2048)], [value("y", "N", 2048)])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 14)])


def in_subgraph(tensor: onnx.TensorProto) -> onnx.ModelProto:
    add, same = helper.make_node("Add", ["x", "w"], ["y1"]), helper.make_node("Identity", ["x"], ["y2"])
    branches = {
        "then_branch": helper.make_graph([add], "then", [], [value("y1", None, 2048)], [tensor]),
        "else_branch": helper.make_graph([same], "else", [], [value("y2", None, 2048)]),
    }
    true = numpy_helper.from_array(np.array(True), "c")
    nodes = [helper.make_node("If", ["c"], ["y"], **branches)]
    graph = helper.make_graph(nodes, "g", [value("x", "N", 2048)], [value("y", None, 2048)], [true])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 14)])


def in_function(tensor: onnx.TensorProto) -> onnx.ModelProto:
    nodes = [helper.make_node("Constant", [], ["w"], value=tensor), helper.make_node("Add", ["a", "w"], ["b"])]
    function = helper.make_function("own", "AddWeights", ["a"], ["b"], nodes, [helper.make_opsetid("", 14)])
    graph = helper.make_graph(
        [helper.make_node("AddWeights", ["x"], ["y"], domain="own")],
        "g",
        [value("x", "N", 2048)],
        [value("y", "N", 2048)],
    )
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, ir_version=8, opset_imports=opsets, functions=[function])


@pytest.mark.parametrize("place", [in_constant, in_subgraph, in_function], ids=lambda place: str(place.__name__))
def test_that_data_of_a_nested_tensor_is_needed_like_ort_needs_it(
    engine: EngineProcess, tmp_path: Path, place: type
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(place(external("w", "weights.bin")).SerializeToString())
    assert not runs(engine, path)
    failure = failure_of(lambda: engine.describe_model(path))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert "weights.bin" in failure.message
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    assert runs(engine, path)
    assert engine.describe_model(path).external_files == (ExternalFile(name="weights.bin", size_bytes=WEIGHTS.nbytes),)


def test_that_data_which_nothing_takes_need_not_be_there(engine: EngineProcess, external_model: Path) -> None:
    model = onnx.load(str(external_model), load_external_data=False)
    model.graph.initializer.append(external("unused", "gone.bin"))
    external_model.write_bytes(model.SerializeToString())
    assert runs(engine, external_model)
    description = engine.describe_model(external_model)
    assert description.external_files is not None
    assert [entry.name for entry in description.external_files] == ["weights.bin"]


def test_that_what_is_only_noted_of_external_data_is_not_needed(tmp_path: Path) -> None:
    """Programs that put the values back into the file leave the note where they were."""
    tensor = external("w", "gone.bin")
    tensor.data_location = TensorProto.DEFAULT
    tensor.raw_data = WEIGHTS.tobytes()
    assert describe_model(str(adding(tmp_path / "m.onnx", tensor))).external_files == ()


# ---- What is missing ----


def test_that_missing_external_data_is_named(engine: EngineProcess, external_model: Path) -> None:
    external_model.with_name("weights.bin").unlink()
    failure = failure_of(lambda: engine.describe_model(external_model))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert failure.message == "The model's weights lie in weights.bin, which is missing."
    assert failure.hint == f"Put weights.bin into {external_model.parent}."


def test_that_several_missing_files_are_counted_and_the_first_named(tmp_path: Path) -> None:
    path = adding(tmp_path / "m.onnx", *(external(f"w{index}", f"part{index}.bin") for index in range(6)))
    (tmp_path / "part1.bin").write_bytes(WEIGHTS.tobytes())
    failure = failure_of(lambda: describe_model(str(path)))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert failure.message == "5 files that the model needs are missing: part0.bin, part2.bin, part3.bin and 2 more."
    assert failure.detail.splitlines() == [str(tmp_path / f"part{index}.bin") for index in (0, 2, 3, 4, 5)]


def test_that_two_missing_files_are_both_named(tmp_path: Path) -> None:
    path = adding(tmp_path / "m.onnx", external("v", "v.bin"), external("w", "w.bin"))
    failure = failure_of(lambda: describe_model(str(path)))
    assert failure.message == "2 files that the model needs are missing: v.bin, w.bin."


def test_that_a_folder_in_place_of_the_data_is_none(external_model: Path) -> None:
    external_model.with_name("weights.bin").unlink()
    external_model.with_name("weights.bin").mkdir()
    assert "missing" in failure_of(lambda: describe_model(str(external_model))).message


def test_that_external_data_cut_off_is_told(engine: EngineProcess, external_model: Path) -> None:
    weights = external_model.with_name("weights.bin")
    weights.write_bytes(weights.read_bytes()[:100])
    failure = failure_of(lambda: engine.describe_model(external_model))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert failure.message == "The model's weights in weights.bin are cut off: 100 of 8,192 bytes are there."


@pytest.mark.parametrize(
    ("element", "dims", "size"),
    [
        (TensorProto.FLOAT, [100], 400),
        (TensorProto.INT4, [3, 3], 5),
        (TensorProto.BFLOAT16, [10], 20),
        (TensorProto.DOUBLE, [], 8),
        (TensorProto.UINT8, [0, 7], 0),
    ],
)
def test_that_a_length_not_told_is_that_of_the_tensor(tmp_path: Path, element: int, dims: list[int], size: int) -> None:
    tensor = external("w", "w.bin", dims=dims, offset=16)
    tensor.data_type = element
    path, data = adding(tmp_path / "m.onnx", tensor), tmp_path / "w.bin"
    data.write_bytes(b"\0" * (16 + size))
    assert describe_model(str(path)).size_bytes == path.stat().st_size + 16 + size
    data.write_bytes(b"\0" * (15 + size))
    assert f"{15 + size} of {16 + size} bytes" in failure_of(lambda: describe_model(str(path))).message


def test_that_a_pointer_of_git_lfs_in_place_of_the_data_is_told(external_model: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 8192\n"
    external_model.with_name("weights.bin").write_text(pointer)
    failure = failure_of(lambda: describe_model(str(external_model)))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert "git lfs pull" in failure.hint


def test_that_data_in_no_file_at_all_is_told(tmp_path: Path) -> None:
    failure = failure_of(lambda: describe_model(str(adding(tmp_path / "m.onnx", external("kernel", "")))))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert "kernel" in failure.message


@pytest.mark.parametrize("location", ["x" * 300, "with\0zero.bin"])
def test_that_a_name_no_file_may_have_is_missing(tmp_path: Path, location: str) -> None:
    failure = failure_of(lambda: describe_model(str(adding(tmp_path / "m.onnx", external("w", location)))))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA


def test_that_a_trial_without_the_external_data_fails_with_the_same_kind(
    engine: EngineProcess, external_model: Path
) -> None:
    cpu = engine.inventory().devices[0].key
    assert engine.run_trial(settings_for(external_model, cpu)).sample_count == 20
    external_model.with_name("weights.bin").unlink()
    failure = failure_of(lambda: engine.run_trial(settings_for(external_model, cpu)))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA


# ---- Where it may lie: as ORT has it ----


@pytest.mark.parametrize(
    "location", ["inside/w.bin", "./inside/w.bin", "inside/../inside/w.bin", "../model/inside/w.bin"]
)
def test_that_data_inside_the_folder_is_found(engine: EngineProcess, tmp_path: Path, location: str) -> None:
    (tmp_path / "model" / "inside").mkdir(parents=True)
    (tmp_path / "model" / "inside" / "w.bin").write_bytes(WEIGHTS.tobytes())
    path = adding(tmp_path / "model" / "m.onnx", external("w", location))
    assert engine.describe_model(path).external_files == (ExternalFile(name=location, size_bytes=WEIGHTS.nbytes),)
    assert runs(engine, path)


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("location", ["../outside/w.bin", "ABSOLUTE/outside/w.bin", "ABSOLUTE/model/w.bin"])
def test_that_a_location_ort_refuses_is_refused(
    engine: EngineProcess, tmp_path: Path, location: str, is_there: bool
) -> None:
    for folder in ("outside", "model"):
        (tmp_path / folder).mkdir()
        if is_there:
            (tmp_path / folder / "w.bin").write_bytes(WEIGHTS.tobytes())
    location = location.replace("ABSOLUTE", tmp_path.as_posix())
    path = adding(tmp_path / "model" / "m.onnx", external("w", location))
    failure = failure_of(lambda: engine.describe_model(path))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert location in failure.message
    assert "ONNX Runtime" in failure.message
    assert not runs(engine, path)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("target", ["inside", "outside", "with the model"])
def test_that_links_are_followed_as_far_as_ort_does(engine: EngineProcess, tmp_path: Path, target: str) -> None:
    """The cache of the Hugging Face hub links both model and data to a folder of blobs: that may be."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "model").mkdir()
    folder = tmp_path / ("model" if target == "inside" else "blobs")
    (folder / "0123").write_bytes(WEIGHTS.tobytes())
    (tmp_path / "model" / "w.bin").symlink_to(os.path.relpath(folder / "0123", tmp_path / "model"))
    path = tmp_path / "model" / "m.onnx"
    if target == "with the model":
        adding(tmp_path / "blobs" / "4567", external("w", "w.bin"))
        path.symlink_to("../blobs/4567")
    else:
        adding(path, external("w", "w.bin"))
    assert runs(engine, path) == (target != "outside")
    if target == "outside":
        failure = failure_of(lambda: engine.describe_model(path))
        assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
        assert str(folder / "0123") in failure.detail
    else:
        assert engine.describe_model(path).external_files == (ExternalFile(name="w.bin", size_bytes=WEIGHTS.nbytes),)


# ---- Compiled models ----


def compiled(path: Path, **attributes: object) -> Path:
    node = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", source="SomeEP", **attributes)
    graph = helper.make_graph([node], "g", [value("x", 1)], [value("y", 1)])
    return save(path, graph)


def test_that_the_file_a_compiled_model_needs_counts(tmp_path: Path) -> None:
    path = compiled(tmp_path / "m.onnx", embed_mode=0, ep_cache_context="m_some_ep.bin")
    failure = failure_of(lambda: describe_model(str(path)))
    assert failure.kind is FailureKind.MISSING_EXTERNAL_DATA
    assert failure.message == "The model's compiled parts lie in m_some_ep.bin, which is missing."
    (tmp_path / "m_some_ep.bin").write_bytes(b"\0" * 123)
    description = describe_model(str(path))
    assert description.external_files == (ExternalFile(name="m_some_ep.bin", size_bytes=123),)
    assert description.size_bytes == path.stat().st_size + 123
    assert description.context_eps == ("SomeEP",)


@pytest.mark.parametrize(
    "attributes",
    [
        {"embed_mode": 1, "ep_cache_context": b"\x00\xff" * 10},
        {"embed_mode": 1, "ep_cache_context": b"\x00\xff" * 10_000},
        {"ep_cache_context": "not/a/path"},
        {"embed_mode": 0, "main_context": 0},
        {"embed_mode": 0, "ep_cache_context": "/where/an/ep/keeps/its/own.bin"},
    ],
    ids=["embedded", "embedded, large", "embedded by default", "in another node", "absolute"],
)
def test_that_a_compiled_model_may_need_no_file(tmp_path: Path, attributes: dict[str, object]) -> None:
    path = compiled(tmp_path / "m.onnx", **attributes)
    assert describe_model(str(path)).external_files == ()
