"""Code that makes the inputs of a trial: what the engine took for each, from files, images or a generator."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .inputs import ChannelOrder, ImageLayout, ImageScaling, InputFact, InputSource, SourceKind, source_text
from .script_elements import ScriptElement, script_element, text_code, within_sequence, without_optional
from .script_fills import fill_code, stored_code

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """What is to be done with an image, as far as the shape it got tells."""

    batch: int | None
    channels: int
    height: int
    width: int
    channels_first: bool


def inputs_code(facts: tuple[InputFact, ...]) -> str:
    """Return the function `make_inputs` of a script. Raises `ValueError`."""
    lines = ["def make_inputs():", f'{_INDENT}"""Return what the session is fed with."""', f"{_INDENT}feeds = {{}}"]
    for fact in facts:
        lines += [_INDENT + line if line else "" for line in ("", *_lines_of(fact))]
    return "\n".join([*lines, f"{_INDENT}return feeds"])


def comment_text(text: str) -> str:
    """Return a text that stays within the line of a comment."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))


def _lines_of(fact: InputFact) -> list[str]:
    shape = "" if fact.shape is None else f" {list(fact.shape)}"
    what = source_text(fact.source)
    if len(what) > 80:
        what = f"{what[:79]}…"
    remark = comment_text(f"# {fact.name}: {fact.type}{shape}, {what}")
    inner = without_optional(fact.type)
    is_empty = fact.shape is None and fact.type.startswith("optional(tensor(")
    if fact.source.kind is SourceKind.OMITTED or is_empty:
        return [remark if fact.source.kind is SourceKind.OMITTED else f"{remark}: empty, so it is left out"]
    try:
        before, value = _value(fact, inner)
    except ValueError as error:
        raise ValueError(f"the input {fact.name} cannot be repeated in a script: {error}") from error
    lines = [remark]
    if "random." in value:
        lines.append(f"random = random_of({text_code(fact.name)})")
    if fact.type.startswith("optional(seq(") and fact.source.kind is SourceKind.FILE:
        return [*lines, f"value = {value}", "if value is not None:", f"    feeds[{text_code(fact.name)}] = value"]
    return [*lines, *before, f"feeds[{text_code(fact.name)}] = {value}"]


def _value(fact: InputFact, inner: str) -> tuple[list[str], str]:
    """Return the statements that come before, and the expression of an input's value as ORT takes it."""
    source = fact.source
    element = script_element(inner)
    before: list[str] = []
    if source.kind is SourceKind.GENERATED:
        value = _generated(inner, source, fact.shape)
    elif source.kind is SourceKind.IMAGE:
        before, value = _image(fact, _needed(element, inner))
    elif source.path.lower().endswith(".pb"):
        value = _tensor_file(fact, inner)
        if element is not None and element.packed_bits:  # they lie in the file as ORT keeps them
            return [], f"packed_value({value}, {list(fact.shape or ())}, {element.onnx_number})"
    else:
        value = _array_file(fact, _needed(element, inner))
    if element is None or element.is_plain:
        return before, value
    if element.packed_bits:
        packed = f"packed({value}, {element.packed_bits})"
        return before, f"packed_value({packed}, {list(fact.shape or ())}, {element.onnx_number})"
    return before, f"ort.OrtValue.ortvalue_from_numpy_with_onnx_type({value}, {element.onnx_number})"


def _needed(element: ScriptElement | None, type_text: str) -> ScriptElement:
    if element is None:
        raise ValueError(f"a {type_text} is no array")
    return element


# ---- Generated ----


def _generated(type_text: str, source: InputSource, shape: tuple[int, ...] | None) -> str:
    element = script_element(type_text)
    if element is not None:
        if shape is None:
            raise ValueError("its shape is not known")
        return fill_code(element, shape, source)
    within = within_sequence(type_text)
    if within is not None:
        entry = replace(source, length=1) if within.startswith("map(") else source
        return f"[{_generated(within, entry, shape or source.shape)} for _ in range({source.length})]"
    found = re.fullmatch(r"map\((int64|string), ?tensor\(float\)\)", type_text)
    if found is None:
        raise ValueError(f"ONNX Runtime takes no {type_text} from Python")
    count = source.length
    keys = f"range({count})" if found[1] == "int64" else str([_letters(number) for number in range(count)])
    values = fill_code(_needed(script_element("tensor(float)"), type_text), (count,), source)
    return f"dict(zip({keys}, {values}.tolist()))".replace("'", '"')


def _letters(number: int) -> str:
    """Return a, b, …, z, aa, ab, …."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


# ---- Files ----


def _array_file(fact: InputFact, element: ScriptElement) -> str:
    source = fact.source
    path = text_code(source.path)
    if source.path.lower().endswith(".npz"):
        entry = f"entry={text_code(source.entry)}" if source.entry else f"name={text_code(fact.name)}"
        loaded = f"array_of({path}, {entry})"
    else:
        loaded = f"np.load({path})"
    if element.name == "float8e5m2":
        data = loaded.replace("array_of(", "bytes_of_entry(", 1)
        loaded = f"load_float8_e5m2({data if data != loaded else f'Path({path}).read_bytes()'})"
    if element.is_text:
        return f"texts_of({loaded})"
    if element.packed_bits:
        return f"{loaded}.view(np.uint8)"
    if element.is_bits:
        native = f".astype({element.storage})" if "byte order changed" in fact.note else f".view({element.storage})"
        return f'np.asarray({loaded}{native}, order="C")'
    return f'{loaded}.astype({element.storage}, order="C", casting="equiv", copy=False)'


def _tensor_file(fact: InputFact, inner: str) -> str:
    path = text_code(fact.source.path)
    is_optional = fact.type.startswith("optional(")
    element = script_element(inner)
    if element is not None:
        tensor = f"tensor_of({path})" if not is_optional else f"tensor_of_optional({path})"
        return _tensor_code(element, tensor)
    within = within_sequence(inner)
    if within is not None:
        entry = script_element(within)
        if entry is not None and entry.is_plain:
            values = _tensor_code(entry, "tensor")
            if is_optional:
                return f"list_of_optional({path}, lambda tensor: {values})"
            return f"[{values} for tensor in onnx.SequenceProto.FromString(Path({path}).read_bytes()).tensor_values]"
        if within.startswith("map(") and not is_optional:
            maps = f"onnx.SequenceProto.FromString(Path({path}).read_bytes()).map_values"
            return f"[dict_of(entry) for entry in {maps}]"
    elif inner.startswith("map("):
        return f"dict_of(onnx.MapProto.FromString(Path({path}).read_bytes()))"
    raise ValueError(f"a {fact.type} from a .pb file")


def _tensor_code(element: ScriptElement, tensor: str) -> str:
    if element.is_text:
        return f"texts_of_tensor({tensor})"
    if element.packed_bits:
        return f"bytes_of_tensor({tensor}, np.uint8)"
    if element.is_bits:
        return f"bits_of_tensor({tensor}, {element.storage})"
    return f"np.asarray(onnx.numpy_helper.to_array({tensor}))"


# ---- Images ----


def _image(fact: InputFact, element: ScriptElement) -> tuple[list[str], str]:
    plan, reading = _plan(fact), fact.source.image
    mode = _MODES[plan.channels]
    lines = [f'pixels = image_of({text_code(fact.source.path)}, {plan.width}, {plan.height}, "{mode}")']
    is_bgr = reading.channels is ChannelOrder.BGR and plan.channels >= 3
    if is_bgr:
        lines.append(f"pixels = pixels[:, :, {[2, 1, 0, *range(3, plan.channels)]}]  # BGR")
    lines += _scaling(reading.scaling, element, is_bgr=is_bgr)
    if plan.channels_first:
        lines.append("values = values.transpose(2, 0, 1)")
    value = "np.ascontiguousarray(values)"
    if plan.batch is not None:
        value = f"np.repeat({value}[np.newaxis], {plan.batch}, axis=0)"
    return lines, value


def _scaling(scaling: ImageScaling, element: ScriptElement, *, is_bgr: bool) -> list[str]:
    if element.name == "int8":
        return ["values = (pixels ^ np.uint8(0x80)).view(np.int8)  # -128 to 127"]
    if not element.is_float:
        return [f"values = pixels.astype({element.storage})"]
    lines: list[str] = []
    code = "pixels.astype(np.float32)"
    match scaling:
        case ImageScaling.UNIT:
            code += " / 255"
        case ImageScaling.SYMMETRIC:
            code += " / np.float32(127.5) - 1"
        case ImageScaling.IMAGENET:
            order = "[::-1]" if is_bgr else ""
            lines.append(f"mean = np.array([0.485, 0.456, 0.406], np.float32){order}")
            lines.append(f"deviation = np.array([0.229, 0.224, 0.225], np.float32){order}")
            code = f"({code} / 255 - mean) / deviation"
    if element.is_bits:
        code = f"np.clip({code}, {element.least!r}, {element.limit!r})"
    return [*lines, f"values = {stored_code(element, code, 'np.float32')}"]


def _plan(fact: InputFact) -> _Image:
    shape = fact.shape or ()
    if len(shape) not in (3, 4):
        raise ValueError("its shape is not that of an image")
    inner = shape[-3:]
    layout = fact.source.image.layout
    channels_first = layout is ImageLayout.CHANNELS_FIRST
    if layout is ImageLayout.AUTOMATIC:
        told = [part for part in fact.note.split(", ") if part in ("NCHW", "CHW", "NHWC", "HWC")]
        channels_first = told[0].endswith("CHW") if told else inner[0] in _MODES
    channels, height, width = inner if channels_first else (inner[2], inner[0], inner[1])
    if channels not in _MODES:
        raise ValueError("its shape is not that of an image")
    return _Image(
        batch=shape[0] if len(shape) == 4 else None,
        channels=channels,
        height=height,
        width=width,
        channels_first=channels_first,
    )
