"""What the shipped sample models promise.

Nothing here loads an execution provider library into pytest's process: ggml runs in a child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import pytest

MODELS = Path(__file__).resolve().parents[2] / "resources" / "models"
SCRIPT = MODELS / "make_models.py"
IMAGE, TEXT, TINY = "image_classifier.onnx", "text_transformer.onnx", "tiny_mlp.onnx"
NAMES = (IMAGE, TEXT, TINY)
MAX_BYTES = 1_000_000

Feeds = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One sample at one choice of its free dimensions, and the shape it must then give."""

    name: str
    batch: int
    sequence: int = 1

    @property
    def dimensions(self) -> dict[str, int]:
        sizes = {"batch": self.batch}
        if self.name == TEXT:
            sizes["sequence"] = self.sequence
        return sizes

    @property
    def output_shape(self) -> tuple[int, ...]:
        return {IMAGE: (self.batch, 10), TEXT: (self.batch, self.sequence, 256), TINY: (self.batch, 4)}[self.name]

    def feeds(self, seed: int = 0) -> Feeds:
        random = np.random.RandomState(seed)
        if self.name == TEXT:
            text = (self.batch, self.sequence)
            return {
                "input_ids": random.randint(0, 2, text, dtype=np.int64),
                "attention_mask": random.randint(0, 2, text, dtype=np.int64),
            }
        shape = (self.batch, 3, 160, 160) if self.name == IMAGE else (self.batch, 32)
        key = "image" if self.name == IMAGE else "features"
        return {key: random.random_sample(shape).astype(np.float32)}

    def __str__(self) -> str:
        return "-".join([Path(self.name).stem, *(f"{name}{size}" for name, size in self.dimensions.items())])


CASES = (
    *(Case(name=IMAGE, batch=batch) for batch in (1, 2, 5)),
    *(Case(name=TEXT, batch=batch, sequence=sequence) for batch, sequence in ((1, 1), (1, 17), (4, 32), (2, 512))),
    *(Case(name=TINY, batch=batch) for batch in (1, 3, 64)),
)


def _session_options(dimensions: dict[str, int]) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for name, size in dimensions.items():
        options.add_free_dimension_override_by_name(name, size)
    return options


def _run_on_cpu(case: Case, feeds: Feeds, dimensions: dict[str, int] | None = None) -> npt.NDArray[np.float32]:
    session = ort.InferenceSession(
        str(MODELS / case.name),
        _session_options(dimensions or {}),
        providers=["CPUExecutionProvider"],
        enable_fallback=0,
    )
    (output,) = session.run(None, feeds)
    assert isinstance(output, np.ndarray)
    return output


def test_that_the_folder_holds_the_named_samples_and_no_other() -> None:
    assert sorted(file.name for file in MODELS.glob("*.onnx")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_that_a_sample_is_under_one_megabyte(name: str) -> None:
    assert (MODELS / name).stat().st_size < MAX_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_that_a_sample_says_what_it_is_and_who_made_it(name: str) -> None:
    model = onnx.load(MODELS / name)
    assert model.producer_name == "ort-device-explorer"
    assert model.doc_string.endswith(".")
    assert "random weights" in model.doc_string


@pytest.mark.parametrize("name", NAMES)
def test_that_a_sample_keeps_to_what_the_oldest_onnxruntime_reads(name: str) -> None:
    model = onnx.load(MODELS / name)
    assert model.ir_version <= 10
    assert [(entry.domain, entry.version <= 21) for entry in model.opset_import] == [("", True)]


@pytest.mark.parametrize("name", NAMES)
def test_that_every_node_of_a_sample_has_a_name_of_its_own(name: str) -> None:
    names = [node.name for node in onnx.load(MODELS / name).graph.node]
    assert all(names)
    assert len(set(names)) == len(names)


def test_that_the_script_writes_the_committed_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPT), "--output", str(tmp_path)], check=True, capture_output=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(NAMES)
    changed = [name for name in NAMES if (tmp_path / name).read_bytes() != (MODELS / name).read_bytes()]
    assert changed == [], "run resources/models/make_models.py and commit what it writes"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_that_the_cpu_gives_finite_outputs_of_the_declared_shape(case: Case) -> None:
    output = _run_on_cpu(case, case.feeds())
    assert output.shape == case.output_shape
    assert output.dtype == np.float32
    assert np.isfinite(output).all()
    assert output.std() > 1e-2


@pytest.mark.parametrize("case", CASES, ids=str)
def test_that_fixing_the_free_dimensions_does_not_change_the_result(case: Case) -> None:
    free, fixed = _run_on_cpu(case, case.feeds()), _run_on_cpu(case, case.feeds(), case.dimensions)
    np.testing.assert_allclose(fixed, free, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [IMAGE, TINY])
def test_that_class_probabilities_sum_to_one(name: str) -> None:
    case = Case(name=name, batch=3)
    np.testing.assert_allclose(_run_on_cpu(case, case.feeds()).sum(axis=-1), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    "case", [Case(name=IMAGE, batch=1), Case(name=TEXT, batch=1, sequence=16), Case(name=TINY, batch=1)], ids=str
)
def test_that_another_input_gives_another_output(case: Case) -> None:
    difference = np.abs(_run_on_cpu(case, case.feeds(seed=0)) - _run_on_cpu(case, case.feeds(seed=1)))
    assert difference.max() > 1e-3


@pytest.mark.parametrize("value", [0, 255])
def test_that_the_transformer_takes_the_lowest_and_the_highest_id(value: int) -> None:
    case = Case(name=TEXT, batch=2, sequence=8)
    feeds = {"input_ids": np.full((2, 8), value, np.int64), "attention_mask": np.ones((2, 8), np.int64)}
    assert np.isfinite(_run_on_cpu(case, feeds)).all()


def test_that_a_masked_position_does_not_reach_the_others() -> None:
    case = Case(name=TEXT, batch=1, sequence=4)
    mask = np.array([[1, 1, 1, 0]], np.int64)
    one, other = (
        _run_on_cpu(case, {"input_ids": np.array([[1, 2, 3, last]], np.int64), "attention_mask": mask})
        for last in (4, 5)
    )
    np.testing.assert_allclose(one[:, :3], other[:, :3], rtol=1e-5, atol=1e-6)
    assert np.abs(one[:, 3] - other[:, 3]).max() > 1e-2


def test_that_a_mask_that_hides_everything_gives_finite_logits() -> None:
    case = Case(name=TEXT, batch=1, sequence=4)
    feeds = {"input_ids": np.ones((1, 4), np.int64), "attention_mask": np.zeros((1, 4), np.int64)}
    assert np.isfinite(_run_on_cpu(case, feeds)).all()


# Arguments: the model, a .npz with the inputs, where to save the output, the overrides as JSON. The last line of
# stdout is the number of assigned nodes by execution provider.
GGML_CHILD = """
import json, sys
import numpy as np
import onnxruntime as ort
import onnxruntime_ggml

model, inputs, output, overrides = sys.argv[1:]
ort.register_execution_provider_library("ggml", onnxruntime_ggml.library_path())
devices = [device for device in ort.get_ep_devices() if device.ep_name == "ggml"]
options = ort.SessionOptions()
options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
for name, size in json.loads(overrides).items():
    options.add_free_dimension_override_by_name(name, size)
options.add_provider_for_devices(devices, {})
session = ort.InferenceSession(model, options, enable_fallback=0)
nodes = {}
for subgraph in session.get_provider_graph_assignment_info():
    nodes[subgraph.ep_name] = nodes.get(subgraph.ep_name, 0) + len(subgraph.get_nodes())
np.save(output, session.run(None, dict(np.load(inputs)))[0])
print(json.dumps(nodes))
"""


def _run_on_ggml(
    case: Case, feeds: Feeds, dimensions: dict[str, int], folder: Path
) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """The assigned nodes by execution provider and the output, from a child that has ggml loaded."""
    inputs, output = folder / "inputs.npz", folder / "output.npy"
    np.savez(inputs, **cast("dict[str, Any]", feeds))
    child = subprocess.run(
        [sys.executable, "-c", GGML_CHILD, str(MODELS / case.name), str(inputs), str(output), json.dumps(dimensions)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "ORT_GGML_LOG": "error"},
    )
    assert child.returncode == 0, child.stderr
    nodes: dict[str, int] = json.loads(child.stdout.splitlines()[-1])
    return nodes, np.load(output)


@pytest.mark.ggml
@pytest.mark.parametrize("fixed", [False, True], ids=["free", "fixed"])
@pytest.mark.parametrize(
    "case",
    [
        Case(name=TEXT, batch=1, sequence=1),
        Case(name=TEXT, batch=4, sequence=32),
        Case(name=TINY, batch=1),
        Case(name=TINY, batch=8),
    ],
    ids=str,
)
def test_that_ggml_claims_every_node_and_agrees_with_the_cpu(case: Case, fixed: bool, tmp_path: Path) -> None:
    feeds = case.feeds()
    nodes, output = _run_on_ggml(case, feeds, case.dimensions if fixed else {}, tmp_path)
    assert list(nodes) == ["ggml"]
    if not fixed:
        # With fixed dimensions onnxruntime rewrites the graph first, and the number of nodes is its own.
        assert nodes["ggml"] == len(onnx.load(MODELS / case.name).graph.node)
    expected = _run_on_cpu(case, feeds)
    # ggml computes with F16 weights by default.
    assert np.abs(output - expected).max() <= 1e-2 * np.abs(expected).max()


@pytest.mark.ggml
def test_that_ggml_leaves_the_image_classifier_to_the_cpu(tmp_path: Path) -> None:
    case = Case(name=IMAGE, batch=1)
    feeds = case.feeds()
    nodes, output = _run_on_ggml(case, feeds, {}, tmp_path)
    assert list(nodes) == ["CPUExecutionProvider"]
    np.testing.assert_allclose(output, _run_on_cpu(case, feeds), rtol=1e-4, atol=1e-6)
