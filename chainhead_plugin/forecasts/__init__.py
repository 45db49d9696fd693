"""Fitting a forecaster to series without options: seasons, linear maps of the past, and a stack of chain heads.

Rolling origins make the choices. An origin is a step at which a forecast begins: it uses only the values before the
origin, and is compared with the values after it.

May import: `checks`, `config`, `models`, `tables`.
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
