"""Loads pretrained encoders, and tells whether all the weights are there that their nodes depend on."""

import re
from collections.abc import Iterable
from typing import Any

from transformers import AutoModel, PreTrainedModel

# Weights that many checkpoints lack, and no node depends on: those behind the nodes, and that of masks in training.
_UNUSED = re.compile(r"\bpooler\b|masked_spec_embed$")


def load_model(source: str, **options: Any) -> tuple[PreTrainedModel, list[str]]:
    """Load a bare model of transformers from a folder or repository; return it and the weights that its files lack."""
    options |= {"trust_remote_code": False, "output_loading_info": True}
    model, report = AutoModel.from_pretrained(source, **options)
    return model, sorted(report["missing_keys"])


def require_weights(
    source: PreTrainedModel, backbone: PreTrainedModel, missing: Iterable[str], place: str
) -> None:
    """Refuse an encoder some of whose weights no file gave, so that they are random.

    Parameters
    ----------
    source : PreTrainedModel
        The loaded model: the encoder itself, or a model that contains it.
    backbone : PreTrainedModel
        The encoder that its weights are for.
    missing : iterable of str
        The weights of `source` that its files lack.
    place : str
        Where it was loaded from, for the message.

    Raises
    ------
    ValueError
        If a weight of `backbone` that nodes depend on is among the missing.
    """
    prefix = next((name for name, part in source.named_modules() if type(part) is type(backbone)), "")
    needed = {f"{prefix}.{name}" if prefix else name for name in backbone.state_dict()}
    lacking = sorted(name for name in needed.intersection(missing) if not _UNUSED.search(name))
    if lacking:
        raise ValueError(
            f"{place} lacks {len(lacking)} of the weights of a {type(backbone).__name__}, such as {lacking[0]}, which "
            "would be random: is its config.json that of other weights?"
        )
