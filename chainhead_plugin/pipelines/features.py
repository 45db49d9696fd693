"""The pipeline "chain-feature-extraction": a model's features of every node."""

from typing import Any

import torch

from ..checks.values import check_choice
from .base import UNSET, ChainPipeline, at_least_float32, mask_of_nodes, select_padding_options


class ChainFeaturePipeline(ChainPipeline):
    """Return the features ``[L, n]`` of a sequence's nodes, by any base model that takes "input_features".

    Options, at construction or in a call:

    - `return_tensors`: "pt" for torch tensors in the model's dtype, "np" for float32 arrays (float64 for a
      float64 model), None for nested lists. By default None.
    - `padding`, `max_length`, `truncation`: as in `ChainHeadFeatureExtractor`.

    Results hold no padded nodes.
    """

    def _sanitize_parameters(
        self, *, return_tensors: str | None = UNSET, **options: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        postprocess_params = {}
        if return_tensors is not UNSET:
            check_choice("return_tensors", return_tensors, ("np", "pt", None))
            postprocess_params["return_tensors"] = return_tensors
        return select_padding_options(options), {}, postprocess_params

    def _forward(self, model_inputs: Any) -> dict[str, torch.Tensor]:
        outputs = self.model(**model_inputs, return_dict=True)
        features = outputs.last_hidden_state
        return {"features": features, "attention_mask": mask_of_nodes(outputs, features, model_inputs)}

    def postprocess(
        self, model_outputs: dict[str, torch.Tensor], return_tensors: str | None = None
    ) -> list[Any]:
        """Split features ``[batch, L, n]`` into one ``[L_i, n]`` per sequence, without padding."""
        features, real = model_outputs["features"], model_outputs["attention_mask"].bool()
        tensors = [row[kept] for row, kept in zip(features, real, strict=True)]
        if return_tensors == "pt":
            return tensors
        if return_tensors == "np":
            return [at_least_float32(tensor).numpy() for tensor in tensors]
        return [tensor.tolist() for tensor in tensors]
