"""WAV files of usual widths become numbers from −1 to 1, and other files an error that names them."""

import io
import wave

import numpy as np
import pytest

from chainhead_plugin.inputs.sound_files import read_sound


def wav(frames, width, channels=1, rate=8000):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(frames)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "values"),
    [("u1", [128, 192, 0]), ("<i2", [0, 2**14, -(2**15)]), ("<i4", [0, 2**30, -(2**31)])],
)
def test_widths(kind, values):
    frames = np.array(values, kind)
    samples, rate = read_sound(wav(frames.tobytes(), frames.itemsize), "a.wav")
    assert samples.dtype == np.float32
    assert samples.tolist() == [0, 0.5, -1]
    assert rate == 8000


def test_channels_are_averaged():
    frames = np.array([2**14, 0, 0, -(2**14)], "<i2").tobytes()
    assert read_sound(wav(frames, 2, channels=2), "a.wav")[0].tolist() == [0.25, -0.25]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF", r"a\.wav is no WAV file that can be read"),
        (
            wav(b"\0" * 8, 2).replace(b"fmt \x10\0", b"fmt \x10\x99"),
            r"a\.wav is no WAV file that can be read: it ends",
        ),
        (wav(b"\0" * 6, 3), r"a\.wav has samples of 24 bits, expected"),
        (wav(b"", 2), r"a\.wav has no samples"),
        (wav(b"\0" * 8, 2)[:-3], r"a\.wav is cut off: it holds 5 of 8 bytes of sound"),
    ],
)
def test_other_files(content, message):
    with pytest.raises(ValueError, match=message):
        read_sound(content, "a.wav")
