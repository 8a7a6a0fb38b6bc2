"""The engine: a process of its own that holds ONNX Runtime, the EP libraries and the timed loop.

Start it with `python -m gui.engine`; `gui.records.protocol` is its only interface. Nothing here imports Qt.
"""
