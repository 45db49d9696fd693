"""Write a trained model as an embedded checkpoint: weights, catalogue record and samples."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from chainhead_plugin import ChainHeadConfig

from .candidates import CHAIN, chain_config
from .data import SPEAKERS, Chains
from .fitting import Fit, scores
from .published import DATA, LICENSE, NAME, SOURCE, SUMMARY, TASK


def save_checkpoint(released: Fit, folder: Path) -> None:
    """Save the model and its feature extractor, as `from_pretrained` reads them."""
    # The Trainer leaves `use_cache` in the configuration, which means nothing here.
    released.model.config = chain_config()
    released.model.save_pretrained(folder)
    released.extractor.save_pretrained(folder)


def save_samples(released: Fit, test: Chains, file: Path) -> None:
    """Save every speaker's first test chain, with the scores that the model gives it."""
    first = np.array([np.argmax(test.labels == speaker) for speaker in range(len(SPEAKERS))])
    chosen = test.take(first)
    samples = [
        {"label": SPEAKERS[label], "test_index": int(index), "nodes": nodes.tolist(), "scores": row}
        for index, label, nodes, row in zip(
            first,
            chosen.labels,
            chosen.nodes,
            scores(released.model, released.extractor, chosen.nodes).tolist(),
            strict=True,
        )
    ]
    _write(file, {"source": SOURCE, "license": LICENSE, "model": NAME, "samples": samples})


def update_catalogue(results: Mapping[str, Any], released: Fit, checkpoint: Path, file: Path) -> None:
    """Put the model's record into the plugin's catalogue, in place of an older one."""
    chain = results["models"][CHAIN]
    record = {
        "name": NAME,
        "task": TASK,
        "auto_class": "AutoModelForSequenceClassification",
        "summary": SUMMARY,
        "data": DATA,
        "license": LICENSE,
        "metrics": {
            "test_accuracy": chain["test_accuracy"][0],
            "test_accuracy_mean": chain["test_accuracy_mean"],
            "test_accuracy_sd": chain["test_accuracy_sd"],
        },
        "parameters": chain["parameters"],
        "config": _changed_fields(released.model.config),
        "files": {
            saved.name: hashlib.sha256(saved.read_bytes()).hexdigest()
            for saved in sorted(checkpoint.iterdir())
        },
        "repo_id": None,
        "revision": None,
    }
    others = json.loads(file.read_text("utf-8")) if file.is_file() else []
    records = [other for other in others if other["name"] != NAME]
    _write(file, sorted([*records, record], key=lambda entry: entry["name"]))


def save_results(results: Mapping[str, Any], file: Path) -> None:
    """Save what was measured."""
    _write(file, results)


def _changed_fields(config: ChainHeadConfig) -> dict[str, Any]:
    default = ChainHeadConfig()
    changed = {
        field.name: getattr(config, field.name)
        for field in fields(config)
        if getattr(config, field.name) != getattr(default, field.name)
    }
    for saved_only in ("transformers_version", "architectures", "dtype"):
        changed.pop(saved_only, None)
    return {"model_type": config.model_type, **changed}


def _write(file: Path, content: Any) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")
