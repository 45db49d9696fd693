"""The input of a backbone, by its name: tokens, recordings, series, images or videos."""

from typing import Any

from transformers.configuration_utils import PreTrainedConfig


def input_of(config: PreTrainedConfig) -> str:
    """Return the name of the input of the model that a backbone's configuration describes, such as "input_ids".

    Raises
    ------
    ValueError
        If transformers has no model for the configuration.
    """
    # Only when asked, as it imports torch.
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING, MODEL_MAPPING

    if type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING:
        return "input_ids"
    if type(config) not in MODEL_MAPPING:
        raise ValueError(
            f"backbone_config is a {type(config).__name__}, of which transformers has no encoder"
        )
    found: Any = MODEL_MAPPING[type(config)]
    name: str = (found[0] if isinstance(found, tuple) else found).main_input_name
    return name


def takes_videos(config: PreTrainedConfig) -> bool:
    """Tell whether the model that a backbone's configuration describes takes videos, whose input is named as images."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING

    # The table also has this plugin's models on such encoders, by a configuration that describes many other models.
    return config.model_type != "chainhead" and type(config) in MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING


def frames_of(config: Any) -> int | None:
    """Return how many frames the videos of a backbone have; None where its configuration does not say so."""
    return getattr(config, "num_frames", getattr(config, "frames_per_clip", None))


def reads_tokens(config: PreTrainedConfig) -> bool:
    """Tell whether the model that a backbone's configuration describes takes token ids."""
    try:
        return input_of(config) == "input_ids"
    except ValueError:
        return False
