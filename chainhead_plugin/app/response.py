"""What the page does with an input: one answer or two, each explained, or a sentence on what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..answering.wanted import MEDIA
from .answer import Answer, answer, comparison
from .given import from_drawing, from_files, from_text
from .samples import samples_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..answering.wanted import Record
    from .opened import OpenModel, OpenModels

Result = TypeVar("Result")
_logger = logging.getLogger(__name__)
# The weights above which contributions are told by a single gradient, which does not add up but takes no time.
_LARGE = 1_000_000
_STEPS = 64
EXAMPLE, FILE, TEXT, DRAWING = "Example", "File", "Text", "Drawing"


@dataclass(frozen=True)
class Given:
    """What the user gave; `source` says which of the fields counts."""

    source: str
    sample: str | None = None
    file: str | Path | None = None
    text: str = ""
    drawing: Any = None

    def records(self, model: OpenModel) -> list[Record]:
        """Return the records for a model.

        Raises
        ------
        ValueError
            If nothing was given, or not what the model takes.
        """
        if self.source == FILE:
            return from_files(model, [self.file] if self.file else [])
        if self.source == TEXT:
            return from_text(model, self.text)
        if self.source == DRAWING:
            return from_drawing(model, self.drawing)
        samples = samples_of(model.name)
        if self.sample not in samples:
            raise ValueError(
                f"choose an example of {model.name}" if samples else f"{model.name} ships no examples"
            )
        return [samples[self.sample]]


class Explained(NamedTuple):
    """An answer with its pictures; a sentence stands for a picture that cannot be drawn."""

    answer: Answer
    why: Figure | str
    arriving: Figure | str


class Response(NamedTuple):
    """Answers of one model or two, and sentences above them."""

    note: str
    panels: list[Explained]


def sources_of(model: OpenModel) -> list[str]:
    """Return in which ways an input for a model can be given."""
    ways = [EXAMPLE] if samples_of(model.name) else []
    ways.append(FILE)
    if model.answers.reads not in MEDIA:
        ways.append(TEXT)
    if model.takes_drawings:
        ways.append(DRAWING)
    return ways


def respond(models: OpenModels, name: str, other: str | None, given: Given) -> Response:
    """Return the answers of a model, and of another to compare with it, to the same input.

    Raises
    ------
    ValueError
        If a model or the input cannot be used.
    """
    opened = [models.open(name), *([models.open(other)] if other and other.strip() else [])]
    if len(opened) == 2 and opened[0].name == opened[1].name:
        raise ValueError("choose two different models to compare")
    for second in opened[1:]:
        if second.answers.reads != opened[0].answers.reads or second.feature_size != opened[0].feature_size:
            raise ValueError(
                f"{second.name} takes other inputs than {opened[0].name}: choose a model of the same"
            )
    records = given.records(opened[0])
    notes = []
    if len(records) > 1:
        notes.append(
            f"The input holds {len(records):,} records: this is the first. “Many at once” answers all."
        )
    # A drawing becomes as long as each model wants it.
    own = [given.records(model) if given.source == DRAWING else records for model in opened]
    panels = [explained(model, found[0]) for model, found in zip(opened, own, strict=True)]
    notes.append(comparison([model.name for model in opened], [panel.answer for panel in panels]))
    return Response(" ".join(filter(None, notes)), panels)


def explained(model: OpenModel, record: Record) -> Explained:
    """Return a model's answer to a record, what each node adds to it, and how it changes as a series arrives."""
    found = answer(model, record)
    return Explained(
        found, _or_sentence(_why, model, record, found), _or_sentence(_arriving, model, record, found)
    )


def _why(model: OpenModel, record: Record, found: Answer) -> Figure:
    from ..answering.explaining import check_explainable, draw_explanations

    check_explainable(model.pipe, model.name)
    target = None
    if model.answers.result == "segments":
        longest = max(found.rows, key=lambda row: row["to"] - row["from"])
        target = f"{(longest['from'] + longest['to']) // 2},{longest['label']}"
    elif model.answers.result not in ("predictions", "forecast"):
        raise ValueError(f"the page explains labels, segments and forecasts, but not {model.answers.result}")
    draw = partial(draw_explanations, model.pipe, model.answers, [record], target)
    if model.pipe.model.num_parameters() > _LARGE:
        return draw({})
    try:
        return draw({"method": "exact"})
    except ValueError:  # The path from nodes to answer is not affine; this method adds up for every path.
        return draw({"method": "integrated_gradients", "steps": _STEPS})


def _arriving(model: OpenModel, record: Record, found: Answer) -> Figure:
    from .arriving import arriving_answers
    from .pictures import draw_arriving

    return draw_arriving(*arriving_answers(model, record))


def _or_sentence(
    draw: Callable[[OpenModel, Record, Answer], Figure], model: OpenModel, record: Record, found: Answer
) -> Figure | str:
    try:
        return draw(model, record, found)
    except (ValueError, TypeError) as error:
        return capitalised(str(error))


def guarded(work: Callable[[], Result]) -> tuple[Result | None, str]:
    """Return the result of work and its warnings as sentences, or None and what went wrong; never raises."""
    from registry import RegistryError

    from ..answering.own_warnings import heard_warnings

    try:
        with heard_warnings() as told:
            return work(), " ".join(map(capitalised, told))
    except (ValueError, OSError, RegistryError, ModuleNotFoundError) as error:
        return None, capitalised(str(error))
    except Exception as error:  # A user of the page can do nothing with a traceback; its owner reads the log.
        _logger.exception("The page failed")
        return (
            None,
            f"The page failed with {type(error).__name__}, which is an error of its own: its log says more.",
        )


def capitalised(text: str) -> str:
    """Return a message as a sentence."""
    first, *rest = text.split()
    # Names of models and files stay as they are.
    first = first.capitalize() if first.isalpha() and first.islower() else first
    return " ".join([first, *rest]).rstrip(".") + "."
