"""A stand-in that `AutoVideoProcessor` finds for chainhead models beside which no video processor is saved.

Without it, transformers takes an image processor's code that a checkpoint carries for that of a video processor, and
asks on the terminal whether to run it, even where the plugin is installed.
"""

from typing import Any, NoReturn


class NoChainHeadVideoProcessor:
    """Refuses to be loaded, in place of code that a checkpoint carries."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"{pretrained_model_name_or_path} has no video processor of transformers. A model on an encoder of videos "
            "needs the encoder's own: save it beside the model, with its save_pretrained(folder). Other chainhead "
            "models take sequences, texts or images, as AutoFeatureExtractor, AutoTokenizer or AutoImageProcessor "
            "prepare them"
        )
