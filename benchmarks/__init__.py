"""The speed of chain heads beside their competitors: `python -m benchmarks`."""
