"""What the autograd functions share to take part in `torch.func`."""

from torch import Tensor


def fold_mapped_axis(tensor: Tensor | None, dim: int | None, count: int, batch: int) -> Tensor | None:
    """Make the axis that `vmap` maps part of the batch.

    Parameters
    ----------
    tensor : Tensor [batch or 1, …, …] with an axis of `count` more at `dim`, or None
    dim : int, optional
        None where this tensor is not mapped.
    count, batch : int

    Returns
    -------
    Tensor [count·batch, …, …], or None
    """
    if tensor is None:
        return None
    tensor = tensor.unsqueeze(0) if dim is None else tensor.movedim(dim, 0)
    return tensor.expand(count, batch, -1, -1).flatten(0, 1)
