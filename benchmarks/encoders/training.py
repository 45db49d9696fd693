"""One training: a set of aeon's package, an encoder, a head, a seed."""

import time
from typing import Any

import numpy as np
import torch
from aeon.datasets import load_classification
from torch import Tensor
from torch.nn import functional as F

from .models import ENCODERS, accuracy, count

# The same for all, and chosen before any test part was looked at.
STEPS, BATCH, RATE = 200, 16, 2e-3
SETS = {"PatchTST": ("BasicMotions", "GunPoint", "ItalyPowerDemand"), "Wav2Vec2": ("ACSF1",)}


def load(name: str, part: str) -> tuple[Tensor, list[str]]:
    """Return series [series, length, channels], standardised each by itself, and their labels."""
    values, labels = load_classification(name, split=part)
    centred = values - values.mean(2, keepdims=True)
    scaled = centred / np.maximum(centred.std(2, keepdims=True), 1e-8)
    return torch.from_numpy(scaled).float().transpose(1, 2).contiguous(), [str(label) for label in labels]


def train(encoder: str, head: str, name: str, seed: int, steps: int = STEPS) -> dict[str, Any]:
    """Train on the training part, look at the test part once, and return what was found."""
    (series, told), (test, test_told) = load(name, "train"), load(name, "test")
    names = sorted(set(told))
    labels = torch.tensor([names.index(label) for label in told])

    torch.manual_seed(seed)
    model = ENCODERS[encoder](head, series.size(2), series.size(1), len(names))
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    start = time.process_time()
    model.train()
    for _ in range(steps):
        rows = torch.randperm(len(series))[:BATCH]
        optimiser.zero_grad()
        F.cross_entropy(model(series[rows]), labels[rows]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()

    seconds = time.process_time() - start
    expected = torch.tensor([names.index(label) for label in test_told])
    return {
        "encoder": encoder,
        "head": head,
        "set": name,
        "seed": seed,
        "accuracy": accuracy(model, test, expected),
        "weights": count(model),
        "seconds": seconds,
    }
