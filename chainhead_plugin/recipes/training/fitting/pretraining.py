"""Train an image backbone once and freeze it, so that a recipe's model and its peers read the same nodes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from ....config.configuration_chainhead import ChainHeadConfig
from ....nodes.image_backbone import build_image_backbone, encode_image
from ....nodes.images import chain_of_image
from ...candidates.frozen import FrozenBackbone
from ...candidates.inputs.images import prepare_images
from ...candidates.inputs.inputs import Inputs
from ...candidates.peers import Candidate
from ...data.examples import Data, Examples
from ...data.splits import split
from ...recipe import Recipe
from ..records import TRAINER, WEIGHTS, keep_run, kept_run
from ..trials import Fold, Trial
from .trainer import fit

_BATCH = 512


def freeze_trained_backbone(
    recipe: Recipe, data: Data, folder: Path, on_epoch: Callable[[int], None] = lambda _: None
) -> FrozenBackbone:
    """Train a recipe's backbone on its share of the training part, or load it, and run it on all other examples.

    Parameters
    ----------
    recipe : Recipe
        With `pretraining`.
    data : Data
        Images.
    folder : Path
        The folder in which the trained backbone is kept.
    on_epoch : callable
        Called with a number of epochs whenever they are done, or not needed.

    Returns
    -------
    FrozenBackbone

    Raises
    ------
    RecipeError
        If the recipe's model or training arguments are not valid.
    """
    options = dict(recipe.pretraining)
    share, rate, seed = options.pop("share"), options.pop("learning_rate"), options.pop("seed", 0)

    rest, own = split(data.train, share, seed)
    inputs = prepare_images(recipe, data.train)
    config = inputs.config(recipe, data.train.names)

    record = kept_run(folder)
    if record is not None:
        on_epoch(backbone_epochs(recipe))
    else:
        trial = Trial(
            replace(recipe, training=options, early_stopping=None),
            "backbone",
            Candidate("backbone", [rate], lambda: _LinearClassifier(config)),
            Fold("backbone", own, None, inputs),
            rate,
            seed,
        )
        result = fit(trial, folder / TRAINER, lambda: on_epoch(1))
        trained: Any = result.model
        record = keep_run(folder, trained.backbone.state_dict(), {"seconds": result.seconds})

    assert config.m is not None
    backbone = build_image_backbone(config.backbone_config, config.m).eval()
    backbone.load_state_dict(load_file(folder / WEIGHTS))
    return FrozenBackbone(
        data=Data(_nodes(config, backbone, inputs, rest), _nodes(config, backbone, inputs, data.test)),
        inputs=inputs,
        config=config,
        backbone=backbone,
        place="backbone",
        seconds=record["seconds"],
    )


def backbone_epochs(recipe: Recipe) -> int:
    """Return the number of epochs for which a recipe's backbone is trained, 0 without `pretraining`."""
    return int(recipe.pretraining.get("num_train_epochs", 3)) if recipe.pretraining else 0


@torch.no_grad()
def _nodes(config: ChainHeadConfig, backbone: Any, inputs: Inputs, examples: Examples) -> Examples:
    """Turn images into chains [L, m] of float32."""
    chains: list[Any] = []
    for start in range(0, len(examples.labels), _BATCH):
        pixels = inputs.batch(examples.inputs[start : start + _BATCH])["pixel_values"]
        chains += list(chain_of_image(config, backbone, pixels).numpy())
    return replace(examples, inputs=chains)


class _LinearClassifier(nn.Module):
    """A backbone, the mean over its places, and a linear map."""

    def __init__(self, config: ChainHeadConfig) -> None:
        super().__init__()
        assert config.m is not None
        self.backbone = build_image_backbone(config.backbone_config, config.m)
        self.classifier = nn.Linear(config.m, config.num_labels)

    def forward(self, pixel_values: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits: Tensor = self.classifier(encode_image(self.backbone, pixel_values).mean((2, 3)))
        if labels is None:
            return {"logits": logits}
        return {"loss": F.cross_entropy(logits, labels), "logits": logits}
