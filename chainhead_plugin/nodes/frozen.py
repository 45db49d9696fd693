"""A backbone inside a model, which keeps its weights where the configuration says so."""

from typing import Any

from torch import nn

from ..config.configuration_chainhead import ChainHeadConfig


def freeze(backbone: nn.Module) -> None:
    """Keep a backbone's weights as they are: no gradients, eval mode."""
    backbone.requires_grad_(False)
    backbone.eval()


class BackboneOwner:
    """Mixin, before a `PreTrainedModel` with a `backbone`: it is frozen, and stays so, with `freeze_backbone`."""

    config: ChainHeadConfig
    backbone: Any

    def freeze_backbone(self) -> None:
        """Freeze the backbone if the configuration says so."""
        if self.backbone is not None and self.config.freeze_backbone:
            freeze(self.backbone)

    def train(self, mode: bool = True) -> Any:
        """Set training or eval mode; a frozen backbone, with its BatchNorm and dropout, stays in eval mode."""
        super().train(mode)  # type: ignore[misc]
        if self.backbone is not None and self.config.freeze_backbone:
            self.backbone.eval()
        return self
