"""Train a recipe of the zoo with its peers and put its checkpoint here: ``python -m release.publish NAME``."""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich.progress import Progress
from transformers import PreTrainedConfig

from chainhead_plugin import ChainHeadConfig
from chainhead_plugin.recipes.candidates.peers import CHAIN
from chainhead_plugin.recipes.recipe import Recipe
from chainhead_plugin.recipes.recipe_files import load_recipe, shipped_recipes
from chainhead_plugin.recipes.results.card import render_card
from chainhead_plugin.recipes.results.figures import draw_comparison
from chainhead_plugin.recipes.results.output import draw_model, save_checkpoint, write_json
from chainhead_plugin.recipes.training.measuring import Measured, measure, planned_epochs
from chainhead_plugin.recipes.training.records import in_use
from chainhead_plugin.recipes.training.report import ModelReport, Report
from chainhead_plugin.storage.hashing import sha256
from chainhead_plugin.storage.whole_files import whole_file

from .samples import samples_of

ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m release.publish", description=__doc__)
    parser.add_argument("name", choices=shipped_recipes())
    parser.add_argument(
        "--runs", type=Path, help="folder of finished runs, as `chainhead compare` keeps them"
    )
    parser.add_argument(
        "--card-only", action="store_true", help="render the card anew, from the saved results"
    )
    parser.add_argument("--output", type=Path, default=ROOT, help="folder laid out like this repository")
    options = parser.parse_args(arguments)
    recipe = load_recipe(options.name)
    places = options.output / ".runs"
    places.mkdir(parents=True, exist_ok=True)
    # Recipes may be trained side by side; their records go into one catalogue.
    publishing = FileLock(places / "publishing.lock")
    if options.card_only:
        with publishing:
            write_card(recipe, options.output)
        return
    runs = options.runs or places / recipe.name
    with in_use(runs):
        with Progress() as progress:
            task = progress.add_task("Training", total=planned_epochs(recipe, recipe.peers))
            measured = measure(recipe, runs, recipe.peers, lambda epochs: progress.advance(task, epochs))
        with publishing:
            publish(recipe, measured, options.output)


def publish(recipe: Recipe, measured: Measured, output: Path) -> None:
    """Write results, pictures and card; of a model that ships also checkpoint, samples and catalogue record.

    Parameters
    ----------
    recipe : Recipe
    measured : Measured
    output : Path
        Folder laid out like this repository.
    """
    checkpoints, images = output / "chainhead_plugin" / "checkpoints", output / "model_cards" / "images"
    images.mkdir(parents=True, exist_ok=True)
    if recipe.is_embedded:
        checkpoint = checkpoints / recipe.name
        config = save_checkpoint(recipe, measured, checkpoint)
        samples = _rows_on_lines(samples_of(recipe, measured))
        _write_text(checkpoints / samples_file(recipe), samples)
        _update_catalogue(recipe, measured, config, checkpoint, checkpoints / "catalogue.json")
    write_json(output / "model_cards" / f"{recipe.name}.json", measured.results)
    draw_model(recipe, measured, f"{images / _stem(recipe)}-")
    recipe.task.draw(recipe, measured, f"{images / _stem(recipe)}-")
    write_card(recipe, output)


def write_card(recipe: Recipe, output: Path) -> None:
    """Render the card, and draw its comparison, from the saved results and configuration."""
    if recipe.is_embedded:
        saved = output / "chainhead_plugin" / "checkpoints" / recipe.name / "config.json"
        config = json.loads(saved.read_text("utf-8"))
    else:
        config = ChainHeadConfig(**recipe.model).to_dict()
    results = json.loads((output / "model_cards" / f"{recipe.name}.json").read_text("utf-8"))
    report = Report.from_json(results, recipe.task.metrics)
    card = render_card(
        recipe,
        report,
        config,
        pictures=f"images/{_stem(recipe)}-",
        samples=samples_file(recipe) if recipe.is_embedded else None,
        in_zoo=True,
    )
    comparison = output / "model_cards" / "images" / f"{_stem(recipe)}-comparison.png"
    draw_comparison(report, comparison, recipe.card.get("unit"))
    _write_text(output / "model_cards" / f"{recipe.name}.md", card)


def _write_text(file: Path, text: str) -> None:
    with whole_file(file) as new:
        new.write_text(text, encoding="utf-8")


def samples_file(recipe: Recipe) -> str:
    """Return the name of the file that holds a test example of every label."""
    return f"{_stem(recipe).replace('-', '_')}_samples.json"


def _stem(recipe: Recipe) -> str:
    return recipe.name.removeprefix("chainhead-")


def _rows_on_lines(content: Any) -> str:
    """Return JSON to read, but for rows of numbers, which stand on a line each."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Inside of texts there are no line feeds.
    return re.sub(r"\[\n[-+.\deE,\s]*\]", lambda row: "[" + " ".join(row[0][1:-1].split()) + "]", text)


def _update_catalogue(
    recipe: Recipe, measured: Measured, config: PreTrainedConfig, checkpoint: Path, file: Path
) -> None:
    """Put the model's record into the plugin's catalogue, in place of an older record."""
    chain = measured.report.models[CHAIN]
    record = {
        "name": recipe.name,
        "task": recipe.task.name,
        "auto_class": measured.inputs.auto_class,
        "summary": recipe.card["summary"],
        "data": recipe.card["catalogue"],
        "license": recipe.card["license"],
        "metrics": catalogued_metrics(recipe, chain),
        "parameters": chain.parameters,
        "config": _changed_fields(config),
        "files": {saved.name: sha256(saved) for saved in sorted(checkpoint.iterdir())},
        "repo_id": None,
        "revision": None,
    }
    known = json.loads(file.read_text("utf-8")) if file.is_file() else []
    records = [entry for entry in known if entry["name"] != recipe.name]
    write_json(file, sorted([*records, record], key=lambda entry: entry["name"]))


def catalogued_metrics(recipe: Recipe, chain: ModelReport) -> dict[str, float]:
    """Return the test metrics of a model: of its first seed, their mean, and the deviation of several seeds."""
    metrics: dict[str, float | None] = {}
    for metric in recipe.task.metrics:
        outcome, key = chain.outcomes[metric.name], f"test_{metric.name}"
        if outcome.is_defined:
            metrics |= {key: outcome.values[0], f"{key}_mean": outcome.mean, f"{key}_sd": outcome.sd}
    return {name: value for name, value in metrics.items() if value is not None}


def _changed_fields(config: PreTrainedConfig) -> dict[str, Any]:
    default = type(config)()
    changed: dict[str, Any] = {
        field.name: getattr(config, field.name)
        for field in fields(config)
        if getattr(config, field.name) != getattr(default, field.name)
    }
    for saved_only in ("transformers_version", "architectures", "dtype"):
        changed.pop(saved_only, None)
    if isinstance(config, ChainHeadConfig) and isinstance(config.backbone_config, PreTrainedConfig):
        backbone = config.backbone_config.to_diff_dict()
        del backbone["transformers_version"]
        changed["backbone_config"] = backbone
    return {"model_type": config.model_type, **changed}


if __name__ == "__main__":
    main()
