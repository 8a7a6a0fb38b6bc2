from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gui.records import samples as samples_module
from gui.records.codec import DecodeError
from gui.records.samples import Envelope, Nanoseconds, SampleSeries, decode_samples, encode_samples

ODD_BATCHES = (1, 0, 3, 255, 1, 256, 257, 4096, 0, 5, 10_001)


def random_samples(count: int, seed: int = 1) -> Nanoseconds:
    return np.random.default_rng(seed).integers(1, 1 << 40, count, dtype=np.int64)


def series_of(values: Nanoseconds, batches: tuple[int, ...] = ODD_BATCHES) -> SampleSeries:
    series = SampleSeries()
    for batch in in_batches(values, batches):
        series.append(batch)
    return series


def in_batches(values: Nanoseconds, batches: tuple[int, ...]) -> Iterator[Nanoseconds]:
    begin, turn = 0, 0
    while begin < len(values):
        size = batches[turn % len(batches)]
        yield values[begin : begin + size]
        begin, turn = begin + size, turn + 1


def extremes_of(values: Nanoseconds) -> tuple[int, int]:
    return int(values.min()), int(values.max())


# ---- The wire form ----


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_that_a_batch_comes_back_from_its_wire_form(count: int) -> None:
    values = random_samples(count) - (1 << 39)
    again = decode_samples(encode_samples(values))
    assert again.dtype == np.int64
    np.testing.assert_array_equal(again, values)


def test_that_the_wire_form_is_little_endian_int64_in_base64() -> None:
    assert encode_samples(np.array([1, 256], np.int64)) == "AQAAAAAAAAAAAQAAAAAAAA=="
    assert encode_samples(np.array([1, 256], ">i8").astype(np.int64)) == "AQAAAAAAAAAAAQAAAAAAAA=="


def test_that_a_decoded_batch_may_be_written() -> None:
    batch = decode_samples(encode_samples(np.array([1], np.int64)))
    batch[0] = 2
    assert batch[0] == 2


@pytest.mark.parametrize("text", ["AQAAAAAAAA==", "A", "not base64!", "“”", "AQAAAAAAAAA=\n!"])
def test_that_what_is_no_batch_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="not a batch"):
        decode_samples(text)


# ---- The series ----


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 4095, 4096, 4097, 100_000])
def test_that_samples_appended_in_odd_batches_stay_in_order(count: int) -> None:
    values = random_samples(count)
    series = series_of(values)
    assert len(series) == count
    assert series.dropped == 0
    np.testing.assert_array_equal(series.values, values)


def test_that_values_can_not_be_written_and_do_not_change() -> None:
    values = random_samples(5000)
    series = series_of(values[:300])
    before = series.values
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 0
    series.append(values[300:])
    np.testing.assert_array_equal(before, values[:300])


def test_that_the_series_keeps_no_hold_on_a_batch() -> None:
    batch = np.array([5, 6], np.int64)
    series = SampleSeries()
    series.append(batch)
    batch[:] = 0
    np.testing.assert_array_equal(series.values, [5, 6])


def test_that_samples_beyond_the_limit_are_counted_but_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_module, "MAX_SAMPLES", 700)
    values = random_samples(2000)
    series = series_of(values, (300, 299, 500, 1))
    assert (len(series), series.dropped) == (700, 1300)
    np.testing.assert_array_equal(series.values, values[:700])
    assert series.extremes() == extremes_of(values[:700])


@pytest.mark.parametrize("count", [1, 200, 256, 300, 512, 70_001])
def test_that_extremes_are_those_of_all_samples(count: int) -> None:
    values = random_samples(count, seed=count)
    assert series_of(values).extremes() == extremes_of(values)


@pytest.mark.parametrize("place", [0, 255, 256, 511, 512, 599])
def test_that_a_single_spike_is_an_extreme_wherever_it_is(place: int) -> None:
    values = np.full(600, 100, np.int64)
    values[place] = 9000
    assert series_of(values).extremes() == (100, 9000)
    values[place] = 1
    assert series_of(values).extremes() == (1, 100)


@pytest.mark.parametrize(("count", "limit"), [(0, 10), (10, 10), (11, 10), (19, 10), (100_000, 999), (7, 1)])
def test_that_a_subsample_fits_and_is_spread_evenly(count: int, limit: int) -> None:
    part = series_of(np.arange(count, dtype=np.int64)).subsample(limit)
    assert len(part) <= limit
    assert len(part) == count or len(part) > limit // 2
    steps = np.diff(part)
    assert len(set(steps.tolist())) <= 1
    if count:
        assert part[0] == 0
        assert count - 1 - part[-1] < -(-count // limit)


# ---- The envelope ----


def check_envelope(envelope: Envelope, values: Nanoseconds, first: int, last: int) -> None:
    """Compare with the definition: each column holds the extremes from its start to the next column's."""
    assert len(envelope.starts) == len(envelope.lows) == len(envelope.highs)
    assert envelope.starts[0] == first
    assert np.all(np.diff(envelope.starts) > 0)
    ends = [*envelope.starts[1:].tolist(), last]
    for column, (begin, end) in enumerate(zip(envelope.starts.tolist(), ends, strict=True)):
        part = values[begin:end]
        assert (envelope.lows[column], envelope.highs[column]) == (part.min(), part.max()), column


SMALL, MEDIUM, LARGE = (0, 40), (3, 5003), (0, 200_000)


@pytest.mark.parametrize("columns", [1, 7, 50, 100])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        SMALL,
        (10, 11),
        MEDIUM,
        (0, 256),
        LARGE,
        (1, 200_000),
        (255, 199_999),
        (256, 199_936),
        (257, 199_681),
        (300, 130_000),
        (100_000, 200_000),
    ],
)
def test_that_an_envelope_holds_the_extremes_of_each_column(first: int, last: int, columns: int) -> None:
    values = random_samples(200_000)
    envelope = series_of(values).envelope(first, last, columns)
    check_envelope(envelope, values, first, last)
    assert len(envelope.starts) <= columns
    assert len(envelope.starts) >= min(columns, last - first) // 2


def test_that_few_samples_are_drawn_one_a_column() -> None:
    values = random_samples(40)
    envelope = series_of(values).envelope(10, 30, 20)
    np.testing.assert_array_equal(envelope.starts, np.arange(10, 30))
    np.testing.assert_array_equal(envelope.lows, values[10:30])
    np.testing.assert_array_equal(envelope.highs, values[10:30])


@pytest.mark.parametrize("place", [0, 100, 255, 256, 99_999, 100_000, 100_095, 100_096, 100_195])
def test_that_no_spike_is_missing_from_a_large_envelope(place: int) -> None:
    values = np.full(100_196, 100, np.int64)  # ends within a block
    values[place] = 9000
    series = series_of(values)
    envelope = series.envelope(0, len(values), 10)
    assert envelope.highs.max() == 9000
    column = int(np.searchsorted(envelope.starts, place, side="right")) - 1
    assert envelope.highs[column] == 9000
    assert (envelope.highs == 9000).sum() == 1


def test_that_a_spike_outside_does_not_show() -> None:
    values = np.full(100_000, 100, np.int64)
    values[[999, 90_000]] = 9000
    envelope = series_of(values).envelope(1000, 90_000, 10)
    assert envelope.highs.max() == 100


def test_that_an_envelope_leaves_the_series_as_it_was() -> None:
    values = random_samples(100_196)
    series = series_of(values)
    first = series.envelope(1, 100_000, 10)
    first.lows[:], first.highs[:] = 0, 0
    check_envelope(series.envelope(1, 100_000, 10), values, 1, 100_000)
    assert series.extremes() == extremes_of(values)


@pytest.mark.parametrize(("first", "last"), [(-5, 1000), (0, 99_999_999), (-100, 99_999_999)])
def test_that_an_envelope_keeps_to_the_samples_there_are(first: int, last: int) -> None:
    values = random_samples(5000)
    check_envelope(series_of(values).envelope(first, last, 30), values, max(0, first), min(5000, last))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (10, 10), (20, 10), (6000, 7000)])
def test_that_no_samples_give_an_empty_envelope(first: int, last: int) -> None:
    envelope = series_of(random_samples(5000)).envelope(first, last, 30)
    assert len(envelope.starts) == len(envelope.lows) == len(envelope.highs) == 0
