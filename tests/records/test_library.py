from __future__ import annotations

import pytest

from gui.records.library import CPU_EP_NAME, name_problem, propose_name, unique_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/libonnxruntime_ggml.so", "ggml"),
        ("/a/libonnxruntime_ggml.so.1.2", "ggml"),
        ("/site-packages/onnxruntime_qnn/libonnxruntime_providers_qnn.so", "QNNExecutionProvider"),
        (r"C:\a b\onnxruntime_providers_qnn.dll", "QNNExecutionProvider"),
        (r"C:\a\ONNXRUNTIME_PROVIDERS_QNN.DLL", "QNNExecutionProvider"),
        ("/a/libonnxruntime_providers_webgpu.dylib", "WebGpuExecutionProvider"),
        ("/a/libonnxruntime_providers_cuda.so", "CUDAExecutionProvider"),
        ("/a/onnxruntime_providers_nv_tensorrt_rtx.dll", "NvTensorRTRTXExecutionProvider"),
        ("/a/libonnxruntime_providers_openvino_plugin.so", "OpenVINOExecutionProvider"),
        ("/a/libonnxruntime_ep_mine.so", "mine"),
        ("/a/my_ep.so", "my"),
        ("/a.so/plain", "plain"),
        ("libexample.so", "example"),
        ("/a/.so", ".so"),
    ],
)
def test_that_the_proposed_name_is_the_eps_own_where_it_is_known(path: str, name: str) -> None:
    assert propose_name(path) == name


@pytest.mark.parametrize("path", ["/a/lib.so", "/a/onnxruntime_.so", "x", "/a/ep.so", "/a/libonnxruntime_ep_.so"])
def test_that_a_proposed_name_can_be_registered(path: str) -> None:
    assert name_problem(propose_name(path), frozenset()) is None


@pytest.mark.parametrize(
    ("name", "taken", "result"),
    [
        ("a", [], "a"),
        ("a", ["b"], "a"),
        ("a", ["a"], "a-2"),
        ("a", ["a", "a-2", "a-3"], "a-4"),
        ("a", ["a", "a-3"], "a-2"),
        ("a.virtual", ["a.virtual"], "a-2.virtual"),
        ("a.virtual", ["a"], "a.virtual"),
        ("a-2", ["a-2"], "a-2-2"),
    ],
)
def test_that_a_unique_name_is_the_first_that_is_not_taken(name: str, taken: list[str], result: str) -> None:
    assert unique_name(name, frozenset(taken)) == result


@pytest.mark.parametrize("name", ["a", "a b", "日本", "a.virtual", "a/b", "A"])
def test_that_an_ordinary_name_is_no_problem(name: str) -> None:
    assert name_problem(name, frozenset({"b", "a.virtua"})) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "needs a registration name"),
        ("  ", "needs a registration name"),
        ("a\nb", "control characters"),
        ("a\0b", "control characters"),
        (" a", "begin or end with a space"),
        ("a ", "begin or end with a space"),
        (CPU_EP_NAME, "own provider"),
        ("taken", "“taken”"),
    ],
)
def test_that_an_unusable_name_is_explained_in_one_sentence(name: str, said: str) -> None:
    problem = name_problem(name, frozenset({"taken"}))
    assert problem is not None
    assert said in problem
    assert problem.endswith(".")
    assert "\n" not in problem
