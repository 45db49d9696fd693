"""Image classification: patches or rows of an image as the nodes of a chain."""

import copy
import os
from typing import Any

from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput, ImageClassifierOutput
from transformers.modeling_utils import PreTrainedModel
from transformers.utils.generic import can_return_tuple

from ..config.configuration_chainhead import ChainHeadConfig
from ..head.expansion import taylor_expansion
from ..head.tensors import require_tensors
from ..nodes.frozen import BackboneOwner
from ..nodes.image_backbone import build_image_backbone, channels_of, load_image_backbone
from ..nodes.images import chain_of_image
from ..nodes.pretrained_weights import require_weights
from ..nodes.text_backbone import copy_weights
from .modeling_chainhead import ChainHeadModel
from .pooling import pool
from .pretrained import ChainHeadPreTrainedModel


class ChainHeadForImageClassification(BackboneOwner, ChainHeadPreTrainedModel):
    """Image classification or regression: a chain of patches, pooled, then a linear map.

    The nodes are the places of a backbone's last feature map (`backbone_config`), patches of pixels
    (`patch_size`), or rows of pixels from top to bottom.

    Raises
    ------
    ValueError
        If the configuration describes no image input, or its backbone has other channels than `m`.
    """

    main_input_name = "pixel_values"
    input_modalities = ("image",)
    accepts_loss_kwargs = False

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__(config)
        if config.backbone_config is None and config.image_size is None and config.patch_size is None:
            raise ValueError(
                "the configuration describes no images: set backbone_config, or image_size for rows of pixels, or "
                "patch_size for patches"
            )
        self.num_labels = config.num_labels
        self.backbone = None
        if config.backbone_config is not None:
            assert config.m is not None
            self.backbone = build_image_backbone(config.backbone_config, config.m)
        self.freeze_backbone()
        self.chainhead = ChainHeadModel(config)
        self.classifier = nn.Linear(config.pooled_size, config.num_labels)
        self.post_init()

    @classmethod
    def from_backbone(cls, backbone: PreTrainedModel | str | os.PathLike[str], **fields: Any) -> Any:
        """Put new chain heads on a pretrained image backbone.

        Parameters
        ----------
        backbone : PreTrainedModel, str or path
            A backbone of transformers, such as a `ResNetBackbone` or a `TimmBackbone`, or another encoder of images,
            such as a `CLIPVisionModel`, whose weights are copied; or an architecture of timm, such as
            ``"resnet18.a1_in1k"``; or a folder or repository of such a model.
        **fields
            Fields of `ChainHeadConfig`, such as `hidden_sizes`, `num_labels`, `scan` and `freeze_backbone`.

        Returns
        -------
        ChainHeadForImageClassification
            In eval mode, with the backbone's dtype and on its device.

        Raises
        ------
        TypeError, ValueError
            If a field is not valid, or the model is no image backbone that transformers can rebuild; or if the files
            of a folder or repository lack weights that nodes depend on.

        Examples
        --------
        >>> model = ChainHeadForImageClassification.from_backbone(
        ...     "resnet18.a1_in1k", n=64, bi_directional=True, num_labels=10, freeze_backbone=True
        ... )
        """
        missing: list[str] = []
        place = "" if isinstance(backbone, PreTrainedModel) else os.fspath(backbone)
        if not isinstance(backbone, PreTrainedModel):
            backbone, missing = load_image_backbone(place)
        config = ChainHeadConfig(
            backbone_config=copy.deepcopy(backbone.config), m=channels_of(backbone), **fields
        )
        model = cls._from_config(config, dtype=backbone.dtype)
        require_weights(backbone, model.backbone, missing, place)
        copy_weights(backbone, model.backbone)
        return model.to(backbone.device).eval()

    @can_return_tuple
    def forward(
        self, pixel_values: Tensor, labels: Tensor | None = None, **kwargs: Any
    ) -> ImageClassifierOutput:
        """Classify images.

        Parameters
        ----------
        pixel_values : floating point Tensor [batch, channels, height, width]
            Without a backbone: of the configuration's channels, and either of its width, or in both directions
            a multiple of `patch_size`.
        labels : Tensor [batch] of int, or [batch, num_labels] of float, optional
            Classes, multi-label indicators or regression targets.

        Returns
        -------
        ImageClassifierOutput
            `logits` [batch, num_labels]; `loss` if `labels` are given; `hidden_states`, those of the chain's
            layers, if asked for.
        """
        require_tensors(pixel_values=pixel_values, labels=labels)
        outputs: BaseModelOutput = self.chainhead(
            chain_of_image(self.config, self.backbone, pixel_values), return_dict=True, **kwargs
        )
        pooled = pool(outputs.last_hidden_state, None, self.config.poolings, self.config.chain_length)
        logits = self.classifier(taylor_expansion(pooled, self.config.perceptron_degree))
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config, **kwargs)
        return ImageClassifierOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)


__all__ = ["ChainHeadForImageClassification"]
