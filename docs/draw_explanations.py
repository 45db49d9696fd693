"""Draw the pictures of the guide to explanations: `python docs/draw_explanations.py`."""

import json
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from transformers import AutoFeatureExtractor

import registry
from chainhead_plugin import ChainHeadConfig, ChainHeadForImageClassification, node_contributions
from chainhead_plugin.cli.demonstration import MODEL, SAMPLES
from chainhead_plugin.explain.contribution_pictures import draw_contributions, draw_image_contributions
from chainhead_plugin.explain.image_map import contribution_map

IMAGES = Path(__file__).parent / "images"


def draw_vowels() -> None:
    """Why the embedded model hears its speaker."""
    samples = json.loads(SAMPLES.read_text("utf-8"))["samples"][2:4]
    model = registry.create_model(MODEL, pretrained=True)
    extractor = AutoFeatureExtractor.from_pretrained(registry.checkpoint_path(MODEL))
    inputs = extractor([sample["nodes"] for sample in samples], return_tensors="pt", batched=True)
    explained = node_contributions(model, inputs, method="integrated_gradients")
    titles = [
        f"{sample['label']}, taken for {model.config.id2label[label]}"
        for sample, label in zip(samples, explained.target[:, 0].tolist(), strict=True)
    ]
    draw_contributions(explained, titles=titles).savefig(IMAGES / "contributions.png", dpi=90)


def draw_digits(steps: int = 600) -> None:
    """Train a small classifier of digits, and show which patches speak for its answers."""
    torch.manual_seed(0)
    digits = load_digits()
    pixels = torch.tensor(digits.images / 8 - 1, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    train, test = train_test_split(range(len(labels)), test_size=0.25, random_state=0, stratify=labels)
    config = ChainHeadConfig(
        image_size=8,
        patch_size=2,
        num_channels=1,
        scan="row-major",
        hidden_sizes=[32],
        channel_hops=[-4, -1, 0, 1, 4],  # the patches above, left, here, right and below
        bi_directional=True,
        chain_length=16,
        pooling="flatten",
        num_labels=10,
    )
    model = ChainHeadForImageClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        batch = torch.tensor(train)[torch.randint(len(train), (64,))]
        model(pixels[batch], labels=labels[batch]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    with torch.no_grad():
        accuracy = (model(pixels[test]).logits.argmax(-1) == labels[test]).double().mean()
    shown = torch.stack([next(i for i in torch.tensor(test) if labels[i] == digit) for digit in (3, 7)])
    explained = node_contributions(
        model, {"pixel_values": pixels[shown]}, method="integrated_gradients", baseline=-1.0
    )
    titles = [
        f"a {truth}, taken for a {label} (test accuracy {accuracy:.1%})"
        for truth, label in zip(labels[shown].tolist(), explained.target[:, 0].tolist(), strict=True)
    ]
    maps = contribution_map(model, explained, pixels[shown])
    figure = draw_image_contributions(explained, maps, list(pixels[shown, 0].numpy()), titles=titles)
    figure.savefig(IMAGES / "contributions-image.png", dpi=90)


if __name__ == "__main__":
    draw_vowels()
    draw_digits()
