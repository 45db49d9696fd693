"""A chain head with a linear map, to put where another model has its classifier."""

import inspect
from contextvars import ContextVar
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..chain.masking import check_mask
from ..checks.values import check_choice
from ..head.chain_head import ChainInterdependenceHead
from .pooling import pool

# Masks of the model calls in progress, the innermost last. Not attributes: threads may share a model.
_masks: ContextVar[tuple[Tensor | None, ...]] = ContextVar("chainhead_attention_masks", default=())


class ChainClassifier(nn.Module):
    """Map hidden states [batch, length, hidden_size] to logits, through a chain head.

    Parameters
    ----------
    hidden_size : int
        Features of the hidden states.
    num_labels : int
        Logits of a node, or of a chain with `pooling`.
    n : int, optional
        Features of a node between chain head and linear map; `hidden_size` by default.
    pooling : {None, "mean", "last", "max"}
        None for logits of every node [batch, length, num_labels]; else how the real nodes are pooled to give
        [batch, num_labels].
    device : torch.device or str, optional
    dtype : torch.dtype, optional
        Device and dtype of the weights; None for torch's defaults.
    **options
        Options of `ChainInterdependenceHead`. Softmax is off by default.

    Examples
    --------
    >>> model = BertForTokenClassification.from_pretrained("google-bert/bert-base-cased", num_labels=9)
    >>> model.classifier = ChainClassifier(model.config.hidden_size, 9, bi_directional=True)
    >>> model.classifier.take_mask_from(model)
    """

    def __init__(
        self,
        hidden_size: int,
        num_labels: int,
        *,
        n: int | None = None,
        pooling: Literal["mean", "last", "max"] | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        check_choice("pooling", pooling, ("mean", "last", "max", None))
        super().__init__()
        n = hidden_size if n is None else n
        options = {"with_softmax": False, **options}
        self.head = ChainInterdependenceHead(
            hidden_size, n, chain_length=1, device=device, dtype=dtype, **options
        )
        self.linear = nn.Linear(n, num_labels, device=device, dtype=dtype)
        self.pooling = pooling
        # Why its chains cannot be shared among processes, in the words of an error; None where they can.
        self.reaches_other_nodes = None if pooling is None else "pools the nodes that one process has"
        self.takes_mask = False

    def take_mask_from(self, model: nn.Module) -> None:
        """Use the `attention_mask` that `model` is called with, where `forward` is given none.

        Models call their classifier with hidden states alone; hooks on the model keep the mask of a call for
        its time.

        Raises
        ------
        TypeError
            If the model takes no attention mask.
        """
        if "attention_mask" not in inspect.signature(model.forward).parameters:
            raise TypeError(f"{type(model).__name__}.forward has no argument attention_mask")
        if not self.takes_mask:
            model.register_forward_pre_hook(_push_mask, with_kwargs=True)
            model.register_forward_hook(_pop_mask, always_call=True)
            self.takes_mask = True

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Give logits.

        Parameters
        ----------
        hidden_states : floating point Tensor [batch, length, hidden_size]
        attention_mask : Tensor [batch, length], optional
            1 for real nodes, 0 for the padding before or after them.

        Returns
        -------
        Tensor [batch, length, num_labels], or [batch, num_labels] with pooling
        """
        if attention_mask is None and self.takes_mask and (masks := _masks.get()):
            attention_mask = masks[-1]
        nodes = self.head(hidden_states, attention_mask)
        if self.pooling is not None:
            mask = None if attention_mask is None else check_mask(attention_mask, *nodes.shape[:2]).real
            nodes = pool(nodes, mask, self.pooling, chain_length=1)
        logits: Tensor = self.linear(nodes)
        return logits


# Outside compiled code: a context variable's value belongs to the call, and torch 2.7 warns of such variables.
@torch.compiler.disable
def _push_mask(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    given = inspect.signature(model.forward).bind_partial(*args, **kwargs).arguments
    _masks.set((*_masks.get(), given.get("attention_mask")))


@torch.compiler.disable
def _pop_mask(model: nn.Module, args: tuple[Any, ...], output: Any) -> None:
    _masks.set(_masks.get()[:-1])


__all__ = ["ChainClassifier"]
