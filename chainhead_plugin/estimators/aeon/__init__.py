"""Estimators on aeon's base classes, for aeon's own pipelines, ensembles and checks.

May import: the same rooms as `estimators`, and aeon, from the extra `train`.
"""

from typing import TYPE_CHECKING

from ...faces import names_of

if TYPE_CHECKING:
    from .classifier import AeonChainHeadClassifier as AeonChainHeadClassifier
    from .regressor import AeonChainHeadRegressor as AeonChainHeadRegressor

__getattr__, __dir__, __all__ = names_of(
    __name__, {"AeonChainHeadClassifier": "classifier", "AeonChainHeadRegressor": "regressor"}
)
