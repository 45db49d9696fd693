"""Configuration of the models."""

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig


@strict
class MyZooConfig(PreTrainedConfig):
    """Configuration of an image classifier of two linear layers.

    Parameters
    ----------
    image_size : int
        Height and width of an image, in pixels.
    hidden_size : int
        Features between the layers.
    """

    model_type = "my-zoo"

    image_size: int = 8
    hidden_size: int = 32
