"""Train the model, and write its checkpoint, its card and the catalogue: `python -m my_zoo.training`."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from .digits import TEST, images, pixel_values
from .modeling_my_zoo import DigitClassifier
from .plugin import CHECKPOINTS

NAME = "my-zoo-digits"
CARD = """---
license: apache-2.0
pipeline_tag: image-classification
---
# {name}

Which of ten digits is handwritten on an image of 8×8 pixels. Trained on scikit-learn's digits: of the last
{test}, which it has not seen, {accuracy:.1%} are right.
"""


def train(steps: int = 300) -> tuple[DigitClassifier, float]:
    """Train a model; return it and its accuracy on the test part."""
    torch.manual_seed(0)
    pixels, classes = images()
    inputs, labels = pixel_values(pixels), torch.from_numpy(classes)
    model = DigitClassifier()

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(steps):
        loss = cross_entropy(model(inputs[:-TEST]), labels[:-TEST])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    with torch.no_grad():
        found = model.eval()(inputs[-TEST:]).argmax(-1)
    return model, (found == labels[-TEST:]).double().mean().item()


def write(checkpoints: Path = CHECKPOINTS) -> None:
    """Train a model and write everything that is to know about it."""
    model, accuracy = train()
    folder = checkpoints / NAME
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "README.md").write_text(CARD.format(name=NAME, test=TEST, accuracy=accuracy), "utf-8")

    record = {
        "name": NAME,
        "task": "image-classification",
        "summary": "Handwritten digits, 8x8 pixels",
        "data": "scikit-learn's digits",
        "license": "Apache-2.0",
        "metrics": {"test_accuracy": round(accuracy, 4)},
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "config": {"image_size": 8, "hidden_size": 32, "num_labels": 10},
        "files": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())
        },
    }
    (checkpoints / "catalogue.json").write_text(json.dumps([record], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    write()
