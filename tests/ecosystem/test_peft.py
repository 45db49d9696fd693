"""PEFT: adapters on the head's linear maps, whole heads beside adapters, and merging."""

import pytest
import torch
from chains import CHAINS, name, options
from peft import (
    AutoPeftModelForSequenceClassification,
    AutoPeftModelForTokenClassification,
    IA3Config,
    LoraConfig,
    PeftModel,
    TaskType,
    get_peft_model,
    get_peft_model_state_dict,
)
from safetensors.torch import load_file
from transformers import BertConfig

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
    ChainInterdependenceHead,
)

pytestmark = [
    # peft 0.21 asks transformers 5.24 for what has a new name there.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

CONFIGS = {
    "plain": {"n": 6, "with_residual": True, "enable_bias": True},
    "channels": {"n": 6, "channel_num": 3, "with_taylor": True},
    "lorr": {"n": 6, "with_lorr": True, "r": 5, "channel_num": 2},
    "lorr-thin": {"n": 6, "with_lorr": True, "r": 1},
    "dual-lphm": {"n": 6, "with_dual_lphm": True, "with_residual": True},
    "stack": {"hidden_sizes": [6, 5], "with_residual": True, "with_batch_norm": True},
    "spectral": {"n": 6, "with_inverse_approx": True, "bi_directional": True},
}
TASKS = {
    TaskType.SEQ_CLS: (ChainHeadForSequenceClassification, AutoPeftModelForSequenceClassification),
    TaskType.TOKEN_CLS: (ChainHeadForTokenClassification, AutoPeftModelForTokenClassification),
}
MASK = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [0] * 6 + [1] * 3])


def build(task, fields, folder):
    model_class = TASKS[task][0]
    model_class(ChainHeadConfig(m=4, num_labels=3, **fields)).save_pretrained(folder)
    return model_class.from_pretrained(folder)


def train(model, task, steps=5):
    """Train on noise; return the inputs and what the model then makes of them."""
    torch.manual_seed(0)
    x, labels = torch.randn(3, 9, 4), torch.tensor([0, 1, 2])
    if task == TaskType.TOKEN_CLS:
        labels = torch.where(MASK.bool(), labels[:, None], -100)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.05)
    losses = []
    for _ in range(steps):
        loss = model.train()(input_features=x, attention_mask=MASK, labels=labels).loss
        loss.backward()
        assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    return x, logits(model, x)


def logits(model, x):
    with torch.no_grad():
        return model.eval()(input_features=x, attention_mask=MASK).logits


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


def save_load_merge(adapted, task, folder):
    x, expected = train(adapted, task)
    adapted.save_pretrained(folder / "adapter")
    assert (folder / "adapter" / "adapter_model.safetensors").exists()
    model_class, auto_class = TASKS[task]
    trained = get_peft_model_state_dict(adapted)
    for loaded in (
        PeftModel.from_pretrained(model_class.from_pretrained(folder / "base"), folder / "adapter"),
        auto_class.from_pretrained(folder / "adapter"),
    ):
        assert_same(get_peft_model_state_dict(loaded), trained)
        torch.testing.assert_close(logits(loaded, x), expected)
    merged = loaded.merge_and_unload()
    assert type(merged) is model_class
    torch.testing.assert_close(logits(merged, x), expected, rtol=1e-4, atol=1e-5)
    merged.save_pretrained(folder / "merged")
    again = model_class.from_pretrained(folder / "merged")
    assert_same(again.state_dict(), merged.state_dict())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.value)
@pytest.mark.parametrize("fields", CONFIGS.values(), ids=CONFIGS)
def test_lora_on_all_linear_maps(fields, task, tmp_path):
    base = build(task, fields, tmp_path / "base")
    frozen = {key: value.clone() for key, value in base.state_dict().items()}
    # peft spares the classifier of sequences by itself, that of nodes when told to; both are trained whole.
    lora = LoraConfig(task_type=task, r=2, target_modules="all-linear", exclude_modules=["classifier"])
    # Factors that are no linear maps, and running statistics, have no adapter.
    if "with_dual_lphm" in fields:
        lora.modules_to_save = ["reconciliation"]
    if "with_batch_norm" in fields:
        lora.modules_to_save = ["batch_norm"]
    adapted = get_peft_model(base, lora)
    save_load_merge(adapted, task, tmp_path)
    saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    maps = {key.split(".lora_")[0].rsplit(".", 1)[1] for key in saved if ".lora_" in key}
    assert maps == {
        *(["down", "up"] if "with_lorr" in fields else [] if "with_dual_lphm" in fields else ["linear"]),
        *(["residual"] if "with_residual" in fields else []),
    }
    after = {key.replace(".base_layer", ""): value for key, value in base.state_dict().items()}
    for key, value in frozen.items():
        if "reconciliation" in key and key in after:
            assert torch.equal(after[key], value), "adapters leave the weights they adapt alone"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.value)
def test_a_whole_head_is_trained_and_saved(task, tmp_path):
    base = build(task, CONFIGS["stack"], tmp_path / "base")
    lora = LoraConfig(
        task_type=task, r=2, target_modules=["perceptron.reconciliation.linear"], modules_to_save=[".head"]
    )
    save_load_merge(get_peft_model(base, lora), task, tmp_path)
    saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert any(".head.reconciliation.linear.weight" in key for key in saved)
    assert any(".head.batch_norm.running_mean" in key for key in saved)


@pytest.mark.parametrize(
    "adapter",
    [
        LoraConfig(task_type="SEQ_CLS", r=2, use_dora=True, target_modules=["linear", "residual"]),
        IA3Config(task_type="SEQ_CLS", target_modules=["linear", "residual"], feedforward_modules=[]),
    ],
    ids=["dora", "ia3"],
)
def test_other_adapters(adapter, tmp_path):
    base = build(TaskType.SEQ_CLS, CONFIGS["plain"] | {"channel_num": 2}, tmp_path / "base")
    save_load_merge(get_peft_model(base, adapter), TaskType.SEQ_CLS, tmp_path)


@pytest.mark.parametrize("chain", [c for c in CHAINS if c.hops < 10], ids=name)
def test_a_bare_head_adapts_under_every_kind(chain):
    head = ChainInterdependenceHead(4, 3, 9, channel_num=2, with_residual=True, **options(chain))
    x = torch.randn(3, 9, 4)
    expected = head(x, MASK)
    adapted = get_peft_model(head, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
    changed = adapted(x, MASK)
    assert changed.isfinite().all()
    assert not torch.allclose(changed, expected, atol=1e-3)
    with adapted.disable_adapter():
        torch.testing.assert_close(adapted(x, MASK), expected)
    torch.testing.assert_close(adapted.merge_and_unload()(x, MASK), changed, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.value)
def test_lora_on_a_backbone_with_a_new_chain_head(task, tmp_path):
    encoder = BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12
    )
    model_class, auto_class = TASKS[task]
    model_class(
        ChainHeadConfig(backbone_config=encoder, hidden_sizes=[6], num_labels=3, bi_directional=True)
    ).save_pretrained(tmp_path / "base")
    lora = LoraConfig(
        task_type=task, r=2, target_modules=["query", "value"], modules_to_save=["perceptron", ".head"]
    )
    adapted = get_peft_model(model_class.from_pretrained(tmp_path / "base"), lora)
    ids, labels = torch.randint(50, (3, 9)), torch.tensor([0, 1, 2])
    inputs = {"input_ids": ids, "attention_mask": MASK}
    if task == TaskType.TOKEN_CLS:
        labels = torch.where(MASK.bool(), labels[:, None], -100)
    optimizer = torch.optim.Adam([p for p in adapted.parameters() if p.requires_grad], lr=0.05)
    for _ in range(3):
        adapted.train()(**inputs, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        expected = adapted.eval()(**inputs).logits
        adapted.save_pretrained(tmp_path / "adapter")
        saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
        loaded = auto_class.from_pretrained(tmp_path / "adapter").eval()
        torch.testing.assert_close(loaded(**inputs).logits, expected)
        merged = loaded.merge_and_unload()
        torch.testing.assert_close(merged(**inputs).logits, expected, rtol=1e-4, atol=1e-5)
    assert any("backbone" in key and "lora_A" in key for key in saved)
    assert any("head.reconciliation.linear.weight" in key for key in saved)
