"""Measures what enhancing takes: time, memory, windows, real time, ONNX."""
