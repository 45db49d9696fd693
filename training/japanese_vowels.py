"""Train, measure and publish `chainhead-japanese-vowels`: ``python -m training.japanese_vowels``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .card import render_card
from .data import Chains, load
from .figures import draw_chain_matrix, draw_learning_curve
from .fitting import RECIPE
from .measuring import Measured, measure
from .published import NAME
from .readme import update_readme
from .release import save_checkpoint, save_results, save_samples, update_catalogue

_ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m training.japanese_vowels", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="the first is published"
    )
    parser.add_argument("--epochs", type=int, default=RECIPE["num_train_epochs"])
    parser.add_argument("--output", type=Path, default=_ROOT, help="folder laid out like this repository")
    options = parser.parse_args(arguments)
    if len(options.seeds) < 2:
        parser.error("--seeds needs at least two seeds, for a spread")

    test = load("TEST")
    measured = measure(load("TRAIN"), test, options.seeds, options.epochs)
    publish(measured, test, options.output)
    if options.output == _ROOT:
        update_readme(_ROOT / "README.md", measured.results)


def publish(measured: Measured, test: Chains, output: Path) -> None:
    """Write checkpoint, samples, catalogue record, results, pictures and card.

    Parameters
    ----------
    measured : Measured
    test : Chains
        Where the samples come from.
    output : Path
        Folder laid out like this repository.
    """
    released = measured.released
    checkpoints = output / "chainhead_plugin" / "checkpoints"
    cards = output / "model_cards"
    images = output / "docs" / "images"
    for folder in (checkpoints, cards, images):
        folder.mkdir(parents=True, exist_ok=True)
    save_checkpoint(released, checkpoints / NAME)
    save_samples(released, test, checkpoints / "japanese_vowels_samples.json")
    update_catalogue(measured.results, released, checkpoints / NAME, checkpoints / "catalogue.json")
    save_results(measured.results, cards / f"{NAME}.json")
    draw_learning_curve(measured.curve, images / "japanese-vowels-learning-curve.png")
    draw_chain_matrix(released.model.chainhead.layers[0].head, images / "japanese-vowels-chain-matrix.png")
    render_card(measured.results, released.model.config.to_dict(), cards / f"{NAME}.md")


if __name__ == "__main__":
    main()
