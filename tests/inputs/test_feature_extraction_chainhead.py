"""Inputs that the feature extractor accepts as a sequence or a batch, and inputs that it refuses."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch

from chainhead_plugin import ChainHeadFeatureExtractor

FORMS = {
    "float64 array": lambda x: x,
    "float32 array": lambda x: x.astype(np.float32),
    "big-endian array": lambda x: x.astype(">f8"),
    "read-only view": lambda x: np.broadcast_to(x, x.shape),
    "tensor": torch.tensor,
    "tensor with gradient": lambda x: torch.tensor(x, requires_grad=True),
    "data frame": pd.DataFrame,
    "lists": lambda x: x.tolist(),
    "tuples": lambda x: tuple(map(tuple, x.tolist())),
    "list of rows": list,
    "list of row tensors": lambda x: list(torch.tensor(x)),
}


class TestInputForms:
    @pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
    def test_single_sequence(self, extractor, rng, form):
        sequence = rng.normal(size=(5, 3))
        batch = extractor(form(sequence))
        assert batch["input_features"].dtype == np.float32
        assert batch["attention_mask"].dtype == np.int64
        np.testing.assert_array_equal(batch["input_features"], sequence[None].astype(np.float32))
        np.testing.assert_array_equal(batch["attention_mask"], np.ones((1, 5)))

    @pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
    @pytest.mark.parametrize("container", [list, tuple])
    def test_batch(self, extractor, ragged_batch, form, container):
        batch = extractor(container(form(sequence) for sequence in ragged_batch))
        assert batch["input_features"].shape == (3, 7, 3)
        for row, mask, sequence in zip(
            batch["input_features"], batch["attention_mask"], ragged_batch, strict=True
        ):
            np.testing.assert_array_equal(row[: len(sequence)], sequence.astype(np.float32))
            assert not row[len(sequence) :].any()
            assert mask.tolist() == [1] * len(sequence) + [0] * (7 - len(sequence))

    def test_mixed_forms_in_one_batch(self, extractor, rng):
        x = rng.normal(size=(4, 3)).astype(np.float32)
        batch = extractor([form(x) for form in FORMS.values()])
        for row in batch["input_features"]:
            np.testing.assert_array_equal(row, x)

    @pytest.mark.parametrize("form", [np.asarray, torch.tensor, np.ndarray.tolist])
    def test_three_axes_are_a_batch(self, extractor, rng, form):
        x = rng.normal(size=(4, 5, 3))
        np.testing.assert_array_equal(extractor(form(x))["input_features"], x.astype(np.float32))

    @pytest.mark.parametrize(
        "dtype", [torch.bfloat16, torch.float16, torch.int64, torch.int8, torch.uint8, torch.float64]
    )
    def test_tensor_dtypes(self, extractor, dtype):
        x = torch.arange(12).reshape(4, 3).to(dtype)
        features = extractor(x, return_tensors="pt")["input_features"]
        torch.testing.assert_close(features[0], x.float(), rtol=0, atol=0)

    @pytest.mark.cuda
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_cuda_tensors(self, extractor):
        x = torch.arange(12.0).reshape(4, 3)
        expected = extractor([x, x[:2]])["input_features"]
        np.testing.assert_array_equal(extractor([x.cuda(), x[:2].cuda()])["input_features"], expected)

    def test_never_aliases_the_input(self, extractor):
        x = np.zeros((4, 3), dtype=np.float32)
        extractor(x)["input_features"][:] = 1
        assert not x.any()

    def test_explicit_batched(self, extractor, rng):
        x = rng.normal(size=(4, 5, 3))
        assert extractor(x, batched=True)["input_features"].shape == (4, 5, 3)
        assert extractor(x[0], batched=False)["input_features"].shape == (1, 5, 3)

    def test_does_not_need_pandas(self, extractor, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        assert extractor([[1.0, 2.0, 3.0]])["input_features"].shape == (1, 1, 3)


class TestUnivariate:
    @pytest.mark.parametrize(
        "series",
        [
            [0.5, 1.5, 2.5],
            (0.5, 1.5, 2.5),
            np.array([0.5, 1.5, 2.5]),
            np.array([[0.5], [1.5], [2.5]]),
            torch.tensor([0.5, 1.5, 2.5]),
            torch.tensor([[0.5], [1.5], [2.5]]),
            list(torch.tensor([0.5, 1.5, 2.5])),
            pd.Series([0.5, 1.5, 2.5]),
            pd.DataFrame({"x": [0.5, 1.5, 2.5]}),
        ],
        ids=lambda series: f"{type(series).__name__}{getattr(series, 'shape', '')}",
    )
    def test_single_series(self, univariate, series):
        assert univariate(series)["input_features"].tolist() == [[[0.5], [1.5], [2.5]]]

    @pytest.mark.parametrize(
        "series",
        [
            [[1.0, 2.0], [3.0]],
            [[3.0], [1.0, 2.0]],
            [np.array([1.0, 2.0]), np.array([3.0])],
            [np.array([[1.0], [2.0]]), [[3.0]]],
            (torch.tensor([1.0, 2.0]), [3.0]),
            [pd.Series([1.0, 2.0]), pd.DataFrame({"x": [3.0]})],
        ],
        ids=str,
    )
    def test_list_of_series_is_a_batch(self, univariate, series):
        batch = univariate(series)
        assert sorted(batch["input_features"][..., 0].tolist()) == [[1.0, 2.0], [3.0, 0.0]]

    def test_one_element_series_are_ambiguous(self, univariate):
        nested = [[1.0], [2.0], [3.0]]
        with pytest.raises(
            ValueError, match=r"3 one-element series is ambiguous.*batched=False.*batched=True"
        ):
            univariate(nested)
        assert univariate(nested, batched=False)["input_features"].shape == (1, 3, 1)
        assert univariate(nested, batched=True)["input_features"].shape == (3, 1, 1)

    def test_array_of_series_needs_batched(self, univariate):
        series = np.arange(10.0).reshape(2, 5)
        with pytest.raises(
            ValueError, match=r"sequence 0 has 5 features per node, expected 1: .*batched=True"
        ):
            univariate(series)
        np.testing.assert_array_equal(univariate(series, batched=True)["input_features"][..., 0], series)

    def test_pads_one_feature_on_the_time_axis_only(self, univariate):
        batch = univariate.pad([{"input_features": [[1.0], [2.0]]}, {"input_features": [[3.0]]}])
        assert batch["input_features"].shape == (2, 2, 1)


class TestBadSequences:
    @pytest.mark.parametrize(
        ("sequences", "error", "message"),
        [
            ([], ValueError, "got an empty list"),
            (np.empty((0, 5, 3)), ValueError, "got an empty batch"),
            (np.empty((0, 3)), ValueError, r"sequence 0 is empty"),
            ([np.ones((2, 3)), np.empty((0, 3))], ValueError, r"sequence 1 is empty"),
            ([[[1, 2, 3]], []], ValueError, r"sequence 1 is empty"),
            (
                [np.ones((2, 3)), np.ones((2, 4))],
                ValueError,
                "sequence 1 has 4 features per node, expected 3",
            ),
            (
                np.ones((3, 8)),
                ValueError,
                "sequence 0 has 8 features per node, expected 3: it looks transposed",
            ),
            ([1.0, 2.0, 3.0], ValueError, r"expected one sequence \[L, 3\] .* got list with 1 axis"),
            (np.ones((1, 2, 3, 3)), ValueError, "got ndarray with 4 axes"),
            ([np.ones((2, 3)), np.ones((1, 2, 3))], ValueError, r"sequence 1: expected shape \[L, 3\]"),
            ([[[1, 2, 3], [1, 2]]], ValueError, "sequence 0 is ragged: node 1 has 2 features, not 3"),
            ([[[1, 2, 3], [1, 2, [3]]]], ValueError, "sequence 0 is no rectangle of numbers"),
            ([[[1, 2, 3], 4]], ValueError, "sequence 0 is ragged: node 1 has 1 features"),
            ([[["a", "b", "c"]]], TypeError, "sequence 0: expected real numbers, got dtype <U1"),
            ([[[1.0, None, 2.0]]], TypeError, "got dtype object"),
            ([np.ones((2, 3)), np.ones((2, 3), dtype=bool)], TypeError, "sequence 1: .* got dtype bool"),
            (torch.ones(2, 3, dtype=torch.bool), TypeError, "got dtype bool"),
            (np.ones((2, 3), dtype=complex), TypeError, "got dtype complex128"),
            (torch.ones(2, 3, dtype=torch.complex64), TypeError, "got dtype complex64"),
            (np.ones((2, 3), dtype="datetime64[s]"), TypeError, "got dtype datetime64"),
            (pd.DataFrame({"a": [1.0], "b": ["x"], "c": [2.0]}), TypeError, "got dtype object"),
            (torch.ones(2, 3).to_sparse(), TypeError, "torch.sparse_coo: call .to_dense"),
            (np.ma.masked_array(np.ones((2, 3))), TypeError, "masked array, .* call .filled"),
            ([np.ones((2, 3)), "abc"], TypeError, "sequence 1: expected .*, got str"),
            ("abc", TypeError, "expected a sequence or a batch of sequences .* got str"),
            (None, TypeError, "got NoneType"),
            ({"x": 1}, TypeError, "got dict"),
            (iter([]), TypeError, "got list_iterator"),
        ],
    )
    def test_message(self, extractor, sequences, error, message):
        with pytest.raises(error, match=message):
            extractor(sequences)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    @pytest.mark.parametrize("form", [np.asarray, torch.tensor, np.ndarray.tolist, pd.DataFrame])
    def test_not_finite(self, extractor, ragged_batch, value, form):
        ragged_batch[2][5, 1] = value
        with pytest.raises(
            ValueError, match=rf"sequence 2, node 5, feature 1: got {value}, expected a finite"
        ):
            extractor([form(sequence) for sequence in ragged_batch])

    def test_float32_overflow(self, extractor, ragged_batch):
        ragged_batch[1][0, 2] = -1e39
        with pytest.raises(ValueError, match=r"sequence 1, node 0, feature 2: .*overflows float32"):
            extractor(ragged_batch)

    def test_overflow_by_scaling(self, ragged_batch):
        extractor = ChainHeadFeatureExtractor(
            feature_size=3, do_normalize=True, mean=[0.0] * 3, std=[1.0, 1e-300, 1.0]
        )
        with pytest.raises(ValueError, match=r"sequence 0, node 0, feature 1: .*overflows float32"):
            extractor(ragged_batch)

    def test_batched_needs_a_container(self, extractor):
        with pytest.raises(TypeError, match=r"expected a batch as a list.*got DataFrame"):
            extractor(pd.DataFrame(np.ones((2, 3))), batched=True)

    def test_self_containing_list(self, extractor):
        sequence = []
        sequence.append(sequence)
        with pytest.raises(ValueError, match="4 axes"):
            extractor(sequence)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [0.5, 1.5], "b": [True, False]}),
        pd.DataFrame({"a": [True, False], "b": [True, False]}),
        pd.DataFrame({"a": [1, 2], "b": [True, False]}).convert_dtypes(),
        pd.DataFrame({"a": pd.array([0.5, 1.5], "Float32"), "b": [3, 4]}),
    ],
    ids=["mixed", "bool", "nullable", "float32"],
)
def test_columns_of_bool_and_nullable_types_are_numbers(frame):
    found = ChainHeadFeatureExtractor(2)(frame, return_tensors="np")["input_features"]
    np.testing.assert_array_equal(found[0], frame.astype(float).to_numpy())


def test_missing_values_of_nullable_columns():
    frame = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")})
    with pytest.raises(ValueError, match=r"sequence 0, node 1, feature 0: got nan.* fill in or drop"):
        ChainHeadFeatureExtractor(2)(frame)
    with pytest.raises(TypeError, match="expected real numbers, got dtype object"):
        ChainHeadFeatureExtractor(2)(pd.DataFrame({"a": ["x", "y"], "b": [True, False]}))
