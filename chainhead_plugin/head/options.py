"""The head's options, checked before anything is allocated."""

import math
from collections.abc import Mapping
from typing import Any

from ..chain.kinds import Chain
from .expansion import expanded_features
from .reconciliation import closest_factors

INITIALISERS = ("xavier_normal", "xavier_uniform", "kaiming_uniform", "fanout_std_uniform")

# A tensor of more weights than this is a mistake or an attack, not a head.
MAX_PARAMETERS = 2**33
MAX_LENGTH = 2**31 - 1
MAX_HOPS = 1000
MAX_HOP_CHANNELS = 256

# Values that mean something only with the switch that they belong to, and their defaults.
_SWITCHED_VALUES = {
    "h": ("with_multihop", 1),
    "accumulative": ("with_multihop", False),
    "d": ("with_taylor", 2),
    "p": ("with_dropout", 0.25),
}
_DECAYING_KINDS = ("with_inverse_approx", "with_exponential_approx")


def _check_count(options: Mapping[str, Any], name: str, most: int) -> None:
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r} of type {type(value).__name__}")
    if not 1 <= value <= most:
        raise ValueError(f"{name} must be between 1 and {most:,}, got {value:,}")


def _check_number(options: Mapping[str, Any], name: str) -> None:
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a float, got {value!r} of type {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")


def check_head_options(options: Mapping[str, Any]) -> None:
    """Check every option of the head, in types, ranges and combinations.

    Parameters
    ----------
    options : mapping
        The keyword arguments of `ChainInterdependenceHead` that say what it computes: all but `name`,
        `device` and `dtype`.

    Raises
    ------
    TypeError
        If an option has the wrong type; the message names it.
    ValueError
        If an option is out of range, has no effect because the switch it belongs to is off, or contradicts
        another; the message names them.
    """
    for name in ("m", "n", "channel_num", "r"):
        _check_count(options, name, MAX_PARAMETERS)
    _check_count(options, "chain_length", MAX_LENGTH)
    _check_count(options, "h", MAX_HOPS)
    _check_count(options, "d", 64)
    for name in ("self_scaling", "p", *(() if options["decay"] is None else ("decay",))):
        _check_number(options, name)
    if not 0 <= options["p"] < 1:
        raise ValueError(f"p must be in [0, 1), got {options['p']}")
    for name, value in options.items():
        if (name.startswith("with_") or name in _BOOLEANS) and not isinstance(value, bool):
            raise TypeError(f"{name} must be a bool, got {value!r} of type {type(value).__name__}")
    if options["parameters_init_method"] not in INITIALISERS:
        raise ValueError(
            f"parameters_init_method must be one of {', '.join(INITIALISERS)}, "
            f"got {options['parameters_init_method']!r}"
        )
    _check_combinations(options)
    _check_decay(options)
    _check_channel_hops(options)
    parameters = count_parameters(options)
    if parameters > MAX_PARAMETERS:
        raise ValueError(
            f"these options ask for {parameters:,} weights, more than the {MAX_PARAMETERS:,} allowed: "
            f"m={options['m']:,}, n={options['n']:,}, channel_num={options['channel_num']:,}"
            + (f", with_taylor of degree d={options['d']}" if options["with_taylor"] else "")
        )


_BOOLEANS = ("bi_directional", "accumulative", "self_dependence", "enable_bias")


def _check_combinations(options: Mapping[str, Any]) -> None:
    kinds = [k for k in ("with_multihop", *_DECAYING_KINDS) if options[k]]
    if options["channel_hops"] is not None:
        kinds.append("channel_hops")
    if len(kinds) > 1:
        raise ValueError(f"{' and '.join(kinds)} contradict each other: a chain has one kind, choose one")
    if options["with_lorr"] and options["with_dual_lphm"]:
        raise ValueError("with_lorr and with_dual_lphm contradict each other: choose one reconciliation")
    normalised = options["accumulative"] and options["bi_directional"] and options["self_dependence"]
    if normalised and options["self_scaling"] < 0:
        raise ValueError(
            f"self_scaling={options['self_scaling']} with accumulative and bi_directional: the columns are divided "
            "by their sums, which vanish for some negative values. Choose one of at least 0"
        )
    for name, (switch, default) in _SWITCHED_VALUES.items():
        if options[name] != default and not options[switch]:
            raise ValueError(f"{name}={options[name]} has no effect without {switch}=True")
    if options["r"] != 3 and not (options["with_lorr"] or options["with_dual_lphm"]):
        raise ValueError(f"r={options['r']} has no effect without with_lorr=True or with_dual_lphm=True")
    if kinds and kinds != ["with_multihop"]:
        for name, default in (("self_dependence", True), ("self_scaling", 1.0)):
            if options[name] != default:
                raise ValueError(
                    f"{name}={options[name]} has no effect with {kinds[0]}, whose chain matrix is made of "
                    "neighbours alone: leave it at its default"
                    + (", and let hop 0 stand for the node itself" if kinds == ["channel_hops"] else "")
                )


def decay_limit(options: Mapping[str, Any]) -> float:
    """What γ stays below: where the bi-directional inverse's sum of all powers diverges, or 1."""
    return 0.5 if options["with_inverse_approx"] and options["bi_directional"] else 1.0


def _check_decay(options: Mapping[str, Any]) -> None:
    decay = options["decay"]
    if decay is None:
        if options["with_learned_decay"]:
            raise ValueError(
                "with_learned_decay=True needs decay, which it starts at: decay=0.4, for example"
            )
        return
    if not any(options[kind] for kind in _DECAYING_KINDS):
        raise ValueError(f"decay={decay} has no effect without {'=True or '.join(_DECAYING_KINDS)}=True")
    limit = decay_limit(options)
    if not 0 < decay < limit:
        raise ValueError(
            f"decay must be between 0 and {limit:g}, both excluded, got {decay}"
            + ("" if limit == 1 else ": the neighbours on both sides together must decay, so each by a half")
        )


def _check_channel_hops(options: Mapping[str, Any]) -> None:
    hops = options["channel_hops"]
    if hops is None:
        return
    if not isinstance(hops, list | tuple) or any(isinstance(h, bool) or not isinstance(h, int) for h in hops):
        raise TypeError(f"channel_hops must be a list of int, such as [0, 1, 2, 4], got {hops!r}")
    if not 1 <= len(hops) <= MAX_HOP_CHANNELS:
        raise ValueError(f"channel_hops must hold between 1 and {MAX_HOP_CHANNELS} hops, got {len(hops):,}")
    if options["channel_num"] not in (1, len(hops)):
        raise ValueError(
            f"channel_num={options['channel_num']} differs from the {len(hops)} channels of channel_hops: leave it "
            "out, it follows"
        )
    for hop in hops:
        if abs(hop) > MAX_HOPS:
            raise ValueError(f"channel_hops must be between -{MAX_HOPS:,} and {MAX_HOPS:,}, got {hop:,}")
        if hops.count(hop) > 1:
            raise ValueError(f"channel_hops has {hop} twice: two channels at one distance are one")
    if min(hops) < 0 and not options["bi_directional"]:
        raise ValueError(
            f"channel_hops has {min(hops)}, which takes from nodes to come: set bi_directional=True, or leave "
            "negative hops out"
        )
    if min(hops) >= 0 and options["bi_directional"]:
        raise ValueError(
            "bi_directional=True has no effect with channel_hops that are all at least 0: add negative ones, "
            "which take from nodes to come, or leave it out"
        )


def channels_of(options: Mapping[str, Any]) -> int:
    """Return the number of channels that checked options ask for."""
    hops = options["channel_hops"]
    return int(options["channel_num"]) if hops is None else len(hops)


def chain_of(options: Mapping[str, Any]) -> Chain:
    """Return the chain that checked options describe."""
    kind = "single_hop"
    for switch, name in (
        ("with_multihop", "multihop"),
        ("with_inverse_approx", "inverse"),
        ("with_exponential_approx", "exponential"),
    ):
        kind = name if options[switch] else kind
    kind = kind if options["channel_hops"] is None else "channel_hops"
    return Chain(
        kind=kind,  # type: ignore[arg-type]
        bi_directional=options["bi_directional"],
        hops=options["h"],
        accumulative=options["accumulative"],
        self_weight=float(options["self_scaling"]) if options["self_dependence"] else 0.0,
        decay=None if options["decay"] is None else float(options["decay"]),
        channel_hops=tuple(options["channel_hops"] or ()),
    )


def count_parameters(options: Mapping[str, Any]) -> int:
    """Return the number of weights of a head with checked options, without building it."""
    m, n, r = (options[name] for name in ("m", "n", "r"))
    expanded = expanded_features(m, options["d"] if options["with_taylor"] else 1)
    if max(expanded, n) > MAX_PARAMETERS:
        return max(expanded, n)
    if options["with_lorr"]:
        reconciled = r * (n + expanded)
    elif options["with_dual_lphm"]:
        reconciled = r * sum(closest_factors(n) + closest_factors(expanded))
    else:
        reconciled = n * expanded
    return int(
        channels_of(options) * reconciled
        + expanded * options["with_learned_decay"]
        + n * options["enable_bias"]
        + n * m * options["with_residual"]
        + 2 * n * options["with_batch_norm"]
    )
