"""`chainhead plot`: pictures of a model's chain, and of the contributions of nodes to a prediction."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..checks.places import check_is_no_input
from ..registration import RANDOM_MODEL_TYPE
from .files.inputs import check_files, read_files, wanted_of
from .files.options import UNSAID, FileOptions, takes_file_options
from .screen import say, wrong
from .support import NAME_HELP, complete_sources, reported_errors

if TYPE_CHECKING:
    from ..answering.find_model import FoundModel


class _Method(str, Enum):
    exact = "exact"
    gradient_x_input = "gradient_x_input"
    integrated_gradients = "integrated_gradients"


class _Stage(str, Enum):
    input = "input"
    output = "output"


@takes_file_options
def plot(
    name: Annotated[str, typer.Argument(help=NAME_HELP, autocompletion=complete_sources)],
    inputs: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help="Files whose predictions to explain, as for predict: at most 16 sequences, texts or images.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Picture to write (.png, .svg, .pdf); by default NAME-….png here."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", hidden=True)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture.")] = False,
    length: Annotated[
        int | None,
        typer.Option(
            min=1, help="Nodes of the chain to draw; by default the model's own length, 64 at most."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="What to explain: a label, or counting from 0 the step of a forecast (or step,channel), or node,label "
            "of a model that labels nodes or tokens. By default the predicted label, or the first step."
        ),
    ] = None,
    method: Annotated[
        _Method | None,
        typer.Option(
            metavar="METHOD",
            help="How contributions are computed: exact, gradient_x_input or integrated_gradients; by default exact "
            "for models that allow it, else gradient_x_input.",
        ),
    ] = None,
    stage: Annotated[
        _Stage, typer.Option(help="Contributions of nodes at the chain's input, or output.")
    ] = _Stage.input,
    device: Annotated[
        str | None, typer.Option(help="Device, such as cpu or cuda:0; by default the fastest.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the Hub.")] = None,
    files_as: FileOptions = UNSAID,
) -> None:
    """Draw a model's chain: which node gives to which, and how much; or with --input what nodes add to a prediction.

    Of a forecaster, --input draws the forecast too, with bands and dates.

    Example: chainhead plot chainhead-japanese-vowels --input recording.csv --output why.png
    """
    if output is not None and out is not None:
        raise wrong("is another name of --output: leave one of the two out", "--out")
    given = {"--target": target, "--method": method, "--device": device}
    _check_options(inputs, length, given | files_as.given())
    if inputs is None and stage is not _Stage.input:
        raise wrong("has no effect without --input", "--stage")
    with reported_errors(matplotlib_for="chainhead plot"):
        from ..answering.find_model import find_model
        from ..answering.pipeline import answering
        from ..explain.picture_file import check_picture

        kind = "chain" if inputs is None else "contributions"
        file = output or out or Path(f"{name.rstrip('/').rpartition('/')[2]}-{kind}.png")
        check_picture(file)
        check_is_no_input(file, [] if inputs is None else [inputs])
        if file.exists() and not overwrite:
            raise ValueError(f"{file} exists: choose another name with --output, or --overwrite it")
        model = find_model(name, revision)
        if inputs is None:
            from ..explain.chain_pictures import draw_chain

            _check_has_chain(model)
            chains = _load_chain(model)
            with answering(model):
                figure = draw_chain(chains, length)
        else:
            from ..answering.explaining import check_explainable, draw_explanations
            from ..answering.pipeline import load_pipeline

            answers = model.answers
            pipe = load_pipeline(model, device)
            check_explainable(pipe, model.name)
            records = list(read_files([inputs], wanted_of(pipe, answers, files_as)))
            options = {"method": None if method is None else method.value, "stage": stage.value}
            with answering(model):
                figure = draw_explanations(pipe, answers, records, target, options)
        figure.savefig(file, dpi=150)
    say(file)


def _check_has_chain(model: FoundModel) -> None:
    from ..answering.find_model import read_object

    if read_object(model.folder / "config.json").get("model_type") == RANDOM_MODEL_TYPE:
        raise ValueError(
            f"{model.name} consists of random chain heads, which have no chain matrix to draw: chainhead plot draws "
            "models of recipes and of the zoo"
        )


def _load_chain(model: FoundModel) -> Any:
    """Return the model that contains the chain heads, for any task."""
    from ..answering.pipeline import loading

    with loading(model):
        from transformers import AutoModel

        return AutoModel.from_pretrained(
            model.folder, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )


def _check_options(inputs: Path | None, length: int | None, of_inputs: dict[str, object]) -> None:
    if inputs is not None:
        check_files([inputs])
        if length is not None:
            raise wrong("has no effect with --input", "--length")
        return
    for option, value in of_inputs.items():
        if value is not None:
            raise wrong("has no effect without --input", option)
