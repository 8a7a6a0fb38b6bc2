"""ORT Device Explorer: see the devices ONNX Runtime can reach, and try a model on each."""

__version__ = "0.1.0"
