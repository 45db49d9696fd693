"""An embedding of tokens: the nodes of a chain that is made of token ids."""

import torch
from torch import nn
from transformers import initialization as init


class TokenEmbedding(nn.Embedding):
    """A vector [m] for each token of a vocabulary.

    Vectors start standard normal, as the feature extractor scales float nodes; that of the padding token, if
    any, is zero and stays so.
    """

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Initialise the vectors."""
        init.normal_(self.weight)
        # A slice does not know that a checkpoint has filled the whole.
        if self.padding_idx is not None and not getattr(self.weight, "_is_hf_initialized", False):
            init.zeros_(self.weight[self.padding_idx])
