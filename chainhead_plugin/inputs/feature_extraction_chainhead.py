"""Feature extractor for sequences of float nodes: scaling, padding and masks."""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from transformers.feature_extraction_utils import BatchFeature
from transformers.utils import PaddingStrategy

from ..checks.values import check_choice, check_switch
from .extraction_options import as_deviations, as_float, as_floats, check_integer, check_scaling_options
from .feature_extractor_file import FeatureExtractorFile
from .filling import fill_missing, usual_values
from .named_sequences import arrays_of, checked_schema, split_named
from .padding import Padding, as_columns
from .sequences import as_float32, join, split_batch
from .standardising import standardise, standardise_each, statistics_of, unvaried_text

# A preprocessor_config.json comes from the Hub: beyond this, a size is an attack or a mistake.
_MAX_FEATURE_SIZE = 2**16

# Fields that transformers itself writes into preprocessor_config.json.
_ECOSYSTEM_FIELDS = {"auto_map", "feature_extractor_type", "processor_class"}


class ChainHeadFeatureExtractor(FeatureExtractorFile):
    """Turn sequences of float nodes into padded batches with an attention mask.

    Parameters
    ----------
    feature_size : int
        Number of features of a node, the model's `m`.
    padding_value : float
        Value of padded nodes. It is written after scaling.
    padding_side : {"right", "left"}
        Where padding is put.
    do_normalize : bool, optional
        Whether to subtract `mean` and divide by `std`, feature by feature; None for whether they are given.
    mean, std : list of float, optional
        Statistics, one number a feature; `fit` computes them. A `std` of 0 marks a feature that did not vary: it is
        0 after scaling, whatever it holds, as no weight could be learned for it.
    standardize_each : bool
        Whether every series is standardised by itself instead: each feature gets mean 0 and standard deviation 1 over
        the series' own nodes, before it is cut or padded; a feature that does not vary within its series is 0.
    interpolate_missing : bool
        Whether NaN, None and pandas' missing values are accepted, and put on the straight line between the observed
        values of their feature around them; before the first and after the last of these, it is repeated. A feature
        that a series never has gets its `mean`, or 0 with `standardize_each`. Otherwise a missing value is an error.
    return_attention_mask : bool
        Whether calls return the mask unless told otherwise.
    schema : mapping, optional
        Names of the training table's columns, as `chainhead_plugin.tables.schema_of` gives them. The
        columns of a DataFrame are then matched by name; arrays have no names, and are taken by position.
    **kwargs
        Only the fields that transformers writes into ``preprocessor_config.json``.

    Raises
    ------
    TypeError
        If a parameter has the wrong type, or is unknown.
    ValueError
        If a parameter is out of range; the message names it.

    Examples
    --------
    >>> extractor = ChainHeadFeatureExtractor(feature_size=2)
    >>> batch = extractor([np.zeros((3, 2)), np.zeros((5, 2))], return_tensors="pt")
    >>> batch["input_features"].shape, batch["attention_mask"].sum(1).tolist()
    (torch.Size([2, 5, 2]), [3, 5])
    """

    model_input_names: ClassVar[list[str]] = ["input_features", "attention_mask"]

    def __init__(
        self,
        feature_size: int,
        *,
        padding_value: float = 0.0,
        padding_side: str = "right",
        do_normalize: bool | None = None,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        standardize_each: bool = False,
        interpolate_missing: bool = False,
        return_attention_mask: bool = True,
        schema: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        unknown = sorted(kwargs.keys() - _ECOSYSTEM_FIELDS)
        if unknown:
            raise TypeError(f"unknown parameters of {type(self).__name__}: {', '.join(unknown)}")

        check_integer("feature_size", feature_size, maximum=_MAX_FEATURE_SIZE)
        do_normalize = (mean is not None) if do_normalize is None else do_normalize
        check_scaling_options(do_normalize, standardize_each, mean, std)
        check_switch("interpolate_missing", interpolate_missing)
        check_switch("return_attention_mask", return_attention_mask)
        check_choice("padding_side", padding_side, ("left", "right"))

        super().__init__(
            feature_size=int(feature_size),
            sampling_rate=None,
            padding_value=as_float("padding_value", padding_value, maximum=float(np.finfo(np.float32).max)),
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
            **kwargs,
        )

        self.schema = None if schema is None else checked_schema(schema, int(feature_size))
        self.do_normalize = do_normalize
        self.standardize_each = standardize_each
        self.interpolate_missing = interpolate_missing
        self.mean = None if mean is None else as_floats("mean", mean, feature_size)
        self.std = None if std is None else as_deviations("std", std, feature_size)

    @property
    def constant_features(self) -> list[int]:
        """Features that did not vary in the data of `fit`, by index: they are 0 after scaling."""
        return [index for index, std in enumerate(self.std or []) if std == 0]

    def to_dict(self) -> dict[str, Any]:
        """Return the constructor's parameters; chains have no sampling rate, which the base class stores."""
        fields: dict[str, Any] = super().to_dict()
        del fields["sampling_rate"]
        # Left out where they say nothing, so that a version before them loads the file.
        if self.schema is None:
            del fields["schema"]
        if not self.interpolate_missing:
            del fields["interpolate_missing"]
        return fields

    def fit(self, sequences: Any, batched: bool | None = None) -> "ChainHeadFeatureExtractor":
        """Compute the mean and standard deviation of every feature, and scale by them from now on.

        Parameters
        ----------
        sequences : array, tensor, DataFrame, Series or list
            One sequence or a batch, as in a call.
        batched : bool, optional
            Whether `sequences` is a batch; None tells by the number of axes.

        Returns
        -------
        ChainHeadFeatureExtractor
            Itself, with `do_normalize` set. The statistics are those of all nodes in float64, missing values
            interpolated; features that do not vary get a standard deviation of 0, by which they are 0 from now on.

        Warns
        -----
        UserWarning
            If features do not vary; it names them.

        Raises
        ------
        TypeError, ValueError
            As in a call; also a ValueError if the statistics overflow float64, or with `standardize_each`.
        """
        if self.standardize_each:
            raise ValueError(
                "fit() has no effect with standardize_each=True, where each series has statistics of its own: leave "
                "it out"
            )
        nodes, lengths = self._joined(sequences, batched)
        if self.interpolate_missing:
            nodes = fill_missing(nodes, lengths, usual_values(nodes))
        mean, std = statistics_of(nodes)
        self.mean, self.std = mean.tolist(), std.tolist()
        self.do_normalize = True
        warning = unvaried_text(self.std)
        if warning is not None:
            warnings.warn(warning, stacklevel=2)
        return self

    def __call__(
        self,
        sequences: Any,
        *,
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        batched: bool | None = None,
    ) -> BatchFeature:
        """Scale and pad one sequence or a batch of sequences.

        Parameters
        ----------
        sequences : array, tensor, DataFrame, Series or list
            A sequence is ``[L, feature_size]``: a NumPy array, a torch tensor on any device, a DataFrame
            (rows are nodes, sorted by a DatetimeIndex; a MultiIndex is a batch; columns are matched by name with
            `schema`), or lists of numbers. For ``feature_size=1`` it may also be ``[L]``. A batch is a
            list or tuple of sequences of any length ≥ 1, or a 3-D array. For ``feature_size=1`` a list of
            lists of numbers is a batch of series.
        padding : bool, str or PaddingStrategy
            True or "longest" pads to the longest sequence, "max_length" to `max_length`, False not at all.
        max_length : int, optional
            Length to pad or truncate to.
        truncation : bool
            Whether to drop the nodes after the first `max_length`.
        pad_to_multiple_of : int, optional
            Round the padded length up to a multiple of this.
        return_attention_mask : bool, optional
            Whether to return the mask; None means the extractor's `return_attention_mask`.
        return_tensors : {"pt", "np"}, optional
            "pt" for torch tensors; "np" or None for NumPy arrays.
        batched : bool, optional
            Whether `sequences` is a batch; None tells by the number of axes.

        Returns
        -------
        BatchFeature
            "input_features", float32 ``[batch, L, feature_size]``, and "attention_mask", int64
            ``[batch, L]``, 1 at real nodes. One sequence is a batch of one. With ``padding=False`` and
            ``return_tensors=None``: lists of NumPy arrays ``[L_i, feature_size]`` and ``[L_i]``.

        Raises
        ------
        TypeError
            If a sequence or an option has the wrong type.
        ValueError
            If a sequence is empty, ragged, not finite in float32, or has the wrong number of features; if
            statistics are missing; if options contradict each other or the lengths. NaN is a missing value with
            `interpolate_missing`, and an error otherwise.
        """
        nodes, lengths = self._joined(sequences, batched)
        if self.interpolate_missing:
            usual = [0.0] * self.feature_size if self.standardize_each else self.mean
            nodes = fill_missing(nodes, lengths, usual)
        features = self._scale(nodes, lengths)

        way = self._padding(padding, max_length, truncation, pad_to_multiple_of, return_tensors)
        padded = way.pad(features, np.ones(len(nodes), dtype=np.int64), lengths)
        return self._as_batch(*padded, return_attention_mask, return_tensors)

    def pad(
        self,
        processed_features: Any,
        *,
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
    ) -> BatchFeature:
        """Pad features that are scaled already, as a collator does.

        Replaces the base class's `pad`, which pads both axes of ``[L, 1]`` features.

        Parameters
        ----------
        processed_features : list of mappings, or mapping of lists
            A list of mappings, or a mapping of lists, with "input_features" ``[L_i, feature_size]`` and,
            optionally, "attention_mask" ``[L_i]``. Other entries, such as "labels", are passed on.
        padding, max_length, truncation, pad_to_multiple_of, return_attention_mask, return_tensors
            As in a call.

        Returns
        -------
        BatchFeature
            As in a call, with the other entries.

        Raises
        ------
        TypeError, ValueError
            As in a call; also a ValueError if entries are missing or of different lengths.
        """
        columns = as_columns(processed_features)
        if "input_features" not in columns:
            raise ValueError(f"expected an entry 'input_features', got {sorted(columns)}")

        nodes, lengths = join(
            split_batch(columns.pop("input_features"), self.feature_size, True), self.feature_size
        )
        mask = np.ones(len(nodes), dtype=np.int64)
        if "attention_mask" in columns:
            rows = [np.asarray(row, dtype=np.int64) for row in columns.pop("attention_mask")]
            if [row.shape for row in rows] != [(length,) for length in lengths]:
                raise ValueError("every attention_mask must be [L], with the L of its input_features")
            mask = np.concatenate(rows)

        way = self._padding(padding, max_length, truncation, pad_to_multiple_of, return_tensors)
        padded = way.pad(as_float32(nodes, lengths), mask, lengths)
        batch = self._as_batch(*padded, return_attention_mask, return_tensors)
        batch.update(BatchFeature(columns, tensor_type=return_tensors))
        return batch

    def _split(self, sequences: Any, batched: bool | None) -> list[Any]:
        return arrays_of(split_named(sequences, self.schema, self.feature_size, batched)[0])

    def _joined(self, sequences: Any, batched: bool | None) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the nodes of all sequences [sum(lengths), m], and their lengths."""
        split = self._split(sequences, batched)
        return join(split, self.feature_size, allow_missing=self.interpolate_missing)

    def _scale(self, nodes: NDArray[Any], lengths: NDArray[np.intp]) -> NDArray[np.float32]:
        if self.standardize_each:
            return as_float32(standardise_each(nodes, lengths), lengths)
        if not self.do_normalize:
            return as_float32(nodes, lengths)
        if self.mean is None or self.std is None:
            raise ValueError(
                "do_normalize is set without statistics: call fit(sequences), or pass mean and std"
            )
        return as_float32(standardise(nodes, self.mean, self.std), lengths)

    def _padding(
        self,
        padding: bool | str | PaddingStrategy,
        max_length: int | None,
        truncation: bool,
        pad_to_multiple_of: int | None,
        return_tensors: str | None,
    ) -> Padding:
        return Padding(
            strategy=self._get_padding_strategies(padding, max_length),
            max_length=max_length,
            truncation=truncation,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            value=self.padding_value,
            side=self.padding_side,
        )

    def _as_batch(
        self,
        features: Any,
        attention_mask: Any,
        return_attention_mask: bool | None,
        return_tensors: str | None,
    ) -> BatchFeature:
        if return_attention_mask is None:
            return_attention_mask = self.return_attention_mask
        data = {"input_features": features}
        if return_attention_mask:
            data["attention_mask"] = attention_mask
        return BatchFeature(data, tensor_type=return_tensors)


__all__ = ["ChainHeadFeatureExtractor"]
