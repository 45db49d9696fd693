"""A row's value becomes what a pipeline takes: texts, images, sounds, sequences of numbers, or several of them."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from typing import Any

from .file_rows import content_of


def input_of(value: Any, kind: str) -> Any:
    """Return what a pipeline takes.

    Parameters
    ----------
    value : object
        A text; the address, bytes, or `{"bytes": …}` of an image or a sound; a list of numbers, or of lists of them; or
        a mapping of such values, for pipelines with several inputs.
    kind : str
        What the pipeline takes: "image", "audio", or anything else.

    Raises
    ------
    ValueError, OSError
        If it is no such value.
    """
    if value is None:
        raise ValueError("the input is missing")
    if kind in ("image", "audio"):
        return _image(_bytes_of(value)) if kind == "image" else _sound(value)
    if isinstance(value, Mapping):
        return {name: _part(entry) for name, entry in value.items()}
    return _part(value)


def values_in(value: Any) -> int:
    """Return how many numbers, characters or bytes a value holds; of an image, numbers of its pixels."""
    if isinstance(value, Mapping):
        return sum(map(values_in, value.values()))
    if isinstance(value, list):
        return len(value) * (len(value[0]) if value and isinstance(value[0], list) else 1)
    if hasattr(value, "getbands"):
        return int(value.width * value.height * len(value.getbands()))
    if isinstance(value, str | bytes):
        return len(value)
    size = getattr(value, "size", 0)
    return size if isinstance(size, int) else 0


def _part(value: Any) -> Any:
    if isinstance(value, list):
        import numpy as np

        try:
            return np.asarray(value, np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f"expected numbers, or rows of as many numbers each: {error}") from error
    return value


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return content_of(value)
    raise ValueError(f"expected an address or bytes, got {value!r:.40}")


def _image(content: bytes) -> Any:
    from PIL import Image

    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _sound(value: Any) -> Any:
    """Return samples with their rate, of WAV files with 16 bits; else bytes, which transformers reads with ffmpeg."""
    import numpy as np

    if isinstance(value, list):
        return np.asarray(value, np.float32)
    content = _bytes_of(value)
    if not content.startswith(b"RIFF"):
        return content
    try:
        with wave.open(io.BytesIO(content), "rb") as sound:
            if sound.getsampwidth() != 2:
                return content
            channels, rate, count = sound.getnchannels(), sound.getframerate(), sound.getnframes()
            frames = sound.readframes(count)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"it is no WAV file that can be read: {error}") from error
    if not frames or len(frames) != 2 * channels * count:
        raise ValueError("the sound is empty or cut off")
    samples = (np.frombuffer(frames, "<i2").astype(np.float32) / 2**15).reshape(-1, channels).mean(1)
    return {"raw": samples, "sampling_rate": rate}
