"""Every kind of chain, option of a head and field of a configuration, with the words of its card."""

from transformers import BertConfig

# By kind of chain, the words that its card has for it, as a regular expression.
KINDS = {
    "single_hop": "single hop",
    "multihop": "hops? at once|all of up to",
    "inverse": "inverse",
    "exponential": "exponential",
    "channel_hops": "a hop for each channel",
}
# By option of the head: a configuration with it, and the words that its card has for it.
OPTIONS = {
    "m": ({"m": 7}, "7 before"),
    "n": ({"n": 9}, "9 after"),
    "channel_num": ({"channel_num": 3}, "3 channels"),
    "bi_directional": ({"bi_directional": True}, "bi-directional"),
    "with_multihop": ({"with_multihop": True, "h": 3}, "3 hops at once"),
    "h": ({"with_multihop": True}, "1 hop at once"),
    "accumulative": ({"with_multihop": True, "h": 3, "accumulative": True}, "all of up to 3 hops"),
    "with_inverse_approx": ({"with_inverse_approx": True}, "inverse"),
    "with_exponential_approx": ({"with_exponential_approx": True}, "exponential"),
    "self_dependence": ({"self_dependence": False}, "no node takes in itself"),
    "self_scaling": ({"self_scaling": -0.7}, "-0.7 times itself"),
    "with_taylor": ({"with_taylor": True}, "Taylor expansion of degree 2"),
    "d": ({"with_taylor": True, "d": 3}, "Taylor expansion of degree 3"),
    "with_dual_lphm": ({"with_dual_lphm": True}, "dual LPHM of rank 3"),
    "with_lorr": ({"with_lorr": True}, "LORR of rank 3"),
    "r": ({"with_lorr": True, "r": 2}, "LORR of rank 2"),
    "enable_bias": ({"enable_bias": True}, "bias"),
    "with_residual": ({"with_residual": True}, "residual"),
    "with_batch_norm": ({"with_batch_norm": True}, "BatchNorm"),
    "with_relu": ({"with_relu": False}, "nothing"),
    "with_softmax": ({"with_softmax": True}, "softmax"),
    "with_dropout": ({"with_dropout": True}, "dropout 0.25"),
    "p": ({"with_dropout": True, "p": 0.5}, "dropout 0.5"),
    "channel_hops": ({"channel_hops": [2, 0, 70]}, "a hop for each channel (2, 0, 70)"),
    "decay": ({"with_inverse_approx": True, "decay": 0.4}, "decay γ = 0.4"),
    "with_learned_decay": (
        {"with_exponential_approx": True, "decay": 0.4, "with_learned_decay": True},
        "decay γ learned for every feature, from 0.4",
    ),
}
# A card says nothing of the head's name, of how far "flatten" goes, and of how weights that are trained began.
UNTOLD = {
    "name": {"name": "mine"},
    "chain_length": {"chain_length": 5},
    "parameters_init_method": {"parameters_init_method": "kaiming_uniform"},
}
# By other field: a configuration with it, and the words that its card has for it.
TOKENS = BertConfig(
    hidden_size=4, num_attention_heads=1, num_hidden_layers=1, intermediate_size=4, vocab_size=9
)
FORECAST = {"m": 2, "prediction_length": 2, "pooling": "flatten", "chain_length": 6}
LEVELS = {"quantiles": [0.1, 0.5, 0.9]}
FIXED = FORECAST | {"scaling": "fixed", "fixed_loc": [0.5, 1], "fixed_scale": [2, 3]}
FIELDS = {
    "hidden_sizes": ({"hidden_sizes": [5, 4]}, "5, 4"),
    "pooling": ({"pooling": ["last", "std"]}, "last, std"),
    "with_differences": ({"hidden_sizes": [5], "with_differences": True}, "differences of nodes"),
    "normalisation": ({"hidden_sizes": [5, 4], "normalisation": "post-layer"}, "LayerNorm of their output"),
    "identity_residual": ({"hidden_sizes": [5, 5], "identity_residual": True}, "identity residual"),
    "channel_dropout": ({"hidden_sizes": [5], "channel_dropout": 0.2}, "dropout 0.2 of channels"),
    "vocab_size": ({"vocab_size": 9}, "embedded tokens of a vocabulary of 9"),
    "pad_token_id": ({"vocab_size": 9, "pad_token_id": 3}, "padding token 3"),
    "backbone_config": ({"backbone_config": TOKENS}, "last hidden states of a bert"),
    "freeze_backbone": ({"backbone_config": TOKENS, "freeze_backbone": True}, "of a frozen bert"),
    "image_size": ({"image_size": [6, 8]}, "rows of pixels, 3 channels, images of 6 × 8 pixels"),
    "num_channels": ({"image_size": 8, "num_channels": 1}, "rows of pixels, 1 channel,"),
    "patch_size": ({"patch_size": 4}, "patches of 4 × 4 pixels, 3 channels, serpentine order"),
    "scan": ({"patch_size": 4, "scan": "row-major"}, "row-major order"),
    "prediction_length": (FORECAST, "2 steps of 2 channels"),
    "prediction_channel_indices": (FORECAST | {"prediction_channel_indices": [1]}, "those at 1 alone"),
    "quantiles": (FORECAST | LEVELS, "0.1, 0.5, 0.9"),
    "loss": (FORECAST | {"loss": "mae"}, "mae"),
    "scaling": (FORECAST | {"scaling": "last"}, "its own last value"),
    "with_observed_indicator": (FORECAST | {"with_observed_indicator": True}, "which of the channels were"),
    "num_time_features": (FORECAST | {"num_time_features": 1}, "1 covariate known for the future"),
    "constant_features": (FORECAST | {"constant_features": [1]}, "did not vary in training | 1"),
    "seasons": (FORECAST | {"seasons": [2, 3]}, "the last values of seasons of 2, 3 steps"),
    "with_linear_path": (FORECAST | {"with_linear_path": True}, "a linear map of the last 6 steps"),
    "fixed_loc": (FIXED, "all series less 0.5, 1"),
    "fixed_scale": (FIXED, "divided by 2, 3"),
    "interpolate_missing": (FORECAST | {"interpolate_missing": True}, "interpolated"),
    "quantile_offsets": (FORECAST | LEVELS | {"quantile_offsets": [-0.1, 0.0, 0.2]}, "0.9, calibrated"),
}
