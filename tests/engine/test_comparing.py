"""Outputs against references; each number is computed again by plain loops, `math.fsum`, scipy or numpy.testing."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from scipy.spatial import distance

from gui.engine import comparing, nested
from gui.engine.comparing import ComparisonStoppedError, Unreadable, compare_outputs
from gui.engine.decoding import as_doubles
from gui.engine.elements import ELEMENTS, Array, bits_of_floats
from gui.records.check import (
    DEFAULT_TOLERANCES,
    MIN_SNR_DB,
    Agreement,
    CheckSettings,
    OutputCheck,
    OutputDifference,
    Tolerance,
)

from .tiny_models import FLOATS_OF_BITS

FLOATS = sorted(name for name in ELEMENTS if ELEMENTS[name].is_float)
INTEGERS = sorted(name for name in ELEMENTS if ELEMENTS[name].is_integer)
SIGNED_FLOATS = [name for name in FLOATS if name != "float8e8m0"]
NAN, INF = math.nan, math.inf


def stored(element: str, values: Iterable[float], *shape: int) -> Array:
    """Values as the element's storage; numbers too large for it become infinite or NaN."""
    wanted = np.array(list(values), np.float64)
    with np.errstate(over="ignore"):
        if element in FLOATS_OF_BITS:
            result = bits_of_floats(ELEMENTS[element], wanted.astype(np.float32))
        else:
            result = wanted.astype(ELEMENTS[element].storage)
    return result.reshape(shape) if shape else result


def numbers(element: str, array: Array) -> list[float]:
    """What the elements stand for, by numpy and ml_dtypes."""
    if element in FLOATS_OF_BITS:
        array = array.view(FLOATS_OF_BITS[element])
    found: list[float] = array.astype(np.float64).ravel().tolist()
    return found


def check(
    output: Any, reference: Any, kind: str = "tensor(float)", *tolerances: Tolerance, enabled: bool = True
) -> OutputDifference:
    settings = CheckSettings(enabled=enabled, tolerances=tolerances)
    found = compare_outputs(["y"], [kind], [output], [reference], settings)
    (difference,) = found.outputs
    assert found.agreement is difference.agreement
    assert (difference.name, difference.type) == ("y", kind)
    return difference


def floats(ours: Iterable[float], theirs: Iterable[float], *tolerances: Tolerance) -> OutputDifference:
    """Compare 32-bit floats."""
    return check(stored("float", ours), stored("float", theirs), "tensor(float)", *tolerances)


def doubles(ours: Iterable[float], theirs: Iterable[float], *tolerances: Tolerance) -> OutputDifference:
    """Compare 64-bit floats."""
    return check(np.array(list(ours)), np.array(list(theirs)), "tensor(double)", *tolerances)


def assert_is(found: float | None, wanted: float | None, rel: float = 1e-9) -> None:
    if wanted is None:
        assert found is None
    else:
        assert found == pytest.approx(wanted, rel=rel, abs=0)


def assert_as_by_hand(found: OutputDifference, ours: list[float], theirs: list[float], tolerance: Tolerance) -> None:
    """Compute everything by loops over Python's numbers, and hold it against what was found."""
    pairs = list(zip(ours, theirs, strict=True))
    finite = [(a, b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    others = [(a, b) for a, b in pairs if not (math.isfinite(a) and math.isfinite(b))]
    beyond = [(a, b) for a, b in finite if abs(a - b) > tolerance.absolute + tolerance.relative * abs(b)]
    beyond += [(a, b) for a, b in others if not (a == b or (math.isnan(a) and math.isnan(b)))]
    relative = [abs(a - b) / abs(b) for a, b in finite if b != 0]
    signal = math.fsum(b * b for _a, b in finite)
    noise = math.fsum((a - b) ** 2 for a, b in finite)
    assert found.element_count == len(pairs)
    assert found.mismatches == len(beyond)
    assert found.max_absolute == (max(abs(a - b) for a, b in finite) if finite else None)
    assert found.max_relative == (max(relative) if relative else None)
    assert_is(found.snr_db, 10 * math.log10(signal / noise) if signal and noise else None)
    lengths = math.fsum(a * a for a, _b in finite), signal
    if all(lengths):
        assert_is(found.cosine, 1 - float(distance.cosine(*zip(*finite, strict=True))))
    else:
        assert found.cosine is None
    assert found.nan_count == sum(map(math.isnan, ours))
    assert found.inf_count == sum(map(math.isinf, ours))
    assert found.reference_nan_count == sum(map(math.isnan, theirs))
    assert found.reference_inf_count == sum(map(math.isinf, theirs))


# ---- What elements stand for ----


@pytest.mark.parametrize("element", sorted(FLOATS_OF_BITS))
def test_that_every_bit_pattern_is_read_as_ml_dtypes_reads_it(element: str) -> None:
    storage = np.dtype(ELEMENTS[element].storage)
    codes = np.arange(1 << (8 * storage.itemsize), dtype=np.uint32).astype(storage)
    with np.errstate(invalid="ignore"):
        wanted = codes.view(FLOATS_OF_BITS[element]).astype(np.float64)
    np.testing.assert_array_equal(as_doubles(ELEMENTS[element], codes), wanted)


def test_that_every_float16_is_read_as_it_is() -> None:
    codes = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(np.float16)
    with np.errstate(invalid="ignore"):
        wanted = codes.astype(np.float64)
    np.testing.assert_array_equal(as_doubles(ELEMENTS["float16"], codes), wanted)


# ---- Floats, against a computation by hand ----


@pytest.mark.parametrize("element", SIGNED_FLOATS)
@pytest.mark.parametrize("chunk", [7, 64, 1 << 16])
def test_that_all_numbers_are_those_of_a_computation_by_hand(
    element: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_CHUNK", chunk)
    generator = np.random.default_rng(1)
    tolerance = Tolerance(type=element, absolute=0.02, relative=0.05)
    theirs = generator.normal(0, 3, 500)
    ours = theirs * generator.normal(1, 0.04, 500)
    limit, tiny = ELEMENTS[element].limit, 2.0**-140
    theirs[:12] = [0, 0, -0.0, NAN, NAN, 1, INF, INF, INF, 1, tiny, 2 * tiny]
    ours[:12] = [0, 1, 0, NAN, 1, NAN, INF, -INF, 1, INF, 2 * tiny, 0]
    ours[63], theirs[63], ours[64], theirs[64] = limit, limit, 2, 3  # about the edge of a chunk
    if element == "double":
        ours[63] = theirs[63] = 1e70  # the square of its square can still be told by hand
    one, two = stored(element, ours), stored(element, theirs)
    found = check(one.reshape(5, 10, 10, 1), two.reshape(5, 10, 10, 1), f"tensor({element})", tolerance)
    assert_as_by_hand(found, numbers(element, one), numbers(element, two), tolerance)
    assert found.shape == (5, 10, 10, 1)
    assert found.agreement is Agreement.DIFFERENT
    assert found.tolerance == tolerance


@pytest.mark.parametrize("element", SIGNED_FLOATS)
@pytest.mark.parametrize("size", [1, 63, 64, 65, 128, 129])
def test_that_elements_at_the_edges_of_chunks_are_seen(
    element: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_CHUNK", 64)
    same = stored(element, np.ones(size))
    for place in {0, size // 2, size - 1}:
        values = np.ones(size)
        values[place] = 2
        found = check(stored(element, values), same, f"tensor({element})")
        assert (found.mismatches, found.max_absolute, found.max_relative) == (1, 1.0, 1.0)


@pytest.mark.parametrize("element", [entry.type for entry in DEFAULT_TOLERANCES if not ELEMENTS[entry.type].is_bits])
def test_that_the_verdict_is_that_of_numpy_testing(element: str) -> None:
    generator = np.random.default_rng(2)
    verdicts = set()
    for scale in np.logspace(-9, -1, 60):
        theirs = stored(element, generator.normal(0, 1, 50))
        ours = stored(element, theirs.astype(np.float64) + generator.normal(0, scale, 50))
        found = check(ours, theirs, f"tensor({element})")
        given = CheckSettings().tolerance(element)
        try:
            wide = ours.astype(np.float64), theirs.astype(np.float64)
            np.testing.assert_allclose(*wide, rtol=given.relative, atol=given.absolute)
            expected = True
        except AssertionError:
            expected = False
        assert (found.agreement is not Agreement.DIFFERENT) == expected
        assert found.tolerance == given
        verdicts.add(expected)
    assert verdicts == {True, False}


@pytest.mark.parametrize("element", FLOATS)
def test_that_the_same_is_identical_whatever_is_in_it(element: str) -> None:
    if element in FLOATS_OF_BITS:
        storage = np.dtype(ELEMENTS[element].storage)
        values = np.arange(1 << (8 * storage.itemsize), dtype=np.uint32).astype(storage)
    else:
        values = stored(element, [0, -0.0, 1, NAN, INF, -INF, 1e-45, 5e-324, ELEMENTS[element].limit])
    found = check(values, values.copy(), f"tensor({element})")
    assert found.agreement is Agreement.IDENTICAL
    assert (found.mismatches, found.max_absolute, found.max_relative) == (0, 0.0, 0.0)
    assert (found.cosine, found.snr_db, found.note) == (1.0, None, "")


def test_that_elements_of_the_exponent_alone_are_compared_exactly() -> None:
    found = check(stored("float8e8m0", [1, 2, 4]), stored("float8e8m0", [1, 2, 8]), "tensor(float8e8m0)")
    assert (found.agreement, found.mismatches, found.max_absolute) == (Agreement.DIFFERENT, 1, 4.0)
    assert found.tolerance is None


def test_that_signs_of_zero_make_no_difference() -> None:
    assert floats([0.0, -0.0], [-0.0, 0.0]).agreement is Agreement.IDENTICAL


def test_that_arrays_of_ml_dtypes_are_read_like_bits() -> None:
    ours = np.array([1, 2], ml_dtypes.bfloat16)
    found = check(ours, np.array([1, 4], ml_dtypes.bfloat16), "tensor(bfloat16)")
    assert (found.mismatches, found.max_absolute) == (1, 2.0)


# ---- Tolerances ----


@pytest.mark.parametrize(
    ("ours", "agreement"),
    [
        (8.0, Agreement.IDENTICAL),
        (9.5, Agreement.WITHIN),  # 0.5 + 0.125 * 8
        (6.5, Agreement.WITHIN),
        (math.nextafter(9.5, 10), Agreement.DIFFERENT),
        (math.nextafter(6.5, 6), Agreement.DIFFERENT),
    ],
)
def test_that_a_tolerance_holds_up_to_its_edge(ours: float, agreement: Agreement) -> None:
    tolerance = Tolerance(type="double", absolute=0.5, relative=0.125)
    found = doubles([ours, 1000.0], [8.0, 1000.0], tolerance)
    assert found.agreement is agreement
    assert found.mismatches == (agreement is Agreement.DIFFERENT)


def test_that_the_relative_part_is_of_the_reference() -> None:
    tolerance = Tolerance(type="double", absolute=0, relative=0.5)
    assert doubles([150.0, 1e6], [100.0, 1e6], tolerance).mismatches == 0
    assert doubles([100.0, 1e6], [201.0, 1e6], tolerance).mismatches == 1  # half of 201 would be enough for 100.5


def test_that_zeros_do_not_pass_for_small_numbers() -> None:
    small = np.random.default_rng(3).normal(0, 1e-4, 100)
    found = floats(np.zeros(100), small)
    assert found.mismatches == 0  # each is within 0.001
    assert found.agreement is Agreement.DIFFERENT
    assert found.snr_db == 0.0
    assert found.cosine is None
    assert found.note == "Each element is within the tolerance, but the noise is more than a tenth of the signal."


@pytest.mark.parametrize(("factor", "agreement"), [(1.09, Agreement.WITHIN), (1.11, Agreement.DIFFERENT)])
def test_that_noise_may_be_a_tenth_of_the_signal(factor: float, agreement: Agreement) -> None:
    small = np.random.default_rng(3).normal(0, 1e-4, 100)
    found = doubles(small * factor, small, Tolerance(type="double", absolute=1, relative=0))
    assert found.agreement is agreement
    assert found.snr_db is not None
    assert (found.snr_db >= MIN_SNR_DB) == (agreement is Agreement.WITHIN)


def test_that_noise_about_nothing_but_zeros_is_measured_by_the_tolerance_alone() -> None:
    found = floats([1e-6, 0], [0, 0])
    assert (found.agreement, found.snr_db, found.cosine, found.max_relative) == (Agreement.WITHIN, None, None, None)
    assert floats([1e-2, 0], [0, 0]).agreement is Agreement.DIFFERENT


def test_that_a_tolerance_of_zero_is_an_exact_comparison() -> None:
    exact = Tolerance(type="float", absolute=0, relative=0)
    found = floats([1, 1 + 2**-23], [1, 1], exact)
    assert (found.agreement, found.mismatches, found.tolerance) == (Agreement.DIFFERENT, 1, None)


# ---- NaN, infinity, and numbers that are hard to square ----


@pytest.mark.parametrize(
    ("ours", "theirs", "mismatches"),
    [
        ([NAN, 1], [NAN, 1], 0),
        ([NAN, 1], [1, 1], 1),
        ([1, 1], [NAN, 1], 1),
        ([INF, -INF, 1], [INF, -INF, 1], 0),
        ([INF, 1], [-INF, 1], 1),
        ([INF, 1], [3e38, 1], 1),
        ([3e38, 1], [INF, 1], 1),
        ([NAN, 1], [INF, 1], 1),
    ],
)
def test_that_what_is_no_finite_number_must_stand_in_the_same_places(
    ours: list[float], theirs: list[float], mismatches: int
) -> None:
    found = floats(ours, theirs, Tolerance(type="float", absolute=1e38, relative=1))
    assert found.mismatches == mismatches
    assert found.agreement is (Agreement.DIFFERENT if mismatches else Agreement.IDENTICAL)
    assert (found.max_absolute, found.cosine) == (0.0, 1.0)


def test_that_nothing_is_measured_where_no_number_is_finite_in_both() -> None:
    found = floats([NAN, INF, 1], [1, 2, NAN])
    assert (found.agreement, found.mismatches) == (Agreement.DIFFERENT, 3)
    assert (found.max_absolute, found.max_relative, found.cosine, found.snr_db) == (None, None, None, None)


def test_that_a_signalling_nan_is_nan() -> None:
    bits = np.array([0x7F800001, 0x3F800000], np.uint32).view(np.float32)
    found = check(bits, bits.copy())
    assert (found.agreement, found.nan_count, found.reference_nan_count) == (Agreement.IDENTICAL, 1, 1)


@pytest.mark.parametrize("scale", [5e-324 * 8, 1e-310, 1e-200, 1.0, 1e200, 2.0**1020])
def test_that_very_small_and_very_large_numbers_are_measured_like_others(scale: float) -> None:
    plain_ours, plain_theirs = np.array([1.0, 2, -3, 4]), np.array([1.0, 2, -3, 5])
    plain = doubles(plain_ours, plain_theirs)
    found = doubles(plain_ours * scale, plain_theirs * scale)
    assert_is(found.snr_db, plain.snr_db)
    assert_is(found.snr_db, 10 * math.log10(39))
    assert_is(found.cosine, 1 - float(distance.cosine(plain_ours, plain_theirs)))
    assert_is(found.max_relative, 0.2)


def test_that_large_and_small_numbers_together_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_CHUNK", 2)
    ours, theirs = [1e200, 1, 1e-200, 0], [1e200, 2, 1e-200, 1e-200]
    found = doubles(ours, theirs)
    assert_is(found.snr_db, 4000.0)
    assert found.cosine == 1.0
    assert found.max_relative == 1.0


def test_that_a_difference_beyond_the_largest_number_is_told_as_the_largest() -> None:
    largest = sys.float_info.max
    found = doubles([largest, 1.0], [-largest, 1.0])
    assert (found.max_absolute, found.max_relative, found.mismatches) == (largest, 2.0, 1)
    assert_is(found.snr_db, 10 * math.log10(1 / 4))
    assert_is(found.cosine, -1.0)
    assert doubles([1.0], [5e-324]).max_relative == largest


# ---- The largest of a row ----


@pytest.mark.parametrize(
    ("shape", "is_told"),
    [
        ((2,), True),
        ((3, 2), True),
        ((2, 3, 4), True),
        ((1, 2, 3, 4), False),
        ((5, 1), False),
        ((1,), False),
        ((), False),
        ((0, 3), False),
        ((1, 1_000_000), True),
        ((1, 1_000_001), False),
    ],
)
def test_that_the_top_1_is_told_of_what_looks_like_classes(shape: tuple[int, ...], is_told: bool) -> None:
    values = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    assert check(values, values.copy()).top1_agreement == (1.0 if is_told else None)


@pytest.mark.parametrize("chunk", [3, 40, 1 << 16])
@pytest.mark.parametrize("element", SIGNED_FLOATS)
def test_that_the_top_1_is_the_share_of_rows_with_the_same_largest_element(
    element: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_CHUNK", chunk)
    generator = np.random.default_rng(4)
    ranks = np.array([generator.permutation(8) for _row in range(30)], np.float64)
    others = np.array([row if number % 3 else generator.permutation(8) for number, row in enumerate(ranks)])
    ours, theirs = stored(element, others.ravel(), 5, 6, 8), stored(element, ranks.ravel(), 5, 6, 8)
    same = sum(list(mine).index(7) == list(other).index(7) for mine, other in zip(others, ranks, strict=True))
    assert 20 <= same < 30
    assert check(ours, theirs, f"tensor({element})").top1_agreement == same / 30


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ([1, 2], [1, 2], 1.0),
        ([2, 1], [1, 2], 0.0),
        ([1, 2], [2, 2], 1.0),  # either is the largest there
        ([2, 2], [1, 2], 0.0),
        ([NAN, 2], [NAN, 3], 1.0),
        ([NAN, 2], [2, 3], 0.0),
        ([1, 2], [1, NAN], 0.0),
        ([1, NAN], [NAN, 2], 0.0),
        ([1, INF], [1, INF], 1.0),
    ],
)
def test_that_ties_and_nan_are_decided(ours: list[float], theirs: list[float], same: float) -> None:
    assert floats(ours, theirs).top1_agreement == same


# ---- Whole numbers and bool ----


@pytest.mark.parametrize("element", INTEGERS)
def test_that_whole_numbers_are_compared_exactly_over_their_whole_range(element: str) -> None:
    known = ELEMENTS[element]
    theirs = np.array([known.low, known.high, 0, 1], known.storage)
    same = check(theirs, theirs.copy(), f"tensor({element})")
    assert (same.agreement, same.mismatches, same.max_absolute) == (Agreement.IDENTICAL, 0, 0.0)
    found = check(theirs[[1, 0, 2, 3]], theirs, f"tensor({element})")
    assert (found.agreement, found.mismatches, found.element_count) == (Agreement.DIFFERENT, 2, 4)
    assert found.max_absolute == float(known.high - known.low)
    assert (found.tolerance, found.max_relative, found.cosine, found.snr_db) == (None,) * 4


@pytest.mark.parametrize("element", INTEGERS)
def test_that_a_tolerance_given_for_a_whole_number_counts(element: str) -> None:
    storage = ELEMENTS[element].storage
    ours, theirs = np.array([0, 1], storage), np.array([1, 1], storage)
    for absolute, relative, agreement in (
        (1, 0, Agreement.WITHIN),
        (0, 1, Agreement.WITHIN),
        (0.5, 0.25, Agreement.DIFFERENT),
    ):
        tolerance = Tolerance(type=element, absolute=absolute, relative=relative)
        found = check(ours, theirs, f"tensor({element})", tolerance)
        assert (found.agreement, found.max_absolute, found.tolerance) == (agreement, 1.0, tolerance)


def test_that_whole_numbers_are_seen_in_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_CHUNK", 10)
    theirs = np.arange(-50, 51, dtype=np.int64)
    ours = theirs.copy()
    ours[[9, 10, 100]] += [1, -7, 3]
    found = check(ours, theirs, "tensor(int64)")
    assert (found.mismatches, found.max_absolute) == (3, 7.0)


def test_that_bool_is_equal_or_not() -> None:
    found = check(np.array([True, False, True]), np.array([True, True, True]), "tensor(bool)")
    assert (found.agreement, found.mismatches, found.max_absolute) == (Agreement.DIFFERENT, 1, None)
    same = check(np.array([True]), np.array([True]), "tensor(bool)")
    assert same.agreement is Agreement.IDENTICAL


# ---- Texts, sequences, maps, nothing ----


def test_that_texts_are_equal_or_not() -> None:
    theirs = np.array([["a", "ä\udc80"], ["", "d"]], object)
    ours = theirs.copy()
    assert check(ours, theirs, "tensor(string)").agreement is Agreement.IDENTICAL
    ours[1, 1] = "D"
    found = check(ours, theirs, "tensor(string)")
    assert (found.agreement, found.mismatches, found.element_count) == (Agreement.DIFFERENT, 1, 4)


SEQUENCE = "seq(tensor(float))"
MAP = "map(int64,tensor(float))"


def array(*values: float) -> Array:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("ours", "theirs", "mismatches", "largest", "note"),
    [
        ([array(1, NAN)], [array(1, NAN)], 0, 0.0, ""),
        ([array(1, 2), array(4)], [array(1, 3), array(4)], 1, 1.0, "Sequences and maps are compared exactly."),
        ([array(1), array(2)], [array(1)], 0, 0.0, "It has 2 entries, the CPU's has 1."),
        ([array(1, 2)], [array(1)], 0, None, "A tensor in it has the shape [2], the CPU's has [1]."),
        ({1: 0.5, 2: 0.25}, {1: 0.5, 2: 0.75}, 1, 0.5, "Sequences and maps are compared exactly."),
        ({1: NAN}, {1: NAN}, 0, None, ""),
        ({1: 0.5}, {2: 0.5}, 0, None, "It has other keys than the CPU's."),
        ([{"a": 1.0}, {"a": 2.0}], [{"a": 1.0}, {"a": 5.0}], 1, 3.0, "Sequences and maps are compared exactly."),
        ({1: "a"}, {1: "b"}, 1, None, "Sequences and maps are compared exactly."),
        ([array(1)], {1: 1.0}, 0, None, "It holds a list where the CPU's holds a dict."),
        ([], [], 0, None, ""),
    ],
)
def test_that_sequences_and_maps_are_compared_entry_by_entry(
    ours: Any, theirs: Any, mismatches: int, largest: float | None, note: str
) -> None:
    found = check(ours, theirs, SEQUENCE)
    assert (found.mismatches, found.max_absolute, found.note) == (mismatches, largest, note)
    assert found.agreement is (Agreement.DIFFERENT if note else Agreement.IDENTICAL)
    assert found.tolerance is None


def test_that_every_element_of_long_entries_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested, "_CHUNK", 8)
    theirs = [np.arange(20, dtype=np.int64), np.array(["a"] * 20, object)]
    ours = [entry.copy() for entry in theirs]
    ours[0][[7, 8, 19]] += 2
    ours[1][15] = "b"
    found = check(ours, theirs, "seq(tensor(int64))")
    assert (found.mismatches, found.element_count, found.max_absolute) == (4, 40, 2.0)


def test_that_an_optional_may_be_empty_in_both() -> None:
    kind = "optional(tensor(float))"
    assert check(None, None, kind).agreement is Agreement.IDENTICAL
    assert check(array(1), array(1), kind).agreement is Agreement.IDENTICAL
    assert check(array(1.0001), array(1), kind).agreement is Agreement.WITHIN
    empty = check(None, array(1), kind)
    assert (empty.agreement, empty.note) == (Agreement.DIFFERENT, "It is empty, the CPU's is not.")
    full = check([array(1)], None, "optional(seq(tensor(float)))")
    assert (full.agreement, full.note) == (Agreement.DIFFERENT, "It is not empty, the CPU's is.")


# ---- What cannot be compared ----


@pytest.mark.parametrize("element", sorted(ELEMENTS))
def test_that_outputs_of_other_shapes_are_different(element: str) -> None:
    storage = ELEMENTS[element].storage
    found = check(np.zeros((2, 3), storage), np.zeros((3, 2), storage), f"tensor({element})")
    assert found.agreement is Agreement.DIFFERENT
    assert found.note == "Its shape is [2, 3], the CPU's is [3, 2]."
    assert (found.shape, found.element_count) == ((2, 3), 6)


def test_that_nan_is_counted_in_outputs_of_other_shapes() -> None:
    found = floats([NAN, INF, 1], [NAN, NAN])
    counts = found.nan_count, found.inf_count, found.reference_nan_count, found.reference_inf_count
    assert counts == (1, 1, 2, 0)


@pytest.mark.parametrize("element", sorted(ELEMENTS))
def test_that_nothing_is_identical_to_nothing(element: str) -> None:
    empty = np.zeros((2, 0), ELEMENTS[element].storage)
    found = check(empty, empty.copy(), f"tensor({element})")
    assert (found.agreement, found.element_count, found.mismatches) == (Agreement.IDENTICAL, 0, 0)
    assert (found.max_absolute, found.max_relative, found.cosine, found.top1_agreement) == (None,) * 4


def test_that_an_output_of_another_type_than_the_model_says_is_different() -> None:
    found = check(np.zeros(2), np.zeros(2, np.float32))
    assert (found.agreement, found.note) == (Agreement.DIFFERENT, "It holds double, not float.")
    found = check(np.zeros(2, np.float32), np.zeros(2))
    assert (found.agreement, found.note) == (Agreement.DIFFERENT, "The CPU's holds double, not float.")


def test_that_what_cannot_be_read_is_not_checked() -> None:
    for pair in ((Unreadable(reason="It is odd."), array(1)), (array(1), Unreadable(reason="It is odd."))):
        found = check(*pair)
        assert (found.agreement, found.note) == (Agreement.NOT_CHECKED, "It is odd.")
    strange = check(object(), object(), "sparse_tensor(float)")
    assert (strange.agreement, strange.note) == (Agreement.NOT_CHECKED, "A sparse_tensor(float) cannot be compared.")


def test_that_types_of_which_nothing_is_known_are_equal_or_not() -> None:
    theirs = np.array([1 + 2j, 3], np.complex64)
    assert check(theirs, theirs.copy(), "tensor(complex64)").agreement is Agreement.IDENTICAL
    found = check(theirs * 2, theirs, "tensor(complex64)")
    assert (found.agreement, found.mismatches) == (Agreement.DIFFERENT, 2)


def test_that_arrays_in_any_order_of_memory_are_compared() -> None:
    theirs = np.arange(12, dtype=np.float32).reshape(3, 4)
    ours = np.asfortranarray(theirs)
    assert check(ours, theirs).agreement is Agreement.IDENTICAL
    assert check(ours[:, ::2], theirs[:, ::2]).agreement is Agreement.IDENTICAL


# ---- All outputs together ----


def test_that_each_output_is_told_in_order_and_the_worst_speaks_for_all() -> None:
    found = compare_outputs(
        ["a", "b"],
        ["tensor(float)", "tensor(int64)"],
        [array(1), np.array([1])],
        [array(1), np.array([2])],
        CheckSettings(),
    )
    assert [entry.name for entry in found.outputs] == ["a", "b"]
    assert [entry.agreement for entry in found.outputs] == [Agreement.IDENTICAL, Agreement.DIFFERENT]
    assert found.agreement is Agreement.DIFFERENT


def test_that_a_model_without_outputs_has_nothing_to_check() -> None:
    assert compare_outputs([], [], [], [], CheckSettings()) == OutputCheck(
        agreement=Agreement.NOT_CHECKED, note="The model has no outputs."
    )


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("tensor(float)", np.zeros((40, 10), np.float32)),
        ("tensor(int8)", np.zeros(400, np.int8)),
        ("tensor(string)", np.array(["a"] * 400, object)),
    ],
)
def test_that_it_ends_between_two_chunks_when_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch, kind: str, output: Array
) -> None:
    monkeypatch.setattr(comparing, "_CHUNK", 100)
    asked = 0

    def is_stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    with pytest.raises(ComparisonStoppedError):
        compare_outputs(["y"], [kind], [output], [output.copy()], CheckSettings(), is_stopped)
    assert asked == 3


# ---- Where agreeing says little ----


def test_that_outputs_without_a_finite_number_are_not_taken_for_right() -> None:
    found = floats([math.nan, math.nan], [math.nan, math.nan])
    assert found.agreement is Agreement.NOT_CHECKED
    assert "nothing to compare" in found.note


def test_that_one_finite_number_is_enough_to_compare() -> None:
    assert floats([math.nan, 1.0], [math.nan, 1.0]).agreement is Agreement.IDENTICAL


def test_that_zeros_and_nothing_are_said_to_be_so() -> None:
    assert floats([0.0, 0.0], [0.0, 0.0]).note == "All elements are zero."
    assert floats([], []).note == "It has no elements."
    assert floats([0.0, 1.0], [0.0, 1.0]).note == ""
