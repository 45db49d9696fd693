"""Draws what each node of records adds to a model's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from registry.screen import printable

from ..registration import RANDOM_MODEL_TYPE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .answers import Answers
    from .wanted import Record


def check_explainable(pipe: Any, name: str) -> None:
    """Check that the answers of a model are sums over nodes.

    Raises
    ------
    ValueError
        If they are not, because the model is of random chain heads.
    """
    if pipe.model.config.model_type == RANDOM_MODEL_TYPE:
        raise ValueError(
            f"{name} consists of random chain heads, whose answers are not sums over nodes, so that there are no "
            "contributions to draw: chainhead plot --input explains models of recipes and of the zoo"
        )


def draw_explanations(
    pipe: Any, answers: Answers, records: Sequence[Record], target: str | None, options: dict[str, Any]
) -> Figure:
    """Draw the contributions of nodes to the predictions for records, below forecasts if these are the predictions.

    Needs matplotlib.

    Parameters
    ----------
    pipe : transformers.Pipeline
        The model's pipeline.
    answers : Answers
        The behaviour for its task.
    records : sequence of Record
        At most 16.
    target : str, optional
        The output to explain: a label, or indices such as "2,1"; by default the predicted label, or the first step.
    options : dict
        Further arguments of `node_contributions`: "method" and "stage".

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are too many records, or the model has no such output.
    """
    from ..explain.contribution_pictures import (
        MOST_ROWS,
        draw_contributions,
        draw_explained_forecasts,
        draw_image_contributions,
    )
    from ..explain.contributions import node_contributions

    if len(records) > MOST_ROWS:
        raise ValueError(
            f"the input holds {len(records)} records, but a picture has room for {MOST_ROWS} at most"
        )
    data = [record.data for record in records]
    if answers.reads == "text":
        inputs = pipe.tokenizer(data, padding=True, truncation=True, return_tensors="pt")
    elif answers.reads == "image":
        inputs = pipe.image_processor([image.convert("RGB") for image in data], return_tensors="pt")
    elif answers.reads == "video":
        inputs = _inputs_of_videos(pipe, answers, data)
    elif answers.reads == "sound":
        extractor = pipe.feature_extractor
        inputs = extractor(data, sampling_rate=extractor.sampling_rate, padding=True, return_tensors="pt")
    else:
        inputs = pipe.preprocess(data)
        inputs.pop("times", None)
    inputs = inputs.to(pipe.device)
    config = pipe.model.config
    wanted = answers.default_target() if target is None else answers.target(target, config)
    explained = node_contributions(pipe.model, inputs, wanted, **options)

    titles = []
    for record, index in zip(records, explained.target.tolist(), strict=True):
        name = record.name or (f"{record.data:.60}" if isinstance(record.data, str) else "")
        told = answers.target_name(index, config)
        titles.append(printable(f"{name}: {told}" if name else told, one_line=True))

    if answers.reads == "image":
        from ..explain.image_map import contribution_map

        maps = contribution_map(pipe.model, explained, inputs["pixel_values"])
        return draw_image_contributions(explained, maps, data, titles=titles)
    if answers.result == "forecast":
        results = list(pipe(data, **answers.run_options(pipe)))
        pasts = [sequence.nodes for sequence in data]
        return draw_explained_forecasts(explained, pipe.described, pasts, results, titles=titles)
    names = None
    if answers.reads == "text":
        names = [
            pipe.tokenizer.convert_ids_to_tokens(ids[real].tolist())
            for ids, real in zip(inputs["input_ids"], explained.mask, strict=True)
        ]
    return draw_contributions(explained, titles=titles, node_names=names)


def _inputs_of_videos(pipe: Any, answers: Answers, files: Sequence[str]) -> Any:
    from torch import cat
    from transformers import BatchFeature

    frames = answers.frames(pipe)
    assert frames is not None
    made = [pipe.preprocess(file, frame_sampling_rate=frames.sampling_rate).pixel_values for file in files]
    return BatchFeature({"pixel_values": cat(made)})
