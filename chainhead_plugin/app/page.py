"""The page: its parts, and what happens when they are used. Needs gradio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from .batch import MOST_RECORDS, answer_files
from .given import MOST_BYTES
from .response import DRAWING, EXAMPLE, FILE, TEXT, Given, Response, guarded, respond, sources_of
from .samples import samples_of

if TYPE_CHECKING:
    from .opened import OpenModels
    from .response import Explained

_MOST_ROWS_SHOWN = 200
_CANVAS = (480, 240)
_HEADING = (
    "# chainhead\nChoose a model, give it an input, and see its answer, and what each node added to it."
)
_DRAWING_HELP = (
    "Choose the brush at the left. A series: draw a line from left to right; the bottom of the canvas is −2, the top "
    "2. A figure: its strokes are centred, and given to the model light on dark."
)


class _Panel(NamedTuple):
    """The parts that show the answer of one model."""

    sentence: gr.Markdown
    label: gr.Label
    figure: gr.Plot
    why: gr.Plot
    why_not: gr.Markdown
    arriving: gr.Plot
    not_arriving: gr.Markdown
    rows: gr.Dataframe


def build_page(models: OpenModels) -> gr.Blocks:
    """Return the page for models; `serve` shows it.

    Parameters
    ----------
    models : OpenModels

    Returns
    -------
    gradio.Blocks
    """
    with gr.Blocks(title="chainhead", analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        gr.Markdown(_HEADING)
        with gr.Row():
            name = gr.Dropdown(
                models.offered,
                value=models.offered[0],
                label="Model",
                info=""
                if models.only_offered
                else "Of the zoo; or write a folder, or owner/name on the Hub.",
                allow_custom_value=not models.only_offered,
                elem_id="model",
            )
            other = gr.Dropdown(
                ["", *models.offered],
                value="",
                label="Compare with",
                info="Optional: another model for the same inputs.",
                allow_custom_value=not models.only_offered,
                elem_id="other",
            )
        about = gr.Markdown(elem_id="about")
        message = gr.Markdown(visible=False, elem_id="message")
        with gr.Tab("One input"):
            inputs, canvas, panels, columns, note, go = _one_input()
        with gr.Tab("Many at once"):
            files, many, table, download = _many()

        source, sample, file, text, _ = inputs

        def choose(chosen: str) -> list[Any]:
            model, said = guarded(lambda: models.open(chosen))
            if model is None:
                return [_told(said), "", *[gr.skip()] * 5]
            ways, samples = sources_of(model), list(samples_of(model.name))
            return [
                _told(said),
                models.describe(chosen),
                gr.update(choices=ways, value=ways[0]),
                gr.update(choices=samples, value=samples[0] if samples else None, visible=ways[0] == EXAMPLE),
                *[gr.update(visible=ways[0] == way) for way in (FILE, TEXT, DRAWING)],
            ]

        def switch(way: str) -> list[Any]:
            return [gr.update(visible=way == own) for own in (EXAMPLE, FILE, TEXT, DRAWING)]

        def show(chosen: str, second: str, way: str, *values: Any) -> list[Any]:
            strokes = values[3]["composite"] if isinstance(values[3], dict) else None
            given = Given(way, values[0], values[1], values[2] or "", strokes)
            response, said = guarded(lambda: respond(models, chosen, second, given))
            return [_told(said), *_shown(response, [chosen, second])]

        def show_many(chosen: str, uploaded: list[str] | None) -> list[Any]:
            found, said = guarded(lambda: answer_files(models.open(chosen), uploaded or []))
            if found is None:
                return [
                    _told(said),
                    gr.update(value=None, visible=False),
                    gr.update(value=None, visible=False),
                ]
            rows, target = found
            return [_told(said), _table(rows), gr.update(value=str(target), visible=True)]

        chosen_parts = [message, about, source, sample, file, text, canvas]
        page.load(choose, name, chosen_parts)
        name.change(choose, name, chosen_parts)
        source.change(switch, source, [sample, file, text, canvas])
        answered = [message, note, *columns, *(part for panel in panels for part in panel)]
        go.click(show, [name, other, *inputs], answered, concurrency_limit=1)
        many.click(show_many, [name, files], [message, table, download], concurrency_limit=1)
    return page


def _one_input() -> tuple[list[Any], Any, list[_Panel], list[Any], Any, Any]:
    source = gr.Radio([EXAMPLE, FILE, TEXT], value=EXAMPLE, label="Input", elem_id="source")
    sample = gr.Dropdown(label="Example", info="From the model's test part.", elem_id="sample")
    limit = f"at most {MOST_BYTES // 2**20} MB"
    file = gr.File(
        label=f"Table, series, text, image, sound (WAV) or video, {limit}", visible=False, elem_id="file"
    )
    text = gr.Textbox(
        label="A text, numbers of a series, or rows of a table", lines=5, visible=False, elem_id="text"
    )
    with gr.Column(visible=False, elem_id="drawing") as canvas:
        gr.Markdown(_DRAWING_HELP)
        drawing = gr.Sketchpad(
            show_label=False,
            canvas_size=_CANVAS,
            type="numpy",
            layers=False,
            brush=gr.Brush(default_size=8, colors=["#0072b2"], color_mode="fixed"),
        )
    go = gr.Button("Answer", variant="primary", elem_id="go")
    note = gr.Markdown(elem_id="note")
    columns, panels = [], []
    with gr.Row():
        for number in range(2):
            with gr.Column(visible=False, min_width=300, elem_id=f"answer-{number + 1}") as column:
                panels.append(_panel())
            columns.append(column)
    return [source, sample, file, text, drawing], canvas, panels, columns, note, go


def _panel() -> _Panel:
    sentence = gr.Markdown(elem_classes="answer")
    label = gr.Label(label="Probabilities", show_heading=False)
    figure = gr.Plot(show_label=False, format="png")
    with gr.Accordion("What each node adds", open=True):
        why, why_not = gr.Plot(show_label=False, format="png"), gr.Markdown()
    with gr.Accordion("How the answer changes as the series arrives", open=True):
        arriving, not_arriving = gr.Plot(show_label=False, format="png"), gr.Markdown()
    with gr.Accordion("The whole answer as a table", open=False):
        rows = gr.Dataframe(interactive=False, show_label=False)
    return _Panel(sentence, label, figure, why, why_not, arriving, not_arriving, rows)


def _many() -> tuple[Any, Any, Any, Any]:
    gr.Markdown(
        f"Upload files with up to {MOST_RECORDS:,} series, texts or images; all answers come as a CSV file."
    )
    files = gr.File(label="Files", file_count="multiple", elem_id="files")
    many = gr.Button("Answer all", variant="primary", elem_id="many")
    table = gr.Dataframe(interactive=False, label="Answers", visible=False, elem_id="answers")
    download = gr.File(label="Download", visible=False, interactive=False, elem_id="download")
    return files, many, table, download


def _told(sentence: str) -> Any:
    return gr.update(value=sentence, visible=bool(sentence))


def _shown(response: Response | None, names: Sequence[str]) -> list[Any]:
    """Return the updates of the note, both columns and both panels."""
    panels = [] if response is None else response.panels
    updates: list[Any] = ["" if response is None else response.note]
    updates += [gr.update(visible=number < len(panels)) for number in range(2)]
    for number in range(2):
        updates += _filled(panels[number], names[number]) if number < len(panels) else [gr.skip()] * 8
    return updates


def _filled(panel: Explained, name: str) -> list[Any]:
    found = panel.answer
    return [
        f"{name}: {found.sentence}",
        gr.update(value=found.probabilities or None, visible=bool(found.probabilities)),
        gr.update(value=found.figure, visible=found.figure is not None),
        *_picture(panel.why),
        *_picture(panel.arriving),
        _table(found.rows),
    ]


def _picture(drawn: Any) -> list[Any]:
    is_told = isinstance(drawn, str)
    return [
        gr.update(value=None if is_told else drawn, visible=not is_told),
        gr.update(value=drawn if is_told else "", visible=is_told),
    ]


def _table(rows: Sequence[dict[str, Any]]) -> Any:
    headers = list(dict.fromkeys(heading for row in rows for heading in row))
    cells = [[str(row.get(heading, "")) for heading in headers] for row in rows[:_MOST_ROWS_SHOWN]]
    return gr.update(value={"headers": headers, "data": cells}, visible=True)
