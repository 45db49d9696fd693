"""The page in the browser: a model's answers to drawn, pasted and uploaded inputs, explained and compared.

May import: `answering`, `checks`, `explain`, `inputs`, `tables`, and the front door's plugin; the host `registry`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .page import build_page as build_page
    from .serving import serve as serve
    from .space import write_space as write_space

__getattr__, __dir__, __all__ = names_of(
    __name__, {"build_page": "page", "serve": "serving", "write_space": "space"}
)
