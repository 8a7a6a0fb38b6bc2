"""The ways of running a session: with arrays, with OrtValues, with IO binding. Lives on the worker thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..records.failure import FailureKind, failure_error
from ..records.trial import Binding
from . import ort
from .inputs import as_ort_values
from .outputs import run_needs_ort_values
from .timed_loop import Call

_GRAPH_KEY: Final = "gpu_graph_id"


class Runner:
    """Runs one session with the same inputs again and again."""

    def __init__(self, session: Any, feeds: Mapping[str, Any], binding: Binding, run_options: Any) -> None:
        """Raises `FailureError` when these inputs cannot be handed over in this way."""
        self._session = session
        self._feeds = dict(feeds)
        self._binding = binding
        self._run_options = run_options
        self.names: list[str] = [output.name for output in session.get_outputs()]
        """The outputs', in the model's order."""
        self.types: list[str] = [output.type for output in session.get_outputs()]
        if binding is Binding.IO_BINDING and any(kind.startswith("optional(") for kind in self.types):
            # Reading an empty one from the binding would end the process.
            raise failure_error(
                FailureKind.UNSUPPORTED_INPUT,
                "IO binding cannot hand over an optional output.",
                hint="Hand them over as arrays.",
            )
        self.notes: list[str] = []
        """What is to be known of the way chosen."""
        if binding is Binding.IO_BINDING:
            # onnxruntime's Python asks for this entry in each run and catches an error where there is none, which takes
            # some 45 µs. 0 is what it takes then.
            run_options.add_run_config_entry(_GRAPH_KEY, "0")
        self._needs_ort_values = binding is Binding.ARRAYS and run_needs_ort_values(session)
        if self._needs_ort_values:
            self.notes.append(
                "An output has a type that numpy lacks, so runs are made with run_with_ort_values; "
                "that takes some 30 µs a run."
            )
        self._values = as_ort_values(feeds) if self._needs_ort_values or binding is Binding.IO_BINDING else {}

    def calls(self, count: int) -> list[Call]:
        """Return what each of `count` callers is to call. Raises `FailureError`."""
        return [self._call() for _ in range(count)]

    def outputs_of(self, call: Call, result: Any) -> list[Any]:
        """Return the outputs of a call that returned `result`: arrays, OrtValues, lists or dicts."""
        if self._binding is Binding.IO_BINDING:
            values = list(call[1][0].get_outputs())
            tensors_only = all(value.is_tensor() for value in values)
            return values if tensors_only else list(call[1][0].copy_outputs_to_cpu())
        return list(result)

    def _call(self) -> Call:
        if self._binding is Binding.IO_BINDING:
            return self._session.run_with_iobinding, (self._bound(), self._run_options)
        if self._needs_ort_values:
            return self._session.run_with_ort_values, (self.names, self._values, self._run_options)
        return self._session.run, (self.names, self._feeds, self._run_options)

    def _bound(self) -> Any:
        binding = self._session.io_binding()
        try:
            for name, value in self._values.items():
                binding.bind_ortvalue_input(name, value)
            for name in self.names:
                binding.bind_output(name)
        except ort.ERRORS as error:
            raise failure_error(
                FailureKind.UNSUPPORTED_INPUT,
                "IO binding does not take an input or output of this model.",
                hint="Hand them over as arrays.",
                detail=str(error),
            ) from error
        return binding
