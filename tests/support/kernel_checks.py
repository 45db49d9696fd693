"""What tests of Triton kernels share: where they run, inputs, and memory that shows what is left unwritten."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def poisoned_memory() -> Iterator[None]:
    """What a kernel leaves unwritten is NaN."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.utils.deterministic.fill_uninitialized_memory
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def random(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    """Normal numbers that want a gradient, the same in every dtype."""
    return torch.randn(*shape, dtype=torch.float64).to(DEVICE, dtype).requires_grad_()


def assert_close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    """No value is further from the expected value than a share of the largest."""
    assert actual.shape == expected.shape
    if expected.numel():
        error = (actual.double() - expected).abs().max()
        assert error <= tolerance * expected.abs().max().clamp(min=1e-30)
