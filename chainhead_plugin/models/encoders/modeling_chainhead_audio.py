"""Audio classification: the frames of an audio encoder, or of a log-mel spectrum, are the nodes of a chain."""

from typing import Any

from torch import Tensor
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from ...config.backbone_input import input_of
from ...config.configuration_chainhead import ChainHeadConfig
from ...head.tensors import require_tensors
from ..modeling_chainhead import ChainHeadForSequenceClassification


class ChainHeadForAudioClassification(ChainHeadForSequenceClassification):
    """Classification or regression of recordings: an encoder's frames, the chain, pooling, then a linear map.

    A mask of samples is turned into a mask of the encoder's frames. ``pipeline("audio-classification")`` needs nothing
    but the model and the encoder's own feature extractor, saved in the same folder.

    Without an encoder the model is light: its nodes are the `m` features that a feature extractor of spectra makes of
    every frame, such as `SeamlessM4TFeatureExtractor` or `ASTFeatureExtractor`.

    Parameters
    ----------
    config : ChainHeadConfig
        With an encoder of audio, or without any encoder.

    Raises
    ------
    ValueError
        If the configuration describes texts, or an encoder of something else than audio.
    """

    main_input_name = "input_values"
    input_modalities = ("audio",)

    def __init__(self, config: ChainHeadConfig) -> None:
        taken = "input_features" if config.backbone_config is None else input_of(config.backbone_config)
        if config.vocab_size is not None or taken not in ("input_values", "input_features"):
            raise ValueError(
                "the configuration describes no audio: set backbone_config to that of an audio encoder, such as "
                "Wav2Vec2Config(), or set m alone, to the number of features of a frame"
            )
        super().__init__(config)

    @can_return_tuple
    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        input_features: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify recordings.

        Parameters
        ----------
        input_values, input_features : floating point Tensor, exactly one of them
            The output of the encoder's feature extractor: waveforms [batch, samples], or spectra in the shape that the
            encoder takes; without an encoder frames [batch, frames, m].
        attention_mask : Tensor [batch, samples or steps], optional
            1 for the recording, 0 for padding.
        labels : Tensor [batch] of int, or [batch, num_labels] of float, optional
            Indices of classes, multi-label indicators or regression targets.

        Returns
        -------
        SequenceClassifierOutput
            `logits` [batch, num_labels]; `loss` if `labels` are given; `hidden_states` of the chain's layers if
            `output_hidden_states` is True.
        """
        require_tensors(input_values=input_values, input_features=input_features)
        if (input_values is None) == (input_features is None):
            raise ValueError("expected exactly one of input_values and input_features")
        values = input_features if input_values is None else input_values
        outputs: SequenceClassifierOutput = super().forward(
            values, attention_mask, labels, return_dict=True, **kwargs
        )
        return outputs


__all__ = ["ChainHeadForAudioClassification"]
