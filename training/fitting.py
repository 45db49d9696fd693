"""One training run: scaling, the Trainer and evaluation."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import EvalPrediction, PrinterCallback, Trainer, TrainingArguments, set_seed

from chainhead_plugin import ChainHeadFeatureExtractor

from .candidates import Candidate
from .data import FEATURES, Chains

RECIPE: Mapping[str, Any] = {
    "num_train_epochs": 60,
    "per_device_train_batch_size": 32,
    "optim": "adamw_torch",
    "weight_decay": 0.3,
    "lr_scheduler_type": "cosine",
    "max_grad_norm": 1.0,
}


@dataclass(frozen=True)
class Fit:
    """A trained model.

    Attributes
    ----------
    model : nn.Module
        In evaluation mode.
    extractor : ChainHeadFeatureExtractor
        With the statistics of the training part.
    history : list of dict
        The Trainer's log: a record every epoch.
    seconds : float
        Time that training took.
    """

    model: nn.Module
    extractor: ChainHeadFeatureExtractor
    history: list[dict[str, float]]
    seconds: float


def fit(
    candidate: Candidate, training: Chains, seed: int, epochs: int, validation: Chains | None = None
) -> Fit:
    """Train a candidate, for a fixed number of epochs; the same seed gives the same weights.

    Parameters
    ----------
    candidate : Candidate
    training : Chains
        What weights and scaling come from.
    seed : int
    epochs : int
    validation : Chains, optional
        Evaluated after every epoch, for the log.

    Returns
    -------
    Fit
    """
    # The steps are too small to share: more threads only wait for each other.
    torch.set_num_threads(1)
    set_seed(seed)
    extractor = ChainHeadFeatureExtractor(FEATURES).fit(training.nodes, batched=True)
    model = candidate.build()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder,
                seed=seed,
                learning_rate=candidate.learning_rate,
                eval_strategy="no" if validation is None else "epoch",
                per_device_eval_batch_size=512,
                logging_strategy="epoch",
                save_strategy="no",
                report_to="none",
                remove_unused_columns=False,
                dataloader_pin_memory=False,
                disable_tqdm=True,
                use_cpu=True,
                **{**RECIPE, "num_train_epochs": epochs},
            ),
            train_dataset=_examples(training),
            eval_dataset=None if validation is None else _examples(validation),
            data_collator=_collator(extractor),
            compute_metrics=_accuracy_of,
        )
        trainer.remove_callback(PrinterCallback)
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start
    return Fit(model.eval(), extractor, trainer.state.log_history, seconds)


@torch.no_grad()
def scores(
    model: nn.Module, extractor: ChainHeadFeatureExtractor, nodes: list[NDArray[np.float64]]
) -> Tensor:
    """Return every speaker's probability for each chain, [chains, speakers]."""
    logits: Tensor = model(**extractor(nodes, return_tensors="pt", batched=True))["logits"]
    return logits.softmax(-1)


def accuracy(model: nn.Module, extractor: ChainHeadFeatureExtractor, chains: Chains) -> float:
    """Return the share of chains whose speaker the model names."""
    named = scores(model, extractor, chains.nodes).argmax(-1).numpy()
    return float((named == chains.labels).mean())


def _examples(chains: Chains) -> list[dict[str, Any]]:
    return [
        {"nodes": nodes, "label": int(label)}
        for nodes, label in zip(chains.nodes, chains.labels, strict=True)
    ]


def _collator(extractor: ChainHeadFeatureExtractor) -> Callable[[list[dict[str, Any]]], dict[str, Tensor]]:
    def collate(examples: list[dict[str, Any]]) -> dict[str, Tensor]:
        batch = extractor([example["nodes"] for example in examples], return_tensors="pt", batched=True)
        return {**batch, "labels": torch.tensor([example["label"] for example in examples])}

    return collate


def _accuracy_of(predicted: EvalPrediction) -> dict[str, float]:
    return {"accuracy": float((predicted.predictions.argmax(-1) == predicted.label_ids).mean())}
