"""The pipeline "time-series-segmentation", from a saved model and a sequence to labels of nodes and segments."""

import numpy as np
import pandas as pd
import pytest
import torch
from pipeline_inputs import DatasetOf
from transformers import pipeline
from transformers.pipelines import PIPELINE_REGISTRY

import chainhead_plugin
from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    TimeSeriesSegmentationPipeline,
)
from chainhead_plugin.pipelines.tasks import register_pipelines

TASK = "time-series-segmentation"
LENGTHS = (4, 9, 1, 6, 6, 2, 17)
NAMES = {0: "rest", 1: "rise", 2: "fall"}


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, 3)).astype(np.float32) for length in LENGTHS]


def build(padding_side="right", dtype=torch.float32, model_class=ChainHeadForTokenClassification, m=3):
    chainhead_plugin.register()
    torch.manual_seed(0)
    config = ChainHeadConfig(
        m=m, n=8, bi_directional=True, with_exponential_approx=True, with_residual=True, id2label=NAMES
    )
    extractor = ChainHeadFeatureExtractor(feature_size=m, padding_side=padding_side, padding_value=50.0)
    model = model_class(config).to(dtype).eval()
    return pipeline(TASK, model=model, feature_extractor=extractor, device="cpu")


def assert_same(results, expected):
    for result, other in zip(results, expected, strict=True):
        assert result.keys() == other.keys()
        assert result["label"] == other["label"]
        assert result["score"] == pytest.approx(other["score"], abs=1e-6)
        assert [result.get(key) for key in ("start", "end")] == [other.get(key) for key in ("start", "end")]


class TestResults:
    def test_nodes_have_the_models_most_likely_labels(self, sequences):
        segment = build()
        for sequence in sequences:
            with torch.no_grad():
                logits = segment.model(torch.from_numpy(sequence)[None]).logits[0]
            scores, labels = logits.softmax(-1).max(-1)
            expected = [
                {"label": NAMES[label], "score": score}
                for label, score in zip(labels.tolist(), scores.tolist(), strict=True)
            ]
            assert_same(segment(sequence), expected)

    def test_segments_are_runs_of_nodes_of_one_label(self, sequences):
        segment = build()
        nodes = segment(sequences)
        assert max(len({node["label"] for node in one}) for one in nodes) > 1
        for one, found in zip(nodes, segment(sequences, aggregation_strategy="simple"), strict=True):
            assert [part["start"] for part in found] == [0, *(part["end"] for part in found[:-1])]
            assert found[-1]["end"] == len(one)
            for part, following in zip(found, [*found[1:], {"label": None}], strict=True):
                inside = one[part["start"] : part["end"]]
                assert {node["label"] for node in inside} == {part["label"]} != {following["label"]}
                mean = np.mean([node["score"] for node in inside])
                assert part["score"] == pytest.approx(mean, abs=1e-6)

    def test_strategy_at_construction(self, sequences):
        reference = build()
        segment = TimeSeriesSegmentationPipeline(
            model=reference.model,
            feature_extractor=reference.feature_extractor,
            device="cpu",
            aggregation_strategy="simple",
        )
        assert segment(sequences) == reference(sequences, aggregation_strategy="simple")
        assert segment(sequences, aggregation_strategy="none") == reference(sequences)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
    def test_dtypes(self, sequences, dtype):
        scores = [node["score"] for node in build(dtype=dtype)(sequences[1])]
        assert scores == pytest.approx([node["score"] for node in build()(sequences[1])], abs=0.02)


class TestBatches:
    @pytest.mark.parametrize("strategy", ["none", "simple"])
    @pytest.mark.parametrize("padding_side", ["left", "right"])
    def test_batch_equals_one_by_one(self, sequences, padding_side, strategy):
        segment = build(padding_side)
        singles = [segment(sequence, aggregation_strategy=strategy) for sequence in sequences]
        for batch_size in (3, 100):
            batch = segment(sequences, aggregation_strategy=strategy, batch_size=batch_size)
            for single, batched in zip(singles, batch, strict=True):
                assert_same(batched, single)

    def test_truncated_nodes_have_no_label(self, sequences):
        segment = build()
        short = segment(sequences, truncation=True, max_length=4, batch_size=7)
        for one, sequence in zip(short, sequences, strict=True):
            assert_same(one, segment(sequence[:4]))

    @pytest.mark.parametrize(
        "form",
        [np.asarray, torch.from_numpy, pd.DataFrame, np.ndarray.tolist],
        ids=["array", "tensor", "data frame", "lists"],
    )
    def test_forms(self, sequences, form):
        segment = build()
        expected = segment(sequences)
        assert segment([form(sequence) for sequence in sequences]) == expected
        assert segment(form(sequences[0])) == expected[0]

    def test_series_of_one_feature(self):
        segment = build(m=1)
        assert len(segment([0.5, 1.5, 2.5])) == 3
        assert [len(one) for one in segment([[0.5, 1.5, 2.5], [1.0]])] == [3, 1]

    def test_datasets_and_generators(self, sequences):
        segment = build()
        expected = segment(sequences, batch_size=3)
        assert list(segment(DatasetOf(sequences), batch_size=3)) == expected
        assert list(segment((one for one in sequences), batch_size=3)) == expected


class TestErrors:
    @pytest.mark.parametrize("strategy", ["first", True, 1])
    def test_strategy(self, sequences, strategy):
        with pytest.raises(ValueError, match="aggregation_strategy must be one of none, simple"):
            build()(sequences, aggregation_strategy=strategy)

    def test_unknown_option(self, sequences):
        with pytest.raises(TypeError, match="unknown pipeline options: top_k"):
            build()(sequences, top_k=1)

    @pytest.mark.parametrize("batch_size", [3, 7])
    def test_bad_sequence_is_named(self, sequences, batch_size):
        sequences[4][1, 2] = float("nan")
        with pytest.raises(ValueError, match=r"^sequence 4, node 1, feature 2: got nan"):
            build()(sequences, batch_size=batch_size)

    @pytest.mark.parametrize("padding_side", ["left", "right"])
    def test_overflow_is_named(self, sequences, padding_side):
        sequences[3][5] = 3e38
        with pytest.raises(ValueError, match=r"^sequence 3, node \d has scores that are not finite"):
            build(padding_side)(sequences, batch_size=7)

    def test_wrong_model(self, sequences):
        with pytest.raises(ValueError, match=r"gives logits of shape \[1, 3\], expected \[batch, length"):
            build(model_class=ChainHeadForSequenceClassification)(sequences)

    def test_needs_its_feature_extractor(self):
        with pytest.raises(TypeError, match="to be a ChainHeadFeatureExtractor, got NoneType"):
            TimeSeriesSegmentationPipeline(model=build().model, device="cpu")


class TestRegistration:
    @pytest.mark.parametrize("save", ["pipeline", "parts"])
    def test_save_and_load(self, sequences, tmp_path, save):
        original = build("left")
        original.feature_extractor.fit(sequences)
        if save == "pipeline":
            original.save_pretrained(tmp_path)
        else:
            original.model.save_pretrained(tmp_path)
            original.feature_extractor.save_pretrained(tmp_path)
        loaded = pipeline(TASK, model=str(tmp_path), device="cpu", local_files_only=True)
        assert type(loaded) is TimeSeriesSegmentationPipeline
        assert loaded(sequences, batch_size=3) == original(sequences, batch_size=3)

    def test_taken_task(self, monkeypatch):
        chainhead_plugin.register()
        register_pipelines()
        monkeypatch.setitem(PIPELINE_REGISTRY.supported_tasks, TASK, {"impl": "other.Pipeline"})
        with pytest.raises(ValueError, match=r"'time-series-segmentation' is taken by other.Pipeline"):
            register_pipelines()

    @pytest.mark.cuda
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_cuda(self, sequences):
        reference = build()
        on_gpu = pipeline(
            TASK, model=build().model, feature_extractor=reference.feature_extractor, device="cuda"
        )
        for result, expected in zip(on_gpu(sequences, batch_size=4), reference(sequences), strict=True):
            assert [node["label"] for node in result] == [node["label"] for node in expected]
