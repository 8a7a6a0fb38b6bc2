"""Samples as they lie in the store: int64 nanoseconds, without loss and small.

A blob begins with a byte that says how the rest is to be read:

- 0: int64, little-endian
- 1: the same, zlib-compressed, after the bytes were sorted by significance: first the lowest byte of every sample, then
  the next of every sample. Latencies of one trial share their high bytes, so most of these planes are constant; this
  takes about 2 bytes a sample, and less time than the bytes as they are or their differences.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from ..records.codec import DecodeError
from ..records.samples import Nanoseconds

_PLAIN: Final = b"\x00"
_PLANES: Final = b"\x01"
_LEVEL: Final = 1
"""Higher ones take ten times as long for a few percent."""


def pack_samples(samples: Nanoseconds) -> bytes:
    """Return the blob of samples, shape (n,)."""
    plain = np.ascontiguousarray(samples, "<i8")
    packed = zlib.compress(plain.view(np.uint8).reshape(-1, 8).T.tobytes(), _LEVEL)
    return _PLANES + packed if len(packed) < plain.nbytes else _PLAIN + plain.tobytes()


def unpack_samples(blob: bytes) -> Nanoseconds:
    """Return the samples of a blob, shape (n,). Raises `DecodeError`."""
    form, data = blob[:1], blob[1:]
    try:
        if form == _PLANES:
            data = np.frombuffer(zlib.decompress(data), np.uint8).reshape(8, -1).T.tobytes()
        elif form != _PLAIN:
            raise DecodeError("samples of an unknown form")
        return np.frombuffer(data, "<i8").astype(np.int64)
    except (zlib.error, ValueError) as error:
        raise DecodeError(f"damaged samples: {error}") from error
