"""Sizes that follow from the fields of a configuration."""

from typing import Any

from transformers.configuration_utils import PreTrainedConfig

from ..head.expansion import expanded_features
from .backbone_input import frames_of
from .pooling import Pooling, pooled_width, poolings_of


class DerivedSizes:
    """Numbers of features, layers and channels that follow from the fields of `ChainHeadConfig`."""

    m: int | None
    n: int | None
    d: int
    chain_length: int
    with_taylor: bool
    with_differences: bool
    hidden_sizes: list[int]
    pooling: Pooling | list[Pooling]
    num_channels: int | None
    prediction_length: int | None
    prediction_channel_indices: list[int] | None
    quantiles: list[float]
    with_observed_indicator: bool
    num_time_features: int
    backbone_config: dict[str, Any] | PreTrainedConfig | None

    @property
    def image_channels(self) -> int:
        """Channels of an image without a backbone."""
        return 3 if self.num_channels is None else self.num_channels

    @property
    def num_frames(self) -> int:
        """Frames of a video, by the name that transformers' pipeline reads; no attribute of models of other inputs."""
        frames = frames_of(self.backbone_config)
        if frames is None:
            raise AttributeError(
                "the configuration has no encoder of videos, of whose frames num_frames is the number"
            )
        return frames

    @property
    def num_hidden_layers(self) -> int:
        """Number of layers, each of which has a chain head."""
        return max(1, len(self.hidden_sizes))

    @property
    def perceptron_degree(self) -> int:
        """Degree of the Taylor expansion in a stack's perceptrons and classifier; 1 is none."""
        return self.d if self.hidden_sizes and self.with_taylor else 1

    @property
    def pooled_size(self) -> int:
        """Features that a sequence classifier's linear map takes, after pooling and expansion."""
        return expanded_features(self.context_size, self.perceptron_degree)

    @property
    def num_input_channels(self) -> int:
        """Variables of a series that a forecaster takes."""
        assert self.m is not None
        return (self.m - self.num_time_features) // (2 if self.with_observed_indicator else 1)

    @property
    def num_targets(self) -> int:
        """Variables of a series that a forecaster gives."""
        if self.prediction_channel_indices is None:
            return self.num_input_channels
        return len(self.prediction_channel_indices)

    @property
    def context_size(self) -> int:
        """Features of a pooled chain."""
        assert self.n is not None
        return pooled_width(self.pooling, self.n, self.chain_length)

    @property
    def poolings(self) -> tuple[str, ...]:
        """The poolings whose features make a pooled chain."""
        return poolings_of(self.pooling)

    @property
    def known_size(self) -> int:
        """Features that a forecaster's linear map takes: the pooled chain and the known features of the future."""
        return self.context_size + (self.prediction_length or 0) * self.num_time_features

    @property
    def forecast_size(self) -> int:
        """Numbers that a forecaster's linear map gives; 0 for other models."""
        return (self.prediction_length or 0) * self.num_targets * max(1, len(self.quantiles))

    def width_before(self, layer: int) -> int:
        """Features of a node that a stack's layer maps: those of the layer before, or of the input."""
        assert self.m is not None
        if layer:
            return self.hidden_sizes[layer - 1]
        return 2 * self.m if self.with_differences else self.m
