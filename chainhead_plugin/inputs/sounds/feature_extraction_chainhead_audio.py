"""Feature extractor for recordings: log-mel frames, scaled by the statistics of the training recordings."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from transformers.audio_utils import mel_filter_bank, window_function
from transformers.feature_extraction_utils import BatchFeature

from ...checks.values import check_number, check_whole_number
from ..extraction_options import check_integer
from ..feature_extraction_chainhead import ChainHeadFeatureExtractor
from ..feature_extractor_file import FeatureExtractorFile
from .samples import checked_samples
from .sound_files import RATES

# A preprocessor_config.json comes from the Hub: beyond these, a size is an attack or a mistake.
_MOST_BINS, _MOST_SAMPLES = 512, 2**16
# A little above the power that rounding to 16 bits leaves in a bin, so that digital silence is no outlier.
_FLOOR = 1e-6
# Frames whose spectra are computed together.
_AT_ONCE = 1024

# Fields that transformers itself writes into preprocessor_config.json.
_ECOSYSTEM_FIELDS = {"auto_map", "feature_extractor_type", "processor_class"}


class ChainHeadAudioFeatureExtractor(FeatureExtractorFile):
    """Turn recordings into padded batches of log-mel frames with an attention mask.

    A frame is the logarithm of the power in `feature_size` bands of a short piece of sound, evenly spaced on the mel
    scale. Unlike extractors that normalise every recording by itself, it scales by the statistics of the training
    recordings, so that the average spectrum and the loudness of a recording, which may tell its label, are kept.

    Parameters
    ----------
    feature_size : int
        Number of mel bands, the model's `m`.
    sampling_rate : int
        Samples a second of all recordings.
    frame_seconds, hop_seconds : float
        Length of a frame, and time from the beginning of a frame to the next.
    mean, std : list of float, optional
        Statistics, one number a band; `fit` computes them. Without them frames are not scaled. A `std` of 0 marks a
        band that did not vary: it is 0 after scaling.
    padding_value : float
        Value of padded frames. It is written after scaling.
    padding_side : {"right", "left"}
        Where padding is put.
    return_attention_mask : bool
        Whether calls return the mask unless told otherwise.
    schema : mapping, optional
        Names of the columns of paths and labels, if the training recordings were named in a table.
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
    >>> extractor = ChainHeadAudioFeatureExtractor(feature_size=20, sampling_rate=8_000)
    >>> batch = extractor([np.zeros(800), np.zeros(400)], return_tensors="pt")
    >>> batch["input_features"].shape, batch["attention_mask"].sum(1).tolist()
    (torch.Size([2, 11, 20]), [11, 6])
    """

    model_input_names: ClassVar[list[str]] = ["input_features", "attention_mask"]

    def __init__(
        self,
        feature_size: int = 40,
        sampling_rate: int = 16_000,
        *,
        frame_seconds: float = 0.025,
        hop_seconds: float = 0.01,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        padding_value: float = 0.0,
        padding_side: str = "right",
        return_attention_mask: bool = True,
        schema: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        unknown = sorted(kwargs.keys() - _ECOSYSTEM_FIELDS)
        if unknown:
            raise TypeError(f"unknown parameters of {type(self).__name__}: {', '.join(unknown)}")

        check_integer("feature_size", feature_size, maximum=_MOST_BINS)
        check_whole_number("sampling_rate", sampling_rate, *RATES)
        check_number("frame_seconds", frame_seconds, above=0)
        check_number("hop_seconds", hop_seconds, above=0, most=frame_seconds)
        self.frame_length, self.hop_length = (
            round(seconds * sampling_rate) for seconds in (frame_seconds, hop_seconds)
        )
        if not (self.hop_length >= 1 and 2 <= self.frame_length <= _MOST_SAMPLES):
            raise ValueError(
                f"frames of {frame_seconds} s with a hop of {hop_seconds} s are {self.frame_length:,} and "
                f"{self.hop_length:,} samples, expected at least 2 and 1, and at most {_MOST_SAMPLES:,}"
            )

        super().__init__(
            feature_size=int(feature_size),
            sampling_rate=int(sampling_rate),
            padding_value=padding_value,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
            **kwargs,
        )
        self.frame_seconds, self.hop_seconds = frame_seconds, hop_seconds
        self.mean, self.std = mean, std
        self.schema = None if schema is None else dict(schema)
        self.window = window_function(self.frame_length, "hann")
        self.mel_filters = self._filters()
        self.scaler()  # checks the options that it takes

    def to_dict(self) -> dict[str, Any]:
        """Return the constructor's parameters."""
        fields: dict[str, Any] = super().to_dict()
        derived = ["frame_length", "hop_length", *(["schema"] if self.schema is None else [])]
        return {name: value for name, value in fields.items() if name not in derived}

    def scaler(self) -> ChainHeadFeatureExtractor:
        """Return the feature extractor that scales and pads frames which `frames` has made."""
        return ChainHeadFeatureExtractor(
            self.feature_size,
            mean=self.mean,
            std=self.std,
            padding_value=self.padding_value,
            padding_side=self.padding_side,
            return_attention_mask=self.return_attention_mask,
        )

    def frames(self, recording: Any) -> NDArray[np.float32]:
        """Return the log-mel frames of a recording, not scaled.

        Parameters
        ----------
        recording : array, tensor or list of float [samples]
            From −1 to 1.

        Returns
        -------
        float32 array [frames, feature_size]
            A frame is centred on every `hop_seconds`, with silence before and after the recording.

        Raises
        ------
        ValueError
            If it is empty, has several axes, or holds numbers that are not finite, or far beyond −1 to 1.
        """
        samples = checked_samples(recording)
        padded = np.pad(samples, self.frame_length // 2)
        pieces = sliding_window_view(padded, self.frame_length)[:: self.hop_length]
        bands = np.empty((len(pieces), self.feature_size), np.float32)
        for start in range(0, len(pieces), _AT_ONCE):
            spectra = np.fft.rfft(pieces[start : start + _AT_ONCE] * self.window, self._fft_length)
            powers = (spectra.real**2 + spectra.imag**2) @ self.mel_filters
            bands[start : start + _AT_ONCE] = np.log(np.maximum(powers, _FLOOR))
        return bands

    def fit(self, recordings: Any) -> "ChainHeadAudioFeatureExtractor":
        """Compute the mean and standard deviation of every band, and scale by them from now on.

        Parameters
        ----------
        recordings : array, tensor or list
            One recording or a batch, as in a call.

        Returns
        -------
        ChainHeadAudioFeatureExtractor
            Itself.

        Warns
        -----
        UserWarning
            If bands do not vary; it names them.

        Raises
        ------
        ValueError
            As in a call.
        """
        return self.fit_frames([self.frames(recording) for recording in _split(recordings)])

    def fit_frames(self, frames: Sequence[NDArray[Any]]) -> "ChainHeadAudioFeatureExtractor":
        """Do as `fit` does, with the frames [L_i, feature_size] that `frames` has made of each recording."""
        fitted = self.scaler().fit(list(frames), batched=True)
        self.mean, self.std = fitted.mean, fitted.std
        return self

    def __call__(
        self,
        raw_speech: Any,
        *,
        sampling_rate: int | None = None,
        return_tensors: str | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Turn one recording or a batch of recordings into scaled and padded frames.

        Parameters
        ----------
        raw_speech : array, tensor or list
            A recording [samples], from −1 to 1; or a list of them, of any lengths, or an array [batch, samples].
        sampling_rate : int, optional
            Samples a second of these recordings, which has to be the extractor's.
        return_tensors : {"pt", "np"}, optional
            "pt" for torch tensors; "np" or None for NumPy arrays.
        **options
            `padding`, `max_length`, `truncation`, `pad_to_multiple_of` and `return_attention_mask`, as
            `ChainHeadFeatureExtractor` takes them. They count frames.

        Returns
        -------
        BatchFeature
            "input_features", float32 ``[batch, frames, feature_size]``, and "attention_mask", int64
            ``[batch, frames]``, 1 at real frames.

        Raises
        ------
        ValueError
            If recordings have another rate, are empty, not finite, or have several channels.
        """
        if sampling_rate not in (None, self.sampling_rate):
            raise ValueError(
                f"the recordings have {sampling_rate:,} samples a second, expected {self.sampling_rate:,}: resample "
                "them first"
            )
        frames = [self.frames(recording) for recording in _split(raw_speech)]
        return self.scaler()(frames, return_tensors=return_tensors, batched=True, **options)

    def pad(self, processed_features: Any, **options: Any) -> BatchFeature:
        """Pad frames that are scaled already, as `ChainHeadFeatureExtractor.pad` does."""
        return self.scaler().pad(processed_features, **options)

    @property
    def _fft_length(self) -> int:
        return int(2 ** np.ceil(np.log2(self.frame_length)))

    def _filters(self) -> NDArray[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                return mel_filter_bank(
                    num_frequency_bins=self._fft_length // 2 + 1,
                    num_mel_filters=self.feature_size,
                    min_frequency=0.0,
                    max_frequency=self.sampling_rate / 2,
                    sampling_rate=self.sampling_rate,
                )
            except UserWarning as warning:
                raise ValueError(
                    f"frames of {self.frame_seconds} s at {self.sampling_rate:,} samples a second are too short to "
                    f"tell {self.feature_size} mel bands apart: set a smaller feature_size, or a larger frame_seconds"
                ) from warning


def _split(recordings: Any) -> list[Any]:
    """Return the recordings of a batch, or the only recording."""
    if isinstance(recordings, list | tuple):
        is_batch = bool(recordings) and np.ndim(recordings[0]) > 0
        return list(recordings) if is_batch else [recordings]
    return list(recordings) if np.ndim(recordings) == 2 else [recordings]


__all__ = ["ChainHeadAudioFeatureExtractor"]
