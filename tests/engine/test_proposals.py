"""Proposed values: models as exporters write them must run with all that the proposals allow, and say why."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from gui.engine.proposals import propose_inputs
from gui.records.engine_command import PACKAGE_ROOT
from gui.records.inputs import Fill, InputProposals, SourceKind
from gui.records.protocol import Op
from gui.records.trial import DimensionSize

from ..engine_process import EngineProcess
from .conftest import settings_for
from .proposing import CHOICES, Write, proposals, run, span, write_model

MODELS = PACKAGE_ROOT / "resources" / "models"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(write_model, tmp_path)


# ---- Models as exporters write them ----

BERT = """
(int64[batch, sequence] input_ids, int64[batch, sequence] attention_mask, int64[batch, sequence] token_type_ids)
=> (float[batch, sequence, 8] hidden)
<float one = {1.0}, float far = {-10000.0}, int64[2] middle = {1, 2}, int64[1] first = {1}> {
    embedded = Gather(words, input_ids)
    typed = Gather(types, token_type_ids)
    x = Add(embedded, typed)
    mask = Unsqueeze(attention_mask, middle)
    kept = Cast<to = 1>(mask)
    left = Sub(one, kept)
    bias = Mul(left, far)
    turned = Transpose<perm = [0, 2, 1]>(x)
    scores = MatMul(x, turned)
    wide = Unsqueeze(scores, first)
    biased = Add(wide, bias)
    weights = Softmax<axis = -1>(biased)
    mixed = MatMul(weights, x)
    hidden = ReduceMean<axes = [1], keepdims = 0>(mixed)
}"""


def bert(write: Write) -> Path:
    return write(BERT, words=(52, 8), types=(2, 8))


@pytest.mark.parametrize("choice", CHOICES)
def test_that_a_text_encoder_runs_with_what_is_proposed(write: Write, choice: str) -> None:
    (hidden,) = run(bert(write), choice, {"batch": 2, "sequence": 5})
    assert hidden.shape == (2, 5, 8)
    assert np.isfinite(hidden).all()


def test_that_tokens_are_taken_from_the_rows_of_the_embedding_and_masks_keep_all(write: Write) -> None:
    found = proposals(bert(write))
    assert list(found) == ["input_ids", "attention_mask", "token_type_ids"]
    assert span(found["input_ids"]) == (Fill.INTEGERS, 0, 51)
    assert found["input_ids"].reason == "indices of Gather into 52 rows"
    assert span(found["attention_mask"]) == (Fill.ONES,)
    assert found["attention_mask"].reason == "mask: all kept"
    assert span(found["token_type_ids"]) == (Fill.ZEROS,)


GPT = """
(int64[batch, sequence] input_ids, int64[batch, "past + sequence"] attention_mask,
 int64[batch, sequence] position_ids, float[batch, past, 8] past_key_values_0)
=> (float[batch, "past + sequence", 8] present) <int64[1] offset = {2}> {
    tokens = Gather(words, input_ids)
    shifted = Add(position_ids, offset)
    placed = Gather(positions, shifted)
    x = Add(tokens, placed)
    all = Concat<axis = 1>(past_key_values_0, x)
    kept = Cast<to = 1>(attention_mask)
    wide = Unsqueeze(kept, offset)
    present = Mul(all, wide)
}"""


@pytest.mark.parametrize("choice", CHOICES)
def test_that_a_text_decoder_with_a_past_runs_with_what_is_proposed(write: Write, choice: str) -> None:
    path = write(GPT, words=(30, 8), positions=(12, 8))
    (present,) = run(path, choice, {"batch": 2, "sequence": 3, "past": 4})
    assert present.shape == (2, 7, 8)
    assert (present[:, -1] != 0).all()  # the mask keeps all


def test_that_the_engine_runs_what_is_proposed_and_tells_why(write: Write, engine: EngineProcess) -> None:
    path = write(GPT, words=(30, 8), positions=(12, 8))
    sizes = {"batch": 2, "sequence": 3, "past": 4}
    asked = engine.call(Op.PROPOSE_INPUTS, InputProposals, path=str(path), sizes=sizes)
    assert asked == propose_inputs(str(path), sizes)
    (cpu,) = (device.key for device in engine.inventory().devices if device.ep_name == "CPUExecutionProvider")
    dimensions = tuple(DimensionSize(name=name, size=size) for name, size in sizes.items())
    facts = engine.run_trial(replace(settings_for(path, cpu, iterations=3), dimensions=dimensions))
    assert facts.outputs[0].shape == (2, 7, 8)
    assert [(fact.source, fact.reason) for fact in facts.inputs] == [
        (proposal.source, proposal.reason) for proposal in asked.proposals
    ]


def test_that_an_offset_before_the_table_is_taken_off_its_rows(write: Write) -> None:
    found = proposals(write(GPT, words=(30, 8), positions=(12, 8)), sequence=100)
    low, high = span(found["position_ids"])[1:]
    assert (low, high) == (0, 9)  # rows 2 to 11; that the sequence is longer does not matter


MERGED = """
(int64[batch, sequence] decoder_input_ids, bool[1] use_cache_branch) => (float[batch, sequence, 8] hidden) {
    flag = Squeeze(use_cache_branch)
    hidden = If (flag) <
        then_branch = cached () => (float[batch, sequence, 8] a) { a = Gather(short, decoder_input_ids) },
        else_branch = plain () => (float[batch, sequence, 8] b) { b = Gather(long, decoder_input_ids) }
    >
}"""


@pytest.mark.parametrize("choice", CHOICES)
def test_that_indices_fit_the_tables_of_both_branches(write: Write, choice: str) -> None:
    path = write(MERGED, short=(7, 8), long=(30, 8))
    found = proposals(path)
    assert span(found["decoder_input_ids"]) == (Fill.INTEGERS, 0, 6)
    assert span(found["use_cache_branch"]) == (Fill.ONES,)
    assert run(path, choice)[0].shape == (1, 1, 8)


DETECTION = """
(float[1, boxes, 4] boxes, float[1, 3, boxes] scores, int64[1] max_output, float[1] iou_threshold,
 int32[kept] class_map) => (float[kept_boxes, 4] found, int32[kept, 4] names)
<int64[1] column = {2}, int64[1] first = {0}, int64[1] second = {1}, int32[2, 4] labels = {1, 2, 3, 4, 5, 6, 7, 8}> {
    chosen = NonMaxSuppression(boxes, scores, max_output, iou_threshold)
    third = Gather<axis = 1>(chosen, column)
    rows = Squeeze(third, second)
    all = Squeeze(boxes, first)
    found = Gather(all, rows)
    names = Gather(labels, class_map)
}"""


@pytest.mark.parametrize("choice", CHOICES)
def test_that_a_detector_runs_with_what_is_proposed(write: Write, choice: str) -> None:
    found, names = run(write(DETECTION), choice, {"boxes": 6, "kept": 5})
    assert 0 < len(found) <= 18
    assert names.shape == (5, 4)


@pytest.mark.parametrize("choice", CHOICES)
def test_that_a_mask_used_as_an_index_stays_within_the_table(write: Write, choice: str) -> None:
    path = write(
        "(int64[batch, sequence] bool_masked_pos, int32[batch, sequence] mask) => (float y, float z) {"
        "y = Gather(table, mask) z = Gather(single, bool_masked_pos) }",
        table=(2, 4),
        single=(1, 4),
    )
    found = proposals(path)
    assert span(found["mask"]) == (Fill.ONES,)
    assert span(found["bool_masked_pos"]) == (Fill.ZEROS,)
    run(path, choice, {"batch": 2, "sequence": 3})


def test_that_a_number_the_graph_compares_with_is_proposed(write: Write) -> None:
    path = write(
        """(float[1, 64] input, int64 rate) => (float[1, n] y) <int64 known = {16000}> {
        is = Equal(rate, known)
        y = If (is) <then_branch = wide () => (float[1, n] a) { a = Identity(input) },
                     else_branch = narrow () => (float[1, n] b) { b = Neg(input) }>
        }"""
    )
    assert span(proposals(path)["rate"]) == (Fill.CONSTANT, "16000")


def test_that_tokens_compared_with_all_there_are_lie_among_them(write: Write) -> None:
    path = write(
        """(int32[1, n] letters) => (bool[1, n, 5] hot) <int32[5] known = {0, 1, 2, 3, 4}, int64[1] last = {2}> {
        wide = Unsqueeze(letters, last)
        hot = Equal(wide, known)
        }"""
    )
    assert span(proposals(path)["letters"]) == (Fill.INTEGERS, 0, 4)


@pytest.mark.parametrize("choice", CHOICES)
def test_that_indices_are_followed_into_functions_of_the_model(write: Write, choice: str) -> None:
    path = write(
        "(int64[n] ids) => (float[n, 4] y) { y = own.Look(words, ids) }",
        functions='<domain: "own", opset_import: ["" : 17]> Look (table, places) => (rows) '
        "{ again = Identity(places) rows = Gather(table, again) }",
        words=(9, 4),
    )
    assert span(proposals(path)["ids"]) == (Fill.INTEGERS, 0, 8)
    run(path, choice, {"n": 6})


@pytest.mark.parametrize("choice", CHOICES)
def test_that_the_rows_of_what_a_node_makes_are_known(write: Write, choice: str) -> None:
    path = write(
        """(float[n, 4] x, int64[3] places) => (float[3, 4] y) {
        doubled = Concat<axis = 0>(x, x)
        y = Gather(doubled, places)
        }"""
    )
    assert span(proposals(path, n=5)["places"]) == (Fill.INTEGERS, 0, 9)
    run(path, choice, {"n": 5})


def test_that_lengths_are_those_of_the_sequence_they_belong_to(write: Write) -> None:
    path = write(
        """(float[batch, 80, frames] audio_signal, int64[batch] audio_signal_lengths, float[batch, 3] other)
        => (float[batch, 80, frames] y, int64[batch] z, float[batch, 3] w) {
        y = Identity(audio_signal) z = Identity(audio_signal_lengths) w = Identity(other)
        }"""
    )
    found = proposals(path, frames=37)["audio_signal_lengths"]
    assert span(found) == (Fill.CONSTANT, "37")
    assert found.reason == "length of the sequence of audio_signal"


# ---- Types and names alone ----


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (TensorProto.FLOAT, (Fill.UNIFORM, 0, 1)),
        (TensorProto.BFLOAT16, (Fill.UNIFORM, 0, 1)),
        (TensorProto.FLOAT8E5M2, (Fill.UNIFORM, 0, 1)),
        (TensorProto.INT64, (Fill.INTEGERS, 0, 1)),
        (TensorProto.UINT16, (Fill.INTEGERS, 0, 1)),
        (TensorProto.UINT8, (Fill.INTEGERS, 0, 255)),
        (TensorProto.INT8, (Fill.INTEGERS, -128, 127)),
        (TensorProto.INT4, (Fill.INTEGERS, -8, 7)),
        (TensorProto.BOOL, (Fill.ONES,)),
        (TensorProto.STRING, (Fill.CONSTANT, "a")),
    ],
)
@pytest.mark.parametrize("form", ["tensor", "sequence", "optional"])
def test_that_each_type_has_values_of_its_own_without_a_reason(
    tmp_path: Path, form: str, element: int, expected: tuple[Any, ...]
) -> None:
    kind = helper.make_tensor_type_proto(element, [2, 3])
    if form == "sequence":
        kind = helper.make_sequence_type_proto(kind)
    if form == "optional":
        kind = helper.make_optional_type_proto(kind)
    x, y = helper.make_value_info("x", kind), helper.make_value_info("y", kind)
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "main", [x], [y])
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    found = proposals(path)["x"]
    assert span(found) == expected
    assert found.reason == ""


def test_that_initializers_which_may_be_overridden_come_last_and_are_left_out(write: Write) -> None:
    path = write("(float[3] scale, float[2, 3] x) => (float[2, 3] y) { y = Mul(x, scale) }", scale=(3,))
    found = propose_inputs(str(path), {}).proposals
    assert [entry.source.name for entry in found] == ["x", "scale"]
    assert found[1].source.kind is SourceKind.OMITTED
    assert found[1].reason == "the model's own value"


def test_that_without_the_onnx_package_names_and_types_are_gone_by(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bert(write)
    monkeypatch.setitem(sys.modules, "onnx", None)
    found = proposals(path, sequence=9)
    assert span(found["attention_mask"]) == (Fill.ONES,)
    assert span(found["token_type_ids"]) == (Fill.ZEROS,)
    assert span(found["input_ids"]) == (Fill.INTEGERS, 0, 1)


@pytest.mark.parametrize("name", ["image_classifier.onnx", "text_transformer.onnx", "tiny_mlp.onnx"])
@pytest.mark.parametrize("choice", CHOICES)
def test_that_the_sample_models_run_with_what_is_proposed(name: str, choice: str) -> None:
    outputs = run(MODELS / name, choice, {"sequence": 7, "batch": 2})
    assert all(math.isfinite(number) for output in outputs for number in output.ravel().tolist())


def test_that_a_node_that_is_not_as_its_operator_says_proposes_nothing(tmp_path: Path) -> None:
    ids = helper.make_tensor_value_info("shape", TensorProto.INT64, [4])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 2, 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node("MaxUnpool", ["x", "", "shape"], ["y"], kernel_shape=[2, 2], strides=[1, 1, 1])
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([node], "main", [x, ids], [y])).SerializeToString())
    assert span(proposals(path)["shape"]) == (Fill.INTEGERS, 0, 1)
