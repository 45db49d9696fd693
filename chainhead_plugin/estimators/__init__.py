"""scikit-learn's interface over the models that train by themselves, and the default that tables are trained with.

May import: `config`, `hub`, `inputs`, `models`, `recipes`, `storage`, `tables`, and scikit-learn, from the extra
`train`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .classifier import ChainHeadClassifier as ChainHeadClassifier
    from .regressor import ChainHeadRegressor as ChainHeadRegressor

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainHeadClassifier": "classifier",
        "ChainHeadRegressor": "regressor",
    },
)
