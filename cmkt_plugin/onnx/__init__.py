"""A model as ONNX: what goes into the graph, and a runner without torch."""
