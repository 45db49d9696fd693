"""Sequences padded by the extractor and by a collator, up to a thousand at once."""

import time

import numpy as np
import pytest
import torch

from chainhead_plugin import ChainHeadFeatureExtractor


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
            ({"truncation": True, "max_length": 0}, "max_length must be a whole number of at least 1, got 0"),
            ({"padding": "max_length"}, "max_length is defined"),
            ({"padding": "max_length", "max_length": 5}, "sequence 2 has 7 nodes, more than max_length=5"),
            ({"padding": "widest"}, "widest"),
            ({"padding": False, "pad_to_multiple_of": 4}, "no effect with padding=False"),
            ({"pad_to_multiple_of": 0}, "pad_to_multiple_of must be a whole number of at least 1"),
            ({"return_tensors": "tf"}, "return_tensors must be one of np, pt, None, got 'tf'"),
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
