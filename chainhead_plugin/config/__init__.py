"""`ChainHeadConfig` and `RandomChainConfig`, and the checks of every field.

May import: `checks`, `head`, `storage`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .configuration_chainhead import ChainHeadConfig as ChainHeadConfig
    from .configuration_random_chain import RandomChainConfig as RandomChainConfig
    from .stacks import dilated_hops as dilated_hops

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainHeadConfig": "configuration_chainhead",
        "RandomChainConfig": "configuration_random_chain",
        "dilated_hops": "stacks",
    },
)
