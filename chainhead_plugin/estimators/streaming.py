"""What a fitted estimator answers node by node."""

from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..models.modeling_chainhead import ChainHeadForSequenceClassification
from ..models.modeling_random_chain import RandomChainForSequenceClassification
from ..streams.random_chain_stream import RandomChainStream
from ..streams.random_chain_streams import RandomChainStreams


class StreamsMixin:
    """Streams of the estimators."""

    model_: RandomChainForSequenceClassification | ChainHeadForSequenceClassification
    feature_extractor_: ChainHeadFeatureExtractor

    def stream(self) -> RandomChainStream:
        """Return what follows a series while it arrives, with memory that does not grow.

        Its `update` takes the next node and returns, for all nodes so far, what `predict_proba` of a classifier or
        `predict` of a regressor returns for them. Probabilities are in the order of `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If a trained stack was chosen, or `causal` is False: both wait for the whole series.
        """
        return RandomChainStream(*self._random_chain())

    def streams(self, count: int) -> RandomChainStreams:
        """Return what follows `count` series side by side; see `stream`."""
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
