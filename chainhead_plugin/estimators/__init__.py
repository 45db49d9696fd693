"""Estimators with scikit-learn's interface, and the default training of `chainhead train` on a table.

May import: `chain`, `checks`, `config`, `forecasts`, `hub`, `inputs`, `models`, `recipes`, `storage`, `streams`,
`tables`, and scikit-learn, from the extra `train`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .ahead.backtesting import Backtest as Backtest, backtest as backtest
    from .classifier import ChainHeadClassifier as ChainHeadClassifier
    from .forecaster import ChainHeadForecaster as ChainHeadForecaster
    from .regressor import ChainHeadRegressor as ChainHeadRegressor
    from .segmenter import ChainHeadSegmenter as ChainHeadSegmenter

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "Backtest": "ahead.backtesting",
        "ChainHeadClassifier": "classifier",
        "ChainHeadForecaster": "forecaster",
        "ChainHeadRegressor": "regressor",
        "ChainHeadSegmenter": "segmenter",
        "backtest": "ahead.backtesting",
    },
)
