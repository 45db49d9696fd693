"""The base class of all pipelines over sequences of nodes, which runs whole batches."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import partial
from pathlib import Path
from types import GeneratorType
from typing import Any, NamedTuple

import torch
from huggingface_hub import CommitInfo
from torch.utils.data import DataLoader, Dataset, IterableDataset
from transformers import BatchFeature, Pipeline
from transformers.utils import FEATURE_EXTRACTOR_NAME, cached_file

from ..hub.pushing import push
from ..hub.sharing import SharedModel
from ..inputs.feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..inputs.named_sequences import arrays_of, split_named

UNSET: Any = object()


class ChainPipeline(Pipeline):
    """Base of the pipelines over sequences of float nodes.

    Unlike in other pipelines, the stages work on whole batches: `preprocess` takes a list of sequences, and
    `postprocess` returns a list of results. Stages for single sequences would take longer than a small model does.
    """

    _load_processor = False
    _load_image_processor = False
    _load_video_processor = False
    _load_feature_extractor: bool | None = True
    _load_tokenizer = False
    needs_feature_extractor = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # transformers.pipeline() uses this option itself, but passes it on as an option of the pipeline.
        kwargs.pop("local_files_only", None)
        super().__init__(*args, **kwargs)
        # Classes are compared by name: transformers runs a module that came with a checkpoint once for each Auto class,
        # so that there may be two equivalent classes of the same name.
        names = {cls.__name__ for cls in type(self.feature_extractor).__mro__}
        if self.needs_feature_extractor and ChainHeadFeatureExtractor.__name__ not in names:
            raise TypeError(
                f"{type(self).__name__} needs feature_extractor to be a ChainHeadFeatureExtractor, got "
                f"{type(self.feature_extractor).__name__}"
            )

    @property
    def feature_size(self) -> int:
        """The number of features of a node in the sequences that the pipeline takes."""
        return int(self.feature_extractor.feature_size)

    @property
    def schema(self) -> dict[str, Any] | None:
        """The column names of the training table, with which columns of later tables are matched; None without."""
        extractor = self.feature_extractor
        return None if extractor is None else getattr(extractor, "schema", None)

    @property
    def horizon(self) -> int | None:
        """The number of steps that the pipeline forecasts; None if it does not forecast."""
        return None

    def steps_of(self, options: Mapping[str, Any]) -> int | None:
        """Return the number of steps that a call with these options forecasts; None if the pipeline does not."""
        return self.horizon

    def __call__(self, inputs: Any, *, batched: bool | None = None, **kwargs: Any) -> Any:
        """Run the pipeline.

        Parameters
        ----------
        inputs : array, list, DataFrame, generator or Dataset
            A sequence ``[L, m]`` or a batch of sequences, in any form that `ChainHeadFeatureExtractor` takes; or a
            generator or a torch Dataset of sequences. Columns of a DataFrame are matched by name if the model has
            names. A DataFrame with a MultiIndex is a batch, in the order of the table. A DatetimeIndex holds times.
        batched : bool, optional
            Whether `inputs` is a batch. By default it is found from the number of axes, and for a DataFrame from the
            column or index level that distinguishes its series. Not for generators and datasets.
        **kwargs
            `batch_size` (by default 1), `num_workers` (by default 0), `padding`, `max_length`, `truncation`, and the
            options of the pipeline's class.

        Returns
        -------
        Any
            The result for a single sequence, a list of results for a batch. For a generator or a dataset, an iterable
            that computes results when they are asked for.

        Raises
        ------
        TypeError, ValueError
            If a sequence or an option is not valid. Messages count sequences from 0.
        """
        if isinstance(inputs, (Dataset, GeneratorType)):
            if batched is not None:
                raise ValueError(
                    "batched has no effect on a generator or a dataset, which yields single sequences"
                )
            if isinstance(inputs, GeneratorType):
                inputs = _GeneratorDataset(inputs)  # Otherwise the generator would be run to its end first.
            return super().__call__(inputs, **kwargs)
        horizon = self.horizon if self.horizon is None else self.steps_of(kwargs)
        sequences, batched = split_named(inputs, self.schema, self.feature_size, batched, horizon)
        results = super().__call__(sequences, **kwargs)
        return results if batched else results[0]

    def push_to_hub(self, repo_id: str, *, max_shard_size: int | str = "50GB", **kwargs: Any) -> CommitInfo:
        """Push the model, its feature extractor and a complete card in one commit.

        Parameters
        ----------
        repo_id : str
            The repository on the Hub, such as ``"owner/name"``.
        max_shard_size, **kwargs
            As for the model's own `push_to_hub`.

        Returns
        -------
        huggingface_hub.CommitInfo
        """
        if not isinstance(self.model, SharedModel):
            return super().push_to_hub(repo_id, max_shard_size=max_shard_size, **kwargs)

        def save(folder: Path) -> None:
            self.save_pretrained(folder, max_shard_size=max_shard_size)

        return push(self.model, save, repo_id, **kwargs)

    def get_iterator(
        self,
        inputs: Any,
        num_workers: int,
        batch_size: int,
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> "_Results":
        """Return an iterable over the results that loads, pads and runs `batch_size` sequences at a time."""
        if isinstance(inputs, _GeneratorDataset) and num_workers > 1:
            raise ValueError(f"{num_workers} workers would each run the whole generator: pass num_workers=0")

        def infer(batch: BatchFeature) -> list[Any]:
            return list(self.postprocess(self.forward(batch, **forward_params), **postprocess_params))

        # A loader draws a random number. With a generator of its own it does not change the samples of models.
        loader = DataLoader(
            inputs,
            batch_size=batch_size,
            num_workers=num_workers,
            collate_fn=list,
            generator=torch.Generator(),
        )
        return _Results(loader, partial(self.preprocess, **preprocess_params), infer)

    def preprocess(self, sequences: list[Any], **options: Any) -> BatchFeature:
        """Pad `sequences` to "input_features" ``[batch, L, m]`` and "attention_mask" ``[batch, L]``."""
        return self.feature_extractor(
            arrays_of(sequences), return_attention_mask=True, return_tensors="pt", batched=True, **options
        )


class _GeneratorDataset(IterableDataset[Any]):
    def __init__(self, sequences: Iterable[Any]) -> None:
        self.sequences = sequences

    def __iter__(self) -> Iterator[Any]:
        return iter(self.sequences)


class _Results:
    """Iterates over results one by one, computed batch by batch. It has a length if the inputs have a length.

    A sequence that is not valid raises an error in place of its result. Iteration can go on after that error.
    """

    def __init__(
        self,
        loader: DataLoader[Any],
        preprocess: Callable[[list[Any]], BatchFeature],
        infer: Callable[[BatchFeature], list[Any]],
    ) -> None:
        self._loader = loader
        self._preprocess = preprocess
        self._infer = infer

    def __len__(self) -> int:
        inputs = self._loader.dataset
        if not isinstance(inputs, Sized):
            raise TypeError("the inputs have no length")
        return len(inputs)

    def __iter__(self) -> Iterator[Any]:
        return _Resuming(self._outcomes())

    def _outcomes(self) -> Iterator[Any]:
        first = 0
        for sequences in self._loader:
            try:
                results = self._infer(self._preprocess(sequences))
            except (TypeError, ValueError) as error:
                results = self._one_by_one(sequences, first, error)
            yield from results
            first += len(sequences)

    def _one_by_one(self, sequences: list[Any], first: int, error: Exception) -> list[Any]:
        """Return the results of single sequences, with a `_Failure` for each sequence that is not valid."""
        outcomes = [self._alone(sequence, index) for index, sequence in enumerate(sequences, first)]
        if not any(isinstance(outcome, _Failure) for outcome in outcomes):
            raise error  # Each sequence is valid, but together they are not: such as different lengths without padding.
        return outcomes

    def _alone(self, sequence: Any, index: int) -> Any:
        try:
            [result] = self._infer(self._preprocess([sequence]))
        except (TypeError, ValueError) as error:
            # The stages got this sequence alone, so that their messages name sequence 0.
            message = re.sub(r"\bsequence 0\b", f"sequence {index}", str(error), count=1)
            return _Failure(TypeError if isinstance(error, TypeError) else ValueError, message)
        return result


class _Failure(NamedTuple):
    error: type[Exception]
    message: str


class _Resuming(Iterator[Any]):
    """An iterator that raises the failures among outcomes; unlike a generator it can go on afterwards."""

    def __init__(self, outcomes: Iterator[Any]) -> None:
        self._outcomes = outcomes

    def __next__(self) -> Any:
        outcome = next(self._outcomes)
        if isinstance(outcome, _Failure):
            raise outcome.error(outcome.message)
        return outcome


def mask_of_nodes(outputs: Any, nodes: torch.Tensor, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Return the mask ``[batch, L]`` of real nodes, from the outputs if they have a mask, else from the inputs."""
    if not hasattr(outputs, "node_mask"):
        mask: torch.Tensor = inputs["attention_mask"]
        return mask
    if outputs.node_mask is None:
        return nodes.new_ones(nodes.shape[:2], dtype=torch.bool)
    real: torch.Tensor = outputs.node_mask
    return real


def at_least_float32(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor of half precision as float32, so that scores are not rounded further; otherwise unchanged."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def select_padding_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options for padding; raise a TypeError if there are further options."""
    unknown = sorted(options.keys() - {"padding", "max_length", "truncation"})
    if unknown:
        raise TypeError(f"unknown pipeline options: {', '.join(unknown)}")
    return options


def saved_extractor(model: Any) -> Any:
    """Return the feature extractor in a checkpoint's folder on this machine, if there is one.

    If it cannot be read, an error is raised. transformers would ignore it, and columns would be taken by position.
    """
    file = (
        cached_file(
            model.name_or_path,
            FEATURE_EXTRACTOR_NAME,
            local_files_only=True,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        if model.name_or_path
        else None
    )
    return None if file is None else ChainHeadFeatureExtractor.from_pretrained(Path(file).parent)
