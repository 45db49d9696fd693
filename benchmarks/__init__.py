"""How fast a chain head is beside what it competes with: `python -m benchmarks`."""
