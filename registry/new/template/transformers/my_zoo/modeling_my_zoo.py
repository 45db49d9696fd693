"""The models."""

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput

from .configuration_my_zoo import MyZooConfig


class MyZooForImageClassification(PreTrainedModel):
    """An image classifier of two linear layers."""

    config_class = MyZooConfig
    main_input_name = "pixel_values"

    def __init__(self, config: MyZooConfig) -> None:
        super().__init__(config)
        self.network = nn.Sequential(
            nn.Linear(config.image_size**2, config.hidden_size),
            nn.ReLU(),
            nn.Linear(config.hidden_size, config.num_labels),
        )
        self.post_init()

    def forward(
        self, pixel_values: Tensor, labels: Tensor | None = None, return_dict: bool | None = None
    ) -> ImageClassifierOutput | tuple[Tensor, ...]:
        """Classify images.

        Parameters
        ----------
        pixel_values : Tensor
            Of shape [batch, channels, image_size, image_size].
        labels : Tensor, optional
            The class of every image, of shape [batch]; the output has a loss then.
        return_dict : bool, optional
            Whether to return an `ImageClassifierOutput`, as is the default, or a tuple.
        """
        logits = self.network(pixel_values.mean(dim=1).flatten(1))  # [batch, num_labels]
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        output = ImageClassifierOutput(loss=loss, logits=logits)
        return output.to_tuple() if return_dict is False else output
