"""The model: plain torch."""

from torch import Tensor, nn


class DigitClassifier(nn.Module):
    """An image classifier of two linear layers.

    Parameters
    ----------
    image_size : int
        Height and width of an image, in pixels.
    hidden_size : int
        Features between the layers.
    num_labels : int
        The number of classes.
    """

    def __init__(self, image_size: int = 8, hidden_size: int = 32, num_labels: int = 10) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(image_size**2, hidden_size), nn.ReLU(), nn.Linear(hidden_size, num_labels)
        )

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Map images of shape [batch, channels, image_size, image_size] to logits of shape [batch, num_labels]."""
        return self.network(pixel_values.mean(dim=1).flatten(1))
