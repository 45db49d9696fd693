"""A segmenter of series with scikit-learn's interface: a label for every node."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForTokenClassification

from ..chain.threads import num_threads
from ..config.configuration_chainhead import ChainHeadConfig
from ..models.modeling_chainhead import ChainHeadForTokenClassification
from .jobs import threads_of
from .nodes.labels import UNLABELLED, number_labels, read_node_labels
from .nodes.outputs import node_logits, probabilities_of
from .nodes.stack import LabelledSeries, fit_node_stack
from .nodes.stream import NodeStream
from .panels import fill_panel, read_panel
from .parameters import plain
from .saved.classes import class_shifts, loaded_classes
from .saved.saving import SavedEstimator
from .saved.state import classes_to_json
from .weights import read_weights


class ChainHeadSegmenter(SavedEstimator):
    """Label every node of series by a trained stack of chain heads. No option is needed.

    Series are given as to `ChainHeadClassifier`, and one series is a list of one. Labels are given as a list of arrays
    [length], one for every series; of series of equal lengths also as an array [series, length]; and for a DataFrame
    with an index of two levels, series and time, also as a pandas Series with the same index.

    Parameters
    ----------
    causal : bool
        Whether a label depends on no later node. By default nodes on both sides count, which is more accurate.
    class_weight : dict, "balanced" or None
        A factor for each label. Probabilities are multiplied by these factors and scaled to a sum of 1 again.
        "balanced" chooses factors as if all labels were equally frequent.
    unlabelled : object, optional
        The label of nodes that have none, such as -1 or "". They count in no way. By default every node has a label.
    hidden_sizes : sequence of int
        Widths of the stack's layers. Each layer looks twice as far as the layer before it.
    steps : int
        The most optimisation steps. Large data may want more.
    seconds : float, optional
        Roughly the time that `fit` may take, if that is too short for all steps.
    batch_size : int
        The most series that are labelled at once.
    device : str, optional
        Where the stack is trained and computed; by default on the CPU.
    n_jobs : int, optional
        Threads of the CPU; by default torch's own number, -1 for all cores.
    random_state : int, RandomState or None
        The seed of first weights and of the order of training. With an int, results are the same every time. With
        `seconds` they are the same only if there is time for the same number of steps.

    Attributes
    ----------
    classes_ : array [labels]
        The labels in the type in which they were given, sorted.
    left_out_score_ : float or None
        The accuracy on the nodes of a third of the series, by a stack that was trained on the rest with half of the
        steps; before `class_weight`. Of fewer than three series the last third of each is left out. None if `seconds`
        were too short for it.
    n_steps_ : int
        Optimisation steps.
    n_channels_in_ : int
        Number of channels of the training series.
    channel_names_in_ : list of str
        Column names, if the training data were a DataFrame with one column per channel. Columns of later DataFrames
        are matched by these names.
    n_features_in_ : int
        Number of columns, if the training data were a table [series, length].
    model_ : ChainHeadForTokenClassification
    feature_extractor_ : ChainHeadFeatureExtractor

    Examples
    --------
    >>> segmenter = ChainHeadSegmenter(random_state=0).fit(recordings, labels_of_recordings)
    >>> segmenter.predict(new_recordings)[0]  # a label for every node of the first
    >>> segmenter.save_pretrained("phases")  # loads with pipeline("time-series-segmentation", model="phases")
    """

    _auto_class = AutoModelForTokenClassification
    _kinds: ClassVar[Mapping[str, tuple[Any, Any]]] = {
        ChainHeadConfig.model_type: (ChainHeadConfig, ChainHeadForTokenClassification)
    }
    _fitted = ("left_out_score_", "n_steps_", "n_channels_in_", "n_features_in_", "channel_names_in_")

    classes_: NDArray[Any]
    model_: ChainHeadForTokenClassification

    def __init__(
        self,
        *,
        causal: bool = False,
        class_weight: Mapping[Any, float] | str | None = None,
        unlabelled: Any = None,
        hidden_sizes: Sequence[int] = (48, 48, 48, 48),
        steps: int = 150,
        seconds: float | None = None,
        batch_size: int = 256,
        device: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.causal = causal
        self.class_weight = class_weight
        self.unlabelled = unlabelled
        self.hidden_sizes = hidden_sizes
        self.steps = steps
        self.seconds = seconds
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ChainHeadSegmenter":
        """Train on series and the labels of their nodes.

        Parameters
        ----------
        X : table, array, list or DataFrame
            Series, in a form that the class describes.
        y : list, array or pandas Series
            A label for every node, in a form that the class describes; at least two different labels.
        sample_weight : array [series], optional
            How much the nodes of each series count, in training and in `left_out_score_`; a series of weight 0 is left
            out. By default all count alike.

        Raises
        ------
        TypeError, ValueError
            If series, labels or a parameter are not as described.
        """
        from sklearn.utils import check_random_state, check_scalar

        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        for name in ("steps", "batch_size"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        if self.seconds is not None:
            check_scalar(self.seconds, "seconds", Real, min_val=0, include_boundaries="neither")
        series = fill_panel(read_panel(self, X, reset=True)).series
        labels = read_node_labels(X, y, [len(one) for one in series])
        weights = None
        if sample_weight is not None:
            weights = read_weights(series, sample_weight, 1)
            kept = np.flatnonzero(weights > 0)
            series, labels = [series[row] for row in kept], [labels[row] for row in kept]
            weights = weights[kept]
        classes, numbers = number_labels(labels, self.unlabelled)
        known = np.concatenate(numbers)
        shifts = class_shifts(self.class_weight, classes, classes[known[known != UNLABELLED]])

        seed = plain(self.random_state)
        if not isinstance(seed, int):
            seed = int(check_random_state(seed).randint(2**31 - 1))
        with num_threads(threads_of(self.n_jobs)):
            found = fit_node_stack(
                LabelledSeries(series, numbers, weights),
                [str(name) for name in classes.tolist()],
                causal=plain(self.causal),
                hidden_sizes=plain(self.hidden_sizes),
                steps=int(self.steps),
                seconds=self.seconds,
                seed=seed,
                device=self.device or "cpu",
            )
        self.model_ = found.model
        self.feature_extractor_ = self._named(found.extractor)
        self.left_out_score_, self.n_steps_ = found.score, found.steps
        self.classes_ = classes
        with torch.no_grad():
            self.model_.classifier.bias.add_(torch.from_numpy(shifts).to(self.model_.classifier.bias))
        return self

    def predict(self, X: Any) -> list[NDArray[Any]]:
        """Return the most probable label of every node: an array [length] for every series."""
        return [self.classes_[logits.argmax(1)] for logits in self._logits(X)]

    def predict_proba(self, X: Any) -> list[NDArray[np.float64]]:
        """Return probabilities for every series: float64 [length, labels], in the order of `classes_`."""
        return [probabilities_of(logits) for logits in self._logits(X)]

    def stream(self) -> NodeStream:
        """Return a stream, which labels nodes while they arrive, with memory that does not grow.

        Its `update` takes the next node or nodes and returns the probabilities of their labels [nodes, labels], in the
        order of `classes_`: the rows of `predict_proba` for the whole series.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `causal` is False, or a loaded model needs the whole series.
        """
        self._require_fitted()
        return NodeStream(self.model_, self.feature_extractor_)

    def score(self, X: Any, y: Any) -> float:
        """Return the share of nodes whose label is predicted, among those that have a label."""
        predicted = self.predict(X)
        true = read_node_labels(X, y, [len(one) for one in predicted])
        labels, answers = np.concatenate(true), np.concatenate(predicted)
        counts = np.ones(len(labels), bool) if self.unlabelled is None else labels != self.unlabelled
        if not counts.any():
            raise ValueError("no node of y has a label")
        return float((labels == answers)[counts].mean())

    def _logits(self, X: Any) -> list[NDArray[np.float64]]:
        self._require_fitted()
        series = read_panel(self, X, reset=False).series
        with num_threads(threads_of(self.n_jobs)):
            return node_logits(self.model_, self.feature_extractor_, series, self.batch_size)

    def _state(self) -> dict[str, Any]:
        return super()._state() | {"classes_": classes_to_json(self.classes_)}

    def _take_state(self, state: dict[str, Any]) -> None:
        self.classes_ = loaded_classes(state, self.model_.config)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags
