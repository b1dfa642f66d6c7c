"""Files that others run: ONNX, int8, and how far they are from the checkpoint."""
