"""A script for `accelerate launch`: trains with an Accelerator's loop and with Trainer, and saves both models.

python distributed_training.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from chainhead_plugin import (
    ChainHeadConfig,
    ChainHeadDataCollator,
    ChainHeadFeatureExtractor,
    ChainHeadForSequenceClassification,
    ChainHeadForTokenClassification,
)

GLOBAL_BATCH = 8
OPTIONS = {"m": 4, "hidden_sizes": [6, 5], "channel_num": 2, "with_residual": True, "num_labels": 3}


def examples(per_node):
    rng = np.random.default_rng(0)
    made = []
    for length in rng.integers(2, 13, size=32):
        labels = rng.integers(0, 3, size=length) if per_node else int(rng.integers(3))
        made.append({"input_features": rng.normal(size=(length, 4)).astype(np.float32), "labels": labels})
    return made


def loop(collate):
    """Several passes with an Accelerator that deals every batch out to the processes."""
    accelerator = Accelerator(cpu=True)
    torch.manual_seed(0)
    model = ChainHeadForSequenceClassification(ChainHeadConfig(**OPTIONS))
    loader = DataLoader(
        examples(per_node=False), GLOBAL_BATCH // accelerator.num_processes, collate_fn=collate
    )
    model, optimizer, loader = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1), loader)
    for _ in range(2):
        for batch in loader:
            accelerator.backward(model(**batch).loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return accelerator.unwrap_model(model), accelerator


def trainer(collate, processes, folder):
    torch.manual_seed(0)
    arguments = TrainingArguments(
        str(folder),
        average_tokens_across_devices=True,
        disable_tqdm=True,
        learning_rate=0.1,
        logging_strategy="no",
        max_steps=6,
        optim="sgd",
        per_device_train_batch_size=GLOBAL_BATCH // processes,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
    )
    model = ChainHeadForTokenClassification(ChainHeadConfig(**OPTIONS))
    Trainer(model, arguments, collate, examples(per_node=True)).train()
    return model


def main(folder):
    collate = ChainHeadDataCollator(ChainHeadFeatureExtractor(feature_size=4))
    looped, accelerator = loop(collate)
    trained = trainer(collate, accelerator.num_processes, folder / "run")
    if accelerator.is_main_process:
        looped.save_pretrained(folder / f"loop-{accelerator.num_processes}")
        trained.save_pretrained(folder / f"trainer-{accelerator.num_processes}")
    # A process that ends while its group's threads still run may be aborted.
    accelerator.wait_for_everyone()
    accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
