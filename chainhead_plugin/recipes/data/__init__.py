"""A recipe's data: examples in two parts, from tables, files and packages.

May import: the same as `recipes`.
"""

from typing import TYPE_CHECKING

from ...faces import names_of

if TYPE_CHECKING:
    from .load import load_data as load_data

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "load_data": "load",
    },
)
