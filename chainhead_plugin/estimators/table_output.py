"""The folder of a model that was trained on a table: checkpoint, names of columns, plan, results and card."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from .ahead.output import write_forecaster
from .ahead.training import TrainedForecaster
from .base import HEADS, STACK
from .table_card import table_card
from .table_training import TrainedOnTable

PLAN, RESULTS, CARD = "training.yaml", "results.json", "README.md"
_KINDS = {
    HEADS: "Random chain heads for {} of series with {}: kernels that are drawn and never trained, and a ridge "
    "regression in closed form whose strength leave-one-out errors choose.",
    STACK: "A stack of chain heads for {} of series with {}, trained by gradient descent; it was more accurate than "
    "random chain heads on training series that it was not fitted to.",
}
_TITLES = {"accuracy": "accuracy", "macro_f1": "macro F1", "r2": "R²", "rmse": "root mean squared error"}


def check_folder(folder: Path) -> None:
    """Find out, before anything is trained, whether a model can be written to a folder.

    Raises
    ------
    ValueError
        If it is a file, or a folder with files that this command did not write.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"cannot write {folder}: it is a file")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / PLAN).is_file():
        raise ValueError(f"{folder} is not empty and not written by this command: choose another --output")


def write_folder(trained: TrainedOnTable | TrainedForecaster, folder: Path) -> None:
    """Write a trained model; the folder loads with `from_pretrained` and serves `chainhead predict`."""
    if isinstance(trained, TrainedForecaster):
        write_forecaster(trained, folder, PLAN, RESULTS, CARD)
        return
    extractor = trained.estimator.feature_extractor_
    if trained.schema is not None:
        extractor = ChainHeadFeatureExtractor(**_options(extractor), schema=trained.schema.to_dict())
    label = trained.plan.table.label
    if trained.plan.task == "regression" and label:
        # Predictions get the name of the label's column, in place of LABEL_0.
        config = trained.estimator.model_.config
        config.id2label, config.label2id = {0: label[0]}, {label[0]: 0}
    trained.estimator.save_pretrained(folder)
    extractor.save_pretrained(folder)
    _write(folder / RESULTS, json.dumps(_results(trained), indent=2, ensure_ascii=False))
    _write(folder / CARD, _card(trained, folder.resolve().name))
    _write(folder / PLAN, trained.plan.text())


def score_name(trained: TrainedOnTable) -> str:
    """Return the name of the metric of the left-out score: accuracy or R²."""
    return _TITLES["accuracy" if trained.plan.task == "classification" else "r2"]


def _options(extractor: ChainHeadFeatureExtractor) -> dict[str, Any]:
    saved = extractor.to_dict()
    return {name: value for name, value in saved.items() if name not in ("feature_extractor_type", "schema")}


def _write(file: Path, text: str) -> None:
    file.write_text(text.rstrip("\n") + "\n", "utf-8")


def _results(trained: TrainedOnTable) -> dict[str, Any]:
    return {
        "task": trained.plan.task,
        "model": trained.estimator.chosen_,
        "reason": trained.estimator.reason_,
        "train_series": trained.train,
        "test_series": trained.test,
        "left_out": {score_name(trained): trained.left_out},
        "test": trained.scores,
        "choices": trained.estimator.choices_,
        "seconds": round(trained.seconds, 3),
        "versions": {name: metadata.version(name) for name in ("chainhead-plugin", "torch", "scikit-learn")},
    }


def _card(trained: TrainedOnTable, name: str) -> str:
    config = trained.estimator.model_.config
    rows = [f"| {score_name(trained)}, training series that it was not fitted to | {trained.left_out:.4f} |"]
    rows += [f"| {_TITLES[key]}, test part | {value:.4f} |" for key, value in trained.scores.items()]
    table = "\n".join(["| | |", "|---|---:|", *rows])
    labels = ""
    if trained.plan.task == "classification":
        labels = f"\n\nLabels: {', '.join(config.id2label[i] for i in range(config.num_labels))}."
    tested = f"tested on {trained.test:,} other series" if trained.test else "not tested on other series"
    features = f"{config.m} feature{'' if config.m == 1 else 's'} a node"
    kind = (
        f"{_KINDS[trained.estimator.chosen_].format(trained.plan.task, features)} Trained on {trained.train:,} series, "
        f"{tested}.{labels}"
    )
    return table_card(
        name,
        # This pipeline also returns the values of a regression.
        "time-series-classification",
        answers=trained.plan.task or "classification",
        arguments=f"{name} new.csv",
        plan=PLAN,
        summary=kind,
        said=trained.said,
        results=table,
    )
