"""The file of a feature extractor: read where a save was cut short too, and written whole."""

import os
from pathlib import Path
from typing import Any

from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.utils import FEATURE_EXTRACTOR_NAME

from ..storage.code_origin import AutoClassMixin
from ..storage.saving import companion
from ..storage.whole_files import whole_file


class FeatureExtractorFile(AutoClassMixin, SequenceFeatureExtractor):
    """A feature extractor that reads and writes ``preprocessor_config.json`` safely."""

    @classmethod
    def get_feature_extractor_dict(
        cls, pretrained_model_name_or_path: Any, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields of a file, and the other arguments: as `SequenceFeatureExtractor`, during a save too."""
        folder = Path(str(pretrained_model_name_or_path), kwargs.get("subfolder") or "")
        if folder.is_dir() and (place := companion(folder, FEATURE_EXTRACTOR_NAME).parent) != folder:
            pretrained_model_name_or_path, kwargs = place, {**kwargs, "subfolder": ""}
        found: tuple[dict[str, Any], dict[str, Any]] = super().get_feature_extractor_dict(
            pretrained_model_name_or_path, **kwargs
        )
        return found

    @classmethod
    def from_dict(cls, feature_extractor_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make an extractor from the fields of a file, if the file is a feature extractor's.

        Raises
        ------
        ValueError
            If it is an image processor's, as in the folder of a model of images.
        """
        stated = (
            feature_extractor_dict if isinstance(feature_extractor_dict, dict) else {}
        )  # files hold anything
        other = stated.get("image_processor_type")
        if other is not None and "feature_extractor_type" not in stated:
            raise ValueError(f"this model has a {other}, no feature extractor: use AutoImageProcessor")
        return super().from_dict(feature_extractor_dict, **kwargs)

    def to_json_file(self, json_file_path: str | os.PathLike[str]) -> None:
        """Write ``preprocessor_config.json``, whole or not at all."""
        with whole_file(json_file_path) as new:
            super().to_json_file(new)
