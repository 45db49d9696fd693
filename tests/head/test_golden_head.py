"""Numbers computed with tinyBIG, wherever tinyBIG's code agrees with its documentation."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.func import functional_call

from chainhead_plugin import ChainInterdependenceHead

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "cases.json").read_text())["cases"]


def agrees(options):
    """Whether tinyBIG does what it documents: see the departures in docs/from-tinybig.md."""
    if options.get("with_dual_lphm"):
        return False  # an outer product, reshaped, instead of a Kronecker product
    altered = options.get("self_scaling", 1.0) != 1.0 and options.get("self_dependence", True)
    if options.get("with_multihop"):
        return not altered  # its multihop ignores self_scaling
    if options.get("with_inverse_approx") or options.get("with_exponential_approx"):
        return options.get("self_scaling", 1.0) == 1.0 and options.get("self_dependence", True)
    return True


HEADS = [case for case in CASES if case["group"] != "model" and agrees(case["options"])]


@pytest.fixture(scope="module")
def tensors():
    return load_file(GOLDEN / "tensors.safetensors")


def in_our_layout(head, parameters):
    """tinyBIG's flat weights [C, l] as the head's matrices, differentiably."""
    w, channels, m, n = parameters["w"], head.channel_num, head.m, head.n
    if hasattr(head.reconciliation, "up"):
        rank = head.reconciliation.rank
        left, right = w[:, : rank * n].view(channels, n, rank), w[:, rank * n :].reshape(channels * rank, m)
        weights = {
            "reconciliation.up.weight": left.permute(1, 0, 2).reshape(n, channels * rank),
            "reconciliation.down.weight": right,
        }
    else:
        weights = {"reconciliation.linear.weight": w.view(channels * n, m)}
    for ours, theirs in (("bias", "b"), ("residual.weight", "w_remainder")):
        if theirs in parameters:
            weights[ours] = parameters[theirs]
    return weights


def test_there_are_cases_of_every_kind():
    kinds = {case["factors"]["kind"].partition("_h")[0] for case in HEADS}
    assert kinds == {"single", "multihop", "multihop_acc", "inverse", "exponential"}
    assert len(HEADS) == 97


@pytest.mark.parametrize("case", HEADS, ids=lambda case: case["id"])
def test_golden_head(case, tensors):
    names = {name: tensors[f"{case['id']}/{name}"] for name in case["tensors"]}
    leaves = {
        name.removeprefix("param/"): value.requires_grad_()
        for name, value in names.items()
        if name == "x" or name.startswith("param/")
    }
    head = ChainInterdependenceHead(**case["options"], dtype=torch.float64)
    y = functional_call(head, in_our_layout(head, leaves), (leaves["x"],))
    gradients = torch.autograd.grad(y, list(leaves.values()), names["ct"])
    exact = "64" if case["A64_differs"] else ""
    assert_relative(head.interdependence_matrix(), names[f"A{exact}"])
    assert_relative(y, names[f"y{exact}"])
    for name, gradient in zip(leaves, gradients, strict=True):
        assert_relative(gradient, names[f"grad{exact}/{name}"])


def assert_relative(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-9 * expected.abs().max().item())
