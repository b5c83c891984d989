"""From text to vectors: the packaged model and its fused graph, batching, and the model-free hashed vectors."""
