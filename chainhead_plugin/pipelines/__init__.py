"""Pipelines for tasks that transformers has no pipeline for: labels, segments, forecasts and features of series.

May import: `checks`, `config`, `forecasts`, `hub`, `inputs`, `nodes`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .classification import TimeSeriesClassificationPipeline as TimeSeriesClassificationPipeline
    from .features import ChainFeaturePipeline as ChainFeaturePipeline
    from .forecasting import TimeSeriesForecastingPipeline as TimeSeriesForecastingPipeline
    from .segmentation import TimeSeriesSegmentationPipeline as TimeSeriesSegmentationPipeline

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainFeaturePipeline": "features",
        "TimeSeriesClassificationPipeline": "classification",
        "TimeSeriesForecastingPipeline": "forecasting",
        "TimeSeriesSegmentationPipeline": "segmentation",
    },
)
