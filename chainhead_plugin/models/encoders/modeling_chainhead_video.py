"""Video classification: what an encoder of videos makes of parts of the picture over time are the nodes of a chain."""

from typing import Any

from torch import Tensor
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.generic import can_return_tuple

from ...config.backbone_input import takes_videos
from ...config.configuration_chainhead import ChainHeadConfig
from ...head.tensors import require_tensors
from ..modeling_chainhead import ChainHeadForSequenceClassification


class ChainHeadForVideoClassification(ChainHeadForSequenceClassification):
    """Classification or regression of videos: an encoder's nodes, the chain, pooling, then a linear map.

    ``pipeline("video-classification")`` needs nothing but the model and the encoder's own video processor, saved in the
    same folder.

    Parameters
    ----------
    config : ChainHeadConfig
        With an encoder of videos.

    Raises
    ------
    ValueError
        If the configuration has no encoder of videos.
    """

    main_input_name = "pixel_values"
    input_modalities = ("video",)

    def __init__(self, config: ChainHeadConfig) -> None:
        if config.backbone_config is None or not takes_videos(config.backbone_config):
            raise ValueError(
                "the configuration describes no videos: set backbone_config to that of an encoder of videos, such as "
                "VideoMAEConfig()"
            )
        super().__init__(config)

    @can_return_tuple
    def forward(
        self,
        pixel_values: Tensor | None = None,
        labels: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Classify videos.

        Parameters
        ----------
        pixel_values, pixel_values_videos : floating point Tensor [batch, frames, channels, height, width], one of them
            The output of the encoder's video processor, under the name that this gives to it.
        labels : Tensor [batch] of int, or [batch, num_labels] of float, optional
            Indices of classes, multi-label indicators or regression targets.

        Returns
        -------
        SequenceClassifierOutput
            `logits` [batch, num_labels]; `loss` if `labels` are given; `hidden_states` of the chain's layers if
            `output_hidden_states` is True.
        """
        require_tensors(pixel_values=pixel_values, pixel_values_videos=pixel_values_videos)
        if (pixel_values is None) == (pixel_values_videos is None):
            raise ValueError("expected exactly one of pixel_values and pixel_values_videos")
        values = pixel_values_videos if pixel_values is None else pixel_values
        outputs: SequenceClassifierOutput = super().forward(values, labels=labels, return_dict=True, **kwargs)
        return outputs


__all__ = ["ChainHeadForVideoClassification"]
