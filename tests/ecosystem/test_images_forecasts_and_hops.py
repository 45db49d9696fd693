"""Trainer, PEFT, torchao, device maps and checkpointing for models of images and forecasts, and for stacks of hops.

Channels and features have their own chains here. Other tests cover a single chain over `input_features`.
"""

import copy

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from PIL import Image
from safetensors.torch import load_file
from transformers import ResNetConfig, TorchAoConfig, Trainer, TrainerCallback, TrainingArguments, pipeline
from transformers.testing_utils import CaptureLogger
from transformers.utils import logging

import chainhead_plugin as c

# peft 0.21 asks transformers 5.24 for what has a new name there.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

# Renamed in transformers 5.24; the old name warns there.
CHECKPOINTING = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)
IMAGE, FORECAST = c.ChainHeadForImageClassification, c.ChainHeadForTimeSeriesPrediction
SEQUENCE = c.ChainHeadForSequenceClassification
RESNET = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
CASES = {
    "rows": (IMAGE, {"image_size": [6, 5], "hidden_sizes": [16, 12]}),
    "backbone": (IMAGE, {"backbone_config": RESNET, "n": 12, "bi_directional": True}),
    "forecast": (FORECAST, {"m": 2, "hidden_sizes": [16, 12], "pooling": "flatten", "quantiles": [0.2, 0.5]}),
    "hops": (SEQUENCE, {"m": 4, "n": 12, "channel_hops": [0, 1, 3], "with_residual": True}),
    "hops-lorr": (SEQUENCE, {"m": 4, "hidden_sizes": [8, 8], "channel_hops": [0, 2], "with_lorr": True}),
    "decay": (
        SEQUENCE,
        {"m": 4, "n": 12, "with_inverse_approx": True, "decay": 0.8, "with_learned_decay": True},
    ),
}
every_case = pytest.mark.parametrize("case", CASES)


def build(case):
    model_class, fields = CASES[case]
    options = {"prediction_length": 3, "chain_length": 8} if model_class is FORECAST else {"num_labels": 3}
    torch.manual_seed(0)
    return model_class(c.ChainHeadConfig(**options, **fields)).eval()


def examples(model, count=12):
    """Examples with labels that the inputs tell."""
    torch.manual_seed(1)
    kinds = torch.arange(count) % 3
    if isinstance(model, FORECAST):
        steps = torch.arange(11.0)[:, None] * torch.tensor([1.0, -0.5])
        rows = [steps * (1 + kind) + 0.1 * torch.randn(11, 2) for kind in kinds]
        return [{"past_values": row[:8], "future_values": row[8:]} for row in rows]
    if isinstance(model, IMAGE):
        size = (3, 32, 32) if model.backbone else (3, 6, 5)
        return [{"pixel_values": torch.randn(size) + kind, "labels": kind} for kind in kinds]
    return [{"input_features": torch.randn(9, 4) + kind, "labels": kind} for kind in kinds]


def batch(model, labelled=False):
    rows = examples(model)[:3]
    keys = [key for key in rows[0] if labelled or key not in ("labels", "future_values")]
    return {key: torch.stack([row[key] for row in rows]) for key in keys}


def output(model, inputs):
    """The logits, or the forecasts."""
    with torch.no_grad():
        return model.eval()(**inputs, return_dict=True)[0]


def trainer(model, folder, *callbacks, **options):
    defaults = {
        "disable_tqdm": True,
        "learning_rate": 0.02,
        "logging_strategy": "no",
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "report_to": "none",
        "use_cpu": True,
    }
    if isinstance(model, FORECAST):
        defaults["label_names"] = ["future_values"]
    rows = examples(model)
    return Trainer(
        model,
        TrainingArguments(str(folder), **(defaults | options)),
        train_dataset=rows,
        eval_dataset=rows,
        callbacks=list(callbacks),
    )


class _StopAt(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step >= 10


@every_case
def test_trainer_learns_and_resumes_bit_for_bit(case, tmp_path):
    # Long enough for the running statistics of a backbone's BatchNorm to follow, whatever the first weights.
    saving = {"max_steps": 20, "save_steps": 10, "bf16": True, CHECKPOINTING: True}
    whole = trainer(build(case), tmp_path / "whole", **saving)
    before = whole.evaluate()["eval_loss"]
    whole.train()
    assert whole.evaluate()["eval_loss"] < before
    trainer(build(case), tmp_path / "halves", _StopAt(), **saving).train()
    resumed = trainer(build(case), tmp_path / "halves", **saving)
    resumed.train(resume_from_checkpoint=True)
    weights = whole.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in resumed.model.state_dict().items())


@every_case
def test_lora_saves_loads_and_merges(case, tmp_path):
    model = build(case)
    model.save_pretrained(tmp_path / "base")
    start = {name: value.clone() for name, value in model.state_dict().items()}
    targets = ["linear", "down", "up", "convolution"]
    whole = ["forecaster"] if isinstance(model, FORECAST) else ["classifier"]
    if model.config.with_learned_decay:
        whole.append("learned_decay")
    if case == "backbone":
        whole.append("normalization")
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=targets, modules_to_save=whole))
    optimizer = torch.optim.Adam([p for p in adapted.parameters() if p.requires_grad], lr=0.05)
    losses = []
    for _ in range(4):
        loss = adapted.train()(**batch(model, labelled=True)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    expected = output(adapted, batch(model))
    adapted.save_pretrained(tmp_path / "adapter")
    saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert any("lora_A" in name and "chainhead" in name for name in saved)
    assert any("backbone" in name and "lora_A" in name for name in saved) is (case == "backbone")
    loaded = PeftModel.from_pretrained(type(model).from_pretrained(tmp_path / "base"), tmp_path / "adapter")
    torch.testing.assert_close(output(loaded, batch(model)), expected)
    merged = loaded.merge_and_unload()
    torch.testing.assert_close(output(merged, batch(model)), expected, rtol=1e-4, atol=1e-4)
    merged.save_pretrained(tmp_path / "merged")
    again = type(model).from_pretrained(tmp_path / "merged")
    assert again.state_dict().keys() == start.keys()
    torch.testing.assert_close(output(again, batch(model)), output(merged, batch(model)), rtol=0, atol=0)


@every_case
def test_int8_weights_are_near_and_save_and_load(case, tmp_path):
    quantization = pytest.importorskip(
        "torchao.quantization", reason="the extra quantisation is not installed"
    )
    model = build(case)
    model.save_pretrained(tmp_path / "float")
    everything = TorchAoConfig(quantization.Int8WeightOnlyConfig(), modules_to_not_convert=[])
    small = type(model).from_pretrained(tmp_path / "float", quantization_config=everything)
    maps = [module for module in small.modules() if isinstance(module, torch.nn.Linear)]
    assert maps
    assert all(type(linear.weight).__name__ == "Int8Tensor" for linear in maps)
    expected, actual = output(model, batch(model)), output(small, batch(model))
    # 8 bits of a weight are 1/127 of the largest in its row; two or three layers of them.
    assert 0 < (actual - expected).abs().max() < 0.03 * expected.abs().max()
    small.save_pretrained(tmp_path / "int8")
    assert torch.equal(output(type(model).from_pretrained(tmp_path / "int8"), batch(model)), actual)


@every_case
@pytest.mark.parametrize("offloaded", [False, True])
def test_shards_and_device_maps(case, offloaded, tmp_path):
    model = build(case)
    model.save_pretrained(tmp_path / "model", max_shard_size=200)
    assert (tmp_path / "model" / "model.safetensors.index.json").exists()
    loaded = type(model).from_pretrained(
        tmp_path / "model",
        device_map="auto",
        max_memory={"cpu": 50} if offloaded else None,
        offload_folder=tmp_path / "offload",
    )
    assert any(parameter.is_meta for parameter in loaded.parameters()) is offloaded
    # Weights that are not in memory are called rather than read, which may add in another order.
    expected = output(model, batch(model))
    torch.testing.assert_close(output(loaded, batch(model)), expected, rtol=1e-6, atol=1e-7)


@every_case
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointing_keeps_every_gradient(case, use_reentrant):
    model = build(case).train()
    other = copy.deepcopy(model)
    word = "activation" if hasattr(other, "activation_checkpointing_enable") else "gradient"
    options = {f"{word}_checkpointing_kwargs": {"use_reentrant": use_reentrant}}
    getattr(other, f"{word}_checkpointing_enable")(**options)
    for one in (model, other):
        one(**batch(model, labelled=True)).loss.backward()
    for (name, first), second in zip(model.named_parameters(), other.parameters(), strict=True):
        assert first.grad is not None, name
        torch.testing.assert_close(first.grad, second.grad, msg=name)


TOKENIZER = c.train_tokenizer(["Who met Dr Who"])
TOKENS = {"vocab_size": len(TOKENIZER), "pad_token_id": TOKENIZER.pad_token_id, "m": 4}
ROWS = c.ChainHeadConfig(image_size=[6, 5])
EXTRACTOR = c.ChainHeadFeatureExtractor(feature_size=4)
TASKS = {
    "text-classification": (SEQUENCE, TOKENS, TOKENIZER, "Dr Who"),
    "token-classification": (c.ChainHeadForTokenClassification, TOKENS, TOKENIZER, "Dr Who"),
    "feature-extraction": (c.ChainHeadModel, TOKENS, TOKENIZER, "Dr Who"),
    "image-classification": (
        IMAGE,
        {"image_size": [6, 5]},
        c.ChainHeadImageProcessor.for_config(ROWS),
        Image.new("RGB", (9, 9)),
    ),
    "time-series-classification": (SEQUENCE, {"m": 4}, EXTRACTOR, np.ones((5, 4))),
    "time-series-segmentation": (c.ChainHeadForTokenClassification, {"m": 4}, EXTRACTOR, np.ones((5, 4))),
    "chain-feature-extraction": (c.ChainHeadModel, {"m": 4}, EXTRACTOR, np.ones((5, 4))),
    "time-series-forecasting": (FORECAST, {"m": 1, "prediction_length": 2}, None, [1.0, 2.0, 4.0]),
}


@pytest.mark.parametrize(("task", "parts"), TASKS.items(), ids=TASKS)
def test_pipelines_from_a_folder_complain_of_nothing(task, parts, tmp_path):
    model_class, fields, preprocessor, example = parts
    model_class(c.ChainHeadConfig(**fields)).save_pretrained(tmp_path)
    if preprocessor is not None:
        preprocessor.save_pretrained(tmp_path)
    with CaptureLogger(logging.get_logger("transformers")) as captured:
        run = pipeline(task, model=str(tmp_path))
        assert len(run(example)) > 0
        assert type(run.model) is model_class
        assert "not supported" not in captured.io.getvalue()
        run.check_model_type([])
    assert "not supported" in captured.out, "what is asserted above can be seen"
