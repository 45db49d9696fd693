"""κ(x): the data transformation of a node's features."""

import torch
from torch import Tensor


def taylor_expansion(x: Tensor, degree: int) -> Tensor:
    """All Kronecker powers of the last axis up to `degree`: x, x⊗x, … .

    Parameters
    ----------
    x : Tensor [..., m]
    degree : int
        At least 1.

    Returns
    -------
    Tensor [..., m + m² + … + m^degree]
        Of degree 1 `x` itself.
    """
    if degree == 1:
        return x
    powers = [x]
    for _ in range(degree - 1):
        powers.append((powers[-1].unsqueeze(-1) * x.unsqueeze(-2)).flatten(-2))
    return torch.cat(powers, dim=-1)


def expanded_features(m: int, degree: int) -> int:
    """D = m + m² + … + m^degree, the features of a node after the Taylor expansion."""
    return sum(m**i for i in range(1, degree + 1))
