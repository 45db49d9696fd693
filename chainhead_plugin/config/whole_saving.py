"""Configurations are saved whole or not at all."""

import os
from typing import Any

from ..storage.saving import complete_interrupted_save
from ..storage.whole_files import whole_file


class WholeConfigMixin:
    """A `save_pretrained` that leaves either the old or the new configuration, for `PreTrainedConfig`s."""

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> None:
        """Save the configuration alone, whole or not at all; as `PreTrainedConfig.save_pretrained`."""
        complete_interrupted_save(save_directory)
        save: Any = super().save_pretrained  # type: ignore[misc]
        save(save_directory, push_to_hub=push_to_hub, **kwargs)

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write the configuration, whole or not at all; as `PreTrainedConfig.to_json_file`."""
        write: Any = super().to_json_file  # type: ignore[misc]
        with whole_file(json_file_path) as new:
            write(new, use_diff=use_diff)
