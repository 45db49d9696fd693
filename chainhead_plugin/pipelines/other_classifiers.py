"""Classifiers and regressors of transformers, PatchTST and PatchTSMixer: their inputs and outputs."""

from typing import Any

from torch import Tensor

from ..nodes.encoders.patches import filled, lined_up

# By model type, the name of the mask's argument; None for a model without a mask.
_MASKS = {"patchtst": "past_observed_mask", "patchtsmixer": None}
_OUTPUTS = ("prediction_logits", "prediction_outputs", "regression_outputs")


class OtherClassifier:
    """A classifier or regressor of transformers over series of a fixed length.

    Attributes
    ----------
    feature_size : int
        Number of channels of a series.
    is_regressor : bool
        Whether the model predicts values instead of labels.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._mask = _MASKS[model.config.model_type]
        self.feature_size = int(model.config.num_input_channels)
        self.is_regressor = type(model).__name__.endswith("ForRegression")

    def logits(self, values: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits or predicted values of series.

        Parameters
        ----------
        values : Tensor [batch, length, channels]
            With padding after shorter series.
        attention_mask : Tensor [batch, length]
            1 for steps of a series, 0 for padding.

        Returns
        -------
        Tensor [batch, labels]

        Raises
        ------
        ValueError
            If a series is longer than the model takes.
        """
        size = self._model.config.context_length
        if values.size(1) > size:
            raise ValueError(
                f"the series have {values.size(1)} steps, but {type(self._model).__name__} takes at most its "
                f"context_length={size}: cut them, or resample them"
            )
        lined, observed = filled(*lined_up(values.to(self._model.dtype), attention_mask.bool(), size))
        inputs = {"past_values": lined}
        if self._mask is not None:
            inputs[self._mask] = observed.to(lined.dtype)
        outputs = self._model(**inputs, return_dict=True)
        found = next(getattr(outputs, name) for name in _OUTPUTS if getattr(outputs, name, None) is not None)
        if isinstance(found, tuple):
            # The model returns the parameters of a distribution; the prediction is its mean.
            found = self._model.distribution_output.distribution(found).mean
        logits: Tensor = found
        return logits

    def names(self, count: int) -> dict[int, str]:
        """Return the names of `count` labels: those of the configuration, if it has as many."""
        named: dict[int, str] = self._model.config.id2label
        return named if len(named) == count else {index: f"LABEL_{index}" for index in range(count)}


def other_classifier(model: Any) -> OtherClassifier | None:
    """Return the description of a classifier or regressor of transformers; None if the model is of another class."""
    named = type(model).__name__.endswith(("Classification", "ForRegression"))
    return OtherClassifier(model) if named and model.config.model_type in _MASKS else None
