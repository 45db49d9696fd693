"""How many tiles there are, and how large.

As Triton's own functions for the host, which take ten times as long as the allocation of a tensor.
"""


def cdiv(total: int, size: int) -> int:
    """How many tiles of `size` cover `total`."""
    return -(-total // size)


def next_power_of_2(size: int) -> int:
    """The smallest power of two that is not below `size`, which is at least 1."""
    return 1 << (size - 1).bit_length()
