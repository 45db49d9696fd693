"""A frozen backbone, whose nodes a recipe's model and all its peers read."""

from dataclasses import dataclass

from torch import nn

from ...config.configuration_chainhead import ChainHeadConfig
from ..data.examples import Data
from .inputs import Inputs


@dataclass(frozen=True)
class FrozenBackbone:
    """A frozen backbone, and the nodes that it makes of a recipe's data.

    Attributes
    ----------
    data : Data
        Chains [L, m] of float32; without the examples, if any, that the backbone was trained on.
    inputs : Inputs
        Preprocessing of what the backbone reads.
    config : ChainHeadConfig
        Of the whole model.
    backbone : nn.Module
    place : str
        The backbone's name in the whole model.
    seconds : float, optional
        Time that its training took; None for a pretrained one.
    """

    data: Data
    inputs: Inputs
    config: ChainHeadConfig
    backbone: nn.Module
    place: str
    seconds: float | None = None

    @property
    def parameters(self) -> int:
        """Its number of weights."""
        return sum(parameter.numel() for parameter in self.backbone.parameters())

    def with_head(self, head: nn.Module) -> nn.Module:
        """Return the whole model, in evaluation mode, of one trained on the nodes."""
        model: nn.Module = self.inputs.model_class(self.config)
        backbone = {f"{self.place}.{name}": value for name, value in self.backbone.state_dict().items()}
        model.load_state_dict({**backbone, **head.state_dict()})
        return model.eval()
