"""tinyBIG's options and weights become this project's. tinyBIG itself is not needed.

May import: `checks`, `config`, `head`, `models`, `storage`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .checkpoint import convert_checkpoint as convert_checkpoint
    from .conversion import (
        convert_head as convert_head,
        convert_head_to_model as convert_head_to_model,
        convert_model as convert_model,
    )
    from .options import TinyBIGConversionError as TinyBIGConversionError

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "TinyBIGConversionError": "options",
        "convert_checkpoint": "checkpoint",
        "convert_head": "conversion",
        "convert_head_to_model": "conversion",
        "convert_model": "conversion",
    },
)
