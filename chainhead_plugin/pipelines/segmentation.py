"""The pipeline "time-series-segmentation": a label for every node of a series, or segments of equal labels."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchFeature

from ..checks.values import check_choice
from ..inputs.named_sequences import arrays_of
from .base import ChainPipeline, at_least_float32, mask_of_nodes, select_padding_options
from .other_frame_classifiers import other_frame_classifier

Strategy = Literal["none", "simple"]


class TimeSeriesSegmentationPipeline(ChainPipeline):
    """Label every node of a sequence, by any model for token classification that takes "input_features".

    Models of transformers for audio frame classification, such as `Wav2Vec2ForAudioFrameClassification`, work too,
    with the feature extractor of their encoder: a sequence is then a waveform in its sampling rate, a node a frame.

    Options, at construction or in a call:

    - `aggregation_strategy`: "none" (default) for the label of every node, "simple" for segments. A segment is a
      longest run of successive nodes with the same label.
    - `padding`, `max_length`, `truncation`: as in `ChainHeadFeatureExtractor`. Truncated nodes have no result.

    The result for a sequence is a list. With "none" it holds a ``{"label": str, "score": float}`` for every node, in
    order. With "simple" it holds a ``{"start": int, "end": int, "label": str, "score": float}`` for every segment:
    `start` is the segment's first node, `end` the node after its last, and the score is the mean over its nodes. The
    score of a node is the probability of its label.

    Examples
    --------
    >>> segment = pipeline("time-series-segmentation", model="user/chainhead-speakers")
    >>> segment(frames, aggregation_strategy="simple")
    [{"start": 0, "end": 14, "label": "Ann", "score": 0.97}, {"start": 14, "end": 31, "label": "Bob", "score": 0.9}]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        model = args[0] if args else kwargs["model"]
        self.other = other_frame_classifier(model, kwargs.get("feature_extractor"))
        self.needs_feature_extractor = self.other is None
        super().__init__(*args, **kwargs)

    @property
    def feature_size(self) -> int:
        """The number of features of a node, or 1 for waveforms."""
        return 1 if self.other is not None else super().feature_size

    def _sanitize_parameters(
        self, *, aggregation_strategy: Strategy | None = None, **options: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        postprocess_params = {}
        if aggregation_strategy is not None:
            check_choice("aggregation_strategy", aggregation_strategy, get_args(Strategy))
            postprocess_params["aggregation_strategy"] = aggregation_strategy
        return select_padding_options(options), {}, postprocess_params

    def preprocess(self, sequences: list[Any], **options: Any) -> BatchFeature:
        """Pad sequences as every pipeline here does; waveforms for a model of transformers stay as they are."""
        if self.other is None:
            return super().preprocess(sequences, **options)
        if options:
            raise TypeError(f"{', '.join(options)}: no effect, as recordings are not padded together")
        return BatchFeature(self.other.recordings(arrays_of(sequences)))

    def _forward(self, model_inputs: Any) -> dict[str, torch.Tensor]:
        if self.other is not None:
            logits, real = self.other.logits(model_inputs["recordings"])
            return {"logits": logits, "attention_mask": real}
        outputs = self.model(**model_inputs, return_dict=True)
        return {
            "logits": outputs.logits,
            "attention_mask": mask_of_nodes(outputs, outputs.logits, model_inputs),
        }

    def postprocess(
        self, model_outputs: dict[str, torch.Tensor], aggregation_strategy: Strategy = "none"
    ) -> list[list[dict[str, Any]]]:
        """Turn logits ``[batch, L, num_labels]`` into labels of real nodes, or into segments, for every sequence."""
        logits, real = model_outputs["logits"], model_outputs["attention_mask"].bool()
        if logits.ndim != 3:
            raise ValueError(
                f"{type(self.model).__name__} gives logits of shape {list(logits.shape)}, expected "
                "[batch, length, num_labels]: use a model for token classification"
            )
        overflown = ~logits.isfinite().all(-1) & real
        if overflown.any():
            row = int(overflown.any(-1).int().argmax())
            node = int(overflown[row][real[row]].int().argmax())
            raise ValueError(
                f"sequence {row}, node {node} has scores that are not finite: its values overflow the model, rescale "
                "them"
            )
        scores, indices = at_least_float32(logits).softmax(-1).max(-1)
        gather = _nodes if aggregation_strategy == "none" else _segments
        id2label = self.model.config.id2label
        return [
            gather(row_indices[kept].numpy(), row_scores[kept].numpy(), id2label)
            for row_indices, row_scores, kept in zip(indices, scores, real, strict=True)
        ]


def _nodes(indices: NDArray[Any], scores: NDArray[Any], id2label: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {"label": id2label[index], "score": score}
        for index, score in zip(indices.tolist(), scores.tolist(), strict=True)
    ]


def _segments(indices: NDArray[Any], scores: NDArray[Any], id2label: dict[int, str]) -> list[dict[str, Any]]:
    return [
        segment | {"score": float(scores[segment["start"] : segment["end"]].mean(dtype=np.float64))}
        for segment in segments_of(indices, id2label)
    ]


def segments_of(labels: NDArray[Any], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the segments: the longest runs of equal labels.

    Parameters
    ----------
    labels : int array [L]
        The index of each node's label.
    names : mapping of str by int
        Names of the labels.

    Returns
    -------
    list of dict
        For each segment "start", its first node, "end", the node after its last, and "label", the label's name.
    """
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
    ends = np.append(starts[1:], len(labels))
    return [
        {"start": start, "end": end, "label": names[index]}
        for start, end, index in zip(starts.tolist(), ends.tolist(), labels[starts].tolist(), strict=True)
    ]
