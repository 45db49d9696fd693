"""Inputs of models of series, sounds or videos on a pretrained encoder."""

from dataclasses import replace

from ...data.examples import Examples
from ...pretrained.encoder import Encoder
from ...pretrained.nodes import shape_of_nodes
from ...recipe import Recipe
from .inputs import Inputs


def on_encoder(inputs: Inputs, recipe: Recipe, encoder: Encoder, training: Examples) -> Inputs:
    """Return inputs for models that contain an encoder.

    The features of a node, and the nodes of the longest chain, follow from the longest training example. A frozen
    encoder makes the nodes of all examples anyway, so that its caller knows them.

    Parameters
    ----------
    inputs : Inputs
        The preprocessing for the encoder.
    recipe : Recipe
        It states whether the encoder is frozen.
    encoder : Encoder
    training : Examples
    """
    fields = {"backbone_config": encoder.config, "freeze_backbone": recipe.on_frozen_encoder}
    if not recipe.on_frozen_encoder:
        longest = max(training.inputs, key=len)
        length, width = shape_of_nodes(encoder.new(), inputs.batch([longest]))
        fields |= {"m": width, "chain_length": length}
    return replace(inputs, fields=fields, encoder=encoder)
