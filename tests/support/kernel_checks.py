"""What tests of Triton kernels share: where they run, inputs, and memory that shows what is left unwritten."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# Largest error allowed of a fused kernel, relative to the largest value; products and results are rounded, and the
# interpreter cuts bfloat16 off.
HALF_TOLERANCE = {torch.float16: 1e-3, torch.bfloat16: 1.2e-2}


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


def check_fused(
    fused: Callable[[], torch.Tensor],
    exact: Callable[..., torch.Tensor],
    given: Sequence[torch.Tensor],
    *,
    relu: bool = False,
    mask: torch.Tensor | None = None,
) -> None:
    """Compare output and gradients of a kernel in half precision with a function of the same tensors in float64.

    Parameters
    ----------
    fused : callable
        Calls the kernel.
    exact : callable
        Of `given`, without ReLU and padding.
    given : sequence of Tensor
        The nodes first; with gradients.
    relu : bool
    mask : bool Tensor [batch, length], optional
    """
    doubles = [tensor.detach().double().requires_grad_() for tensor in given]
    z = exact(*doubles)
    if mask is not None:
        z = z * mask.unsqueeze(-1)
    y = fused()
    assert y.dtype == given[0].dtype
    tolerance = HALF_TOLERANCE[y.dtype]
    assert_close(y, z.relu() if relu else z, tolerance)

    # Where rounding decides whether ReLU lets something through, gradients cannot be compared.
    least = 0.05 * z.abs().max() if z.numel() else 0
    cotangent = torch.randn_like(z).to(y.dtype) * (z.abs() > least)
    gradients = torch.autograd.grad(y, given, cotangent)
    expected = torch.autograd.grad(z.relu() if relu else z, doubles, cotangent.double())
    for actual, wanted in zip(gradients, expected, strict=True):
        assert_close(actual, wanted, tolerance)
