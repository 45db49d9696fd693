"""Streams of a fitted estimator, which predict anew at every node."""

from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..models.modeling_chainhead import ChainHeadForSequenceClassification
from ..models.modeling_random_chain import RandomChainForSequenceClassification
from ..streams.random_chain_stream import RandomChainStream
from ..streams.random_chain_streams import RandomChainStreams


class StreamsMixin:
    """Adds `stream` and `streams` to the estimators."""

    model_: RandomChainForSequenceClassification | ChainHeadForSequenceClassification
    feature_extractor_: ChainHeadFeatureExtractor

    def stream(self) -> RandomChainStream:
        """Return a stream, which predicts for a series while its nodes arrive, with memory that does not grow.

        Its `update` takes the next node and returns the prediction for all nodes so far. This is the result of
        `predict_proba` for a classifier, with probabilities in the order of `classes_`, and of `predict` for a
        regressor.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If a trained stack was chosen, or `causal` is False. Both need the whole series.
        """
        return RandomChainStream(*self._random_chain())

    def streams(self, count: int) -> RandomChainStreams:
        """Return streams for `count` series side by side; see `stream`, which also lists the errors."""
        model, feature_extractor = self._random_chain()
        return RandomChainStreams(model, count, feature_extractor)

    def _random_chain(self) -> tuple[RandomChainForSequenceClassification, ChainHeadFeatureExtractor]:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "model_")
        if not isinstance(self.model_, RandomChainForSequenceClassification):
            raise TypeError(
                "a trained stack was chosen, which takes the whole series: fit without seconds for a model that "
                "answers node by node"
            )
        return self.model_, self.feature_extractor_
