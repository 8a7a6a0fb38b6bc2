"""What operators want of their inputs: each proposed value must run, and shapes be those that are declared."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from gui.records.inputs import Fill

from .proposing import CHOICES, Write, proposals, run, span, write_model


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(write_model, tmp_path)


def test_that_a_shape_leads_to_the_declared_output(write: Write) -> None:
    path = write("(float[2, 6] x, int64[3] shape) => (float[3, 2, 2] y) { y = Reshape(x, shape) }")
    assert span(proposals(path)["shape"]) == (Fill.VALUES, "3, 2, 2")
    assert run(path)[0].shape == (3, 2, 2)


def test_that_a_shape_put_together_of_parts_is_taken_apart(write: Write) -> None:
    path = write(
        """(float[2, 6] x, int64 rows, int64[2] rest) => (float[3, 2, 2] y) <int64[1] first = {0}> {
        row = Unsqueeze(rows, first)
        shape = Concat<axis = 0>(row, rest)
        y = Reshape(x, shape)
        }"""
    )
    found = proposals(path)
    assert span(found["rows"]) == (Fill.CONSTANT, "3")
    assert span(found["rest"]) == (Fill.CONSTANT, "2")
    assert run(path)[0].shape == (3, 2, 2)


def test_that_the_parts_of_a_list_are_put_back_into_their_places(write: Write) -> None:
    path = write(
        """(float[12] x, int64[4] size) => (float[3, 4] y, int64[1] z) {
        ignored, columns, rows = Split(size, parts)
        shape = Concat<axis = 0>(rows, columns)
        y = Reshape(x, shape)
        z = ReduceSum(ignored)
        }""".replace(") {", ") <int64[3] parts = {2, 1, 1}> {", 1)
    )
    assert span(proposals(path)["size"])[1].endswith("4, 3")
    assert run(path)[0].shape == (3, 4)


def test_that_entries_taken_from_a_list_are_put_back_into_their_places(write: Write) -> None:
    path = write(
        """(float[1, 1, 4, 4] image, float[3] size) => (float[1, 1, 6, 9] y)
        <int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3}, int64[2] channels = {1, 1}> {
        height = Slice(size, one, two)
        width = Slice(size, two, three)
        pair = Concat<axis = 0>(height, width)
        whole = Cast<to = 7>(pair)
        sizes = Concat<axis = 0>(channels, whole)
        y = Resize(image, , , sizes)
        }"""
    )
    assert span(proposals(path)["size"])[1].endswith("6, 9")
    assert run(path)[0].shape == (1, 1, 6, 9)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("(float[4, 6] x, int64[1] k) => (float[4, n] y, int64[4, n] z) { y, z = TopK(x, k) }", "k", (1, 6)),
        ("(float[4, 6] x, int64 axis) => (float[4, 6] y) { y = CumSum(x, axis) }", "axis", (0, 1)),
        ("(int64[3] x, int64[3] by) => (int64[3] y) { y = Div(x, by) }", "by", (1, 127)),
        ("(int32[3] x, int32[3] by) => (int32[3] y) { y = Mod(x, by) }", "by", (1, 127)),
        ('(uint8[3] x, uint8[3] by) => (uint8[3] y) { y = BitShift<direction = "LEFT">(x, by) }', "by", (0, 7)),
        ("(float[2, 5] x, int64[2, 3] i) => (float[2, 3] y) { y = GatherElements<axis = 1>(x, i) }", "i", (0, 4)),
        ("(float[3, 5] x, int64[4, 2] i) => (float[4] y) { y = GatherND(x, i) }", "i", (0, 2)),
        ("(float[3, 5] x, int64[2, 1] i, float[2, 5] u) => (float[3, 5] y) { y = ScatterND(x, i, u) }", "i", (0, 2)),
        ("(float[3, 5] x, int64[3] t) => (float y) { y, p = SoftmaxCrossEntropyLoss(x, t) }", "t", (0, 4)),
        ("(float[2,1,4,4] x, float[3,4] r, int64[3] b) => (float[3,1,1,1] y) { y = RoiAlign(x, r, b) }", "b", (0, 1)),
    ],
)
def test_that_an_operator_gets_the_widest_range_it_can_take(
    write: Write, text: str, name: str, expected: tuple[int, int]
) -> None:
    path = write(text)
    assert span(proposals(path)[name]) == (Fill.INTEGERS, *expected)
    for choice in CHOICES:
        run(path, choice)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("(float[4, 1] x, int64[2] s) => (float[4, 3] y) { y = Expand(x, s) }", (4, 3)),
        ("(float[2, 3] x, int64[2] r) => (float[4, 9] y) { y = Tile(x, r) }", (4, 9)),
        ("(int64[2] s) => (float[4, 9] y) { y = ConstantOfShape(s) }", (4, 9)),
        ("(float[2, 3] x, int64[4] p) => (float[5, 3] y) { y = Pad(x, p) }", (5, 3)),
        ("(float[4, 6] x, int64[1] s, int64[1] e, int64[1] a) => (float[3, 6] y) { y = Slice(x, s, e, a) }", (3, 6)),
        ("(float[1, 1, 2, 2] x, float[4] s) => (float[1, 1, 4, 6] y) { y = Resize(x, , s) }", (1, 1, 4, 6)),
        ("(float[1, 1, 2, 2] x, int64[4] s) => (float[1, 1, 4, 6] y) { y = Resize(x, , , s) }", (1, 1, 4, 6)),
        ("(float[7, 2] x, int64[2] s) => (float[5, 2] y, float[2, 2] z) { y, z = Split(x, s) }", (5, 2)),
        ("(float[2, 3, 4] x, int64[1] a) => (float[2, 1, 4] y) { y = ReduceSum(x, a) }", (2, 1, 4)),
        ("(float[2, 3, 4] x, int64[1] a) => (float[2, 3] y) { y = ReduceSum<keepdims = 0>(x, a) }", (2, 3)),
        ("(float[2, 1, 4] x, int64[1] a) => (float[2, 4] y) { y = Squeeze(x, a) }", (2, 4)),
        ("(float[2, 4] x, int64[1] a) => (float[2, 1, 4] y) { y = Unsqueeze(x, a) }", (2, 1, 4)),
        ("(int64 a, int64 b, int64 c) => (int64[6] y) { y = Range(a, b, c) }", (6,)),
        ("(int64 size) => (float[9] y) { y = HannWindow(size) }", (9,)),
        ("(float[1, 16, 1] x, int64 n) => (float[1, 9, 2] y) { y = DFT<onesided = 1>(x, n) }", (1, 9, 2)),
        ("(float[1, 64, 1] x, int64 s, float[16] w) => (float[1, 7, 9, 2] y) { y = STFT(x, s, w) }", (1, 7, 9, 2)),
        (
            "(int64 i) => (float[2, 4] y) {y = OneHot(ids, i, v)}".replace(
                ") {", ") <int64[2] ids = {0, 1}, float[2] v = {0, 1}> {"
            ),
            (2, 4),
        ),
    ],
)
def test_that_numbers_for_shapes_lead_to_the_declared_output(write: Write, text: str, shape: tuple[int, ...]) -> None:
    assert run(write(text))[0].shape == shape


@pytest.mark.parametrize("operator", ["RNN", "GRU", "LSTM"])
def test_that_the_lengths_of_a_recurrent_network_are_those_of_its_input(write: Write, operator: str) -> None:
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[operator]
    path = write(
        f"(float[time, batch, 2] x, int32[batch] lens) => (float[time, 1, batch, 3] y) "
        f"{{ y = {operator}<hidden_size = 3>(x, w, r, , lens) }}",
        w=(1, 3 * gates, 2),
        r=(1, 3 * gates, 3),
    )
    assert span(proposals(path, time=5)["lens"]) == (Fill.CONSTANT, "5")
    run(path, "mixed", {"time": 5, "batch": 2})


def test_that_a_loop_runs_no_longer_than_what_its_counter_indexes(write: Write) -> None:
    path = write(
        """(float[4, 2] rows, int64 count) => (float[n, 2] y) <bool yes = {1}> {
        y = Loop (count, yes) <body = once (int64 i, bool go) => (bool on, float[2] row) {
            on = Identity(go) row = Gather(rows, i)
        }>
        }"""
    )
    assert span(proposals(path)["count"]) == (Fill.CONSTANT, "4")
    assert run(path)[0].shape == (4, 2)


@pytest.mark.parametrize("choice", CHOICES)
def test_that_indices_are_followed_into_the_bodies_of_loops_and_scans(write: Write, choice: str) -> None:
    path = write(
        """(int64[3] carried, int64[2, 3] scanned) => (int64[3] a, float[n, 3, 4] b, float[2, 3, 4] c)
        <int64 count = {2}, bool yes = {1}> {
        a, b = Loop (count, yes, carried) <body = once (int64 i, bool go, int64[3] ids)
            => (bool on, int64[3] same, float[3, 4] rows) {
            on = Identity(go) same = Identity(ids) rows = Gather(long, ids)
        }>
        c = Scan <num_scan_inputs = 1, body = each (int64[3] row) => (float[3, 4] found) {
            found = Gather(short, row)
        }> (scanned)
        }""",
        long=(30, 4),
        short=(7, 4),
    )
    found = proposals(path)
    assert span(found["carried"]) == (Fill.INTEGERS, 0, 29)
    assert span(found["scanned"]) == (Fill.INTEGERS, 0, 6)
    run(path, choice)


def test_that_a_training_mode_is_off_and_a_padding_mask_says_nothing_is_padding(write: Write) -> None:
    path = write(
        """(float[2, 3] x, float ratio, bool mode, bool[2, 3] key_padding_mask) => (float[2, 3] y, float[2, 3] z) {
        y = Dropout(x, ratio, mode)
        zero = Sub(x, x)
        z = Where(key_padding_mask, zero, x)
        }"""
    )
    found = proposals(path)
    assert span(found["mode"]) == (Fill.ZEROS,)
    assert span(found["key_padding_mask"]) == (Fill.ZEROS,)


def test_that_embeddings_fused_by_onnxruntime_get_tokens_types_and_masks(write: Write) -> None:
    path = write(
        """(int32[b, s] ids, int32[b, s] kinds, int32[b, s] keep) => (float[b, s, 8] y, int32[b] index) {
        y, index = com.microsoft.EmbedLayerNormalization(ids, kinds, words, places, types, gamma, beta, keep)
        }""",
        ms=True,
        words=(40, 8),
        places=(16, 8),
        types=(3, 8),
        gamma=(8,),
        beta=(8,),
    )
    found = proposals(path)
    assert span(found["ids"]) == (Fill.INTEGERS, 0, 39)
    assert span(found["kinds"]) == (Fill.INTEGERS, 0, 2)
    assert span(found["keep"]) == (Fill.ONES,)
    for choice in CHOICES:
        run(path, choice, {"b": 2, "s": 4})
