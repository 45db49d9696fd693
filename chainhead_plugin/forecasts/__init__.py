"""A forecaster from series alone: seasons, linear maps of the past, and a chain, chosen at rolling origins.

May import: `checks`, `config`, `models`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .fitting import ForecasterFit as ForecasterFit, fit_forecaster as fit_forecaster
    from .seasons import find_seasons as find_seasons

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ForecasterFit": "fitting",
        "find_seasons": "seasons",
        "fit_forecaster": "fitting",
    },
)
