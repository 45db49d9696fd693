"""The extractor's statistics and options: fitted, checked, saved and loaded."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoFeatureExtractor

import chainhead_plugin
from chainhead_plugin import ChainHeadFeatureExtractor
from registry.hub.flat_code import flat_code


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
        with pytest.warns(UserWarning, match="feature 0 does not vary"):
            univariate.fit([constant] * 1001)
        assert univariate.mean == [constant]
        assert univariate.std == [0.0]
        assert not univariate([constant] * 3)["input_features"].any()

    def test_what_varies_only_later_stays_zero(self, tmp_path, rng):
        sequences = rng.normal(size=(4, 9, 3))
        sequences[..., 1] = 5.0
        extractor = ChainHeadFeatureExtractor(feature_size=3)
        with pytest.warns(UserWarning, match="feature 1 does not vary.*zero takes the place"):
            extractor.fit(sequences)
        later = sequences.copy()
        later[..., 1] = rng.normal(size=(4, 9)) * 1e30
        extractor.save_pretrained(tmp_path)
        loaded = AutoFeatureExtractor.from_pretrained(tmp_path)
        assert loaded.constant_features == [1]
        for own in (extractor, loaded):
            np.testing.assert_array_equal(own(later)["input_features"], own(sequences)["input_features"])

    def test_files_from_before_scale_as_they_did(self):
        extractor = ChainHeadFeatureExtractor(feature_size=2, mean=[0.0, 5.0], std=[3.0, 1.0])
        scaled = extractor([[1.0, 7.0]])["input_features"][0, 0]
        assert scaled.tolist() == [np.float32(1 / 3), 2.0]
        assert extractor.constant_features == []

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
            "standardize_each",
            "std",
        }

    def test_code_that_travels_is_its_own(self):
        modules = [ChainHeadFeatureExtractor.__module__]
        roots = {"chainhead_plugin": Path(chainhead_plugin.__file__).parent}
        carried = flat_code(modules, roots).keys()
        assert {name for name in carried if not name.startswith("tables_")} == {
            "checks_json_values.py",
            "checks_packages.py",
            "checks_values.py",
            "inputs_extraction_options.py",
            "inputs_feature_extraction_chainhead.py",
            "inputs_feature_extractor_file.py",
            "inputs_filling.py",
            "inputs_standardising.py",
            "inputs_named_sequences.py",
            "inputs_padding.py",
            "inputs_sequences.py",
            "storage_code_origin.py",
            "storage_folder_lock.py",
            "storage_saving.py",
            "storage_whole_files.py",
        }

    def test_named_code_is_not_needed_where_the_plugin_is(self, tmp_path, rng):
        extractor = ChainHeadFeatureExtractor(feature_size=3).fit(rng.normal(size=(5, 3)))
        extractor.save_pretrained(tmp_path)
        file = tmp_path / "preprocessor_config.json"
        auto_map = {"AutoFeatureExtractor": "elsewhere.ChainHeadFeatureExtractor"}
        file.write_text(json.dumps(json.loads(file.read_text()) | {"auto_map": auto_map}))
        loaded = AutoFeatureExtractor.from_pretrained(tmp_path, trust_remote_code=False)
        assert (type(loaded), loaded.mean) == (ChainHeadFeatureExtractor, extractor.mean)

    def test_loads_what_it_saved_after_loading(self, tmp_path):
        ChainHeadFeatureExtractor(feature_size=3).save_pretrained(tmp_path)
        loaded = ChainHeadFeatureExtractor.from_pretrained(tmp_path)
        loaded.save_pretrained(tmp_path)
        assert ChainHeadFeatureExtractor.from_pretrained(tmp_path).to_dict() == loaded.to_dict()
