import json
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoFeatureExtractor

from chainhead_plugin import ChainHeadFeatureExtractor


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def extractor():
    return ChainHeadFeatureExtractor(feature_size=3)


@pytest.fixture
def univariate():
    return ChainHeadFeatureExtractor(feature_size=1)


@pytest.fixture
def ragged_batch(rng):
    return [rng.normal(size=(length, 3)) for length in (4, 2, 7)]


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


class TestPadding:
    def test_left(self, ragged_batch):
        batch = ChainHeadFeatureExtractor(feature_size=3, padding_side="left", padding_value=-1.0)(
            ragged_batch
        )
        assert batch["attention_mask"].tolist() == [
            [0, 0, 0, 1, 1, 1, 1],
            [0, 0, 0, 0, 0, 1, 1],
            [1, 1, 1, 1, 1, 1, 1],
        ]
        np.testing.assert_array_equal(batch["input_features"][1, -2:], ragged_batch[1].astype(np.float32))
        assert (batch["input_features"][batch["attention_mask"] == 0] == -1).all()

    @pytest.mark.parametrize("padding", [True, "longest"])
    def test_longest(self, extractor, ragged_batch, padding):
        assert extractor(ragged_batch, padding=padding)["input_features"].shape == (3, 7, 3)

    def test_max_length(self, extractor, ragged_batch):
        batch = extractor(ragged_batch, padding="max_length", max_length=9)
        assert batch["input_features"].shape == (3, 9, 3)
        assert batch["attention_mask"].sum(axis=1).tolist() == [4, 2, 7]

    def test_multiple(self, extractor, ragged_batch):
        assert extractor(ragged_batch, pad_to_multiple_of=8)["attention_mask"].shape == (3, 8)
        assert extractor(ragged_batch, pad_to_multiple_of=7)["attention_mask"].shape == (3, 7)

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_truncation_keeps_the_first_nodes(self, ragged_batch, side):
        extractor = ChainHeadFeatureExtractor(feature_size=3, padding_side=side)
        batch = extractor(ragged_batch, truncation=True, max_length=3, pad_to_multiple_of=4)
        assert batch["attention_mask"].sum(axis=1).tolist() == [3, 2, 3]
        for row, mask, sequence in zip(*batch.values(), ragged_batch, strict=True):
            np.testing.assert_array_equal(row[mask == 1], sequence[:3].astype(np.float32))

    def test_no_padding_gives_lists(self, extractor, ragged_batch):
        batch = extractor(ragged_batch, padding=False)
        assert [row.shape for row in batch["input_features"]] == [(4, 3), (2, 3), (7, 3)]
        assert [row.shape for row in batch["attention_mask"]] == [(4,), (2,), (7,)]

    def test_no_padding_with_equal_lengths_gives_tensors(self, extractor, rng):
        batch = extractor(rng.normal(size=(2, 4, 3)), padding=False, return_tensors="pt")
        assert batch["input_features"].shape == (2, 4, 3)
        assert batch["attention_mask"].dtype == torch.int64

    def test_no_padding_with_unequal_lengths_and_tensors(self, extractor, ragged_batch):
        with pytest.raises(
            ValueError, match="2 to 7 nodes make no tensor without padding: pass padding=True"
        ):
            extractor(ragged_batch, padding=False, return_tensors="pt")

    def test_tensors_and_mask_are_optional(self, extractor, ragged_batch):
        batch = extractor(ragged_batch, return_tensors="pt", return_attention_mask=False)
        assert batch.keys() == {"input_features"}
        assert batch["input_features"].dtype == torch.float32
        silent = ChainHeadFeatureExtractor(feature_size=3, return_attention_mask=False)
        assert silent(ragged_batch).keys() == {"input_features"}
        assert "attention_mask" in silent(ragged_batch, return_attention_mask=True)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"max_length": 3}, "max_length has no effect"),
            ({"truncation": True}, "truncation=True needs max_length"),
            ({"truncation": True, "max_length": 0}, "max_length must be at least 1, got 0"),
            ({"padding": "max_length"}, "max_length is defined"),
            ({"padding": "max_length", "max_length": 5}, "sequence 2 has 7 nodes, more than max_length=5"),
            ({"padding": "widest"}, "widest"),
            ({"padding": False, "pad_to_multiple_of": 4}, "no effect with padding=False"),
            ({"pad_to_multiple_of": 0}, "pad_to_multiple_of must be at least 1"),
            ({"return_tensors": "tf"}, "return_tensors must be 'np', 'pt' or None, got 'tf'"),
        ],
    )
    def test_contradictory_options(self, extractor, ragged_batch, options, message):
        with pytest.raises(ValueError, match=message):
            extractor(ragged_batch, **options)

    @pytest.mark.parametrize(
        "options",
        [{"truncation": "longest_first"}, {"max_length": 2.0, "truncation": True}, {"sampling_rate": 16_000}],
    )
    def test_options_of_wrong_type(self, extractor, ragged_batch, options):
        with pytest.raises(TypeError, match=next(iter(options))):
            extractor(ragged_batch, **options)


class TestPad:
    @pytest.mark.parametrize("side", ["left", "right"])
    def test_collates_what_calls_return(self, ragged_batch, side):
        extractor = ChainHeadFeatureExtractor(feature_size=3, padding_side=side)
        unpadded = extractor(ragged_batch, padding=False)
        examples = [
            {"input_features": features, "attention_mask": mask, "labels": label}
            for label, (features, mask) in enumerate(zip(*unpadded.values(), strict=True))
        ]
        batch = extractor.pad(examples, return_tensors="pt")
        expected = extractor(ragged_batch, return_tensors="pt")
        assert torch.equal(batch["input_features"], expected["input_features"])
        assert torch.equal(batch["attention_mask"], expected["attention_mask"])
        assert torch.equal(batch["labels"], torch.tensor([0, 1, 2]))

    def test_keeps_masked_nodes_masked(self, extractor):
        batch = extractor.pad(
            {"input_features": np.ones((2, 3, 3)), "attention_mask": [[1, 1, 0], [1, 1, 1]]}
        )
        assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]

    def test_does_not_scale(self, ragged_batch):
        extractor = ChainHeadFeatureExtractor(feature_size=3).fit(ragged_batch)
        batch = extractor.pad({"input_features": np.ones((1, 2, 3))})
        assert (batch["input_features"] == 1).all()

    def test_rejects_what_is_no_batch_of_features(self, extractor):
        with pytest.raises(ValueError, match=r"expected an entry 'input_features', got \['x'\]"):
            extractor.pad({"x": []})
        with pytest.raises(TypeError, match="list of at least one mapping"):
            extractor.pad([])
        with pytest.raises(ValueError, match=r"example 1 has entries \[\], expected \['input_features'\]"):
            extractor.pad([{"input_features": np.ones((2, 3))}, {}])
        with pytest.raises(ValueError, match=r"attention_mask must be \[L\]"):
            extractor.pad([{"input_features": np.ones((2, 3)), "attention_mask": [1]}])


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


class TestNormalization:
    def test_fit_gives_statistics_of_all_nodes(self, extractor, ragged_batch):
        nodes = np.concatenate(ragged_batch)
        assert extractor.fit(ragged_batch) is extractor
        assert extractor.do_normalize
        np.testing.assert_array_equal(extractor.mean, nodes.mean(axis=0))
        np.testing.assert_array_equal(extractor.std, nodes.std(axis=0))
        assert all(type(value) is float for value in extractor.mean + extractor.std)

    def test_fit_accumulates_in_float64(self, univariate):
        series = np.full(100_000, 16_777_216, dtype=np.float32)
        series[::2] += 2
        univariate.fit(series)
        assert univariate.mean == [16_777_217.0]
        assert univariate.std == [1.0]

    def test_scales_nodes_and_not_padding(self, ragged_batch):
        extractor = ChainHeadFeatureExtractor(feature_size=3, padding_value=9.0).fit(ragged_batch)
        batch = extractor(ragged_batch)
        real = batch["input_features"][batch["attention_mask"] == 1]
        np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(real.std(axis=0), 1, atol=1e-6)
        assert (batch["input_features"][batch["attention_mask"] == 0] == 9).all()

    def test_batch_equals_singles(self, extractor, ragged_batch):
        mixed = [ragged_batch[0].astype(np.float32), ragged_batch[1], (ragged_batch[2] * 9).astype(int)]
        extractor.fit(mixed)
        batch = extractor(mixed)["input_features"]
        for row, sequence in zip(batch, mixed, strict=True):
            np.testing.assert_array_equal(row[: len(sequence)], extractor(sequence)["input_features"][0])

    @pytest.mark.parametrize("constant", [0.1, 1e-300, 7])
    def test_constant_features_become_zero(self, univariate, constant):
        univariate.fit([constant] * 1001)
        assert univariate.mean == [constant]
        assert univariate.std == [1.0]
        assert not univariate([constant] * 3)["input_features"].any()

    def test_missing_statistics(self, ragged_batch):
        extractor = ChainHeadFeatureExtractor(feature_size=3, do_normalize=True)
        with pytest.raises(ValueError, match=r"do_normalize is set without statistics: call fit"):
            extractor(ragged_batch)

    def test_fit_rejects_bad_sequences(self, extractor, univariate):
        with pytest.raises(ValueError, match="sequence 0, node 1, feature 2: got nan"):
            extractor.fit([[0, 0, 0], [0, 0, float("nan")]])
        with pytest.raises(ValueError, match="statistics overflow float64"):
            univariate.fit([1e308, -1e308, 1e308])
        assert extractor.mean is None
        assert not extractor.do_normalize


class TestConstructor:
    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("feature_size", 0, ValueError),
            ("feature_size", -1, ValueError),
            ("feature_size", 10**18, ValueError),
            ("feature_size", 3.0, TypeError),
            ("feature_size", "3", TypeError),
            ("feature_size", True, TypeError),
            ("feature_size", None, TypeError),
            ("padding_value", float("nan"), ValueError),
            ("padding_value", 1e39, ValueError),
            ("padding_value", 10**400, ValueError),
            ("padding_value", "0", TypeError),
            ("padding_value", None, TypeError),
            ("padding_side", "top", ValueError),
            ("padding_side", ["left"], ValueError),
            ("do_normalize", 1, TypeError),
            ("return_attention_mask", "yes", TypeError),
            ("mean", [0.0], ValueError),
            ("mean", 0.0, TypeError),
            ("mean", {"0": 1}, TypeError),
            ("mean", [0.0] * 10**6, ValueError),
            ("mean", [0.0, 0.0, float("inf")], ValueError),
            ("mean", [0.0, 0.0, [1.0]], TypeError),
            ("mean", [0.0, 0.0, True], TypeError),
            ("std", [1.0, 1.0, 0.0], ValueError),
            ("std", [1.0, -1.0, 1.0], ValueError),
            ("std", [1.0, 1.0, 10**400], ValueError),
            ("std", "abc", TypeError),
            ("sampling_rate", 16_000, TypeError),
            ("pad", None, TypeError),
        ],
    )
    def test_hostile_file(self, tmp_path, field, value, error):
        fields = {"feature_size": 3, "mean": [0.0] * 3, "std": [1.0] * 3, field: value}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(fields))
        start = time.perf_counter()
        with pytest.raises(error, match=field):
            ChainHeadFeatureExtractor(**fields)
        assert time.perf_counter() - start < 0.05
        with pytest.raises(error, match=field):
            ChainHeadFeatureExtractor.from_pretrained(tmp_path)

    @pytest.mark.parametrize("field", ["mean", "std"])
    def test_statistics_belong_together(self, field):
        with pytest.raises(ValueError, match="mean and std belong together"):
            ChainHeadFeatureExtractor(feature_size=1, **{field: [1.0]})

    def test_accepts_numpy_numbers(self):
        extractor = ChainHeadFeatureExtractor(
            feature_size=np.int64(2), mean=list(np.zeros(2, np.float32)), std=list(np.ones(2))
        )
        assert type(extractor.feature_size) is int
        assert json.loads(extractor.to_json_string())["mean"] == [0.0, 0.0]


class TestSaving:
    @pytest.mark.parametrize("loader", [ChainHeadFeatureExtractor, AutoFeatureExtractor])
    def test_round_trip_is_exact(self, tmp_path, rng, loader):
        sequences = [rng.normal(size=(length, 3)) / 3 for length in (5, 9)]
        extractor = ChainHeadFeatureExtractor(feature_size=3, padding_side="left", padding_value=0.1)
        extractor.fit(sequences).save_pretrained(tmp_path)
        loaded = loader.from_pretrained(tmp_path)
        assert type(loaded) is ChainHeadFeatureExtractor
        assert (loaded.mean, loaded.std) == (extractor.mean, extractor.std)
        assert loaded.to_dict() == extractor.to_dict()
        np.testing.assert_array_equal(
            loaded(sequences)["input_features"], extractor(sequences)["input_features"]
        )

    def test_file_holds_the_constructors_fields_only(self, tmp_path):
        ChainHeadFeatureExtractor(feature_size=3).save_pretrained(tmp_path)
        assert json.loads((tmp_path / "preprocessor_config.json").read_text()).keys() == {
            "do_normalize",
            "feature_extractor_type",
            "feature_size",
            "mean",
            "padding_side",
            "padding_value",
            "return_attention_mask",
            "std",
        }

    def test_carries_its_code(self, tmp_path, rng, monkeypatch):
        monkeypatch.setattr(ChainHeadFeatureExtractor, "_auto_class", "AutoFeatureExtractor")
        extractor = ChainHeadFeatureExtractor(feature_size=3).fit(rng.normal(size=(5, 3)))
        extractor.save_pretrained(tmp_path)
        assert {path.name for path in tmp_path.glob("*.py")} == {
            "extraction_options.py",
            "feature_extraction_chainhead.py",
            "saving.py",
            "sequences.py",
        }
        loaded = AutoFeatureExtractor.from_pretrained(tmp_path, trust_remote_code=False)
        assert (type(loaded), loaded.mean) == (ChainHeadFeatureExtractor, extractor.mean)

    def test_loads_what_it_saved_after_loading(self, tmp_path):
        ChainHeadFeatureExtractor(feature_size=3).save_pretrained(tmp_path)
        loaded = ChainHeadFeatureExtractor.from_pretrained(tmp_path)
        loaded.save_pretrained(tmp_path)
        assert ChainHeadFeatureExtractor.from_pretrained(tmp_path).to_dict() == loaded.to_dict()


@pytest.mark.slow
def test_a_thousand_short_sequences_take_milliseconds(rng):
    sequences = [rng.normal(size=(length, 12)).astype(np.float32) for length in rng.integers(20, 40, 1000)]
    extractor = ChainHeadFeatureExtractor(feature_size=12).fit(sequences)
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        extractor(sequences, return_tensors="pt")
        durations.append(time.perf_counter() - start)
    assert min(durations) < 0.05
