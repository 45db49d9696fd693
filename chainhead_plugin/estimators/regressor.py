"""A regressor of series with scikit-learn's interface."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import ChainHeadEstimator
from .panels import labels_of
from .requirement import RegressorMixin


class ChainHeadRegressor(RegressorMixin, ChainHeadEstimator):
    """Predict a number, or several numbers, for every series by random chain heads, trained in closed form.

    Series are given as to `ChainHeadClassifier`. No option is needed.

    Parameters
    ----------
    causal, dilations, with_differences, num_biases, num_groups, group_size, num_levels
        As for `ChainHeadClassifier`.
    batch_size, device, n_jobs, random_state
        As for `ChainHeadClassifier`.

    Attributes
    ----------
    left_out_score_ : float
        R² of the training series, each predicted by a fit to all other series.
    choices_ : dict
        Settings that leave-one-out errors chose, as in `RandomChainFit`.
    n_channels_in_, channel_names_in_, n_features_in_
        As of `ChainHeadClassifier`.
    model_ : RandomChainForSequenceClassification
    feature_extractor_ : ChainHeadFeatureExtractor

    Examples
    --------
    >>> regressor = ChainHeadRegressor(random_state=0).fit(train_series, train_values)
    >>> regressor.score(test_series, test_values)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ChainHeadRegressor":
        """Train on series and their values.

        Parameters
        ----------
        X : table, array, list or DataFrame
            At least two series, in a form that `ChainHeadClassifier` describes.
        y : array [series] or [series, values]
            Finite numbers.
        sample_weight : array [series], optional
            How much each series counts, in training, in the choice of settings and in `left_out_score_`; a series of
            weight 0 is left out. By default all count alike.

        Raises
        ------
        TypeError, ValueError
            If series or values are not as described.
        """
        from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

        panel = self._read(X, y)
        values = check_array(labels_of(X, y), ensure_2d=False, dtype=np.float64, input_name="y")
        if values.ndim == 2 and values.shape[1] == 1:
            values = column_or_1d(values, warn=True)
        check_consistent_length(panel.series, values)
        panel, values, weights = self._weighted(panel, values, sample_weight)
        self._fit(panel, values, problem_type="regression", sample_weight=weights)
        self._is_flat = values.ndim == 1
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the predicted values: float64 [series] or [series, values], with as many axes as `y` had in `fit`."""
        values = self._logits(X)
        return values[:, 0] if self._is_flat else values

    def _state(self) -> dict[str, Any]:
        return super()._state() | {"is_flat": self._is_flat}

    def _take_state(self, state: dict[str, Any]) -> None:
        self._require_problem_type("regression")
        self._is_flat = bool(state.get("is_flat", self.model_.config.num_labels == 1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
