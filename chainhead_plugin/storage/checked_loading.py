"""What is checked when the weights of a checkpoint meet a model, before anything is initialised."""

from typing import Any

# More weights than this are initialised only where a checkpoint brings as many: a small download must not fill
# the memory. 2²⁷ are 512 MiB in float32.
MAX_MISSING = 2**27


class CheckedLoadMixin:
    """Errors that name what does not fit, for `PreTrainedModel`s."""

    @staticmethod
    def _finalize_model_loading(model: Any, load_config: Any, loading_info: Any) -> Any:
        if not load_config.ignore_mismatched_sizes:
            _check_sizes(model, loading_info.mismatched_keys)
        _check_missing(model, loading_info.missing_and_mismatched())
        # transformers calls the method of the model's class, which is below this one.
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
