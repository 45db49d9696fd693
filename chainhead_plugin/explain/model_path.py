"""A model's path from the nodes of its chain to its outputs, and which of these is explained."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..chain.masking import CheckedMask, check_mask
from ..head.chain_head import ChainInterdependenceHead
from ..models.forecasting.linear_path import SeriesNodes
from ..models.layers import ChainHeadLayer

Stage = Literal["input", "output"]


class ModelPath:
    """The part of a model after the nodes of a stage, with its inputs."""

    def __init__(self, model: nn.Module, inputs: Mapping[str, Tensor], stage: Stage) -> None:
        stops: list[nn.Module] = [part for part in model.modules() if isinstance(part, ChainHeadLayer)]
        stops = stops or [part for part in model.modules() if isinstance(part, ChainInterdependenceHead)]
        if not stops:
            raise ValueError(f"{type(model).__name__} has no chain head in it")
        self._model, self._inputs, self._stage = model, dict(inputs), stage
        self._module = stops[0 if stage == "input" else -1]
        if stage == "input":
            # A forecaster has paths beside its chain, which begin there too.
            self._module = next(
                (part for part in model.modules() if isinstance(part, SeriesNodes)), self._module
            )

    @torch.enable_grad()
    def run(self, replace: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Run the model, with its nodes replaced where asked.

        Returns
        -------
        nodes : Tensor [batch, length, features]
            A leaf; zero where padded.
        real : bool Tensor [batch, length, 1]
        outputs : Tensor [batch, ...]
        """
        seen: list[tuple[Tensor, Tensor]] = []

        def exchange(nodes: Tensor, mask: Tensor | CheckedMask | None) -> Tensor:
            if nodes.ndim != 3:
                raise ValueError(f"nodes have shape {tuple(nodes.shape)}, expected [batch, length, features]")
            if mask is None:
                mask = torch.ones_like(nodes[..., 0])
            real = check_mask(mask, nodes.size(0), nodes.size(1)).real.unsqueeze(-1)
            # Not a product: padding may hold anything.
            leaf = torch.where(real, nodes if replace is None else replace(nodes), 0)
            seen.append((leaf.detach().requires_grad_(), real))
            return seen[-1][0]

        def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            call = dict(zip(self._names(), args, strict=False)) | kwargs
            name = self._names()[0]
            return (), call | {name: exchange(call[name], call.get("attention_mask"))}

        def after(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> Tensor:
            call = dict(zip(self._names(), args, strict=False)) | kwargs
            return exchange(output, call.get("attention_mask"))

        if self._stage == "input":
            hook = self._module.register_forward_pre_hook(before, with_kwargs=True)
        else:
            hook = self._module.register_forward_hook(after, with_kwargs=True)
        try:
            returned = self._model(**self._inputs)
        finally:
            hook.remove()
        if len(seen) != 1:
            raise ValueError(f"a call of the model runs its chain head {len(seen)} times, expected once")
        return *seen[0], _explained(returned)

    def _names(self) -> list[str]:
        return list(inspect.signature(self._module.forward).parameters)


def _explained(returned: Any) -> Tensor:
    for name in ("logits", "prediction_outputs"):
        if isinstance(value := getattr(returned, name, None), Tensor):
            returned = value
    if not isinstance(returned, Tensor) or returned.ndim < 2 or not returned.is_floating_point():
        raise TypeError(
            f"the model returned a {type(returned).__name__} without logits or prediction_outputs: explain a "
            "classifier, a regression model or a forecaster"
        )
    return returned.to(torch.promote_types(returned.dtype, torch.float32))


def target_index(model: nn.Module, outputs: Tensor, target: Any) -> Tensor:
    """Return the index [batch, axes] of the explained outputs."""
    batch, shape = outputs.size(0), outputs.shape[1:]
    if target is None:
        if len(shape) > 1:
            raise ValueError(
                f"outputs have shape {tuple(outputs.shape)}: choose one of them by a target of {len(shape)} indices"
            )
        if not hasattr(getattr(model, "config", None), "label2id") or is_forecast(model):
            raise ValueError("target is missing: which of the outputs is to be explained?")
        if getattr(model.config, "problem_type", None) == "regression" and shape[0] > 1:
            raise ValueError("target is missing: which of the regression's values is to be explained?")
        return outputs.detach().argmax(-1, keepdim=True)

    if isinstance(target, str):
        labels = getattr(getattr(model, "config", None), "label2id", None) or {}
        if target not in labels:
            raise ValueError(f"the model has no label {target!r}, it has {', '.join(labels) or 'none'}")
        target = labels[target]

    if isinstance(target, Tensor):
        if target.shape != (batch,) or target.is_floating_point():
            raise ValueError(
                f"target is {target.dtype} of shape {tuple(target.shape)}, expected int [{batch}]: one for each row"
            )
        index = target.to(outputs.device).long().unsqueeze(-1)
    else:
        index = torch.tensor(target if isinstance(target, tuple) else (target,), device=outputs.device)
        index = index.long().expand(batch, -1)

    if index.size(1) != len(shape):
        raise ValueError(
            f"target has {index.size(1)} indices, expected {len(shape)}: outputs have shape {tuple(outputs.shape)}"
        )

    limits = torch.tensor(shape, device=outputs.device)
    if bool(((index < 0) | (index >= limits)).any()):
        raise ValueError(f"target {target} is outside the outputs, of shape {tuple(outputs.shape)}")
    return index


def is_forecast(model: nn.Module) -> bool:
    """Tell whether a model forecasts."""
    return getattr(getattr(model, "config", None), "prediction_length", None) is not None
