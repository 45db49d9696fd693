"""The pipeline "time-series-classification": labels, or predicted values, of whole series."""

from collections.abc import Callable
from typing import Any

import torch

from ..checks.values import check_choice, check_whole_number
from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from .base import UNSET, ChainPipeline, at_least_float32, saved_extractor, select_padding_options
from .other_classifiers import other_classifier

_FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": lambda logits: logits.softmax(-1),
    "sigmoid": torch.sigmoid,
    "none": lambda logits: logits,
}


class TimeSeriesClassificationPipeline(ChainPipeline):
    """Classify sequences with any model for sequence classification that takes "input_features".

    PatchTST and PatchTSMixer for classification or regression work too. They need no feature extractor: they scale
    series themselves, and shorter series get padding before them, which is marked as missing.

    Options, at construction or in a call:

    - `top_k`: the most labels to return, best first; None for all. By default 1, and all for a regression.
    - `function_to_apply`: "softmax", "sigmoid" or "none". By default it follows from the model's loss: "none"
      for regression, "sigmoid" for multi-label, "softmax" for single-label classification.
    - `padding`, `max_length`, `truncation`: as in `ChainHeadFeatureExtractor`.

    The result for a sequence is always a list of ``{"label": str, "score": float}``, also if `top_k` is 1.

    Examples
    --------
    >>> classifier = pipeline("time-series-classification", model="user/chainhead-gunpoint")
    >>> classifier(series, top_k=2)
    [{"label": "gun", "score": 0.98}, {"label": "point", "score": 0.02}]
    """

    # None makes the feature extractor optional: models of transformers have none.
    _load_feature_extractor = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.other = other_classifier(args[0] if args else kwargs["model"])
        if kwargs.get("feature_extractor") is None:
            model = args[0] if args else kwargs["model"]
            extractor = saved_extractor(model)
            if extractor is None and self.other is not None:
                extractor = ChainHeadFeatureExtractor(
                    feature_size=self.other.feature_size, do_normalize=False
                )
            kwargs["feature_extractor"] = extractor
        super().__init__(*args, **kwargs)

    def _sanitize_parameters(
        self, *, top_k: int | None = UNSET, function_to_apply: str | None = None, **options: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        postprocess_params: dict[str, Any] = {}
        if top_k is not UNSET:
            if top_k is not None:
                check_whole_number("top_k", top_k, 1, reason="None stands for all labels")
            postprocess_params["top_k"] = top_k
        if function_to_apply is not None:
            check_choice("function_to_apply", function_to_apply, _FUNCTIONS)
            postprocess_params["function_to_apply"] = function_to_apply
        return select_padding_options(options), {}, postprocess_params

    def _forward(self, model_inputs: Any) -> dict[str, torch.Tensor]:
        if self.other is not None:
            return {
                "logits": self.other.logits(model_inputs["input_features"], model_inputs["attention_mask"])
            }
        return {"logits": self.model(**model_inputs, return_dict=True).logits}

    def postprocess(
        self,
        model_outputs: dict[str, torch.Tensor],
        top_k: int | None = UNSET,
        function_to_apply: str | None = None,
    ) -> list[list[dict[str, Any]]]:
        """Turn logits ``[batch, num_labels]`` into the best labels and their scores, for every sequence."""
        logits = model_outputs["logits"]
        if logits.ndim != 2:
            raise ValueError(
                f"{type(self.model).__name__} gives logits of shape {list(logits.shape)}, expected "
                "[batch, num_labels]: use a model for sequence classification"
            )

        finite = logits.isfinite().all(-1)
        if not finite.all():
            raise ValueError(
                f"sequence {int(finite.int().argmin())} has scores that are not finite: its values overflow the model, "
                "rescale them"
            )

        implied_function = self._get_implied_function()
        if top_k is UNSET:
            top_k = None if implied_function == "none" else 1
        scores = _FUNCTIONS[function_to_apply or implied_function](at_least_float32(logits))
        if top_k == 1:
            # Among equal scores this returns the first, like the stable sort below, in half the time.
            scores, indices = scores.max(dim=-1, keepdim=True)
        else:
            scores, indices = scores.sort(dim=-1, descending=True, stable=True)

        id2label = self.model.config.id2label if self.other is None else self.other.names(logits.size(1))
        return [
            [{"label": id2label[index], "score": score} for score, index in zip(*row, strict=True)]
            for row in zip(scores[:, :top_k].tolist(), indices[:, :top_k].tolist(), strict=True)
        ]

    def _get_implied_function(self) -> str:
        config = self.model.config
        if self.other is not None:
            return "none" if self.other.is_regressor else "softmax"
        # Without a problem type, the losses of transformers treat a single label as a regression.
        if config.problem_type == "regression" or (config.problem_type is None and config.num_labels == 1):
            return "none"
        return "sigmoid" if config.problem_type == "multi_label_classification" else "softmax"
