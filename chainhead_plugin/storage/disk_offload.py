"""Models whose weights are all left on the disk, with every version of transformers."""

from typing import Any

from transformers import __version__
from transformers.integrations.accelerate import accelerate_dispatch

# transformers before 5.13 fetches weights from the disk only where some of the model is elsewhere.
_FORGETS_MODELS_ON_DISK = tuple(map(int, __version__.split(".")[:2])) < (5, 13)


class DiskOffloadMixin:
    """For `PreTrainedModel`s: a `device_map` that puts everything on the disk gives a model that runs."""

    @staticmethod
    def _load_pretrained_model(model: Any, *args: Any, **kwargs: Any) -> Any:
        following = super(DiskOffloadMixin, type(model))
        loading_info, index = following._load_pretrained_model(model, *args, **kwargs)  # type: ignore[attr-defined]
        model._disk_offload_index = index
        return loading_info, index

    @staticmethod
    def _finalize_model_loading(model: Any, load_config: Any, loading_info: Any) -> Any:
        following = super(DiskOffloadMixin, type(model))
        found = following._finalize_model_loading(model, load_config, loading_info)  # type: ignore[attr-defined]
        index = model.__dict__.pop("_disk_offload_index")
        if _FORGETS_MODELS_ON_DISK and set((load_config.device_map or {}).values()) == {"disk"}:
            accelerate_dispatch(
                model,
                load_config.hf_quantizer,
                load_config.device_map,
                load_config.disk_offload_folder,
                index,
                load_config.offload_buffers,
            )
        return found
