"""Train the model, and write its checkpoint, its card and the catalogue: `python -m my_zoo.training`."""

import hashlib
import json
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import ViTImageProcessor

from .configuration_my_zoo import MyZooConfig
from .digits import TEST, images, pixel_values
from .modeling_my_zoo import MyZooForImageClassification
from .plugin import CHECKPOINTS

NAME = "my-zoo-digits"
CARD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: image-classification
---
# {name}

Which of ten digits is handwritten on an image of 8×8 pixels. Trained on scikit-learn's digits: of the last
{test}, which it has not seen, {accuracy:.1%} are right.
"""


def train(steps: int = 300) -> tuple[MyZooForImageClassification, float]:
    """Train a model; return it and its accuracy on the test part."""
    torch.manual_seed(0)
    pixels, classes = images()
    inputs, labels = pixel_values(pixels), torch.from_numpy(classes)
    names = {label: str(label) for label in range(10)}
    config = MyZooConfig(id2label=names, label2id={name: label for label, name in names.items()})
    model = MyZooForImageClassification(config)

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(steps):
        loss = cross_entropy(model(inputs[:-TEST]).logits, labels[:-TEST])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    with torch.no_grad():
        found = model.eval()(inputs[-TEST:]).logits.argmax(-1)
    return model, (found == labels[-TEST:]).double().mean().item()


def write(checkpoints: Path = CHECKPOINTS) -> None:
    """Train a model and write everything that is to know about it."""
    model, accuracy = train()
    folder = checkpoints / NAME
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": 8, "width": 8}).save_pretrained(folder)
    (folder / "README.md").write_text(CARD.format(name=NAME, test=TEST, accuracy=accuracy), "utf-8")

    record = {
        "name": NAME,
        "task": "image-classification",
        "auto_class": "AutoModelForImageClassification",
        "summary": "Handwritten digits, 8x8 pixels",
        "data": "scikit-learn's digits",
        "license": "Apache-2.0",
        "metrics": {"test_accuracy": round(accuracy, 4)},
        "parameters": model.num_parameters(),
        "config": {"model_type": MyZooConfig.model_type, "num_labels": 10},
        "files": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())
        },
    }
    (checkpoints / "catalogue.json").write_text(json.dumps([record], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    write()
