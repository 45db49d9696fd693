"""A minimal GRU, whose gates do not look at the state, computed for all nodes at once."""

from torch import Tensor, nn
from torch.nn import functional as F


def _log_g(x: Tensor) -> Tensor:
    """Log of g(x) = x + 1/2 where x ≥ 0, σ(x) elsewhere: a candidate that is never negative."""
    return ((F.relu(x) + 0.5).log()).where(x >= 0, -F.softplus(-x))


class MinGRU(nn.Module):
    """minGRU of Feng et al., "Were RNNs All We Needed?", 2024, arXiv:2410.01201, from h_0 = 0.

    h_t = (1 − z_t) h_{t−1} + z_t g(W_h x_t) with z_t = σ(W_z x_t). The recurrence is solved in log space, as
    in the paper: with a_t = Σ_{i≤t} log(1 − z_i), log h_t = a_t + log Σ_{i≤t} exp(log(z_i g_i) − a_i).

    Parameters
    ----------
    m, n : int
        Features of a node before and after.
    """

    def __init__(self, m: int, n: int) -> None:
        super().__init__()
        self.gate_and_candidate = nn.Linear(m, 2 * n, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, length, m] to [batch, length, n]; half precision is accumulated in float32."""
        both = self.gate_and_candidate(x)
        gate, candidate = (both.float() if both.itemsize < 4 else both).chunk(2, dim=-1)
        decay = (-F.softplus(gate)).cumsum(1)
        gain = -F.softplus(-gate) + _log_g(candidate)
        return (decay + (gain - decay).logcumsumexp(1)).exp().to(x.dtype)
