"""The pipelines "time-series-classification" and "chain-feature-extraction"."""

import numpy as np
import pandas as pd
import pytest
import torch
from pipeline_inputs import DatasetOf
from torch.utils.data import IterableDataset
from transformers import pipeline
from transformers.pipelines import PIPELINE_REGISTRY
from transformers.pipelines.base import pad_collate_fn
from transformers.pipelines.pt_utils import KeyDataset

import chainhead_plugin
from chainhead_plugin import (
    ChainFeaturePipeline,
    ChainHeadConfig,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainHeadModel,
    TimeSeriesClassificationPipeline,
)
from chainhead_plugin.pipelines.tasks import register_pipelines

CLASSIFICATION = "time-series-classification"
FEATURES = "chain-feature-extraction"


@pytest.fixture(autouse=True)
def registered():
    chainhead_plugin.register()


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, 3)).astype(np.float32) for length in (4, 9, 1, 6, 6, 2, 7)]


def build(task=CLASSIFICATION, m=3, padding_side="right", model_class=None, dtype=torch.float32, **config):
    torch.manual_seed(0)
    if model_class is None:
        model_class = ChainHeadForSequenceClassification if task == CLASSIFICATION else ChainHeadModel
    if "id2label" not in config:
        config.setdefault("num_labels", 4)
    options = {"bi_directional": True, "with_multihop": True, "h": 2, "with_residual": True}
    model = model_class(ChainHeadConfig(m=m, n=5, **options, **config)).to(dtype).eval()
    extractor = ChainHeadFeatureExtractor(feature_size=m, padding_side=padding_side, padding_value=50.0)
    return pipeline(task, model=model, feature_extractor=extractor, device="cpu")


def get_logits(classifier, sequence):
    with torch.no_grad():
        return classifier.model(**classifier.feature_extractor(sequence, return_tensors="pt")).logits[0]


def by_label(result):
    return {entry["label"]: entry["score"] for entry in result}


class StreamOf(IterableDataset):
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


class TestClassificationResults:
    def test_scores_are_the_models(self, sequences):
        classifier = build()
        result = classifier(sequences[0], top_k=None)
        expected = get_logits(classifier, sequences[0]).softmax(-1)
        assert [entry["score"] for entry in result] == sorted(expected.tolist(), reverse=True)
        assert by_label(result) == {f"LABEL_{i}": score for i, score in enumerate(expected.tolist())}

    @pytest.mark.parametrize(("top_k", "count"), [(1, 1), (3, 3), (4, 4), (9, 4), (None, 4)])
    def test_top_k(self, sequences, top_k, count):
        classifier = build()
        everything = classifier(sequences, top_k=None)
        assert classifier(sequences, top_k=top_k) == [result[:count] for result in everything]

    def test_default_is_the_best_label(self, sequences):
        classifier = build()
        assert classifier(sequences[0]) == classifier(sequences[0], top_k=1)

    def test_options_at_construction(self, sequences):
        reference = build()
        classifier = TimeSeriesClassificationPipeline(
            model=reference.model,
            feature_extractor=reference.feature_extractor,
            device="cpu",
            top_k=2,
            batch_size=3,
        )
        assert classifier(sequences) == reference(sequences, top_k=2, batch_size=3)
        assert len(classifier(sequences[0], top_k=3)) == 3

    @pytest.mark.parametrize(
        ("config", "function"),
        [
            ({}, "softmax"),
            ({"problem_type": "single_label_classification"}, "softmax"),
            ({"problem_type": "multi_label_classification"}, "sigmoid"),
            ({"problem_type": "regression"}, "none"),
            ({"num_labels": 1}, "none"),
            ({"num_labels": 1, "problem_type": "multi_label_classification"}, "sigmoid"),
        ],
    )
    def test_function_follows_the_loss(self, sequences, config, function):
        classifier = build(**config)
        logits = get_logits(classifier, sequences[0])
        expected = {"softmax": logits.softmax(-1), "sigmoid": logits.sigmoid(), "none": logits}
        for name, scores in expected.items():
            result = classifier(sequences[0], function_to_apply=name, top_k=None)
            assert list(by_label(result).values()) == sorted(scores.tolist(), reverse=True)
            if name == function:
                assert classifier(sequences[0], top_k=None) == result

    def test_regression_returns_every_output(self, sequences):
        assert len(build(problem_type="regression")(sequences[0])) == 4

    def test_labels_come_from_the_config(self, sequences):
        classifier = build(id2label={0: "gun", 1: "point"}, label2id={"gun": 0, "point": 1})
        assert by_label(classifier(sequences[0], top_k=None)).keys() == {"gun", "point"}

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
    def test_dtypes(self, sequences, dtype):
        scores = by_label(build(dtype=dtype)(sequences[0], top_k=None))
        expected = by_label(build()(sequences[0], top_k=None))
        assert scores == pytest.approx(expected, abs=0.02)


class TestBatches:
    @pytest.mark.parametrize("padding_side", ["left", "right"])
    @pytest.mark.parametrize("batch_size", [2, 3, 7, 100])
    def test_batch_equals_one_by_one(self, sequences, padding_side, batch_size):
        classifier = build(padding_side=padding_side)
        singles = [classifier(sequence, top_k=None) for sequence in sequences]
        batch = classifier(sequences, top_k=None, batch_size=batch_size)
        for single, batched in zip(singles, batch, strict=True):
            assert by_label(batched) == pytest.approx(by_label(single), abs=1e-6)

    @pytest.mark.parametrize("padding_side", ["left", "right"])
    def test_transformers_own_collator_agrees(self, sequences, padding_side):
        extractor = build(padding_side=padding_side).feature_extractor
        collated = pad_collate_fn(None, extractor)([extractor(x, return_tensors="pt") for x in sequences])
        expected = extractor(sequences, return_tensors="pt")
        assert torch.equal(collated["input_features"], expected["input_features"])
        assert torch.equal(collated["attention_mask"], expected["attention_mask"])

    def test_padding_options_reach_the_extractor(self, sequences):
        classifier = build()
        options = {"truncation": True, "max_length": 4, "padding": "max_length"}
        result = classifier(sequences, batch_size=7, top_k=None, **options)
        expected = classifier([sequence[:4] for sequence in sequences], batch_size=7, top_k=None)
        for a, b in zip(result, expected, strict=True):
            assert by_label(a) == pytest.approx(by_label(b), abs=1e-6)
        lengths = []
        classifier.model.register_forward_pre_hook(
            lambda _, args, kwargs: lengths.append(kwargs["input_features"].shape[1]), with_kwargs=True
        )
        classifier(sequences[2], padding="max_length", max_length=20)
        assert lengths == [20]

    def test_batches_are_as_large_as_asked(self, sequences):
        classifier = build()
        sizes = []
        classifier.model.register_forward_pre_hook(
            lambda _, args, kwargs: sizes.append(len(kwargs["input_features"])), with_kwargs=True
        )
        classifier(sequences, batch_size=3)
        assert sizes == [3, 3, 1]


class TestInputForms:
    @pytest.mark.parametrize(
        "form",
        [np.asarray, torch.from_numpy, pd.DataFrame, np.ndarray.tolist, lambda x: tuple(x.tolist()), list],
        ids=["array", "tensor", "data frame", "lists", "tuple", "rows"],
    )
    def test_single_and_list(self, sequences, form):
        classifier = build()
        expected = classifier(sequences, top_k=2)
        assert classifier([form(sequence) for sequence in sequences], top_k=2) == expected
        assert classifier(tuple(form(sequence) for sequence in sequences), top_k=2) == expected
        assert classifier(form(sequences[0]), top_k=2) == expected[0]
        assert classifier([form(sequences[0])], top_k=2) == expected[:1]

    @pytest.mark.parametrize("form", [np.asarray, torch.tensor])
    def test_three_axes_are_a_batch(self, form):
        batch = np.random.default_rng(0).normal(size=(5, 6, 3))
        classifier = build()
        assert classifier(form(batch)) == classifier(list(batch))

    def test_univariate(self):
        classifier = build(m=1)
        series = [0.5, 1.5, 2.5]
        expected = classifier(np.array(series)[:, None])
        assert isinstance(expected[0], dict)
        assert classifier(series) == expected
        assert classifier([series, [1.0]]) == [expected, classifier([1.0])]
        assert classifier([[value] for value in series], batched=False) == expected
        assert len(classifier(np.ones((4, 6)), batched=True)) == 4
        with pytest.raises(ValueError, match="ambiguous"):
            classifier([[0.5], [1.5]])

    def test_one_node_series_in_a_list(self):
        classifier = build(m=1)
        assert classifier([[1.0, 2.0], [3.0]], batch_size=1)[1] == classifier([3.0])

    def test_generator_is_lazy(self, sequences):
        classifier = build()
        taken = []

        def generate():
            for index, sequence in enumerate(sequences):
                taken.append(index)
                yield sequence

        results = iter(classifier(generate(), batch_size=2))
        next(results)
        assert len(taken) == 2
        assert len(list(results)) == 6

    @pytest.mark.parametrize(
        "wrap",
        [
            DatasetOf,
            StreamOf,
            lambda items: (item for item in items),
            lambda items: KeyDataset([{"series": item} for item in items], "series"),
        ],
        ids=["dataset", "stream", "generator", "KeyDataset"],
    )
    def test_datasets_and_generators(self, sequences, wrap):
        classifier = build()
        assert list(classifier(wrap(sequences), batch_size=3)) == classifier(sequences, batch_size=3)

    def test_length(self, sequences):
        classifier = build()
        assert len(classifier(DatasetOf(sequences), batch_size=3)) == 7
        with pytest.raises(TypeError, match="no length"):
            len(classifier(item for item in sequences))

    def test_workers(self, sequences):
        classifier = build()
        expected = classifier(sequences, batch_size=3)
        assert classifier(sequences, batch_size=3, num_workers=1) == expected
        with pytest.raises(ValueError, match="2 workers would each run the whole generator"):
            classifier((item for item in sequences), num_workers=2)

    def test_empty_generator(self):
        assert list(build()(item for item in [])) == []


class TestErrors:
    @pytest.mark.parametrize("top_k", [0, -1, 1.5, True, "all"])
    def test_top_k(self, sequences, top_k):
        with pytest.raises((TypeError, ValueError), match="top_k must be a whole number of at least 1, got"):
            build()(sequences, top_k=top_k)

    @pytest.mark.parametrize("function", ["relu", "SOFTMAX"])
    def test_function_to_apply(self, sequences, function):
        with pytest.raises(ValueError, match="function_to_apply must be one of softmax, sigmoid, none, got"):
            build()(sequences, function_to_apply=function)

    def test_unknown_option(self, sequences):
        with pytest.raises(TypeError, match="unknown pipeline options: topk"):
            build()(sequences, topk=3)

    def test_batched_with_a_dataset(self, sequences):
        with pytest.raises(ValueError, match="batched has no effect on a generator or a dataset"):
            build()(DatasetOf(sequences), batched=True)

    def test_empty_list(self):
        with pytest.raises(ValueError, match="got an empty list"):
            build()([])

    def test_bad_sequence_is_located(self, sequences):
        classifier = build()
        sequences[4][1, 2] = float("nan")
        with pytest.raises(ValueError, match=r"^sequence 4, node 1, feature 2: got nan"):
            classifier(sequences, batch_size=7)
        with pytest.raises(ValueError, match=r"^sequence 4, node 1, feature 2: got nan"):
            classifier(sequences, batch_size=3)
        with pytest.raises(TypeError, match=r"^sequence 1: .*got str"):
            list(classifier(item for item in [sequences[0], "abc"]))

    def test_needs_its_feature_extractor(self):
        model = build().model
        with pytest.raises(TypeError, match="to be a ChainHeadFeatureExtractor, got NoneType"):
            TimeSeriesClassificationPipeline(model=model, device="cpu")

    def test_wrong_model(self, sequences):
        with pytest.raises(
            ValueError, match=r"ChainHeadForTokenClassification gives logits of shape .*num_labels"
        ):
            build(model_class=ChainHeadForTokenClassification)(sequences)


class TestChainFeatures:
    @pytest.mark.parametrize("padding_side", ["left", "right"])
    def test_features_of_real_nodes(self, sequences, padding_side):
        extract = build(FEATURES, padding_side=padding_side)
        results = extract(sequences, batch_size=4, return_tensors="pt")
        for sequence, features in zip(sequences, results, strict=True):
            with torch.no_grad():
                expected = extract.model(
                    torch.from_numpy(sequence)[None], torch.ones(1, len(sequence), dtype=torch.long)
                )
            torch.testing.assert_close(features, expected.last_hidden_state[0], rtol=0, atol=1e-6)

    def test_return_types(self, sequences):
        extract = build(FEATURES)
        tensor = extract(sequences[0], return_tensors="pt")
        array = extract(sequences[0], return_tensors="np")
        assert tensor.shape == (4, 5)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, tensor)
        assert extract(sequences[0]) == tensor.tolist()

    def test_half_precision_becomes_float32_arrays(self, sequences):
        extract = build(FEATURES, dtype=torch.bfloat16)
        assert extract(sequences[0], return_tensors="pt").dtype == torch.bfloat16
        assert extract(sequences[0], return_tensors="np").dtype == np.float32
        assert build(FEATURES, dtype=torch.float64)(sequences[0], return_tensors="np").dtype == np.float64

    @pytest.mark.parametrize("value", ["tf", True])
    def test_invalid_return_tensors(self, sequences, value):
        with pytest.raises(ValueError, match="return_tensors must be one of np, pt, None, got"):
            build(FEATURES)(sequences, return_tensors=value)

    def test_unknown_option(self, sequences):
        with pytest.raises(TypeError, match="unknown pipeline options: top_k"):
            build(FEATURES)(sequences, top_k=1)


class TestRegistration:
    def test_is_idempotent(self, caplog):
        register_pipelines()
        assert PIPELINE_REGISTRY.supported_tasks[CLASSIFICATION]["impl"] is TimeSeriesClassificationPipeline
        assert PIPELINE_REGISTRY.supported_tasks[FEATURES]["impl"] is ChainFeaturePipeline
        assert not caplog.records

    def test_taken_task(self, monkeypatch):
        monkeypatch.setitem(PIPELINE_REGISTRY.supported_tasks, FEATURES, {"impl": "other.Pipeline"})
        with pytest.raises(ValueError, match=r"'chain-feature-extraction' is taken by other.Pipeline"):
            register_pipelines()

    @pytest.mark.parametrize("task", [CLASSIFICATION, FEATURES])
    @pytest.mark.parametrize("save", ["pipeline", "parts"])
    def test_save_and_load(self, sequences, tmp_path, task, save):
        original = build(task, padding_side="left")
        original.feature_extractor.fit(sequences)
        if save == "pipeline":
            original.save_pretrained(tmp_path)
        else:
            original.model.save_pretrained(tmp_path)
            original.feature_extractor.save_pretrained(tmp_path)
        loaded = pipeline(task, model=str(tmp_path), device="cpu", local_files_only=True)
        assert type(loaded) is type(original)
        assert loaded(sequences, batch_size=3) == original(sequences, batch_size=3)

    @pytest.mark.cuda
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_cuda(self, sequences):
        expected = build()(sequences, top_k=None)
        classifier = build()
        on_gpu = pipeline(
            CLASSIFICATION,
            model=classifier.model,
            feature_extractor=classifier.feature_extractor,
            device="cuda",
        )
        inputs = [torch.from_numpy(sequence).cuda() for sequence in sequences]
        for a, b in zip(on_gpu(inputs, top_k=None, batch_size=4), expected, strict=True):
            assert by_label(a) == pytest.approx(by_label(b), abs=1e-5)
