"""The models that a page offers, opened when they are asked for, and kept while they are in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..tables.errors import closest

if TYPE_CHECKING:
    from ..answering.answers import Answers
    from ..answering.find_model import FoundModel

_MOST_KEPT = 4


@dataclass(frozen=True)
class OpenModel:
    """A model with its pipeline, ready to answer."""

    found: FoundModel
    answers: Answers
    pipe: Any

    @property
    def name(self) -> str:
        """The name that the user gave."""
        return self.found.name

    @property
    def feature_size(self) -> int:
        """How many features a node has; 1 where inputs are not sequences."""
        return int(getattr(self.pipe, "feature_size", 1))

    @property
    def horizon(self) -> int | None:
        """How many steps the model forecasts; None if it does not forecast."""
        return getattr(self.pipe, "horizon", None)

    @property
    def has_names(self) -> bool:
        """Whether the model knows the names of its columns, so that inputs have to be tables with these names."""
        return getattr(self.pipe, "schema", None) is not None

    @property
    def takes_drawings(self) -> bool:
        """Whether an input can be drawn by hand: an image, or a series of a single number a node."""
        if self.answers.reads == "sequence":
            return self.feature_size == 1 and not self.has_names
        return self.answers.reads == "image"


class OpenModels:
    """Opens models by name, and keeps the last few.

    Parameters
    ----------
    offered : sequence of str, optional
        The names on offer: models of the zoo, folders, or repositories on the Hub. None offers the zoo.
    only_offered : bool
        Whether other names are refused, as a page that strangers use should.
    """

    def __init__(self, offered: Sequence[str] | None = None, *, only_offered: bool = False) -> None:
        import registry

        self.offered = list(offered) if offered else registry.list_models("chainhead-*")
        self.only_offered = only_offered
        self._kept: OrderedDict[str, OpenModel] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, name: str) -> OpenModel:
        """Return a model by name; it is loaded, and fetched from the Hub, where that has not happened yet.

        Raises
        ------
        ValueError
            If it is not on offer, there is no such model, or it cannot be loaded.
        registry.RegistryError, OSError
            If it cannot be fetched.
        """
        name = (name or "").strip()
        if not name:
            raise ValueError("choose a model first")
        if self.only_offered and name not in self.offered:
            raise ValueError(f"this page does not offer {name}{closest(name, self.offered)}")
        with self._lock:
            if name not in self._kept:
                self._kept[name] = _opened(name)
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(name)
            return self._kept[name]

    def describe(self, name: str) -> str:
        """Return sentences on a model: its summary, its task, what a node is and how it was measured."""
        import registry

        model = self.open(name)
        config = model.pipe.model.config
        sentences = []
        if name in registry.list_models():
            entry = registry.model_info(name)
            sentences.append(entry.summary)
            if (accuracy := entry.metrics.get("test_accuracy")) is not None:
                sentences.append(f"It answers {accuracy:.1%} of its test part right.")
        weights = sum(parameter.numel() for parameter in model.pipe.model.parameters())
        sentences.append(f"Task: {model.answers.task}, {weights:,} weights.")
        if model.answers.reads == "sequence":
            size = model.feature_size
            sentences.append(f"A row of an input holds {size} number{'s' if size > 1 else ''}.")
        if model.answers.reads == "sound":
            rate = model.pipe.feature_extractor.sampling_rate
            sentences.append(f"It takes sounds (WAV) of {rate:,} samples a second.")
        if (frames := model.answers.frames(model.pipe)) is not None:
            sentences.append(f"It takes videos, of which it looks at the first {frames.span:,} frames.")
        labels = list((getattr(config, "id2label", None) or {}).values())
        if model.answers.result != "forecast" and 1 < len(labels) <= 20:
            sentences.append(f"Labels: {', '.join(map(str, labels))}.")
        return " ".join(sentences)


def _opened(name: str) -> OpenModel:
    from ..answering.find_model import find_model
    from ..answering.pipeline import load_pipeline

    found = find_model(name)._replace(name=name)
    return OpenModel(found, found.answers, load_pipeline(found, "cpu"))
