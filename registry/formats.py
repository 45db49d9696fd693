"""Which files a checkpoint may consist of."""

from __future__ import annotations

from collections.abc import Iterable

from ._errors import CheckpointError, UnsafeWeightsError

SAFE = (".safetensors", ".json", ".txt", ".md")
UNSAFE = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def safe_files(names: Iterable[str], where: str) -> list[str]:
    """Return the names of those files that hold data only.

    Parameters
    ----------
    names : iterable of str
        All files there are.
    where : str
        Where they are, for messages.

    Raises
    ------
    UnsafeWeightsError
        If weights are there in formats only that run code when they are read.
    CheckpointError
        If there are no weights.
    """
    names = sorted(names)
    safe = [name for name in names if name.endswith(SAFE)]
    if any(name.endswith(".safetensors") for name in safe):
        return safe
    if unsafe := [name for name in names if name.endswith(UNSAFE)]:
        raise UnsafeWeightsError(
            f"{where} has its weights as {', '.join(unsafe)} only. Such files are pickles, which can run any "
            "code when they are read: none of them is. Ask the authors for safetensors, or convert them at "
            "https://huggingface.co/spaces/safetensors/convert"
        )
    raise CheckpointError(f"{where} has no weights: no file ends in .safetensors")
