"""Configuration of a stack's layers: hops for each layer, the parts around them, and errors that name the field."""

import pytest
from huggingface_hub.errors import StrictDataclassError

import chainhead_plugin as c
from chainhead_plugin.config import dilated_hops

WRONG = {
    "lists for 2 layers, but hidden_sizes has 1 widths": {"hidden_sizes": [4], "channel_hops": [[0], [1]]},
    "lists for 1 layers, but hidden_sizes has 0": {"channel_hops": [[0, 1]]},
    "Invalid item at index 1": {"hidden_sizes": [4, 4], "channel_hops": [[0], 1]},
    "which takes from nodes to come": {"hidden_sizes": [4, 4], "channel_hops": [[0, 1], [-1, 1]]},
    "bi_directional=True has no effect": {
        "hidden_sizes": [4, 4],
        "channel_hops": [[0, 1], [0]],
        "bi_directional": True,
    },
    "has 1 twice": {"hidden_sizes": [4, 4], "channel_hops": [[0, 1], [1, 1]]},
    "channel_hops must hold between 1 and": {"hidden_sizes": [4, 4], "channel_hops": [[0, 1], []]},
    "with_differences=True has no effect": {"with_differences": True},
    "normalisation='pre-batch' has no effect": {"normalisation": "pre-batch"},
    "identity_residual=True has no effect without": {"identity_residual": True},
    "channel_dropout=0.1 has no effect": {"channel_dropout": 0.1},
    "no layer's width": {"m": 3, "hidden_sizes": [4, 5], "identity_residual": True},
    "channel_dropout must be a finite number of at least 0 and below 1": {
        "hidden_sizes": [4],
        "channel_dropout": 1.0,
    },
    "pooling has 'mean' twice": {"pooling": ["mean", "mean"]},
    "pooling is an empty list": {"pooling": []},
    "pooling|Pooling": {"pooling": ["mean", "median"]},
    "normalisation": {"hidden_sizes": [4], "normalisation": "batch"},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_named(message):
    with pytest.raises(StrictDataclassError, match=message):
        c.ChainHeadConfig(**WRONG[message])


def test_layers_have_hops_of_their_own(tmp_path):
    hops = [[0, 1], [-2, 0, 2], [0, 3]]
    config = c.ChainHeadConfig(m=3, hidden_sizes=[4, 5, 6], channel_hops=hops, bi_directional=True)
    config.save_pretrained(tmp_path)
    config = c.ChainHeadConfig.from_pretrained(tmp_path)
    model = c.ChainHeadModel(config)
    assert [list(layer.head.chain.channel_hops) for layer in model.layers] == hops
    assert [layer.head.chain.bi_directional for layer in model.layers] == [False, True, False]


def test_weights_are_counted():
    for place in ("pre", "post"):
        for kind in ("batch", "layer"):
            config = c.ChainHeadConfig(
                m=3, hidden_sizes=[4, 5], normalisation=f"{place}-{kind}", with_differences=True
            )
            layers = c.ChainHeadModel(config).layers
            assert sum(p.numel() for p in layers.parameters()) == 6 * 4 + 4 * 4 + 4 * 5 + 5 * 5 + (
                20 if place == "pre" else 18
            )


def test_dilated_hops():
    assert dilated_hops(3, reach=2) == [[-2, -1, 0, 1, 2], [-4, -2, 0, 2, 4], [-8, -4, 0, 4, 8]]
    assert dilated_hops(3, reach=1, causal=True) == [[0, 1, 2], [0, 2, 4], [0, 4, 8]]
    assert dilated_hops(2, reach=1, growth=1) == [[-1, 0, 1]] * 2
    assert dilated_hops(3, reach=1, longest=3) == [[-1, 0, 1], [-2, 0, 2], [-2, 0, 2]]
    assert dilated_hops(12, reach=4)[-1][-1] == 4 * 128  # 4·256 would be beyond what a head takes
    assert all(
        c.ChainHeadConfig(hidden_sizes=[4] * 12, channel_hops=dilated_hops(12, causal=True)).channel_hops
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layers": 0}, ValueError, "layers must be a whole number of at least 1, got 0"),
        ({"layers": 2.0}, TypeError, "layers must be a whole number"),
        ({"layers": 2, "growth": 0}, ValueError, "growth must be a whole number of at least 1"),
        ({"layers": 2, "longest": 0}, ValueError, "longest must be a whole number of at least 1"),
        ({"layers": 2, "reach": 600, "causal": True}, ValueError, "beyond 1,000"),
    ],
)
def test_dilated_hops_refuses(options, error, message):
    with pytest.raises(error, match=message):
        dilated_hops(**options)
