"""Turns what ORT raises into failures: a kind, one plain sentence and a next step.

The classes say little (most are `Fail`), so the texts are read; they are those of ORT_FACTS sections 1.2, 1.5 and 4.5.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..records.failure import Failure, FailureError, FailureKind, failure_error
from ..records.trial import Stage

_LIBRARY_MAGIC = (
    b"\x7fELF",
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\xca\xfe\xba\xbf",
)
_ORT_PREFIX = re.compile(r"\[ONNXRuntimeError\] : -?\d+ : (?P<code>\w+) : ")
_CLASS_OF_CODE = {
    "FAIL": "Fail",
    "INVALID_ARGUMENT": "InvalidArgument",
    "NO_SUCHFILE": "NoSuchFile",
    "INVALID_PROTOBUF": "InvalidProtobuf",
    "NOT_IMPLEMENTED": "NotImplemented",
    "INVALID_GRAPH": "InvalidGraph",
    "EP_FAIL": "EPFail",
    "MODEL_LOAD_CANCELED": "ModelLoadCanceled",
}
_PLACE = re.compile(r"(?:^|(?<=:)|(?<=: ))(?:/|[A-Za-z]:\\)[^\s:]*\.(?:cc|cpp|h|hpp):\d+ \S.*?\) (?=\S)")

_REGISTERING = re.compile(
    r"^Failed to (?:register EP library under '[^']*'|load execution provider library: \"[^\"]*\") with error: "
)
_THROWN = re.compile(r"Exception from \S+:\d+:\s*")  # OpenVINO's, one a level


def plain_words(text: str) -> str:
    """Return ORT's or an EP's own words without the error code and the places in its source."""
    *_, words = _ORT_PREFIX.split(text)  # an EP's error wrapped into ORT's own has two codes: the inner one is its own
    return _THROWN.sub("", _PLACE.sub("", words.strip())).strip()


def error_class(error: Exception) -> str:
    """Return the name of ORT's class for `error`: its own, or the one that the code word in its text stands for.

    Before ORT 1.32 an error of an EP's CreateEp arrives as a plain RuntimeError with the code in the text alone.
    """
    name = type(error).__name__
    if name != "RuntimeError":
        return name
    codes = [found["code"] for found in _ORT_PREFIX.finditer(str(error))]
    return _CLASS_OF_CODE.get(codes[-1], name) if codes else name


def check_library_file(path: str) -> None:
    """Raise `FailureError` for a path that cannot be a shared library, before anything tries to load it."""
    file = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 Path.exists raises for a path that is too long or may not be looked at
        raise failure_error(
            FailureKind.NO_SUCH_FILE, f"There is no file {file.name} in {file.parent}.", hint="Choose the file again."
        )
    if file.is_dir():
        raise failure_error(
            FailureKind.NOT_A_LIBRARY, f"{file.name} is a folder, not a library.", hint="Choose the file inside it."
        )
    try:
        with file.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise failure_error(
            FailureKind.NO_SUCH_FILE,
            f"{file.name} cannot be read.",
            hint="Check that you may read the file.",
            detail=str(error),
        ) from error
    if not head.startswith(_LIBRARY_MAGIC):
        raise failure_error(
            FailureKind.NOT_A_LIBRARY,
            f"{file.name} is not a shared library.",
            hint="EP libraries end in .so, .dll or .dylib and come with the EP's package.",
            detail=f"The file begins with {head!r}." if head else "The file is empty.",
        )


def registration_failure(error: Exception, name: str, path: str) -> FailureError:
    """Return the failure of a registration or unregistration that raised `error`."""
    raw = str(error)
    words = plain_words(raw)
    file_name = Path(path).name
    kind, message, hint = FailureKind.REFUSED_BY_EP, "", ""
    if "already registered" in raw:
        kind = FailureKind.NAME_IN_USE
        message, hint = f"Another library is registered as “{name}”.", "Choose another registration name."
    elif "Failed to get symbol" in raw or "GetProcAddress" in raw:
        symbol = "ReleaseEpFactory" if "ReleaseEpFactory" in raw else "CreateEpFactories"
        kind = FailureKind.NOT_AN_EP_LIBRARY
        message = f"{file_name} is a library, but not an EP library: it has no {symbol}."
        hint = "Choose the library that holds the EP's factory; helper libraries beside it load by themselves."
    elif found := re.search(r"with error: (?P<needed>[^:\s]+): cannot open shared object file", raw):
        kind, message, hint = _cannot_open(found["needed"], file_name, path)
    elif re.search(r"file too short|invalid ELF header|cannot read file data|not a valid Win32|wrong ELF class", raw):
        kind = FailureKind.NOT_A_LIBRARY
        message = f"{file_name} is not a library that can be loaded here."
        hint = "It may be damaged or made for another kind of machine; get the file again."
    elif re.search(r"error 12[67]\b|cannot open shared object|could not be found", raw):
        kind, message = FailureKind.MISSING_DEPENDENCY, f"{file_name} needs a library that cannot be found."
        hint = "Install what the EP's documentation asks for, or put the library beside it."
    elif found := re.search(r"undefined symbol: (?P<symbol>[^\s(,]+)", raw):
        kind = FailureKind.MISSING_SYMBOL
        message = f"{file_name} needs the symbol {found['symbol']}, which no library it uses has."
        hint = "It was built for another version of one of them; get versions that belong together."
    elif newer := _newer_ort(raw):
        kind, message = FailureKind.NEEDS_NEWER_ORT, newer
        hint = "Update onnxruntime, or use an older version of the EP."
    elif re.search(r"actory outputs inconsistent|Factory pointer was null", raw):
        message = f"{file_name} promised an EP factory and gave none."
        hint = "That is a fault of the EP library: tell its makers."
    else:
        message = f"The EP refused to load: {_closing_sentence(_REGISTERING.sub('', words))}"
        hint = "These are the EP's own words; its documentation may say more."
    return failure_error(kind, message, hint=hint, detail=raw)


def trial_failure(error: Exception, stage: Stage, *, by_policy: bool) -> Failure:
    """Return the failure of a trial whose `stage` raised `error`."""
    raw = str(error)
    words = _closing_sentence(plain_words(raw))
    name = error_class(error)
    kind, message, hint = FailureKind.RUN_FAILED, f"While {stage.value}: {words}", ""
    if name == "NoSuchFile":
        kind, message, hint = FailureKind.NO_SUCH_FILE, "The model file is not there.", "Choose the model again."
    elif _is_missing_data(raw):
        kind, message = (
            FailureKind.MISSING_EXTERNAL_DATA,
            "The model's weights lie in a file that is missing or cannot be used.",
        )
        hint = "Put the external data file beside the model, under the name the model gives it."
    elif name == "InvalidProtobuf" or re.search(r"does not have a graph|No graph was found in the protobuf", raw):
        kind, message = FailureKind.NOT_A_MODEL, "The file is not an ONNX model."
        hint = "Choose a file that an ONNX exporter wrote."
    elif isinstance(error, MemoryError):
        kind, message = FailureKind.OUT_OF_MEMORY, "There is not enough memory for this trial."
        hint = "Make the free dimensions smaller."
    elif "must have the same execution provider" in raw:
        kind, message = FailureKind.MIXED_TARGET, "The chosen devices belong to different EPs."
        hint = "Choose devices of one EP."
    elif by_policy and stage is Stage.CREATING_SESSION:
        kind, message = FailureKind.POLICY_FAILED, f"The policy led to no session: {words}"
        hint = "Unregister the library it stumbled over, or choose a device yourself."
    elif name == "EPFail":
        kind, message = FailureKind.REFUSED_BY_EP, f"The EP refused while {stage.value}: {words}"
        hint = "These are the EP's own words; an EP option may help."
    elif name in ("InvalidGraph", "NotImplemented"):
        kind, message = FailureKind.UNSUPPORTED_MODEL, f"The target cannot run this model: {words}"
        hint = "Try another target, or export the model with other operators."
    elif stage is Stage.CREATING_SESSION:
        hint = "Try another target to see whether the model or the EP is at fault."
    return Failure(kind=kind, message=message, hint=hint, detail=f"{type(error).__name__}: {raw}")


def _is_missing_data(raw: str) -> bool:
    if re.search(r"cannot get file size: No such file|should be stored in .*, but it is not regular file", raw):
        return True  # ORT 1.24; a missing file of a subgraph's tensor
    words = (
        r"not exist|No such file|cannot open|not found|Error opening|escapes model directory|Absolute path not allowed"
    )
    return "xternal data" in raw and bool(re.search(words, raw))


def is_cancellation(error: Exception) -> bool:
    """Whether `error` is how ORT answers RunOptions.terminate or the load-cancellation flag."""
    return error_class(error) == "ModelLoadCanceled" or bool(
        re.search(r"terminate flag being set|cancell?ed due to user request", str(error))
    )


def _cannot_open(needed: str, file_name: str, path: str) -> tuple[FailureKind, str, str]:
    if Path(needed).name != Path(path).name:
        message = f"{file_name} needs {needed}, which cannot be found."
        return FailureKind.MISSING_DEPENDENCY, message, f"Install what provides {needed}, or put it beside {file_name}."
    # The file is there (it was looked at), so the loader means something else: mostly another architecture.
    message = f"{file_name} is there, but the system's loader does not take it."
    return (
        FailureKind.NOT_A_LIBRARY,
        message,
        "It may be made for another kind of processor; get the build for this one.",
    )


def _newer_ort(raw: str) -> str | None:
    found = re.search(r"version \"?(\d[\w.]*)\"? is below the minimum required version \"?(\d[\w.]*)\"?", raw)
    if found:
        return f"The EP needs ONNX Runtime {found[2].rstrip('.')}; this is {found[1]}."
    found = re.search(r"(?:requires|needs) (?:ORT|onnxruntime)(?: API)? ?>?=? ?v?(\d[\d.]*)", raw, re.IGNORECASE)
    return f"The EP needs ONNX Runtime {found[1].rstrip('.')} or its API; this is {_ort_version()}." if found else None


def _ort_version() -> str:
    from . import ort

    return ort.VERSION


def _closing_sentence(text: str) -> str:
    """Return the first line of ORT's or an EP's words, to stand at the end of a sentence of ours."""
    line = text.strip().splitlines()[0].rstrip() if text.strip() else "no reason given"
    if len(line) > 300:
        return line[:297] + "…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."
