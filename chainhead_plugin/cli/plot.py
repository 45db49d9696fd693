"""`chainhead plot`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .inputs import (
    ColumnsOption,
    FormatOption,
    HeaderOption,
    SeriesOption,
    TimeOption,
    check_files,
    read_files,
    wanted_of,
)
from .pipeline import load_pipeline, loading
from .support import NAME_HELP, complete_sources, reported_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .find_model import FoundModel
    from .records import Record


class _Method(str, Enum):
    exact = "exact"
    gradient_x_input = "gradient_x_input"
    integrated_gradients = "integrated_gradients"


class _Stage(str, Enum):
    input = "input"
    output = "output"


def plot(
    name: Annotated[str, typer.Argument(help=NAME_HELP, autocompletion=complete_sources)],
    inputs: Annotated[
        Path | None,
        typer.Option(
            "--input", help="What to explain: as for predict, at most 16 sequences, texts or images."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Picture to write (.png, .svg, .pdf); by default NAME-….png here.")
    ] = None,
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
        _Method | None, typer.Option(help="By default exact where the path is affine, else gradient_x_input.")
    ] = None,
    stage: Annotated[
        _Stage, typer.Option(help="Contributions of nodes at the chain's input, or output.")
    ] = _Stage.input,
    device: Annotated[str | None, typer.Option(help="Such as cpu or cuda:0; by default the best.")] = None,
    file_format: FormatOption = None,
    header: HeaderOption = None,
    columns: ColumnsOption = None,
    series: SeriesOption = None,
    time: TimeOption = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the Hub.")] = None,
) -> None:
    """Draw a model's chain: who gives to whom, and the weight of hops; or with --input what nodes add to a prediction.

    Example: chainhead plot chainhead-japanese-vowels --input recording.csv --out why.png
    """
    _check_options(
        inputs,
        length,
        {
            "--target": target,
            "--method": method,
            "--device": device,
            "--format": file_format,
            "--header": header,
            "--columns": columns,
            "--series": series,
            "--time": time,
        },
    )
    if inputs is None and stage is not _Stage.input:
        raise typer.BadParameter("has no effect without --input", param_hint="--stage")
    with reported_errors(matplotlib_for="chainhead plot"):
        from ..explain.picture_file import check_picture
        from .find_model import find_model

        kind = "chain" if inputs is None else "contributions"
        file = out or Path(f"{name.rstrip('/').rpartition('/')[2]}-{kind}.png")
        check_picture(file)
        if file.exists() and not overwrite:
            raise ValueError(f"{file} exists: choose another name with --out, or --overwrite it")
        model = find_model(name, revision)
        if inputs is None:
            from ..explain.chain_pictures import draw_chain

            figure = draw_chain(_load_chain(model), length)
        else:
            pipe = load_pipeline(model, device)
            wanted = wanted_of(
                pipe,
                model.task,
                file_format=file_format,
                header=header,
                columns=columns,
                series=series,
                time=time,
            )
            records = list(read_files([inputs], wanted))
            options = {"method": None if method is None else method.value, "stage": stage.value}
            figure = _explain(pipe, model.task, records, target, options)
        figure.savefig(file, dpi=150)
    typer.echo(file)


def _load_chain(model: FoundModel) -> Any:
    """Load what has the chain heads, whatever the task."""
    with loading(model):
        from transformers import AutoConfig, AutoModel

        config = AutoConfig.from_pretrained(model.folder, local_files_only=True, trust_remote_code=False)
        if config.model_type == "chainhead-random":
            raise ValueError(
                f"{model.name} is of random chain heads, which have no chain matrix to draw: chainhead plot draws "
                "models of recipes and of the zoo"
            )
        return AutoModel.from_pretrained(
            model.folder, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )


def _check_options(inputs: Path | None, length: int | None, of_inputs: dict[str, object]) -> None:
    if inputs is not None:
        check_files([inputs])
        if length is not None:
            raise typer.BadParameter("has no effect with --input", param_hint="--length")
        return
    for option, value in of_inputs.items():
        if value is not None:
            raise typer.BadParameter("has no effect without --input", param_hint=option)


def _explain(
    pipe: Any, task: str, records: list[Record], target: str | None, options: dict[str, Any]
) -> Figure:
    from ..explain.contribution_pictures import MOST_ROWS, draw_contributions, draw_image_contributions
    from ..explain.contributions import node_contributions

    if len(records) > MOST_ROWS:
        raise ValueError(
            f"the input holds {len(records)} records, of which a picture has room for {MOST_ROWS}"
        )
    data = [record.data for record in records]
    is_text = task in ("text-classification", "token-classification")
    if is_text:
        inputs = pipe.tokenizer(data, padding=True, truncation=True, return_tensors="pt")
    elif task == "image-classification":
        inputs = pipe.image_processor([image.convert("RGB") for image in data], return_tensors="pt")
    else:
        inputs = pipe.preprocess(data)
        inputs.pop("times", None)
    inputs = inputs.to(pipe.device)
    explained = node_contributions(pipe.model, inputs, _target(target, pipe, task), **options)
    titles = [
        _title(pipe, record, index) for record, index in zip(records, explained.target.tolist(), strict=True)
    ]
    if task == "image-classification":
        from ..explain.image_map import contribution_map

        maps = contribution_map(pipe.model, explained, inputs["pixel_values"])
        return draw_image_contributions(explained, maps, data, titles=titles)
    names = None
    if is_text:
        names = [
            pipe.tokenizer.convert_ids_to_tokens(ids[real].tolist())
            for ids, real in zip(inputs["input_ids"], explained.mask, strict=True)
        ]
    return draw_contributions(explained, titles=titles, node_names=names)


def _target(given: str | None, pipe: Any, task: str) -> str | tuple[int, ...] | None:
    config = pipe.model.config
    is_forecast = task == "time-series-forecasting"
    if given is None:
        return (0, 0) if is_forecast else None
    labels = {} if is_forecast else config.label2id
    if given in labels:
        return given
    *places, last = [part.strip() for part in given.split(",")]
    last = str(labels.get(last, last))
    if not all(part.isdecimal() for part in (*places, last)):
        return given  # no label, as the error will say
    index = tuple(int(part) for part in (*places, last))
    return (*index, 0) if is_forecast and len(index) == 1 and config.num_targets == 1 else index


def _title(pipe: Any, record: Record, index: list[int]) -> str:
    name = record.name or (f"{record.data:.60}" if isinstance(record.data, str) else "")
    config = pipe.model.config
    if getattr(config, "prediction_length", None) is not None:
        what = f"step {index[0]}" + (f", channel {index[1]}" if config.num_targets > 1 else "")
    else:
        what = str(config.id2label[index[-1]]) + (f" at node {index[0]}" if len(index) > 1 else "")
    return f"{name}: {what}" if name else what
