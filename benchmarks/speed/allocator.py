"""A setting of the C library, which otherwise maps and clears new memory for every large array."""

import ctypes
import sys

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Let the process keep freed memory, as a server does with any allocator made for it.

    glibc maps every array from 32 MiB on anew, whose pages the system clears and hands out singly: that costs more
    than a matrix product does. Environment variables do the same for any program: ``MALLOC_MMAP_MAX_=0
    MALLOC_TRIM_THRESHOLD_=2147483647``.

    Returns
    -------
    bool
        Whether there is such a setting here.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return bool(mallopt and mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _NEVER))
