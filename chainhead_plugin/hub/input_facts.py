"""The nodes of a model, and everything beside the chain of a forecaster, in the words of its card."""

from ..config.configuration_chainhead import ChainHeadConfig
from ..config.images import height_and_width, scans

_SCALES = {
    "std": "each channel of a series by its own mean and standard deviation",
    "mean": "each channel of a series by its own mean absolute value",
    "last": "each channel of a series by its own last value and standard deviation",
    None: "none",
}


def node_facts(config: ChainHeadConfig) -> dict[str, str]:
    """Return a card's row about the nodes of a chain, of models that make them of texts or images."""
    words = []
    if config.vocab_size is not None:
        words.append(f"embedded tokens of a vocabulary of {config.vocab_size:,}")
    elif config.backbone_config is not None:
        frozen = "frozen " if config.freeze_backbone else ""
        words.append(f"last hidden states of a {frozen}{config.backbone_config.model_type}")  # type: ignore[union-attr]
    elif config.patch_size is not None:
        words.append(f"patches of {config.patch_size} × {config.patch_size} pixels")
    elif config.image_size is not None:
        words.append("rows of pixels")

    if config.pad_token_id is not None:
        words.append(f"padding token {config.pad_token_id}")
    if config.patch_size is not None or config.image_size is not None:
        channels = config.image_channels
        words.append(f"{channels} channel{'s' if channels > 1 else ''}")
    if config.image_size is not None:
        words.append("images of {} × {} pixels".format(*height_and_width(config.image_size)))
    if scans(config):
        words.append(f"{config.scan or 'serpentine'} order")
    return {"nodes": ", ".join(words)} if words else {}


def forecast_facts(config: ChainHeadConfig) -> dict[str, str]:
    """Return a card's rows about a forecaster, none of other models."""
    if config.prediction_length is None:
        return {}
    channels = config.num_input_channels
    targets = config.prediction_channel_indices or range(channels)
    facts = {
        "forecast": f"{_count(config.prediction_length, 'step')} of {_count(channels, 'channel')}",
        "loss": config.loss or ("pinball" if config.quantiles else "mse"),
        "scales": _scales(config),
        "missing values": "interpolated" if config.interpolate_missing else "zero after scaling",
    }
    if len(targets) < channels:
        facts["forecast"] += f", those at {_listed(targets)} alone"
    if config.quantiles:
        calibrated = ", calibrated" if any(config.quantile_offsets) else ""
        facts["quantiles"] = _listed(config.quantiles) + calibrated

    inputs = []
    if config.with_observed_indicator:
        inputs.append("which of the channels were observed")
    if config.num_time_features:
        inputs.append(f"{_count(config.num_time_features, 'covariate')} known for the future")
    if inputs:
        facts["nodes"] = ", ".join(["channels", *inputs])
    if config.constant_features:
        facts["features that did not vary in training"] = _listed(config.constant_features)

    beside = []
    if config.with_linear_path:
        beside.append(f"a linear map of the last {_count(config.chain_length, 'step')}")
    if config.seasons:
        beside.append(f"the last values of seasons of {_listed(config.seasons)} steps")
    if beside:
        facts["added to the chain's forecast"] = ", ".join(beside)
    return facts


def _scales(config: ChainHeadConfig) -> str:
    if config.scaling == "fixed":
        return f"all series less {_listed(config.fixed_loc)}, divided by {_listed(config.fixed_scale)}"
    return _SCALES[config.scaling]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _listed(values: object) -> str:
    assert isinstance(values, list | range)
    return ", ".join(f"{value:g}" for value in values)
