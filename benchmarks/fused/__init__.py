"""The fused kernels on a CUDA device: right first, then how long they take, and which targets that meets."""
