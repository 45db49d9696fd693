"""Batches for training from examples of any length: padded nodes, a mask, and labels to match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers.feature_extraction_utils import BatchFeature

from .feature_extraction_chainhead import ChainHeadFeatureExtractor

_LABEL_NAMES = ("labels", "label", "label_ids")


@dataclass
class ChainHeadDataCollator:
    """Pad a list of examples into a batch, for `Trainer` and for a `DataLoader`.

    An example is a mapping with "input_features" [L, m], scaled already, as a feature extractor returns them,
    optionally "attention_mask" [L], and optionally "labels" (or "label", "label_ids", as datasets call them):
    a class, a number, an array of floats (multi-label indicators, regression targets), or an array of L ints, a
    class for each node. The last are padded as the nodes are, on the same side.

    Parameters
    ----------
    feature_extractor : ChainHeadFeatureExtractor
        Pads the nodes.
    padding : bool or str
        True or "longest" pads to the longest example, "max_length" to `max_length`.
    max_length : int, optional
        Length to pad to.
    pad_to_multiple_of : int, optional
        Round the padded length up to a multiple of this: fewer shapes for a compiler.
    label_pad_token_id : int
        Label of padded nodes; the losses pass over -100.
    return_tensors : str
        "pt" for torch tensors, "np" for NumPy arrays.

    Examples
    --------
    >>> collate = ChainHeadDataCollator(ChainHeadFeatureExtractor(feature_size=2))
    >>> three, five = np.zeros((3, 2)), np.ones((5, 2))
    >>> batch = collate([{"input_features": three, "labels": 1}, {"input_features": five, "labels": 0}])
    >>> batch["input_features"].shape, batch["labels"].tolist()
    (torch.Size([2, 5, 2]), [1, 0])
    """

    feature_extractor: ChainHeadFeatureExtractor
    padding: bool | str = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    label_pad_token_id: int = -100
    return_tensors: str = "pt"

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> BatchFeature:
        """Make a batch of "input_features" [batch, L, m], "attention_mask" [batch, L] and "labels".

        Raises
        ------
        TypeError
            If an example is no mapping.
        ValueError
            If examples have different entries, labels fit neither each other nor the nodes, or are not finite; and as
            `ChainHeadFeatureExtractor.pad`.
        """
        examples = [dict(example) for example in features]
        names = [name for name in _LABEL_NAMES if any(name in example for example in examples)]
        if len(names) > 1:
            raise ValueError(
                f"examples have labels under {len(names)} names, {' and '.join(names)}: keep one"
            )

        labels = [np.asarray(example.pop(name)) for name in names for example in examples if name in example]
        if names and len(labels) < len(examples):
            raise ValueError(
                f"{len(examples) - len(labels)} of {len(examples)} examples have no {names[0]!r}"
            )

        lengths = [len(example["input_features"]) for example in examples if "input_features" in example]
        batch = self.feature_extractor.pad(
            examples,
            padding=self.padding,
            max_length=self.max_length,
            pad_to_multiple_of=self.pad_to_multiple_of,
            return_attention_mask=True,
            return_tensors=self.return_tensors,
        )

        if names:
            joined = self._join(labels, lengths, batch["input_features"].shape[1])
            batch.update(BatchFeature({"labels": joined}, tensor_type=self.return_tensors))
        return batch

    def _join(self, labels: list[NDArray[Any]], lengths: list[int], length: int) -> NDArray[Any]:
        kinds = {(label.dtype.kind, label.ndim) for label in labels}
        shapes = {label.shape for label in labels}
        if kinds <= {("i", 1), ("u", 1)}:
            return self._pad(labels, lengths, length)
        if len(kinds) == 1 and len(shapes) == 1 and kinds <= {("i", 0), ("u", 0), ("f", 0), ("f", 1)}:
            joined = np.stack(labels)
            if joined.dtype.kind != "f":
                return joined.astype(np.int64)
            with np.errstate(over="ignore"):
                numbers = joined.astype(np.float32)
            if not np.isfinite(numbers).all():
                odd = int((~np.isfinite(numbers)).reshape(len(numbers), -1).any(1).argmax())
                raise ValueError(
                    f"example {odd} of the batch has the label {labels[odd].tolist()!r}, expected finite numbers that "
                    "float32 holds: leave the example out, as its loss is no number, nor are the weights after it"
                )
            return numbers
        found = sorted({f"{label.dtype} {list(label.shape)}" for label in labels})
        raise ValueError(
            f"labels are {', '.join(found[:3])}{', …' if len(found) > 3 else ''}: expected in every example a class "
            "(int), a number (float), as many floats, or an array of ints with one for each node"
        )

    def _pad(self, labels: list[NDArray[Any]], lengths: list[int], length: int) -> NDArray[np.int64]:
        padded = np.full((len(labels), length), self.label_pad_token_id, dtype=np.int64)
        for index, (row, label, nodes) in enumerate(zip(padded, labels, lengths, strict=True)):
            if len(label) != nodes:
                raise ValueError(
                    f"example {index} has {len(label)} integer labels and {nodes} nodes: expected one for each "
                    "node. Multi-label indicators must be floats"
                )
            row[
                slice(nodes)
                if self.feature_extractor.padding_side == "right"
                else slice(length - nodes, None)
            ] = label
        return padded


__all__ = ["ChainHeadDataCollator"]
