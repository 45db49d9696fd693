"""A classifier of series with scikit-learn's interface."""

import time
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..chain.threads import num_threads
from ..models.random_chain_fit import RandomChainFit
from .base import STACK, ChainHeadEstimator
from .jobs import threads_of
from .nodes.labels import is_missing_label
from .nodes.outputs import probabilities_of
from .panels import Panel, labels_of
from .requirement import ClassifierMixin
from .saved.classes import class_shifts, loaded_classes
from .saved.state import classes_to_json


class ChainHeadClassifier(ClassifierMixin, ChainHeadEstimator):
    """Classify series by random chain heads, trained in closed form, or by a trained stack. No option is needed.

    Series may be given as a table [series, length], as an array [series, channels, length] (aeon's order), as a list of
    arrays [length] or [channels, length] of any lengths, or as a DataFrame. A DataFrame has either one row per series,
    or an index of two levels (series and time) and one column per channel.

    Parameters
    ----------
    causal : bool
        Whether a node's features depend on no later node, so that the model can follow a stream.
    class_weight : dict, "balanced" or None
        A factor for each label. Probabilities are multiplied by these factors and scaled to a sum of 1 again.
        "balanced" chooses factors as if all labels were equally frequent.
    dilations, with_differences, num_biases, num_groups, group_size, num_levels
        As in `fit_random_chain`. Differences are left out of the model where it is better without them.
    batch_size : int
        How many series are computed at once.
    device : str, optional
        Where features are computed; by default on the CPU.
    n_jobs : int, optional
        Threads of the CPU; by default torch's own number, -1 for all cores.
    random_state : int, RandomState or None
        The seed of kernels and stacks. With an int, results are the same every time. With `seconds` they are the same
        only if there is time for the same number of training steps.
    seconds : float, optional
        Roughly the time that `fit` may take. Random chain heads are fitted first. The remaining time trains a stack,
        which is chosen if it is more accurate on training series that it was not fitted to. By default no stack is
        trained.

    Attributes
    ----------
    classes_ : array [labels]
        The labels in the type in which they were given, sorted.
    left_out_score_ : float
        The accuracy on training series, each classified by a model that was not fitted to it; before `class_weight`.
    choices_ : dict
        Settings of random chain heads that leave-one-out errors chose, as in `RandomChainFit`.
    chosen_ : str
        "random chain heads" or "a trained stack".
    reason_ : str
        A sentence that says why.
    n_channels_in_ : int
        Number of channels of the training series.
    channel_names_in_ : list of str
        Column names, if the training data were a DataFrame with one column per channel. Columns of later DataFrames
        are matched by these names.
    n_features_in_ : int
        Number of columns, if the training data were a table [series, length].
    model_ : RandomChainForSequenceClassification or ChainHeadForSequenceClassification
    feature_extractor_ : ChainHeadFeatureExtractor

    Examples
    --------
    >>> classifier = ChainHeadClassifier(random_state=0).fit(train_series, train_labels)
    >>> classifier.predict(test_series), classifier.predict_proba(test_series)
    >>> classifier.save_pretrained("gunpoint")  # loads with pipeline("time-series-classification", model="gunpoint")
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        *,
        causal: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        dilations: Sequence[int] | None = None,
        with_differences: bool = True,
        num_biases: int = 4,
        num_groups: int = 32,
        group_size: int = 8,
        num_levels: int | None = None,
        batch_size: int = 256,
        device: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(
            causal=causal,
            dilations=dilations,
            with_differences=with_differences,
            num_biases=num_biases,
            num_groups=num_groups,
            group_size=group_size,
            num_levels=num_levels,
            batch_size=batch_size,
            device=device,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        self.class_weight = class_weight
        self.seconds = seconds

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ChainHeadClassifier":
        """Train on series and their labels.

        Parameters
        ----------
        X : table, array, list or DataFrame
            At least two series, in a form that the class describes.
        y : array [series]
            Labels of any type that can be sorted, at least two different ones.
        sample_weight : array [series], optional
            How much each series counts, in training, in the choice of settings and in `left_out_score_`; a series of
            weight 0 is left out. By default all
            count alike. Refused with `seconds`, as a trained stack knows no weights.

        Raises
        ------
        TypeError, ValueError
            If series or labels are not as described.
        """
        from sklearn.utils import check_scalar
        from sklearn.utils.multiclass import check_classification_targets
        from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

        panel = self._read(X, y)
        labels = column_or_1d(labels_of(X, y), warn=True)
        check_consistent_length(panel.series, labels)
        missing = np.flatnonzero([labels.dtype.kind == "O" and is_missing_label(label) for label in labels])
        if len(missing):
            raise ValueError(
                f"y holds no label for series {missing[0]}, only {labels[missing[0]]}: leave the series out"
            )
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        if sample_weight is not None and self.seconds is not None:
            raise ValueError(
                "sample_weight has no effect on a trained stack: leave out seconds, or the weights"
            )
        panel, labels, weights = self._weighted(panel, labels, sample_weight)
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"y holds a single class, {classes.tolist()[0]!r}: expected at least two classes"
            )
        shifts = class_shifts(self.class_weight, classes, labels, weights)

        start = time.perf_counter()
        if self.seconds is not None:
            check_scalar(self.seconds, "seconds", Real, min_val=0, include_boundaries="neither")
        names = {number: str(name) for number, name in enumerate(classes.tolist())}
        fit = self._fit(panel, numbers, id2label=names, sample_weight=weights)
        if self.seconds is not None:
            self._try_stack(fit, panel, numbers, self.seconds - (time.perf_counter() - start))
        self.classes_ = classes
        with torch.no_grad():
            self.model_.classifier.bias.add_(torch.from_numpy(shifts).to(self.model_.classifier.bias))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of every series, [series], in the type that `fit` was given."""
        best = self._logits(X).argmax(1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities: float64 [series, labels], in the order of `classes_`.

        They are calibrated on the scores of training series, each by a fit to all other series.
        """
        return probabilities_of(self._logits(X))

    def _try_stack(
        self, fit: RandomChainFit, panel: Panel, numbers: NDArray[np.integer], seconds: float
    ) -> None:
        """Train a stack, and keep it instead of random chain heads if it is better."""
        # Imported here, as only stacks need the training code of recipes.
        from .choice import choose

        names = list(self.model_.config.id2label.values())
        with num_threads(threads_of(self.n_jobs)):
            choice = choose(
                fit, panel.series, numbers, names, causal=self.causal, seed=self._seed, seconds=seconds
            )
        self.reason_, self.left_out_score_ = choice.reason, choice.score
        if choice.stack is not None:
            self.chosen_ = STACK
            self.model_ = choice.stack.model.to(self.device or "cpu")
            self.feature_extractor_ = self._named(choice.stack.extractor)

    def _state(self) -> dict[str, Any]:
        return super()._state() | {"classes_": classes_to_json(self.classes_)}

    def _take_state(self, state: dict[str, Any]) -> None:
        self._require_problem_type(None, "single_label_classification")
        self.classes_ = loaded_classes(state, self.model_.config)
