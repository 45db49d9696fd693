"""Converted heads and models compute the same as tinyBIG."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from chainhead_plugin.tinybig.conversion import (
    TinyBIGConversionError,
    convert_head,
    convert_head_to_model,
    convert_model,
)

GOLDEN = Path(__file__).parents[1] / "golden"
HEAD = {"m": 4, "n": 6, "chain_length": 5}
MODEL = {"chain_length": 5, "dims": [3, 4, 2]}


def _golden_cases():
    for prefix in ("", "random_"):
        tensors = load_file(GOLDEN / f"{prefix}tensors.safetensors")
        cases = {
            case["id"]: case for case in json.loads((GOLDEN / f"{prefix}cases.json").read_text())["cases"]
        }
        found = {name: {} for name in cases}
        for key, tensor in tensors.items():
            case, _, name = key.partition("/")
            found[case][name] = tensor
        for name, case in cases.items():
            yield pytest.param(case, found[name], id=name)


GOLDEN_CASES = list(_golden_cases())


def _run(case, tensors, x, dtype):
    state_dict = {name[len("param/") :]: t for name, t in tensors.items() if name.startswith("param/")}
    options = case["options"]
    if case["group"] != "model":
        return convert_head(options, state_dict, dtype)(x)
    model = convert_model(case["cls"].rpartition(".")[2], options, state_dict, dtype)
    logits = model(x.unflatten(1, (options["chain_length"], -1))).logits
    return logits.softmax(-1) if options.get("with_softmax", True) else logits


def _assert_close(actual, expected, relative):
    assert actual.shape == expected.shape
    error = (actual.detach().double() - expected).abs().max()
    # Beside a softmax that gives 1 whatever goes in, the gradient is zero.
    assert error <= relative * expected.abs().max() + 1e-300


def test_there_are_all_the_golden_cases():
    assert len(GOLDEN_CASES) == 285


@pytest.mark.parametrize(("case", "tensors"), GOLDEN_CASES)
def test_float64_output_and_gradient(case, tensors):
    x = tensors["x"].clone().requires_grad_()
    y = _run(case, tensors, x, torch.float64)
    _assert_close(y, tensors.get("y64", tensors["y"]), 1e-9)
    (gradient,) = torch.autograd.grad((y * tensors["ct"]).sum(), x)
    _assert_close(gradient, tensors.get("grad64/x", tensors["grad/x"]), 1e-8)


@pytest.mark.parametrize(("case", "tensors"), GOLDEN_CASES)
def test_float32_output(case, tensors):
    y = _run(case, tensors, tensors["x"].float(), torch.float32)
    assert y.dtype == torch.float32
    _assert_close(y, tensors["y"], 2e-5)


def _head_state(length, dtype=torch.float64, **more):
    generator = torch.Generator().manual_seed(0)
    shapes = {"w": (1, length), **more}
    return {name: torch.randn(shape, generator=generator, dtype=dtype) for name, shape in shapes.items()}


def _model_state(dtype=torch.float64, width=1):
    generator = torch.Generator().manual_seed(0)
    sizes = (3 * 4, 4 * 4, 4 * 2)
    drawn = [torch.randn((1, size), generator=generator, dtype=dtype) for size in sizes]
    return {f"layers.{i}.heads.{k}.w": w for i, w in enumerate(drawn) for k in range(width)}


def _same_heads(options, other, state_dict):
    x = torch.randn(2, 20, dtype=torch.float64)
    torch.testing.assert_close(
        convert_head(HEAD | options, state_dict)(x), convert_head(HEAD | other, state_dict)(x)
    )


@pytest.mark.parametrize(
    ("options", "other"),
    [
        ({"with_taylor": True, "d": 3}, {}),
        ({"h": 4, "accumulative": True, "r": 7, "d": 5, "p": 0.9}, {}),
        ({"with_multihop": True, "h": 2, "self_scaling": 0.5}, {"with_multihop": True, "h": 2}),
        ({"with_multihop": True, "h": -3, "accumulative": True}, {"with_multihop": True, "h": 1}),
        (
            {"with_inverse_approx": True, "self_dependence": False, "self_scaling": 3},
            {"with_inverse_approx": True},
        ),
        (
            {"with_multihop": True, "h": 0, "with_inverse_approx": True, "with_exponential_approx": True},
            {"with_exponential_approx": True},
        ),
        ({"parameters_init_method": "no such method", "device": "cuda:7", "name": None}, {}),
        ({"l": 24, "channel_fusion": None, "create_parameters_at_init": True}, {}),
        (
            {"bi_directional": 1, "with_softmax": 0, "self_scaling": 2},
            {"bi_directional": True, "with_softmax": False, "self_scaling": 2.0},
        ),
        ({"channel_num": np.int64(1), "self_scaling": np.float32(0.5)}, {"self_scaling": 0.5}),
    ],
)
def test_what_tinybig_ignores_has_no_effect(options, other):
    _same_heads(options, other, _head_state(24))


def test_negative_self_scaling_is_carried():
    assert convert_head(HEAD | {"self_scaling": -0.5}, _head_state(24)).chain.self_weight == -0.5


def test_dual_lphm_wins_over_lorr_and_is_a_plain_matrix():
    state_dict = _head_state(3 * (2 + 3 + 2 + 2))
    _same_heads({"with_dual_lphm": True, "with_lorr": True}, {"with_dual_lphm": True}, state_dict)
    head = convert_head(HEAD | {"with_dual_lphm": True}, state_dict)
    assert head.reconciliation.linear.weight.shape == (6, 4)


def test_lorr_stays_low_rank():
    head = convert_head(
        HEAD | {"with_lorr": True, "r": 2, "channel_num": 3}, {"w": torch.randn(3, 2 * (6 + 4))}
    )
    assert head.reconciliation.down.weight.shape == (3 * 2, 4)
    assert head.reconciliation.up.weight.shape == (6, 3 * 2)


def test_dropout_is_a_module_that_eval_turns_off():
    head = convert_head(HEAD | {"with_dropout": True, "p": 0.75, "with_softmax": False}, _head_state(24))
    assert not head.training
    assert head.dropout.p == 0.75
    x = torch.randn(2, 20, dtype=torch.float64)
    assert torch.equal(head(x), head(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_the_state_dicts_or_as_asked(dtype):
    assert convert_head(HEAD, _head_state(24, dtype)).reconciliation.linear.weight.dtype == dtype
    assert convert_head(HEAD, _head_state(24), dtype).reconciliation.linear.weight.dtype == dtype
    assert convert_model("rnn", MODEL, _model_state(), dtype).dtype == dtype


def test_an_explicit_dtype_settles_a_mixture():
    state_dict = _head_state(24, b=(6,))
    state_dict["b"] = state_dict["b"].float()
    assert convert_head(HEAD | {"enable_bias": True}, state_dict, torch.float32).bias.dtype == torch.float32


@pytest.mark.parametrize(
    "array", [np.asarray, np.asfortranarray, lambda w: w.astype(">f8"), lambda w: w[:, ::-1]]
)
def test_numpy_arrays(array):
    w = array(_head_state(24)["w"].numpy())
    w.flags.writeable = False
    weight = convert_head(HEAD, {"w": w}).reconciliation.linear.weight
    np.testing.assert_array_equal(weight.detach().numpy().reshape(1, 24), w)


def test_the_result_shares_nothing_with_its_source():
    state_dict = {"w": torch.nn.Parameter(_head_state(24)["w"])}
    head = convert_head(HEAD, state_dict)
    with torch.no_grad():
        head.reconciliation.linear.weight.zero_()
    assert state_dict["w"].abs().sum() > 0
    assert all(parameter.requires_grad and parameter.is_contiguous() for parameter in head.parameters())


def test_conversion_draws_no_random_numbers():
    state = torch.get_rng_state()
    convert_head_to_model(HEAD, _head_state(24))
    convert_model("rnn", MODEL, _model_state())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_head_as_a_model_leaves_the_flat_softmax_out():
    options = HEAD | {"with_dropout": True, "bi_directional": True, "enable_bias": True, "name": "mine"}
    state_dict = _head_state(24, b=(6,))
    x = torch.randn(2, 20, dtype=torch.float64)
    model = convert_head_to_model(options, state_dict)
    assert model.config.with_softmax is False
    assert model.config.name == "mine"
    nodes = model(x.unflatten(1, (5, 4))).last_hidden_state
    torch.testing.assert_close(nodes.flatten(1).softmax(-1), convert_head(options, state_dict)(x))


def test_model_config():
    config = convert_model(
        "rnn", MODEL | {"dims": (3, 4, 2), "with_multihop": True, "h": 3}, _model_state()
    ).config
    assert (config.m, config.hidden_sizes, config.n, config.num_labels) == (3, [4], 4, 2)
    assert (config.pooling, config.chain_length, config.h, config.problem_type) == ("mean", 5, 3, None)


@pytest.mark.parametrize(("with_softmax", "problem_type"), [(True, None), (False, "regression")])
def test_regression_is_what_has_no_softmax(with_softmax, problem_type):
    state_dict = _model_state() | {"layers.2.heads.0.w": torch.randn(1, 5 * 4 * 2, dtype=torch.float64)}
    config = convert_model("regression_rnn", MODEL | {"with_softmax": with_softmax}, state_dict).config
    assert (config.pooling, config.problem_type) == ("flatten", problem_type)


@pytest.mark.parametrize("kept", [{0, 1, 2}, {0}, {2}])
def test_width_repeats_one_head(kept):
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    repeated = {name: w for name, w in _model_state(width=3).items() if int(name.split(".")[3]) in kept}
    expected = convert_model("rnn", MODEL, _model_state())(x).logits
    assert torch.equal(convert_model("rnn", MODEL | {"width": 3}, repeated)(x).logits, expected)


def test_options_without_effect_in_models():
    options = {
        "with_hybrid_expansion": True,
        "with_dual_lphm_interdependence": True,
        "with_lorr_interdependence": True,
        "r_interdependence": 9,
        "depth": 7,
        "layer_configs": None,
    }
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    expected = convert_model("rnn", MODEL, _model_state())(x).logits
    assert torch.equal(convert_model("rnn", MODEL | options, _model_state())(x).logits, expected)


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"with_multihops": True}, "no option 'with_multihops': did you mean 'with_multihop'"),
            ({"dtype": "float32"}, "chain_interdependence_head has no option 'dtype'"),
            ({1: 2}, "no option 1"),
            ({"m": 0}, "m must be a whole number of at least 1"),
            ({"m": True}, "m must be a whole number, got True"),
            ({"n": 4.0}, "n must be a whole number"),
            ({"n": 10**11}, "n must be a whole number between"),
            ({"chain_length": None}, "chain_length must be a whole number"),
            ({"channel_num": 0}, "channel_num must be a whole number of at least 1"),
            ({"with_relu": "yes"}, "with_relu must be True or False, got 'yes'"),
            ({"with_relu": 2}, "with_relu must be True or False"),
            ({"self_scaling": "1"}, "self_scaling must be a finite number"),
            ({"self_scaling": float("nan")}, "self_scaling must be a finite number"),
            ({"self_scaling": 10**400}, "self_scaling must be a finite number"),
            ({"with_multihop": True, "h": 0}, "h=0 cannot be converted"),
            ({"with_multihop": True, "h": -1}, "h=-1 cannot be converted"),
            ({"with_multihop": True, "h": 10**6}, "h must be a whole number between"),
            ({"with_dropout": True, "p": 1.0}, "p must be a finite number of at least 0 and below 1"),
            ({"with_lorr": True, "r": 0}, "r must be a whole number of at least 1"),
            ({"with_dual_lphm": True, "r": -1}, "r must be a whole number of at least 1"),
            ({"with_batch_norm": True}, "with_batch_norm cannot be converted"),
            ({"channel_fusion": object()}, "channel_fusion cannot be converted"),
            (
                {"attribute_interdependence_configs": {}},
                "attribute_interdependence_configs cannot be converted",
            ),
        ],
    )
    def test_head_options(self, options, message):
        with pytest.raises(TinyBIGConversionError, match=message):
            convert_head(HEAD | options, _head_state(24))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"m": 3}, "rnn has no option 'm'"),
            ({"dims": [3, 2]}, r"dims=\[3, 2\] has no hidden layer"),
            ({"dims": []}, r"dims=\[\] has no hidden layer"),
            ({"dims": "342"}, "dims must be a list"),
            ({"dims": [3, 0, 2]}, "dims must be a whole number of at least 1"),
            ({"dims": [3, 4.5, 2]}, "dims must be a whole number"),
            ({"width": 0}, "width must be a whole number of at least 1"),
            ({"with_bspline": True}, "with_bspline cannot be converted"),
            ({"with_batch_norm": True}, "with_batch_norm cannot be converted"),
            ({"with_taylor": True, "d": 0}, "d must be a whole number between"),
            ({"with_taylor": True, "d": 60}, "options cannot be converted"),
            ({"with_multihop": True, "h": 0}, "h=0 cannot be converted"),
        ],
    )
    def test_model_options(self, options, message):
        with pytest.raises(TinyBIGConversionError, match=message):
            convert_model("rnn", MODEL | options, _model_state())

    @pytest.mark.parametrize("missing", ["m", "n", "chain_length"])
    def test_missing_option(self, missing):
        options = {name: value for name, value in HEAD.items() if name != missing}
        with pytest.raises(TinyBIGConversionError, match=f"lack '{missing}'"):
            convert_head(options, _head_state(24))

    @pytest.mark.parametrize("options", [None, [("m", 4)], "m=4"])
    def test_options_of_another_type(self, options):
        with pytest.raises(TinyBIGConversionError, match="options must be a mapping"):
            convert_head(options, _head_state(24))

    @pytest.mark.parametrize("kind", ["head", "lstm", None])
    def test_kind(self, kind):
        with pytest.raises(TinyBIGConversionError, match="kind must be"):
            convert_model(kind, MODEL, _model_state())

    @pytest.mark.parametrize(
        ("options", "state_dict", "message"),
        [
            ({}, {}, "lacks 'w'"),
            ({"enable_bias": True}, _head_state(24), r"lacks 'b' \(made by enable_bias=True\)"),
            ({"with_residual": True}, _head_state(24), "lacks 'w_remainder'"),
            ({}, _head_state(24, b=(6,)), r"has 'b' \(made by enable_bias=True\), which the options do not"),
            ({}, _head_state(24, **{f"x{i}": (1,) for i in range(9)}), "'x4' and 4 more"),
            (
                {},
                _head_state(25),
                r"w has shape \(1, 25\), but the options ask for \(1, 24\): .*n·D.*n=6, D=4",
            ),
            ({"with_lorr": True}, _head_state(24), r"\(1, 30\): .*r·\(n \+ D\)\] with n=6, D=4, r=3"),
            ({"with_dual_lphm": True}, _head_state(24), r"\(1, 27\)"),
            ({"channel_num": 2}, _head_state(24), r"\(2, 24\)"),
            ({"enable_bias": True}, _head_state(24, b=(6, 1)), r"b has shape \(6, 1\)"),
            ({"with_residual": True}, _head_state(24, w_remainder=(4, 6)), r"ask for \(6, 4\): \[n, m\]"),
            (
                {},
                {"w": torch.zeros(1, 24, dtype=torch.int64)},
                "w must be a floating-point .* got torch.int64",
            ),
            ({}, {"w": torch.zeros(1, 24, dtype=torch.complex64)}, "got torch.complex64"),
            ({}, {"w": np.zeros((1, 24), dtype=int)}, "got int64"),
            ({}, {"w": np.zeros((1, 24), dtype=object)}, "got object"),
            ({}, {"w": np.zeros((1, 24), dtype=np.longdouble)}, "w must be a floating-point"),
            ({}, {"w": [[0.0] * 24]}, "got list"),
            ({}, {"w": torch.zeros(1, 24).to_sparse()}, "w must be a dense"),
            ({}, {"w": torch.zeros(1, 24, device="meta")}, "with data"),
            ({}, {"w": torch.full((1, 24), torch.nan)}, "w holds numbers that are not finite"),
            ({}, {"w": np.full((1, 24), np.inf)}, "w holds numbers that are not finite"),
            ({"enable_bias": True}, {"w": torch.zeros(1, 24), "b": torch.zeros(6).double()}, "mixes"),
            ({}, None, "must map names to tensors, got NoneType"),
            ({}, [torch.zeros(1, 24)], "got list"),
        ],
    )
    def test_state_dict(self, options, state_dict, message):
        with pytest.raises(TinyBIGConversionError, match=message):
            convert_head(HEAD | options, state_dict)

    def test_model_entries_are_named(self):
        state_dict = _model_state()
        state_dict["layers.3.heads.0.w"] = state_dict.pop("layers.1.heads.0.w")
        with pytest.raises(TinyBIGConversionError, match=r"lacks 'layers\.1\.heads\.0\.w'"):
            convert_model("rnn", MODEL, state_dict)
        with pytest.raises(TinyBIGConversionError, match=r"has 'layers\.3\.heads\.0\.w'"):
            convert_model("rnn", MODEL, _model_state() | state_dict)

    def test_repeated_heads_that_differ(self):
        state_dict = _model_state(width=2)
        state_dict["layers.1.heads.1.w"] = state_dict["layers.1.heads.1.w"] + 1
        with pytest.raises(TinyBIGConversionError, match=r"layers\.1\.heads\.1\.w differs .* width=2"):
            convert_model("rnn", MODEL | {"width": 2}, state_dict)
        with pytest.raises(TinyBIGConversionError, match=r"has 'layers\.0\.heads\.1\.w'"):
            convert_model("rnn", MODEL, state_dict)

    @pytest.mark.parametrize("dtype", [torch.int32, torch.complex64, "float32"])
    def test_dtype(self, dtype):
        with pytest.raises(TinyBIGConversionError, match="dtype must be one of"):
            convert_head(HEAD, _head_state(24), dtype)

    def test_weights_beyond_the_dtype(self):
        with pytest.raises(TinyBIGConversionError, match=r"do not fit the range of torch\.float16"):
            convert_head(HEAD, {"w": torch.full((1, 24), 1e6)}, torch.float16)
