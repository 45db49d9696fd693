"""The models: transformers', timm's and torch's.

May import: `checks`, `head`, `chain`, `config`, `hub`, `nodes`, `random_features`, `storage`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .chain_classifier import ChainClassifier as ChainClassifier
    from .forecast_fitting import (
        calibrate_quantiles as calibrate_quantiles,
        fit_linear_path as fit_linear_path,
    )
    from .initialisation import ChainHeadInitialisation as ChainHeadInitialisation
    from .modeling_chainhead import (
        ChainHeadForSequenceClassification as ChainHeadForSequenceClassification,
        ChainHeadForTokenClassification as ChainHeadForTokenClassification,
        ChainHeadModel as ChainHeadModel,
    )
    from .modeling_chainhead_forecast import (
        ChainHeadForTimeSeriesPrediction as ChainHeadForTimeSeriesPrediction,
    )
    from .modeling_chainhead_image import ChainHeadForImageClassification as ChainHeadForImageClassification
    from .modeling_random_chain import (
        RandomChainForSequenceClassification as RandomChainForSequenceClassification,
    )
    from .random_chain_fit import RandomChainFit as RandomChainFit, fit_random_chain as fit_random_chain
    from .timm_architectures import save_for_hf as save_for_hf

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "ChainClassifier": "chain_classifier",
        "ChainHeadForImageClassification": "modeling_chainhead_image",
        "ChainHeadForSequenceClassification": "modeling_chainhead",
        "ChainHeadForTimeSeriesPrediction": "modeling_chainhead_forecast",
        "ChainHeadForTokenClassification": "modeling_chainhead",
        "ChainHeadInitialisation": "initialisation",
        "ChainHeadModel": "modeling_chainhead",
        "RandomChainFit": "random_chain_fit",
        "RandomChainForSequenceClassification": "modeling_random_chain",
        "calibrate_quantiles": "forecast_fitting",
        "fit_linear_path": "forecast_fitting",
        "fit_random_chain": "random_chain_fit",
        "save_for_hf": "timm_architectures",
    },
)
