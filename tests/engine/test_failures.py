"""The words of ORT, on this version and others, and the failures they become."""

from __future__ import annotations

import pytest

from gui.engine.failures import error_class, is_cancellation, plain_words, registration_failure, trial_failure
from gui.records.failure import Failure, FailureKind
from gui.records.trial import Stage


class EPFail(Exception):  # noqa: N818 named as ORT names it
    pass


class Fail(Exception):  # noqa: N818 named as ORT names it
    pass


PLACE = (
    "/onnxruntime_src/onnxruntime/core/session/provider_policy_context.cc:393"
    " virtual std::unique_ptr<IExecutionProvider>"
    " onnxruntime::PluginExecutionProviderFactory::CreateProvider(const OrtSessionOptions&, const OrtLogger&) "
)


def failure_of(error: Exception, stage: Stage = Stage.CREATING_SESSION, *, by_policy: bool = False) -> Failure:
    failure = trial_failure(error, stage, by_policy=by_policy)
    assert str(error) in failure.detail
    assert "onnxruntime_src" not in failure.message
    return failure


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("[ONNXRuntimeError] : 1 : FAIL : no luck", "no luck"),
        (f"[ONNXRuntimeError] : 11 : EP_FAIL : {PLACE}ggml: device=gpu requested", "ggml: device=gpu requested"),
        ("[ONNXRuntimeError] : -1 : FAIL : no luck", "no luck"),
        (r"C:\a\b.cc:12 F::G(int) no luck", "no luck"),
        (f"Load model from /a/m.onnx failed:{PLACE}no luck", "Load model from /a/m.onnx failed:no luck"),
        ("no luck: a.cc:12 F() said so", "no luck: a.cc:12 F() said so"),
        ("/usr/lib/x.so: cannot open", "/usr/lib/x.so: cannot open"),
        ("", ""),
    ],
)
def test_that_only_the_place_and_the_code_are_taken_from_the_words(raw: str, words: str) -> None:
    assert plain_words(raw) == words


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (EPFail("[ONNXRuntimeError] : 11 : EP_FAIL : x"), "EPFail"),
        (RuntimeError("[ONNXRuntimeError] : 11 : EP_FAIL : x"), "EPFail"),
        (RuntimeError("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : x"), "InvalidArgument"),
        (RuntimeError("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : x"), "NotImplemented"),
        (RuntimeError("[ONNXRuntimeError] : 99 : NEVER_HEARD : x"), "RuntimeError"),
        (RuntimeError("[ONNXRuntimeError] : 1 : FAIL : wrapped: [ONNXRuntimeError] : 11 : EP_FAIL : x"), "EPFail"),
        (ValueError("x"), "ValueError"),
    ],
)
def test_that_the_class_of_an_error_is_read_from_its_text(error: Exception, name: str) -> None:
    assert error_class(error) == name


@pytest.mark.parametrize("kind", [EPFail, RuntimeError])
def test_that_an_ep_that_refuses_is_quoted_whatever_class_its_error_has(kind: type[Exception]) -> None:
    failure = failure_of(
        kind(f"[ONNXRuntimeError] : 11 : EP_FAIL : {PLACE}ggml: device=gpu requested but none is there")
    )
    assert failure.kind is FailureKind.REFUSED_BY_EP
    assert failure.message == "The EP refused while creating session: ggml: device=gpu requested but none is there."
    assert failure.detail.startswith(kind.__name__)


def test_that_a_policy_that_leads_nowhere_is_the_policys_failure() -> None:
    failure = failure_of(EPFail("[ONNXRuntimeError] : 11 : EP_FAIL : no"), by_policy=True)
    assert failure.kind is FailureKind.POLICY_FAILED
    later = failure_of(EPFail("[ONNXRuntimeError] : 11 : EP_FAIL : no"), Stage.MEASURING, by_policy=True)
    assert later.kind is FailureKind.REFUSED_BY_EP


@pytest.mark.parametrize("stage", [Stage.FIRST_RUN, Stage.WARMING_UP, Stage.MEASURING])
def test_that_a_failed_run_names_its_stage(stage: Stage) -> None:
    failure = failure_of(Fail("[ONNXRuntimeError] : 1 : FAIL : no luck"), stage)
    assert failure.kind is FailureKind.RUN_FAILED
    assert failure.message == f"While {stage.value}: no luck."


def test_that_memory_run_out_is_told_as_such() -> None:
    assert failure_of(MemoryError("std::bad_alloc"), Stage.FIRST_RUN).kind is FailureKind.OUT_OF_MEMORY


def test_that_a_long_text_of_many_lines_becomes_one_sentence() -> None:
    failure = failure_of(Fail("x" * 1000 + "\nsecond line"), Stage.FIRST_RUN)
    assert len(failure.message) < 350
    assert "\n" not in failure.message
    assert "second line" in failure.detail


def test_that_an_error_without_words_makes_a_sentence() -> None:
    assert failure_of(Fail(""), Stage.FIRST_RUN).message == "While first run: no reason given."


def test_that_a_dot_is_not_doubled() -> None:
    assert failure_of(Fail("No luck."), Stage.FIRST_RUN).message == "While first run: No luck."


# ---- Cancelling ----


@pytest.mark.parametrize(
    "error",
    [
        Fail("[ONNXRuntimeError] : 1 : FAIL : Exiting due to terminate flag being set to true."),
        Fail("[ONNXRuntimeError] : 1 : FAIL : Graph partitioning is canceled due to user request."),
        RuntimeError("[ONNXRuntimeError] : 16 : MODEL_LOAD_CANCELED : whatever"),
        type("ModelLoadCanceled", (Exception,), {})("whatever"),
    ],
)
def test_that_every_answer_to_a_cancellation_is_known(error: Exception) -> None:
    assert is_cancellation(error)


def test_that_another_failure_is_no_cancellation() -> None:
    assert not is_cancellation(Fail("[ONNXRuntimeError] : 1 : FAIL : no luck"))


# ---- Registering elsewhere: other systems and other versions of ORT ----


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        (
            'ORT runtime version "1.23.2" is below the minimum required version "1.24.4".',
            FailureKind.NEEDS_NEWER_ORT,
            "needs ONNX Runtime 1.24.4; this is 1.23.2",
        ),
        (
            "QNN EP requires ORT >= 1.24 (API 24). Host ORT is 1.23.2 (API 23).",
            FailureKind.NEEDS_NEWER_ORT,
            "needs ONNX Runtime 1.24 ",
        ),
        (
            r'Failed to load library C:\a\ep.dll with error 126 "The specified module could not be found."',
            FailureKind.MISSING_DEPENDENCY,
            "ep.dll needs a library",
        ),
        (
            r'LoadLibrary failed with error 193 "%1 is not a valid Win32 application."',
            FailureKind.NOT_A_LIBRARY,
            "ep.dll",
        ),
        ("EP library is already registered under ggml", FailureKind.NAME_IN_USE, "“ggml”"),
        (
            "Failed to get symbol ReleaseEpFactory with error: undefined symbol: ReleaseEpFactory",
            FailureKind.NOT_AN_EP_LIBRARY,
            "ReleaseEpFactory",
        ),
        (
            "Failed to load library /a/ep.dll with error: /a/ep.dll: undefined symbol: not_defined_anywhere",
            FailureKind.MISSING_SYMBOL,
            "not_defined_anywhere",
        ),
        ("Could not determine default backend path for device", FailureKind.REFUSED_BY_EP, "backend path"),
    ],
)
def test_that_the_words_of_a_registration_become_its_kind(raw: str, kind: FailureKind, said: str) -> None:
    failure = registration_failure(Fail(f"[ONNXRuntimeError] : 1 : FAIL : {raw}"), "ggml", "/a/ep.dll").failure
    assert failure.kind is kind
    assert said in failure.message
    assert failure.hint
    assert raw in failure.detail
