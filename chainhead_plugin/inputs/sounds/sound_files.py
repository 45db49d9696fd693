"""Sounds in files: WAV with whole samples, which needs no program and no package to read."""

import io
import math
import struct
import wave
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...checks.packages import missing_package

# The least and the most samples a second of sounds that models are trained on.
RATES = (1_000, 768_000)
# By bytes of a sample: its type, the value that stands for silence, and the size of a full swing. NumPy has no numbers
# of 24 bits: they become the upper bytes of 32.
_SAMPLES = {1: ("u1", 128, 2**7), 2: ("<i2", 0, 2**15), 3: ("<i4", 0, 2**31), 4: ("<i4", 0, 2**31)}
_FLOATS = {4: "<f4", 8: "<f8"}
# The formats of whole samples and of floats, and that which says in its extension which format it is.
_WHOLE, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_EXPECTED = "expected a WAV file with samples of 8, 16, 24 or 32 bits, or floats of 32 or 64"
_BY_FFMPEG = "for example by ffmpeg -i FILE -c:a pcm_s16le NEW.wav"


class Sound(NamedTuple):
    """A sound as it was read.

    Attributes
    ----------
    samples : float32 array [samples]
        From −1 to 1, the mean of all channels.
    rate : int
        Samples a second.
    channels : int
        The number of channels in the file.
    """

    samples: NDArray[np.float32]
    rate: int
    channels: int


def read_sound(content: bytes, name: str) -> Sound:
    """Read a sound.

    Parameters
    ----------
    content : bytes
        Of a WAV file with samples of 8, 16, 24 or 32 bits, or floats of 32 or 64; channels are averaged.
    name : str
        What errors call it.

    Returns
    -------
    Sound

    Raises
    ------
    ValueError
        If it is no such file, is empty, or is cut off.
    """
    if not content:
        raise ValueError(f"{name} is empty, expected a WAV file")
    if content[:4] != b"RIFF":
        raise ValueError(
            f"{name} is no WAV file that can be read: it does not begin with RIFF; convert a sound of another format, "
            f"{_BY_FFMPEG}"
        )
    plain, are_floats = _in_plain_format(content)
    try:
        with wave.open(io.BytesIO(plain), "rb") as sound:
            width, channels, rate = sound.getsampwidth(), sound.getnchannels(), sound.getframerate()
            count = sound.getnframes()
            frames = sound.readframes(count)
    except (wave.Error, EOFError, RuntimeError) as error:  # The last of a part that is longer than the file.
        told = str(error) or "it ends within one of its parts"
        hint = f"; convert it, {_BY_FFMPEG}" if "unknown format" in told else ""
        raise ValueError(f"{name} is no WAV file that can be read: {told}{hint}") from error

    if width not in (_FLOATS if are_floats else _SAMPLES) or not frames:
        told = f"{'floats' if are_floats else 'samples'} of {8 * width} bits" if frames else "no samples"
        raise ValueError(f"{name} has {told}, {_EXPECTED}")
    if len(frames) != count * width * channels:
        raise ValueError(
            f"{name} is cut off: it holds {len(frames):,} of {count * width * channels:,} bytes of sound"
        )

    samples = _numbers(frames, width, are_floats=are_floats)
    if not np.isfinite(samples).all():
        raise ValueError(f"{name} holds samples that are not finite")
    return Sound(samples.reshape(-1, channels).mean(1).astype(np.float32), rate, channels)


def resample(samples: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """Return a sound at another rate, without the frequencies that this rate cannot hold.

    Parameters
    ----------
    samples : float32 array [samples]
    rate, wanted : int
        Samples a second, before and after.

    Raises
    ------
    ModuleNotFoundError
        If SciPy is not installed.
    """
    if rate == wanted:
        return samples
    try:
        from scipy.signal import resample_poly  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(missing_package("resampling sounds", "scipy")) from error
    common = math.gcd(rate, wanted)
    resampled: NDArray[np.float32] = resample_poly(samples, wanted // common, rate // common)
    return resampled.astype(np.float32)


def _in_plain_format(content: bytes) -> tuple[bytes, bool]:
    """Return a WAV file whose format is that of whole samples, which Python's reader knows, and if samples are floats.

    Programs write more than 16 bits or two channels with an extension: the format stands in its first bytes. Files in
    other formats stay as they are.
    """
    start = content.find(b"fmt ", 12, 4096)
    if start < 0 or len(content) < start + 34:
        return content, False
    (found,) = struct.unpack_from("<H", content, start + 8)
    if found == _EXTENSIBLE:
        (found,) = struct.unpack_from("<H", content, start + 32)
    if found not in (_WHOLE, _FLOAT):
        return content, False
    return content[: start + 8] + struct.pack("<H", _WHOLE) + content[start + 10 :], found == _FLOAT


def _numbers(frames: bytes, width: int, *, are_floats: bool) -> NDArray[np.float64]:
    """Return samples from −1 to 1."""
    if are_floats:
        return np.frombuffer(frames, _FLOATS[width]).astype(np.float64)
    if width == 3:
        parts = np.frombuffer(frames, "u1").reshape(-1, 3)
        frames = np.pad(parts, ((0, 0), (1, 0))).tobytes()
    kind, silence, swing = _SAMPLES[width]
    numbers: NDArray[np.float64] = (np.frombuffer(frames, kind).astype(np.float64) - silence) / swing
    return numbers
