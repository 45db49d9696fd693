"""Checks of a checkpoint's weights against a model, before anything is initialised."""

from typing import Any

from transformers import __version__
from transformers.integrations.accelerate import accelerate_dispatch

# More weights than this are initialised only where a checkpoint brings as many: a small download must not fill
# the memory. 2²⁷ are 512 MiB in float32.
MAX_MISSING = 2**27


class CheckedLoadMixin:
    """Errors that name the weights that do not fit, for `PreTrainedModel`s."""

    @staticmethod
    def _finalize_model_loading(model: Any, load_config: Any, loading_info: Any) -> Any:
        if not load_config.ignore_mismatched_sizes:
            _check_sizes(model, loading_info.mismatched_keys)
        _check_missing(model, loading_info.missing_and_mismatched())
        # transformers calls the method of the model's class, which is a subclass of this class.
        following = super(CheckedLoadMixin, type(model))
        return following._finalize_model_loading(model, load_config, loading_info)  # type: ignore[attr-defined]


def _check_sizes(model: Any, mismatched: set[tuple[str, Any, Any]]) -> None:
    if not mismatched:
        return
    sizes = "; ".join(
        f"{name} is {list(stored)} in the checkpoint and {list(expected)} by the configuration"
        for name, stored, expected in sorted(mismatched)
    )
    raise RuntimeError(
        f"the checkpoint does not fit {type(model).__name__}, its sizes are mismatched: {sizes}. Load it with its own "
        "configuration, or pass ignore_mismatched_sizes=True to initialise these weights anew"
    )


def _check_missing(model: Any, names: set[str]) -> None:
    sizes = {name: tensor.numel() for name, tensor in model.state_dict().items()}
    missing = sum(sizes.get(name, 0) for name in names - model.all_tied_weights_keys.keys())
    found = sum(sizes.values()) - missing
    if missing > max(MAX_MISSING, found):
        raise RuntimeError(
            f"the checkpoint brings {found:,} of the {found + missing:,} weights that its configuration asks for: it "
            f"is damaged, or the two do not belong together. For an untrained model, use {type(model).__name__}(config)"
        )


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
