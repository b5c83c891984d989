"""From text to vectors: the packaged model, its fused graph, batching, and the model-free vectors."""
