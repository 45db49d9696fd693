"""Tolerances between fast forms and the dense matrix, and the lengths at which they are compared."""

import pytest
import torch

# Largest error allowed, relative to the largest value of the reference.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 3e-6, torch.bfloat16: 1e-2, torch.float16: 2e-3}
LENGTHS = [1, 2, 3, 63, 64, 65, 300]

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def assert_close(actual, expected, dtype):
    assert actual.dtype == dtype
    error = (actual.double() - expected).abs().max().item() if actual.numel() else 0.0
    assert error <= TOLERANCE[dtype] * max(expected.abs().max().item() if expected.numel() else 0.0, 1e-30)
