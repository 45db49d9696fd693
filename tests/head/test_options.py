"""Options are checked before memory is allocated, and errors name them."""

import inspect
import time
from dataclasses import MISSING, FrozenInstanceError, fields, replace

import numpy as np
import pytest

from chainhead_plugin import ChainInterdependenceHead
from chainhead_plugin.head.linear.reduced_reconciliation import closest_factors
from chainhead_plugin.head.options import HeadOptions


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"m": 0}, ValueError, "m must be a whole number between 1 and"),
        ({"n": -3}, ValueError, "n must be a whole number between 1 and"),
        ({"m": 2.0}, TypeError, "m must be a whole number between 1 and .*, got 2.0 of type float"),
        ({"n": True}, TypeError, "n must be a whole number .*, got True of type bool"),
        ({"m": np.int64(4)}, TypeError, "m must be a whole number"),
        ({"chain_length": 0}, ValueError, "chain_length must be a whole number between"),
        ({"channel_num": 0}, ValueError, "channel_num must be a whole number between"),
        ({"with_multihop": True, "h": 0}, ValueError, "h must be a whole number between 1 and 1,000"),
        ({"with_multihop": True, "h": 10**9}, ValueError, "h must be a whole number between 1 and 1,000"),
        ({"with_lorr": True, "r": 0}, ValueError, "r must be a whole number between"),
        ({"with_taylor": True, "d": 0}, ValueError, "d must be a whole number between"),
        (
            {"with_dropout": True, "p": 1.0},
            ValueError,
            "p must be a finite number of at least 0 and below 1, got 1.0",
        ),
        ({"with_dropout": True, "p": "0.5"}, TypeError, "p must be a finite number"),
        ({"self_scaling": float("nan")}, ValueError, "self_scaling must be a finite number, got nan"),
        ({"self_scaling": None}, TypeError, "self_scaling must be a finite number"),
        ({"bi_directional": 1}, TypeError, "bi_directional must be True or False, got 1"),
        ({"with_relu": "yes"}, TypeError, "with_relu must be True or False"),
        ({"parameters_init_method": "normal"}, ValueError, "xavier_normal, .*got 'normal'"),
        (
            {"with_multihop": True, "with_inverse_approx": True},
            ValueError,
            "with_multihop and with_inverse_approx",
        ),
        (
            {"with_inverse_approx": True, "with_exponential_approx": True},
            ValueError,
            "with_inverse_approx and with_exponential_approx",
        ),
        ({"with_lorr": True, "with_dual_lphm": True}, ValueError, "with_lorr and with_dual_lphm"),
        ({"h": 3}, ValueError, "h=3 has no effect without with_multihop=True"),
        ({"accumulative": True}, ValueError, "accumulative=True has no effect without with_multihop=True"),
        ({"d": 3}, ValueError, "d=3 has no effect without with_taylor=True"),
        ({"p": 0.5}, ValueError, "p=0.5 has no effect without with_dropout=True"),
        ({"r": 5}, ValueError, "r=5 has no effect without with_lorr=True or with_dual_lphm=True"),
        ({"with_inverse_approx": True, "self_scaling": 0.5}, ValueError, "self_scaling=0.5 has no effect"),
        (
            {"with_exponential_approx": True, "self_dependence": False},
            ValueError,
            "self_dependence=False has no",
        ),
        ({"channel_hops": []}, ValueError, "between 1 and 256 hops, got 0"),
        ({"channel_hops": 3}, TypeError, "channel_hops must be a list of whole numbers"),
        ({"channel_hops": [0, 1.0]}, TypeError, "a hop of channel_hops must be a whole number .*, got 1.0"),
        ({"channel_hops": [0, True]}, TypeError, "a hop of channel_hops must be a whole number"),
        ({"channel_hops": list(range(300))}, ValueError, "between 1 and 256 hops, got 300"),
        (
            {"channel_hops": [0, 1001]},
            ValueError,
            "a hop .* a whole number between -1,000 and 1,000, got 1,001",
        ),
        ({"channel_hops": [2, 0, 2]}, ValueError, "channel_hops has 2 twice"),
        (
            {"channel_hops": [0, -2]},
            ValueError,
            "-2, which takes from nodes to come: set bi_directional=True",
        ),
        ({"channel_hops": [0, 2], "bi_directional": True}, ValueError, "bi_directional=True has no effect"),
        ({"channel_hops": [0, 2], "channel_num": 3}, ValueError, "channel_num=3 differs from the 2 channels"),
        (
            {"channel_hops": [0], "with_multihop": True},
            ValueError,
            "with_multihop and channel_hops contradict",
        ),
        (
            {"channel_hops": [0], "with_inverse_approx": True},
            ValueError,
            "with_inverse_approx and channel_hops contradict",
        ),
        ({"channel_hops": [1], "self_dependence": False}, ValueError, "hop 0 stand for the node itself"),
        ({"channel_hops": [1], "self_scaling": 2.0}, ValueError, "self_scaling=2.0 has no effect"),
        ({"decay": 0.5}, ValueError, "decay=0.5 has no effect without with_inverse_approx=True or with_exp"),
        ({"decay": 0.5, "with_multihop": True}, ValueError, "decay=0.5 has no effect"),
        ({"decay": 0.5, "channel_hops": [1]}, ValueError, "decay=0.5 has no effect"),
        ({"decay": "0.5", "with_inverse_approx": True}, TypeError, "decay must be a finite number"),
        ({"decay": float("nan"), "with_inverse_approx": True}, ValueError, "decay must be a finite number"),
        (
            {"decay": 1.0, "with_inverse_approx": True},
            ValueError,
            "decay must be a finite number above 0 and below 1, got 1.0",
        ),
        (
            {"decay": 0, "with_exponential_approx": True},
            ValueError,
            "decay must be .* above 0 and below 1, got 0",
        ),
        (
            {"decay": 0.5, "with_inverse_approx": True, "bi_directional": True},
            ValueError,
            "above 0 and below 0.5, got 0.5: the neighbours on both sides",
        ),
        ({"with_learned_decay": True, "with_inverse_approx": True}, ValueError, "needs decay"),
        ({"with_learned_decay": 1}, TypeError, "with_learned_decay must be True or False"),
        ({"unknown": 1}, TypeError, "unknown"),
        ({"name": 5}, TypeError, "name must be a str"),
        (
            {"with_multihop": True, "accumulative": True, "bi_directional": True, "self_scaling": -1.0},
            ValueError,
            "self_scaling=-1.0 with accumulative and bi_directional",
        ),
        ({"m": 2**20, "n": 2**20}, ValueError, r"1,099,511,627,776 weights"),
        ({"m": 1000, "with_taylor": True, "d": 30}, ValueError, "degree d=30"),
        ({"m": 2**33, "n": 2**33, "with_dual_lphm": True, "channel_num": 2**33}, ValueError, "weights"),
    ],
)
def test_bad_options(options, error, message):
    start = time.perf_counter()
    with pytest.raises(error, match=message):
        ChainInterdependenceHead(**{"m": 4, "n": 3, "chain_length": 5} | options)
    assert time.perf_counter() - start < 0.1


def test_a_scaling_that_is_switched_off_is_accepted():
    head = ChainInterdependenceHead(4, 3, 5, self_dependence=False, self_scaling=0.5)
    assert head.interdependence_matrix().diagonal().eq(0).all()


@pytest.mark.parametrize(
    ("size", "factors"), [(1, (1, 1)), (7, (1, 7)), (12, (3, 4)), (64, (8, 8)), (97, (1, 97))]
)
def test_closest_factors(size, factors):
    assert closest_factors(size) == factors


@pytest.mark.parametrize(
    "reconciliation", [{}, {"with_lorr": True, "r": 2}, {"with_dual_lphm": True, "r": 4}]
)
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"with_taylor": True, "d": 3},
        {"channel_num": 3},
        {"channel_hops": [0, 1, 5]},
        {"with_taylor": True, "with_inverse_approx": True, "decay": 0.5, "with_learned_decay": True},
    ],
)
@pytest.mark.parametrize("flags", [False, True])
def test_counted_weights_are_the_weights(reconciliation, extra, flags):
    switches = dict.fromkeys(("enable_bias", "with_residual", "with_batch_norm"), flags)
    head = ChainInterdependenceHead(6, 4, 5, **reconciliation, **extra, **switches)
    options = HeadOptions(m=6, n=4, chain_length=5, **reconciliation, **extra, **switches)
    assert options.weight_count == sum(parameter.numel() for parameter in head.parameters())


def test_the_constructor_takes_these_options_with_these_defaults():
    parameters = inspect.signature(ChainInterdependenceHead).parameters
    apart = {"name", "device", "dtype"}
    assert {name: parameter.default for name, parameter in parameters.items() if name not in apart} == {
        option.name: inspect.Parameter.empty if option.default is MISSING else option.default
        for option in fields(HeadOptions)
    }


def test_options_are_values():
    options = HeadOptions(m=4, n=3, chain_length=5, channel_hops=[0, 2])
    assert options == HeadOptions(m=4, n=3, chain_length=5, channel_hops=(0, 2))
    assert len({options, replace(options, m=4)}) == 1
    with pytest.raises(FrozenInstanceError):
        options.m = 5
    with pytest.raises(ValueError, match="d=3 has no effect"):
        replace(options, d=3)
