"""The subcommands `train` and `compare`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.screen import console, foreign_table, printable

from .files.inputs import OF_TEXT_FILES
from .files.options import UNSAID, FileOptions, takes_file_options
from .on_ray import AddressOption, Engine, check_engine
from .screen import say, wrong
from .support import complete_recipes, reported_errors
from .train_table import is_table, train_table

if TYPE_CHECKING:
    from ..recipes.recipe import Recipe
    from ..recipes.training.measuring import Measured
    from ..recipes.training.runs import Runs

_RecipeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE",
        help="A YAML file, or the name of a model of the zoo, for its own recipe.",
        autocompletion=complete_recipes,
    ),
]
_OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder to write; by default named like the model.")
]


@takes_file_options
def train(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|TABLE|FOLDER",
            help="A YAML file, the name of a model of the zoo for its own recipe, a table of series: CSV, Parquet, "
            "Excel, JSON lines, .npz, .ts …, a folder or a pattern of them; or a folder with a folder of WAV files for "
            "each label, or a table that names such files.",
            autocompletion=complete_recipes,
        ),
    ],
    output: _OutputOption = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Task of a table: classification, regression or forecasting; by default told by labels and times."
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Another table, to test on; for forecasts a table that goes on in time."),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option(help="Share of a table's series, or of its time, to test on, such as 0.2."),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(min=1, help="Steps to forecast from a table; by default as is usual for its times."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Columns of a table to forecast, a,b; by default its only column.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of training on a table, by default 0.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="Time to try a trained stack too, on a table with classes or with series to forecast; it is taken if "
            "it is better.",
        ),
    ] = None,
    files_as: FileOptions = UNSAID,
) -> None:
    """Train a recipe's model on every seed and test each of them once, or the default model on a table or on sounds.

    Nothing has to be said of a table: the meaning of its columns is guessed if that is safe, and printed. A table with
    times and without labels becomes a forecaster. A recipe whose training was interrupted goes on where it stopped; the
    model has the weights of its first seed. The folder loads with from_pretrained, and holds a card and the results.
    Needs the extra "train".

    Example: chainhead train measurements.csv --label kind --test-share 0.2

    Example: chainhead train sales.csv --horizon 14

    Example: chainhead train calls --test-share 0.25
    """
    options = {
        "task": task,
        "test": test,
        "test_share": test_share,
        "seed": seed,
        "horizon": horizon,
        "target": target,
        "minutes": minutes,
    }
    given = {f"--{name.replace('_', '-')}": value for name, value in options.items() if value is not None}
    from ..recipes.media_folders import check_no_media
    from ..recipes.recipe_files import load_recipe
    from ..recipes.sound_folders import holds_sounds, recipe_of_sounds
    from ..recipes.tables_of_files import recipe_of_table

    with reported_errors():
        if holds_sounds(source):
            of_tables = given.keys() - {"--test", "--test-share", "--seed"}
            if unused := [*files_as.given(), *sorted(of_tables)]:
                raise wrong(f"has no effect on {source}, a folder of sounds", unused[0])
            recipe = recipe_of_sounds(Path(source), test, test_share, seed)
            _measure(recipe, output or Path(f"{recipe.name}-model"), with_peers=False)
            return
        check_no_media(Path(source))
        if is_table(source):
            try:
                train_table(source, output, files_as, options)
            except ValueError:
                # Whatever was wrong with it as a table of series, it may name sounds.
                of_sounds = recipe_of_table(
                    Path(source), files_as.spec(), files_as.reading(), test, test_share, seed
                )
                if of_sounds is None:
                    raise
                _check_of_sounds(source, {**files_as.given(), **given})
                _measure(of_sounds, output or Path(f"{of_sounds.name}-model"), with_peers=False)
            return
        if unused := [*files_as.given(), *given]:
            raise wrong(f"is for tables, which {source} is not", unused[0])
        _measure(load_recipe(source), output, with_peers=False)


def _check_of_sounds(source: str, given: Mapping[str, object]) -> None:
    """End the command with exit code 2 if an option has no effect on a table of the paths of sounds."""
    for name, value in given.items():
        is_task = name == "--task" and value == "classification"
        if not is_task and name not in (
            *OF_TEXT_FILES,
            "--label",
            "--group",
            "--test",
            "--test-share",
            "--seed",
        ):
            raise wrong(f"has no effect on {source}, which names sounds", name)


def compare(
    recipe: _RecipeArgument,
    output: _OutputOption = None,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="Spread the runs over workers of Ray; weights and metrics stay the same, bit for bit."
        ),
    ] = None,
    address: AddressOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many runs Ray does at a time; by default as many as the processors allow."
        ),
    ] = None,
) -> None:
    """Train a recipe's model and its peers, on the same data and budget, and show them side by side.

    After `train` it trains only the peers: LSTM, GRU, Conv1d, an MLP, the plain chain, the same head without hops and,
    for labels of series, MiniRocket, unless the recipe names its own. Needs the extra "train".

    Example: chainhead compare my-recipe.yaml

    Example: chainhead compare my-recipe.yaml --engine ray --workers 8
    """
    from ..recipes.fields.random_chains import MODEL_TYPE
    from ..recipes.recipe_files import load_recipe

    check_engine(engine, {"--address": address, "--workers": workers})
    with reported_errors():
        if is_table(recipe) and not Path(recipe).is_dir():
            raise ValueError(
                f"{recipe} is no recipe: to compare the default model with others, name the table in the data of a "
                f"recipe, with model: {{model_type: {MODEL_TYPE}}}; chainhead train {recipe} needs none"
            )
        _measure(
            load_recipe(recipe),
            output,
            with_peers=True,
            on_ray=engine is not None,
            address=address,
            workers=workers,
        )


def _measure(
    recipe: "Recipe",
    output: Path | None,
    *,
    with_peers: bool,
    on_ray: bool = False,
    address: str | None = None,
    workers: int | None = None,
) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from registry.jobs.engines.cluster import require_ray

    terminal = console()
    folder = output or Path(recipe.name)
    with terminal.status("Importing torch and transformers"):
        from transformers.utils import logging

        from ..recipes.results.figures import require_matplotlib
        from ..recipes.results.output import RUNS, check_output, write_output
        from ..recipes.training.measuring import measure, planned_epochs
        from ..recipes.training.records import in_use
    logging.disable_progress_bar()
    require_matplotlib()
    if on_ray:
        require_ray("--engine ray")
    check_output(folder)
    peers = recipe.peers if with_peers else []
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
    )
    # The progress bar disappears when there are results or an error. Without a terminal it is not written at all.
    progress = Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=terminal,
        transient=True,
        disable=not terminal.is_terminal,
    )
    with in_use(folder / RUNS), progress:
        task = progress.add_task("Training", total=planned_epochs(recipe, peers))

        def advance(epochs: int) -> None:
            progress.advance(task, epochs)

        def name_model(title: str) -> None:
            progress.update(task, description=printable(f"Training: {title}", one_line=True))

        def tell(line: str) -> None:
            progress.console.print(line, soft_wrap=True)

        def run_before(runs: "Runs", peers: list[str]) -> None:
            if on_ray:
                from ..recipes.training.on_ray import spread_runs

                spread_runs(runs, peers, address=address, workers=workers, on_pieces=count_pieces)

        def count_pieces(done: int, total: int) -> None:
            progress.update(task, description=f"Training: {done} of {total} runs on Ray")

        try:
            measured = measure(recipe, folder / RUNS, peers, advance, name_model, tell, run_before)
        except KeyboardInterrupt:
            progress.stop()
            say(f"Interrupted. The same command goes on from the finished runs in {folder}.", stderr=True)
            raise
        write_output(recipe, measured, folder)
    _show(recipe, measured, folder, terminal.print)


def _show(recipe: "Recipe", measured: "Measured", folder: Path, show: Callable[[object], None]) -> None:
    from ..recipes.results.verdict import verdict

    metric = recipe.task.metric
    heading = metric.in_unit(recipe.card.get("unit"))
    seeds = len(recipe.seeds)
    table = foreign_table(
        title=f"{recipe.name}: test {heading}, {seeds} seed{'s' if seeds > 1 else ''}", title_justify="left"
    )
    table.add_column("")
    for column in ("weights", "learning rate", "validation", "test", "s a run", "s to predict"):
        table.add_column(column, justify="right")
    report = measured.report
    for model in report.models.values():
        table.add_row(
            model.title,
            "–" if model.parameters is None else f"{model.parameters:,}",
            "–" if model.learning_rate is None else f"{model.learning_rate:g}",
            metric.text(model.validation),
            metric.spread(model.outcomes[metric.name]),
            f"{model.training_seconds:.2f}",
            f"{model.prediction_seconds:.2f}",
        )
    for title in report.not_run:
        table.add_row(title, *["not run"] + [""] * 5)
    for title, baseline in report.baselines.items():
        tested = baseline.outcomes[metric.name].mean
        table.add_row(title, "0", "–", metric.text(baseline.validation), metric.text(tested), "–", "–")
    show(table)
    _show_all_metrics(recipe, measured, show)
    for sentence in verdict(report):
        show(sentence.replace("**", ""))
    show(f"Model, card and pictures: {folder}")


def _show_all_metrics(recipe: "Recipe", measured: "Measured", show: Callable[[object], None]) -> None:
    metrics = recipe.task.metrics
    if len(metrics) < 3:  # The card has a sentence for a second metric.
        return
    is_mean = len(recipe.seeds) > 1
    table = foreign_table(title=f"test{', means over the seeds' if is_mean else ''}", title_justify="left")
    table.add_column("")
    for metric in metrics:
        table.add_column(metric.in_unit(recipe.card.get("unit")), justify="right")
    for model in measured.report.models.values():
        table.add_row(model.title, *(metric.text(model.outcomes[metric.name].mean) for metric in metrics))
    show(table)
