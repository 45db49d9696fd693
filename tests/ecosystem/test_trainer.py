"""transformers' Trainer, run with every option that affects the models or their batches."""

import numpy as np
import pytest
import torch
import transformers
from packaging.version import Version
from torch.nn import functional as F
from torch.utils.data import DataLoader
from transformers import (
    AutoFeatureExtractor,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    pipeline,
)

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadDataCollator,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
)

EXTRACTOR = ChainHeadFeatureExtractor(feature_size=4)
# Renamed in transformers 5.24; the old name warns there.
CHECKPOINTING = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)
MULTI_LABEL = {"problem_type": "multi_label_classification"}
REGRESSION = {"problem_type": "regression"}


def examples(label, count=32):
    """Chains of 2 to 12 nodes about a centre of their class, labelled by `label(class, length)`."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 4))
    made = []
    for index, length in enumerate(rng.integers(2, 13, size=count)):
        kind = index % 3
        nodes = (centres[kind] + 0.3 * rng.normal(size=(length, 4))).astype(np.float32)
        made.append({"input_features": nodes, "labels": label(kind, length)})
    return made


CLASSES = examples(lambda kind, length: kind)
INDICATORS = examples(lambda kind, length: np.eye(3)[kind])
TARGETS = examples(lambda kind, length: np.arange(3) - float(kind))
NODE_CLASSES = examples(lambda kind, length: np.where(np.arange(length) % 4 == 3, -100, kind))


def build(model_class=ChainHeadForSequenceClassification, **fields):
    torch.manual_seed(0)
    options = {"n": 6, "enable_bias": True, "with_residual": True, "num_labels": 3} | fields
    return model_class(ChainHeadConfig(m=4, **options))


def trainer(
    model, folder, data, *, eval_dataset=None, callbacks=None, compute_metrics=None, loss=None, **options
):
    defaults = {
        "disable_tqdm": True,
        "learning_rate": 0.05,
        "logging_strategy": "no",
        "per_device_train_batch_size": 8,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
    }
    return Trainer(
        model,
        TrainingArguments(str(folder), **(defaults | options)),
        data_collator=ChainHeadDataCollator(EXTRACTOR),
        train_dataset=data,
        eval_dataset=eval_dataset,
        processing_class=EXTRACTOR,
        callbacks=callbacks,
        compute_metrics=compute_metrics,
        compute_loss_func=loss,
    )


def accuracy(prediction):
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


def weighted_loss(outputs, labels, num_items_in_batch=None):
    weights = torch.tensor([1.0, 2.0, 5.0])
    total = F.cross_entropy(outputs.logits, labels, weight=weights, reduction="sum")
    return total / (len(labels) if num_items_in_batch is None else num_items_in_batch)


def weights_of(run):
    return {name: value.detach().clone() for name, value in run.model.state_dict().items()}


def assert_same(one, other, **tolerance):
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], **({"rtol": 0, "atol": 0} | tolerance), msg=name)


def test_a_run_with_everything_learns_and_ends_with_its_best_weights(tmp_path):
    run = trainer(
        build(hidden_sizes=[6, 6], n=None, with_dropout=True, with_batch_norm=True),
        tmp_path,
        CLASSES,
        eval_dataset=CLASSES,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=2)],
        compute_metrics=accuracy,
        bf16=True,
        dataloader_num_workers=2,
        eval_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="accuracy",
        num_train_epochs=30,
        save_strategy="epoch",
        save_total_limit=2,
        train_sampling_strategy="group_by_length",
        **{CHECKPOINTING: True},
    )
    before = run.evaluate()["eval_accuracy"]
    run.train()
    assert run.state.epoch < 30, "stopped early"
    best = ChainHeadForSequenceClassification.from_pretrained(run.state.best_model_checkpoint)
    assert_same(weights_of(run), best.state_dict())
    assert run.evaluate()["eval_accuracy"] == run.state.best_metric > max(before, 0.9)
    assert all(value.dtype == torch.float32 for value in run.model.parameters())


@pytest.mark.parametrize(
    ("model", "data", "extra"),
    [
        (build(), CLASSES, {}),
        (build(**MULTI_LABEL), INDICATORS, {}),
        (build(**REGRESSION), TARGETS, {}),
        (build(ChainHeadForTokenClassification), NODE_CLASSES, {}),
        pytest.param(
            build(ChainHeadForTokenClassification),
            NODE_CLASSES,
            {"label_smoothing_factor": 0.1},
            marks=pytest.mark.xfail(
                Version(transformers.__version__) < Version("5.15"),
                reason="Trainer before transformers 5.15 adds up the means of accumulated batches",
            ),
        ),
        (build(), CLASSES, {"loss": weighted_loss}),
    ],
    ids=["single-label", "multi-label", "regression", "tokens", "smoothed-tokens", "class-weights"],
)
def test_accumulated_batches_are_one_large_batch(model, data, extra, tmp_path):
    start = {name: value.clone() for name, value in model.state_dict().items()}
    runs = []
    for size, steps in ((8, 1), (2, 4)):
        model.load_state_dict(start)
        run = trainer(
            model,
            tmp_path,
            data,
            max_steps=6,
            optim="sgd",
            per_device_train_batch_size=size,
            gradient_accumulation_steps=steps,
            **extra,
        )
        run.train()
        runs.append(weights_of(run))
    assert_same(*runs, rtol=1e-4, atol=1e-6)
    assert any((runs[0][name] - start[name]).abs().max() > 1e-2 for name in start)


@pytest.mark.parametrize(
    ("model_class", "data"),
    [(ChainHeadForSequenceClassification, CLASSES), (ChainHeadForTokenClassification, NODE_CLASSES)],
)
def test_label_smoothing(model_class, data, tmp_path):
    run = trainer(build(model_class), tmp_path, data, label_smoothing_factor=0.2)
    batch = run.data_collator(data[:8])
    logits = run.model(batch["input_features"], batch["attention_mask"]).logits
    expected = F.cross_entropy(logits.flatten(0, -2), batch["labels"].flatten(), label_smoothing=0.2)
    torch.testing.assert_close(run.compute_loss(run.model, batch), expected)


def test_class_weights(tmp_path):
    run = trainer(build(), tmp_path, CLASSES, eval_dataset=CLASSES, loss=weighted_loss)
    batch = run.data_collator(CLASSES)
    labels = batch["labels"]
    each = F.cross_entropy(run.model(**batch).logits, labels, reduction="none")
    expected = (each * torch.tensor([1.0, 2.0, 5.0])[labels]).mean()
    torch.testing.assert_close(run.compute_loss(run.model, dict(batch), num_items_in_batch=32), expected)
    assert run.evaluate()["eval_loss"] == pytest.approx(expected.item(), rel=1e-5)


class StopAt(TrainerCallback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step >= self.step


def test_resuming_gives_the_weights_of_an_uninterrupted_run_bit_for_bit(tmp_path):
    def run(folder, *callbacks):
        return trainer(
            build(with_dropout=True, p=0.5, with_batch_norm=True),
            tmp_path / folder,
            CLASSES,
            callbacks=list(callbacks),
            max_steps=7,
            save_steps=3,
            save_strategy="steps",
        )

    whole = run("whole")
    whole.train()
    run("halves", StopAt(3)).train()
    resumed = run("halves")
    torch.rand(17)  # whatever happened in between
    resumed.train(resume_from_checkpoint=True)
    assert resumed.state.global_step == 7
    assert_same(weights_of(resumed), weights_of(whole))


def test_a_saved_model_is_a_whole_folder(tmp_path):
    run = trainer(build(), tmp_path / "run", CLASSES, max_steps=2)
    run.train()
    run.save_model(str(tmp_path / "saved"))
    names = {file.name for file in (tmp_path / "saved").iterdir()}
    assert names == {"config.json", "model.safetensors", "preprocessor_config.json", "training_args.bin"}
    assert AutoFeatureExtractor.from_pretrained(tmp_path / "saved").to_dict() == EXTRACTOR.to_dict()
    nodes = CLASSES[0]["input_features"]
    answer = pipeline("time-series-classification", model=str(tmp_path / "saved"))(nodes)[0]
    logits = run.predict(CLASSES[:1]).predictions
    assert answer["score"] == pytest.approx(torch.tensor(logits).softmax(-1).max().item(), rel=1e-5)


@pytest.mark.slow
def test_compiled_training_gives_the_same_weights(tmp_path):
    runs = []
    for options in ({}, {"torch_compile": True, "torch_compile_backend": "aot_eager"}):
        torch._dynamo.reset()
        run = trainer(build(), tmp_path, CLASSES, max_steps=4, optim="sgd", **options)
        run.train()
        runs.append(weights_of(run))
    torch._dynamo.reset()
    assert_same(*runs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
def test_collated_nodes_and_their_labels(side):
    collate = ChainHeadDataCollator(
        ChainHeadFeatureExtractor(feature_size=4, padding_side=side), pad_to_multiple_of=8
    )
    loader = DataLoader(NODE_CLASSES, batch_size=4, collate_fn=collate)
    for start, batch in enumerate(loader):
        assert set(batch) == {"input_features", "attention_mask", "labels"}
        assert batch["labels"].dtype == torch.int64
        assert batch["labels"].size(1) % 8 == 0
        real = batch["attention_mask"].bool()
        assert (batch["labels"][~real] == -100).all()
        for row, example in enumerate(NODE_CLASSES[4 * start : 4 * start + 4]):
            nodes = batch["input_features"][row][real[row]]
            np.testing.assert_array_equal(nodes, example["input_features"])
            np.testing.assert_array_equal(batch["labels"][row][real[row]], example["labels"])


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (1, torch.tensor([1, 1])),
        (np.int32(2), torch.tensor([2, 2])),
        (torch.tensor(2), torch.tensor([2, 2])),
        (0.5, torch.tensor([0.5, 0.5])),
        ([0.0, 1.0], torch.tensor([[0.0, 1.0]] * 2)),
        (np.array([0.5]), torch.tensor([[0.5]] * 2)),
        ([0, 1, -100], torch.tensor([[0, 1, -100]] * 2)),
    ],
)
@pytest.mark.parametrize("key", ["labels", "label", "label_ids"])
def test_labels_of_every_kind(label, expected, key):
    batch = ChainHeadDataCollator(EXTRACTOR)([{"input_features": np.ones((3, 4)), key: label}] * 2)
    torch.testing.assert_close(batch["labels"], expected)
    assert set(batch) == {"input_features", "attention_mask", "labels"}


def test_other_entries_and_no_labels():
    rows = [
        {"input_features": torch.ones(2, 4), "weight": 0.5},
        {"input_features": torch.ones(1, 4), "weight": 2.0},
    ]
    batch = ChainHeadDataCollator(EXTRACTOR, padding="max_length", max_length=5, return_tensors="np")(rows)
    assert batch["input_features"].shape == (2, 5, 4)
    assert batch["weight"].tolist() == [0.5, 2.0]
    assert "labels" not in batch


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([{"labels": 1}, {}], "1 of 2 examples have no 'labels'"),
        ([{"labels": 1}, {"label": 1}], "under 2 names, labels and label: keep one"),
        ([{"labels": [1, 0]}, {"labels": [1, 0]}], "2 integer labels and 3 nodes.*must be floats"),
        ([{"labels": [0.5]}, {"labels": [0.5, 1.0]}], "expected in every example a class"),
        ([{"labels": 1}, {"labels": 0.5}], "expected in every example a class"),
        ([{"labels": "a"}, {"labels": "b"}], "expected in every example a class"),
        (
            [{"labels": 0.5}, {"labels": np.nan}],
            "example 1 of the batch has the label nan, expected finite numbers",
        ),
        (
            [{"labels": [0.5, 1e39]}, {"labels": [1.0, 0.0]}],
            r"example 0 of the batch has the label \[0.5, 1e\+39\]",
        ),
    ],
)
def test_labels_that_do_not_fit(labels, message):
    rows = [{"input_features": np.ones((3, 4))} | label for label in labels]
    with pytest.raises(ValueError, match=message):
        ChainHeadDataCollator(EXTRACTOR)(rows)
