"""The base class of all chainhead models of transformers."""

import copy
import os
from typing import Any, ClassVar

from torch import nn
from transformers.modeling_utils import PreTrainedModel

from ..config.backbone_input import input_of, takes_videos
from ..config.configuration_chainhead import ChainHeadConfig
from ..hub.sharing import SharedModel
from ..nodes.encoders.building import FLOAT_INPUTS, copy_encoder
from ..nodes.frozen import BackboneOwner
from ..nodes.pretrained_weights import load_model, require_weights
from ..nodes.text_backbone import copy_weights
from ..storage.checked_loading import CheckedLoadMixin, DiskOffloadMixin
from .initialisation import ChainHeadInitialisation
from .layers import ChainHeadLayer


def input_of_backbone(config: ChainHeadConfig) -> str | None:
    """Return the input of the bare model's backbone; None without one, or where it belongs to a task's model."""
    backbone = config.backbone_config
    if backbone is None:
        return None
    name = input_of(backbone)
    return name if name in ("input_ids", *FLOAT_INPUTS) or takes_videos(backbone) else None


class ChainHeadPreTrainedModel(CheckedLoadMixin, DiskOffloadMixin, ChainHeadInitialisation, SharedModel):
    """A chainhead model: loading and pushing, first weights, the embedding of tokens."""

    config: ChainHeadConfig
    config_class = ChainHeadConfig
    base_model_prefix = "chainhead"
    main_input_name = "input_features"
    input_modalities = ("time",)
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["ChainHeadLayer"]
    _can_compile_fullgraph = True
    _can_record_outputs: ClassVar[dict[str, Any]] = {"hidden_states": ChainHeadLayer}
    # Why its chains cannot be shared among processes, in the words of an error; None where they can.
    reaches_other_nodes: str | None = "pools the nodes that one process has"

    def __init__(self, config: ChainHeadConfig, *args: Any, **kwargs: Any) -> None:
        if not isinstance(config, ChainHeadConfig):
            raise TypeError(
                f"{type(self).__name__} takes a ChainHeadConfig, got {config!r:.80}: a folder or a repository is "
                f"loaded with {type(self).__name__}.from_pretrained"
            )
        config.check_layers()  # a field may have been changed since
        super().__init__(config, *args, **kwargs)
        if config.vocab_size is not None or input_of_backbone(config) == "input_ids":
            self.main_input_name = "input_ids"
            self.input_modalities = ("text",)

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """Load a checkpoint, as everywhere in transformers; a frozen backbone comes back frozen."""
        loaded = super().from_pretrained(*args, **kwargs)
        # Loading replaces the parameters by new parameters, which all require gradients.
        for module in (loaded[0] if isinstance(loaded, tuple) else loaded).modules():
            if isinstance(module, BackboneOwner):
                module.freeze_backbone()
        return loaded

    @classmethod
    def from_backbone(cls, backbone: PreTrainedModel | str | os.PathLike[str], **fields: Any) -> Any:
        """Put new chain heads on a pretrained encoder of texts, audio, time series or videos.

        Parameters
        ----------
        backbone : PreTrainedModel, str or path
            A model over input_ids, input_values, input_features, past_values or videos, whose weights are copied
            without those of its own task head, and of its decoder; or a folder or repository that
            `AutoModel.from_pretrained` loads. A model is taken as it is, also if some of its weights are random.
        **fields
            Fields of `ChainHeadConfig`, such as `hidden_sizes`, `num_labels` and `freeze_backbone`.

        Returns
        -------
        ChainHeadPreTrainedModel
            Of this class, in eval mode, with the backbone's dtype and on its device.

        Raises
        ------
        TypeError, ValueError
            If a field is not valid, or the model is no encoder that transformers can rebuild; or if the files of a
            folder or repository lack weights that nodes depend on.

        Examples
        --------
        >>> model = ChainHeadForSequenceClassification.from_backbone(
        ...     "distilbert/distilbert-base-uncased", hidden_sizes=[64], num_labels=3, freeze_backbone=True
        ... )
        """
        missing: list[str] = []
        place = "" if isinstance(backbone, PreTrainedModel) else os.fspath(backbone)
        if not isinstance(backbone, PreTrainedModel):
            backbone, missing = load_model(place)
        source = backbone.base_model
        config = ChainHeadConfig(backbone_config=copy.deepcopy(source.config), **fields)
        taken = input_of_backbone(config)
        if taken is None:
            raise ValueError(
                f"{type(source).__name__} takes {source.main_input_name}, expected one of input_ids, "
                f"{', '.join(FLOAT_INPUTS)}, or videos"
            )
        model = cls._from_config(config, dtype=source.dtype)
        require_weights(backbone, model.base_model.backbone, missing, place)
        fill = copy_weights if taken == "input_ids" else copy_encoder
        fill(source, model.base_model.backbone)
        return model.to(source.device).eval()

    def get_input_embeddings(self) -> nn.Module | None:
        """Return the embedding of tokens: the model's own, the backbone's, or None where nodes are features."""
        base = self.base_model
        # Not NotImplementedError, as elsewhere in transformers: its quantisers ask every model.
        return base.embed_tokens if not base.has_text_backbone else base.backbone.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding of tokens."""
        base = self.base_model
        if base.has_text_backbone:
            base.backbone.set_input_embeddings(value)
        elif base.embed_tokens is None:
            raise NotImplementedError(f"{type(self).__name__} takes input_features: it embeds no tokens")
        else:
            base.embed_tokens = value
