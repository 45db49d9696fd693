"""tinyBIG's constructor options, read as tinyBIG 0.2.1 acts on them and said in this project's words.

tinyBIG documents more than it does: it ignores some options, and other options win over each other without a word.
An option that has no effect there is dropped here. An option whose effect cannot be carried over is an error that
names it.
"""

import difflib
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Literal

from ..checks.values import check_number, check_switch, check_whole_number
from ..head.linear.options import INITIALISERS

ModelKind = Literal["rnn", "regression_rnn"]

# tinyBIG's defaults, for its head and its two recurrent models alike; their types are checked against these.
_DEFAULTS: dict[str, bool | int | float] = {
    "channel_num": 1,
    "bi_directional": False,
    "with_multihop": False,
    "h": 1,
    "accumulative": False,
    "with_inverse_approx": False,
    "with_exponential_approx": False,
    "self_dependence": True,
    "self_scaling": 1.0,
    "with_taylor": False,
    "d": 2,
    "with_dual_lphm": False,
    "with_lorr": False,
    "r": 3,
    "enable_bias": False,
    "with_residual": False,
    "with_batch_norm": False,
    "with_relu": True,
    "with_softmax": True,
    "with_dropout": False,
    "p": 0.25,
}
_MODEL_DEFAULTS: dict[str, bool | int | float] = {
    **_DEFAULTS,
    "width": 1,
    "with_bspline": False,
    "with_hybrid_expansion": False,
    "with_dual_lphm_interdependence": False,
    "with_lorr_interdependence": False,
    "r_interdependence": 3,
}
# Of any value: labels, devices, and options of first weights, which are replaced anyway.
_FREE = ("name", "parameters_init_method", "device")
# tinyBIG's base classes take these, and do nothing with them but for values that its head and models pass themselves.
_IGNORED_BY_HEAD = (
    "l",
    "l_attribute_interdependence",
    "l_instance_interdependence",
    "l_channel_fusion",
    "data_transformation_configs",
    "instance_interdependence_configs",
    "parameter_fabrication_configs",
    "remainder_configs",
    "output_process_function_configs",
    "create_parameters_at_init",
)
_IGNORED_BY_MODEL = ("depth", "depth_alloc", "layer_configs")
# These they act on, and nothing here does the same.
_EXTENSIONS_OF_HEAD = (
    "input_process_functions",
    "input_process_function_configs",
    "attribute_interdependence",
    "attribute_interdependence_configs",
    "channel_fusion",
    "channel_fusion_configs",
)


class TinyBIGConversionError(ValueError):
    """The model cannot be converted. The message names the option, state-dict entry or file."""


def read_head_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of tinyBIG's `chain_interdependence_head` and fill in its defaults.

    Raises
    ------
    TinyBIGConversionError
        If an option is unknown, missing, of the wrong type or cannot be carried over.
    """
    sizes = ("m", "n", "chain_length")
    _check_names(
        "chain_interdependence_head",
        options,
        sizes,
        (*_DEFAULTS, *_FREE, *_IGNORED_BY_HEAD, *_EXTENSIONS_OF_HEAD),
    )
    for name in _EXTENSIONS_OF_HEAD:
        if options.get(name) is not None:
            raise TinyBIGConversionError(f"{name} cannot be converted: leave it out if it is not needed")
    read = _read(options, _DEFAULTS) | {name: _count(name, options[name]) for name in sizes}
    _check_runnable(read)
    return read


def read_model_options(kind: ModelKind, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of tinyBIG's `rnn` or `regression_rnn` and fill in its defaults.

    Raises
    ------
    TinyBIGConversionError
        If `kind` is neither, or an option is unknown, missing, of the wrong type or cannot be carried over.
    """
    if kind not in ("rnn", "regression_rnn"):
        raise TinyBIGConversionError(f"kind must be 'rnn' or 'regression_rnn', got {kind!r}")
    _check_names(kind, options, ("chain_length", "dims"), (*_MODEL_DEFAULTS, *_FREE, *_IGNORED_BY_MODEL))

    dims = options["dims"]
    if not isinstance(dims, list | tuple):
        raise TinyBIGConversionError(f"dims must be a list of ints, got {dims!r}")
    read = _read(options, _MODEL_DEFAULTS)
    read["chain_length"] = _count("chain_length", options["chain_length"])
    read["dims"] = [_count("dims", size) for size in dims]

    if len(dims) < 3:
        raise TinyBIGConversionError(
            f"dims={read['dims']} has no hidden layer: tinyBIG's {kind} is then one linear map without any chain, "
            "which needs no chain head. Convert models with at least three dims"
        )
    if read["with_bspline"] and not read["with_taylor"]:
        raise TinyBIGConversionError(
            "with_bspline cannot be converted: this project has no B-spline expansion"
        )

    _count("width", read["width"])
    _check_runnable(read)
    return read


def carried_options(read: Mapping[str, Any]) -> dict[str, Any]:
    """Return this project's options for the computation of tinyBIG's head with the options read.

    Taylor expansion and softmax are left to the caller: tinyBIG's head ignores the first, its models apply
    both outside the head. Dual LPHM is stored as the plain matrix that tinyBIG makes of it.
    """
    plain = ("channel_num", "bi_directional", "enable_bias", "with_residual", "with_relu")
    carried = {name: read[name] for name in plain} | _chain_options(read)
    if reconciliation_of(read) == "with_lorr":
        carried |= {"with_lorr": True, "r": read["r"]}
    if read["with_dropout"]:
        carried |= {"with_dropout": True, "p": read["p"]}
    if read["parameters_init_method"] in INITIALISERS:
        carried["parameters_init_method"] = read["parameters_init_method"]
    return carried


def reconciliation_of(read: Mapping[str, Any]) -> Literal["with_dual_lphm", "with_lorr"] | None:
    """Return the reconciliation tinyBIG applies, by its switch: dual LPHM wins over LORR."""
    if read["with_dual_lphm"]:
        return "with_dual_lphm"
    return "with_lorr" if read["with_lorr"] else None


def _chain_options(read: Mapping[str, Any]) -> dict[str, Any]:
    """Of several kinds tinyBIG takes the first in this order, and builds each with only some of the options."""
    if read["with_exponential_approx"]:
        return {"with_exponential_approx": True}
    if read["with_inverse_approx"]:
        return {"with_inverse_approx": True}
    if read["with_multihop"]:
        # The sum over 1..h starts with the first power whatever h is.
        hops = max(read["h"], 1) if read["accumulative"] else read["h"]
        kept = {name: read[name] for name in ("accumulative", "self_dependence")}
        return {"with_multihop": True, "h": hops, **kept}
    return {name: read[name] for name in ("self_dependence", "self_scaling")}


def _check_runnable(read: Mapping[str, Any]) -> None:
    if read["with_batch_norm"]:
        raise TinyBIGConversionError(
            "with_batch_norm cannot be converted: tinyBIG raises when such a head runs, and its state dict holds "
            "none of the BatchNorm's weights"
        )
    chain = _chain_options(read)
    if chain.get("h", 1) < 1:
        raise TinyBIGConversionError(
            f"h={read['h']} cannot be converted: with h=0 tinyBIG's nodes take in no neighbours, and below it "
            "recurses without end"
        )
    _count("channel_num", read["channel_num"])
    if reconciliation_of(read) is not None:
        _count("r", read["r"])


def _check_names(
    tinybig_class: str, options: Mapping[str, Any], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    if not isinstance(options, Mapping):
        raise TinyBIGConversionError(f"options must be a mapping of names to values, got {options!r:.80}")
    for name in options:
        if name not in required and name not in optional:
            close = difflib.get_close_matches(str(name), (*required, *optional), n=1)
            hint = f": did you mean {close[0]!r}?" if close else ""
            raise TinyBIGConversionError(f"tinyBIG's {tinybig_class} has no option {name!r}{hint}")
    for name in required:
        if name not in options:
            raise TinyBIGConversionError(f"options lack {name!r}, which tinyBIG's {tinybig_class} requires")


def _read(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    read = {name: _typed(name, options.get(name, default), default) for name, default in defaults.items()}
    return read | {name: options.get(name) for name in _FREE}


def _typed(name: str, value: Any, default: bool | int | float) -> bool | int | float:
    """Return the value as the default's type; NumPy's numbers are numbers, and 0 and 1 are truth values."""
    is_number = not isinstance(value, bool) and isinstance(value, Real)
    is_whole = is_number and isinstance(value, Integral)
    try:
        if isinstance(default, bool):
            return check_switch(name, bool(value) if is_number and value in (0, 1) else value)
        if isinstance(default, int):
            return check_whole_number(name, int(value) if is_whole else value)
        plain = value if isinstance(value, int) or not is_number else float(value)
        return float(check_number(name, plain))
    except (TypeError, ValueError, OverflowError) as error:
        raise TinyBIGConversionError(str(error)) from error


def _count(name: str, value: Any) -> int:
    try:
        return check_whole_number(name, int(_typed(name, value, default=1)), 1)
    except ValueError as error:
        raise TinyBIGConversionError(str(error)) from error
