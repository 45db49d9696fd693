"""A script for `accelerate launch`: trains in every way that the guide to training names, and saves what came out.

python distributed_training.py FOLDER

A single process writes folders in FOLDER/1, two processes write FOLDER/2, with the same global batches. The two read
the distributed checkpoint of the one, which has to come first.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator, FullyShardedDataParallelPlugin
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from torch import distributed
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict
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
# In both places where models have BatchNorm.
NORMALISED = {"with_batch_norm": True, "normalisation": "pre-batch"}
COLLATE = ChainHeadDataCollator(ChainHeadFeatureExtractor(feature_size=4))
FSDP = {
    "fsdp1": {"fsdp_version": 1, "use_orig_params": True},
    "fsdp1 flat": {"fsdp_version": 1},
    "fsdp2": {
        "fsdp_version": 2,
        "auto_wrap_policy": "transformer_based_wrap",
        "transformer_cls_names_to_wrap": ["ChainHeadLayer"],
    },
}


def examples(per_node):
    rng = np.random.default_rng(0)
    made = []
    for length in rng.integers(2, 13, size=32):
        labels = rng.integers(0, 3, size=length) if per_node else int(rng.integers(3))
        made.append({"input_features": rng.normal(size=(length, 4)).astype(np.float32), "labels": labels})
    return made


def accelerator_for(way, accumulated):
    """Return a new Accelerator. On CPUs accelerate passes over FSDP in silence; all else of its FSDP runs there."""
    AcceleratorState._reset_state()
    options = {"gradient_accumulation_steps": accumulated}
    if way in FSDP:
        state = PartialState()
        state.distributed_type, state.device = DistributedType.MULTI_GPU, torch.device("cpu")
        options["fsdp_plugin"] = FullyShardedDataParallelPlugin(**FSDP[way])
    accelerator = Accelerator(cpu=True, **options)
    assert (accelerator.distributed_type == DistributedType.FSDP) == (way in FSDP)
    return accelerator


def loop(way, processes, accumulated=1, **fields):
    """Several passes with an Accelerator that deals every batch out to the processes."""
    accelerator = accelerator_for(way, accumulated)
    torch.manual_seed(0)
    model = ChainHeadForSequenceClassification(ChainHeadConfig(**OPTIONS, **fields))
    model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    if way == "fsdp1 flat":  # whose weights become others
        model = accelerator.prepare(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(
        examples(per_node=False), GLOBAL_BATCH // processes // accumulated, collate_fn=COLLATE
    )
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    for _ in range(2):
        for batch in loader:
            with accelerator.accumulate(model):
                accelerator.backward(model(**batch).loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
    return model, accelerator


def save(model, accelerator, folder):
    weights = accelerator.get_state_dict(model)
    accelerator.unwrap_model(model).save_pretrained(
        folder, state_dict=weights, max_shard_size=400, is_main_process=accelerator.is_main_process
    )


def load_parts(model, weights, folder):
    """Load a distributed checkpoint into a model that is distributed: each process reads its part."""
    loaded = {name: torch.zeros_like(value) for name, value in weights.items()}
    checkpoint.load(loaded, checkpoint_id=folder)
    set_model_state_dict(model, loaded)


def trainer(processes, folder):
    torch.manual_seed(0)
    arguments = TrainingArguments(
        str(folder / "run"),
        average_tokens_across_devices=True,
        disable_tqdm=True,
        learning_rate=0.5,
        logging_steps=1,
        max_steps=6,
        optim="sgd",
        per_device_train_batch_size=GLOBAL_BATCH // processes,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
    )
    model = ChainHeadForTokenClassification(ChainHeadConfig(**OPTIONS, **NORMALISED))
    model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    run = Trainer(model, arguments, COLLATE, examples(per_node=True))
    run.train()
    run.save_model(str(folder / "trainer"))
    if run.is_world_process_zero():
        losses = [entry["loss"] for entry in run.state.log_history if "loss" in entry]
        (folder / "losses.json").write_text(json.dumps(losses))


def main(folder):
    warnings.simplefilter("ignore", FutureWarning)  # accelerate's own, with FSDP1
    processes = PartialState(cpu=True).num_processes
    mine = folder / str(processes)
    mine.mkdir(exist_ok=True)
    trainer(processes, mine)
    for way in ("ddp", *FSDP) if processes > 1 else ("ddp",):
        for name, fields, accumulated in (("normalised", NORMALISED, 1), ("accumulated", {}, processes)):
            model, accelerator = loop(way, processes, accumulated, **fields)
            save(model, accelerator, mine / f"{way} {name}")

    weights = get_model_state_dict(model)
    checkpoint.save(weights, checkpoint_id=mine / "parts", no_dist=processes == 1)
    if processes > 1:
        load_parts(model, weights, folder / "1" / "parts")
        save(model, accelerator, mine / "parts of 1")
        # A process that ends while its group's threads still run may be aborted.
        distributed.barrier()
        distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
