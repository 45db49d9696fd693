"""Chains longer than one device: heads whose nodes are shared among the processes of `torch.distributed`.

May import: `chain`, `checks` and `head`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .conversion import parallelize_sequence as parallelize_sequence
    from .gradients import sum_gradients as sum_gradients, sum_over_processes as sum_over_processes
    from .splitting import (
        gather_nodes as gather_nodes,
        split_nodes as split_nodes,
        split_range as split_range,
    )

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "gather_nodes": "splitting",
        "parallelize_sequence": "conversion",
        "split_nodes": "splitting",
        "split_range": "splitting",
        "sum_gradients": "gradients",
        "sum_over_processes": "gradients",
    },
)
