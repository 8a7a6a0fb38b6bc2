"""The functions that scripts are put together from: each goes in when something in the script calls it.

They do what the engine does, by the same definitions; their text is what a reader of a script sees.
"""

from __future__ import annotations

import ast
from typing import Final

_INPUT_PARTS: Final = {
    "random_of": '''
def random_of(name):
    """Return the generator of an input, which depends on nothing but the seed and its name."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])
''',
    "in_parts": '''
def in_parts(draw, count):
    """Draw many values a million at a time: narrow integers come out differently when drawn in one go."""
    return np.concatenate([draw(min(1 << 20, count - begin)) for begin in range(0, count, 1 << 20)])
''',
    "as_texts": '''
def as_texts(numbers):
    """Return numbers as text."""
    texts = np.empty(len(numbers), object)
    texts[:] = [f"{entry:g}" if isinstance(entry, float) else str(entry) for entry in numbers.tolist()]
    return texts
''',
    "bfloat16_bits": '''
def bfloat16_bits(values):
    """Return values as the bits of bfloat16, rounded to the nearest."""
    values = values.astype(np.float32)
    raw = values.view(np.uint32)
    rounded = (raw + np.uint32(0x7FFF) + ((raw >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = (raw >> np.uint32(16)) | np.uint32(0x40)
    return np.where(np.isnan(values), quiet, rounded).astype(np.uint16)
''',
    "packed": '''
def packed(numbers, bits):
    """Return whole numbers of a few bits as ONNX Runtime keeps them: several in a byte, the first in its low bits."""
    per_byte = 8 // bits
    parts = np.zeros(-(-numbers.size // per_byte) * per_byte, np.uint8)
    parts[: numbers.size] = numbers.astype(np.uint8).ravel() & np.uint8((1 << bits) - 1)
    result = np.zeros(len(parts) // per_byte, np.uint8)
    for index in range(per_byte):
        result |= parts[index::per_byte] << np.uint8(index * bits)
    return result.tobytes()
''',
    "packed_value": '''
def packed_value(data, shape, onnx_type):
    """Return a tensor whose elements share bytes."""
    value = ort.OrtValue.ortvalue_from_shape_and_type(shape, onnx_type)
    if data:
        ctypes.memmove(value.data_ptr(), data, len(data))
    return value
''',
    "array_of": '''
def array_of(path, entry="", name=""):
    """Return an array of an .npz file: the entry, or the only one there is, or that of the input's name."""
    with np.load(path) as archive:
        return archive[entry or (archive.files[0] if len(archive.files) == 1 else name)]
''',
    "load_float8_e5m2": '''
def load_float8_e5m2(data):
    """Return the array of an .npy file, also of the type that ml_dtypes writes and numpy does not read."""
    return np.load(io.BytesIO(data.replace(b"'<f1'", b"'|u1'", 1).replace(b"'|f1'", b"'|u1'", 1)))
''',
    "bytes_of_entry": '''
def bytes_of_entry(path, entry="", name=""):
    """Return what lies in an .npz file as the entry, or the only one there is, or that of the input's name."""
    with zipfile.ZipFile(path) as archive:
        files = archive.namelist()
        return archive.read(files[0] if not entry and len(files) == 1 else f"{entry or name}.npy")
''',
    "texts_of": '''
def texts_of(texts):
    """Return text as ONNX Runtime takes it."""
    return (np.char.decode(texts, "utf-8") if texts.dtype.kind == "S" else texts).astype(object)
''',
    "tensor_of_optional": '''
def tensor_of_optional(path):
    """Return the tensor of a .pb file, which may be that of an optional."""
    tensor = tensor_of(path)
    if tensor.HasField("segment"):  # so the tensor of an OptionalProto looks
        return onnx.OptionalProto.FromString(Path(path).read_bytes()).tensor_value
    return tensor
''',
    "list_of_optional": '''
def list_of_optional(path, read):
    """Return the tensors of a .pb file with a sequence or an optional one; None for an empty optional."""
    data = Path(path).read_bytes()
    optional = onnx.OptionalProto.FromString(data)
    if optional.HasField("sequence_value"):
        return [read(tensor) for tensor in optional.sequence_value.tensor_values]
    if optional.elem_type in (0, onnx.OptionalProto.SEQUENCE) and not optional.HasField("tensor_value"):
        return None
    return [read(tensor) for tensor in onnx.SequenceProto.FromString(data).tensor_values]
''',
    "dict_of": '''
def dict_of(entries):
    """Return a map of ONNX as a dict."""
    keys = [key.decode() for key in entries.string_keys] or list(getattr(entries, "keys"))
    values = [onnx.numpy_helper.to_array(tensor) for tensor in entries.values.tensor_values]
    return {key: value.item() if value.size == 1 else value for key, value in zip(keys, values)}
''',
    "tensor_of": '''
def tensor_of(path):
    """Return the tensor of a .pb file."""
    return onnx.TensorProto.FromString(Path(path).read_bytes())
''',
    "texts_of_tensor": '''
def texts_of_tensor(tensor):
    """Return the strings of a tensor as ONNX Runtime takes them."""
    texts = np.empty(len(tensor.string_data), object)
    texts[:] = [text.decode() for text in tensor.string_data]
    return texts.reshape(tuple(tensor.dims))
''',
    "bytes_of_tensor": '''
def bytes_of_tensor(tensor, kind):
    """Return the data of a tensor as it lies in memory."""
    return tensor.raw_data or np.asarray(tensor.int32_data, np.int32).astype(kind).tobytes()
''',
    "bits_of_tensor": '''
def bits_of_tensor(tensor, kind):
    """Return the bits of a tensor of a type that numpy lacks."""
    little = np.dtype(kind).newbyteorder("<")
    numbers = np.asarray(tensor.int32_data, np.int32)
    bits = np.frombuffer(tensor.raw_data, little) if tensor.raw_data else numbers
    return bits.astype(kind).reshape(tuple(tensor.dims))
''',
    "image_of": '''
def image_of(path, width, height, mode):
    """Return an image, upright and resized, as bytes: height, width, channels."""
    with warnings.catch_warnings(), Image.open(path) as image:
        warnings.simplefilter("ignore")  # Pillow's, of odd images that it reads all the same
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel
            values = np.asarray(upright, np.float64)
            if not upright.mode.startswith("F") and values.size and values.max() > 255:
                values /= 257
            upright = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
        pixels = upright.convert(mode).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(pixels, np.uint8).reshape(height, width, -1)
''',
}

_DEVICE_PARTS: Final = {
    "register": '''
def register(name, path):
    """Register an EP library and return the devices that it brings."""
    if not Path(path).is_file():
        sys.exit(f"The library {name} is not there: {path}")
    before = ort.get_ep_devices()
    ort.register_execution_provider_library(name, path)
    return [device for device in ort.get_ep_devices() if not any(device is other for other in before)]
''',
    "find_device": '''
def find_device(devices, ep_name, kind, vendor_id, device_id, ep_metadata, metadata, number=0):
    """Return the device that these identify; metadata only tells those apart that are equal without it."""
    found = [device for device in devices if identity(device) == (ep_name, kind, vendor_id, device_id)]
    if len(found) > 1:
        wanted = (ep_metadata, metadata)
        found = [device for device in found if (own_metadata(device), dict(device.device.metadata)) == wanted]
    if number < len(found):
        return found[number]
    there = "\\n".join(f"  {describe(device)}" for device in ort.get_ep_devices())
    missing = f"{ep_name}, {kind}, vendor {vendor_id:#06x}, device {device_id:#06x}, number {number}"
    sys.exit(f"A device of this trial is not here: {missing} {metadata}\\nThere are:\\n{there}")
''',
    "identity": '''
def identity(device):
    """Return what identifies a device, but for its metadata."""
    hardware = device.device
    return device.ep_name, hardware.type.name, hardware.vendor_id, hardware.device_id
''',
    "own_metadata": '''
def own_metadata(device):
    """Return the metadata of a device's EP, without what a new build of the EP changes."""
    return {key: value for key, value in device.ep_metadata.items() if key not in ("version", "library_path")}
''',
    "describe": '''
def describe(device):
    """Return a device in words."""
    ep_name, kind, vendor_id, device_id = identity(device)
    return f"{ep_name}, {kind}, vendor {vendor_id:#06x}, device {device_id:#06x} {dict(device.device.metadata)}"
''',
}

_STATISTICS: Final = '''
def nearest_rank(count, percent):
    """Return the index of a percentile in sorted samples: it is a latency that happened."""
    return max(0, -(-round(percent * 1000) * count // 100_000) - 1)  # in whole numbers: 99.9 is no float


def median_ranks(count):
    """Return the indices, in sorted samples, of the distribution-free 95 % interval of the median."""
    if count > 1000:
        low = math.floor(count / 2 - 1.959964 * math.sqrt(count) / 2 - 0.5)
        return low, count - 1 - low
    tail, below, limit = 0, -1, 0.025 * 2**count
    for rank in range(count):
        tail += math.comb(count, rank)
        if tail > limit:
            break
        below = rank
    return (below, count - 1 - below) if below >= 0 else None


def statistics_of(samples, measured_ns):
    """Return name and value of each figure; the standard deviation is that of a sample (n - 1)."""
    ordered = np.sort(samples)
    figures = {"samples": len(ordered), "min_ns": int(ordered[0])}
    figures["median_ns"] = int(ordered[nearest_rank(len(ordered), 50)])
    ranks = median_ranks(len(ordered))
    figures["median_95_ns"] = None if ranks is None else [int(ordered[rank]) for rank in ranks]
    figures["mean_ns"] = float(ordered.mean())
    for name, percent in (("p90_ns", 90), ("p95_ns", 95), ("p99_ns", 99), ("p999_ns", 99.9)):
        figures[name] = int(ordered[nearest_rank(len(ordered), percent)])
    figures["max_ns"] = int(ordered[-1])
    figures["std_ns"] = float(ordered.std(ddof=1)) if len(ordered) > 1 else None
    figures["throughput_per_s"] = len(ordered) / (measured_ns / 1e9) if measured_ns else None
    return figures


def print_statistics(figures):
    """Print them, latencies in milliseconds."""
    for name, value in figures.items():
        if value is None:
            continue
        if name.endswith("_ns"):
            values = value if isinstance(value, list) else [value]
            text = " to ".join(f"{entry / 1e6:.4f}" for entry in values) + " ms"
        else:
            text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f} a second"
        label = name.removesuffix("_ns").removesuffix("_per_s").replace("_95", ", 95 %").replace("p999", "p99.9")
        print(f"{label:<18}{text}")
'''

_STABLE_PARTS: Final = {
    "Stability": '''
class Stability:
    """Tells when the 95 % interval of the median lies within so many percent of it; looks now and then."""

    def __init__(self, percent):
        self.percent, self.next_look = percent, 0

    def is_reached(self, samples):
        count = len(samples)
        if self.percent is None or count < self.next_look:
            return False
        self.next_look = int(count * 1.1) + 1
        if count < 30:
            return False
        ordered = np.sort(np.array(samples, np.int64))
        low, high = (ordered[rank] for rank in median_ranks(count))
        median = ordered[nearest_rank(count, 50)]
        return bool(max(high - median, median - low) <= self.percent / 100 * median)
''',
}

_WATCH_PARTS: Final = {
    "watched": '''
def watched(call, run_options):
    """Return a call that is ended, and raises, when it takes longer than the trial allowed."""
    function, arguments = call
    starts = [0]

    def look():
        while True:
            time.sleep(min(0.05, RUN_TIMEOUT_S / 4))
            if starts[0] and clock() - starts[0] > RUN_TIMEOUT_S * 1e9:
                run_options.terminate = True

    def run(*given):
        start = starts[0] = clock()
        try:
            result = function(*given)
        finally:
            starts[0] = 0
        if clock() - start > RUN_TIMEOUT_S * 1e9:
            raise TimeoutError(f"a run took longer than {RUN_TIMEOUT_S:g} s")
        return result

    threading.Thread(target=look, daemon=True).start()
    return run, arguments
''',
}

_OUTPUT_PARTS: Final = {
    "content_of": '''
def content_of(value):
    """Return the bytes of an output, for its digest."""
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.dtype != object else "\\0".join(map(str, value.ravel().tolist())).encode()
    if isinstance(value, dict):
        return repr(list(value.items())).encode()
    return b"" if value is None else b"".join(map(content_of, value))
''',
    "numpy_of": '''
def numpy_of(value):
    """Return an output as numpy can hold it; of a type that numpy lacks, the bytes that it takes."""
    if not isinstance(value, ort.OrtValue):
        return value
    if not value.has_value():
        return None
    kind = value.data_type()
    if kind in BIT_TYPES:
        size = value.tensor_size_in_bytes()
        data = np.frombuffer(ctypes.string_at(value.data_ptr(), size) if size else b"", BIT_TYPES[kind])
        return data.reshape(value.shape()) if data.size == math.prod(value.shape()) else data
    return value.numpy()
''',
}

_ALL_PARTS: Final = {**_INPUT_PARTS, **_DEVICE_PARTS, **_STABLE_PARTS, **_WATCH_PARTS, **_OUTPUT_PARTS}

STATISTICS_CODE: Final = _STATISTICS.strip("\n")

_IMPORTS: Final = {
    # What a name that the code uses asks for, in the order of the lines.
    "argparse": "import argparse",
    "ctypes": "import ctypes",
    "gc": "import gc",
    "hashlib": "import hashlib",
    "io": "import io",
    "itertools": "import itertools",
    "json": "import json",
    "math": "import math",
    "sys": "import sys",
    "threading": "import threading",
    "time": "import time",
    "warnings": "import warnings",
    "zipfile": "import zipfile",
    "zlib": "import zlib",
    "array": "from array import array",
    "Counter": "from collections import Counter",
    "Path": "from pathlib import Path",
}
_PACKAGES: Final = {
    "ml_dtypes": "import ml_dtypes",
    "np": "import numpy as np",
    "onnx": "import onnx",
    "ort": "import onnxruntime as ort",
    "Image": "from PIL import Image, ImageOps",
}
_INSTALLED_AS: Final = {
    "ort": "onnxruntime",
    "np": "numpy",
    "onnx": "onnx",
    "Image": "pillow",
    "ml_dtypes": "ml_dtypes",
}


def parts_for(code: str) -> list[str]:
    """Return the functions that this code calls, and those that they call, in a fixed order."""
    chosen: set[str] = set()
    pending = [code]
    while pending:
        new = (_names_in(pending.pop()) & _ALL_PARTS.keys()) - chosen
        chosen |= new
        pending += [_ALL_PARTS[name] for name in new]
    return [part.strip("\n") for name, part in _ALL_PARTS.items() if name in chosen]


def imports_for(code: str) -> tuple[list[str], list[str]]:
    """Return the import statements that this code needs, and the names of the packages to install."""
    names = _names_in(code)
    lines = [line for name, line in _IMPORTS.items() if name in names]
    lines += ["", *(line for name, line in _PACKAGES.items() if name in names)]
    if "onnx.numpy_helper" in code and "onnx" in names:
        lines[lines.index("import onnx")] = "import onnx.numpy_helper"
    return lines, [package for name, package in _INSTALLED_AS.items() if name in names]


def _names_in(code: str) -> set[str]:
    """Return the names that code uses, not those that stand in its texts."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
