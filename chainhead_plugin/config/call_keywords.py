"""Keyword arguments of a model's call beside its own: allowed where they concern every model, refused by name else."""

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

from transformers.utils import TransformersKwargs

# Arguments that tell apart several chains in one row, which no chain head does.
_PACKING = {"position_ids", "seq_idx", "cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k"}
_COMMON = {*TransformersKwargs.__annotations__, "use_cache", "return_loss"} - _PACKING


def check_call(model: Any, keywords: Mapping[str, Any]) -> None:
    """Check the keywords of a call that are no arguments of the model's own.

    Parameters
    ----------
    model : module
        Which is called.
    keywords : mapping
        By name; None counts as not given.

    Raises
    ------
    TypeError
        If a keyword would have no effect; the message names it.
    """
    given = [name for name, value in keywords.items() if value is not None and name not in _COMMON]
    if not given:
        return
    model_class = type(model).__name__
    if packing := [name for name in given if name in _PACKING]:
        raise TypeError(
            f"{model_class} takes no {', '.join(packing)}: chains are not packed into one row, as mixing would cross "
            "their borders. Put each into a row of its own, and pass attention_mask for the padding"
        )
    known = [name for name in inspect.signature(model.forward).parameters if name not in ("self", "kwargs")]
    close = difflib.get_close_matches(given[0], known, n=1)
    hint = f": did you mean {close[0]!r}?" if close else ""
    raise TypeError(f"{model_class} takes no argument {', '.join(map(repr, given))}{hint}")
