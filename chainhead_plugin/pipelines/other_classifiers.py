"""Classifiers and regressors of transformers beside our own: what they are given, and which of their outputs it is."""

from typing import Any

from torch import Tensor

from ..nodes.encoders.patches import filled, lined_up

# By model type, what the model calls its mask; None for one that takes none.
_MASKS = {"patchtst": "past_observed_mask", "patchtsmixer": None}
_OUTPUTS = ("prediction_logits", "prediction_outputs", "regression_outputs")


class OtherClassifier:
    """A classifier or regressor of transformers over series of a fixed length.

    Attributes
    ----------
    feature_size : int
        Channels of a series.
    is_regressor : bool
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._mask = _MASKS[model.config.model_type]
        self.feature_size = int(model.config.num_input_channels)
        self.is_regressor = type(model).__name__.endswith("ForRegression")

    def logits(self, values: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits, or values, [batch, labels] of series [batch, length, channels] with padding after them.

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
            # Parameters of a distribution, of which the mean is the answer.
            found = self._model.distribution_output.distribution(found).mean
        logits: Tensor = found
        return logits

    def names(self, count: int) -> dict[int, str]:
        """Return the names of the labels: the configuration's, where it has as many."""
        named: dict[int, str] = self._model.config.id2label
        return named if len(named) == count else {index: f"LABEL_{index}" for index in range(count)}


def other_classifier(model: Any) -> OtherClassifier | None:
    """Describe a classifier or regressor of transformers; None for a model that is none that is known."""
    named = type(model).__name__.endswith(("Classification", "ForRegression"))
    return OtherClassifier(model) if named and model.config.model_type in _MASKS else None
