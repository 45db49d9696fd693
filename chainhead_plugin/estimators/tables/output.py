"""The folder of a model that was trained on a table: checkpoint, names of columns, plan, results and card."""

import json
import warnings
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from ...checks.places import check_folder_place
from ...hub.card_text import cell
from ...inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ...storage.hashing import sha256
from ...storage.saving import save_together
from ...tables.errors import told_name
from ..ahead.output import forecaster_card, forecaster_results
from ..ahead.training import TrainedForecaster
from ..base import HEADS, STACK
from .card import table_card
from .plan import TablePlan, load_plan
from .training import TrainedOnTable

PLAN, RESULTS = "training.yaml", "results.json"
LOCK = ".in-use.lock"
CARD, NEW_CARD = "README.md", "README.new.md"
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
        If it is or lies below a file, takes no files, or holds files that this command did not write.
    """
    check_folder_place(folder)
    held = {file.name for file in folder.iterdir()} - {LOCK} if folder.is_dir() else set()
    if held and PLAN not in held:
        raise ValueError(
            f"{folder} is not empty, and was not written by this command: choose another --output"
        )


def write_folder(trained: TrainedOnTable | TrainedForecaster, folder: Path) -> None:
    """Write a trained model, whole or not at all; the folder serves `from_pretrained` and `chainhead predict`.

    A card that somebody has edited stays, with a warning, and the new card is written beside it. So does a plan that
    says the same as the new plan: it may have comments.
    """
    name = folder.resolve().name
    if isinstance(trained, TrainedForecaster):
        results, card = forecaster_results(trained), forecaster_card(trained, name, PLAN)
    else:
        _name_columns(trained)
        results, card = _results(trained), _card(trained, name)
    card = _ended(card)
    results["card_sha256"] = sha256(card.encode())
    texts = {RESULTS: _ended(json.dumps(results, indent=2, ensure_ascii=False))}
    texts[NEW_CARD if _is_edited(folder) else CARD] = card
    if not _says_the_same(folder / PLAN, trained.plan):
        texts[PLAN] = _ended(trained.plan.text())

    def save(new: Path) -> None:
        trained.estimator.save_pretrained(new)
        for file, text in texts.items():
            (new / file).write_text(text, "utf-8", newline="")

    save_together(folder, save)
    if NEW_CARD in texts:
        warnings.warn(
            f"{folder / CARD} was edited, and stays; the new card is {folder / NEW_CARD}", stacklevel=2
        )


def score_name(trained: TrainedOnTable) -> str:
    """Return the name of the metric of the left-out score: accuracy or R²."""
    return _TITLES["accuracy" if trained.plan.task == "classification" else "r2"]


def told_scores(scores: Mapping[str, float]) -> dict[str, str]:
    """Return scores as texts, by the names that people know; errors in the unit of the labels have four digits."""
    return {
        _TITLES[name]: f"{value:.4g}" if name == "rmse" else f"{value:.4f}" for name, value in scores.items()
    }


def _options(extractor: ChainHeadFeatureExtractor) -> dict[str, Any]:
    saved = extractor.to_dict()
    return {name: value for name, value in saved.items() if name not in ("feature_extractor_type", "schema")}


def _name_columns(trained: TrainedOnTable) -> None:
    """Give the estimator's feature extractor and configuration the names of the table's columns."""
    estimator = trained.estimator
    if trained.schema is not None:
        options = _options(estimator.feature_extractor_)
        estimator.feature_extractor_ = ChainHeadFeatureExtractor(**options, schema=trained.schema.to_dict())
    label = trained.plan.table.label
    if trained.plan.task == "regression" and label:
        # Predictions get the name of the label's column, in place of LABEL_0.
        config = estimator.model_.config
        config.id2label, config.label2id = {0: label[0]}, {label[0]: 0}


def _is_edited(folder: Path) -> bool:
    """Return whether a folder's card is another than the card that was written with its results."""
    if not (folder / CARD).is_file():
        return False
    try:
        written = json.loads((folder / RESULTS).read_bytes())["card_sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True
    return bool(sha256(folder / CARD) != written)


def _says_the_same(file: Path, plan: TablePlan) -> bool:
    try:
        return load_plan(file).text() == plan.text()
    except (OSError, ValueError, TypeError):
        return False


def _ended(text: str) -> str:
    return text.rstrip("\n") + "\n"


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
    rows += [f"| {name}, test part | {value} |" for name, value in told_scores(trained.scores).items()]
    table = "\n".join(["| | |", "|---|---:|", *rows])
    labels = ""
    if trained.plan.task == "classification":
        labels = (
            f"\n\nLabels: {', '.join(cell(told_name(config.id2label[i])) for i in range(config.num_labels))}."
        )
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
