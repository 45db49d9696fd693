"""Chains that processes share, beside one process with the whole chain: `python -m benchmarks.sharing`."""
