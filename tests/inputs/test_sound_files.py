"""WAV files of usual widths become numbers from −1 to 1, and other files an error that names them."""

import struct

import numpy as np
import pytest

from chainhead_plugin.inputs.sounds.sound_files import read_sound


def wav(frames, width, channels=1, rate=8000):
    size, block = len(frames), channels * width
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block, block, 8 * width)
    head = struct.pack("<4sI8sI", b"RIFF", 36 + size, b"WAVEfmt ", len(form))
    return head + form + struct.pack("<4sI", b"data", size) + frames


@pytest.mark.parametrize(
    ("kind", "values"),
    [("u1", [128, 192, 0]), ("<i2", [0, 2**14, -(2**15)]), ("<i4", [0, 2**30, -(2**31)])],
)
def test_widths(kind, values):
    frames = np.array(values, kind)
    samples, rate, _ = read_sound(wav(frames.tobytes(), frames.itemsize), "a.wav")
    assert samples.dtype == np.float32
    assert samples.tolist() == [0, 0.5, -1]
    assert rate == 8000


def extended(content, number=1):
    """Return a WAV file whose part on the format is as programs write it: 24 bytes more, with the format in them."""
    size = int.from_bytes(content[4:8], "little") + 24
    extension = (22).to_bytes(2, "little") + bytes(6) + number.to_bytes(2, "little") + bytes(14)
    head = b"RIFF" + size.to_bytes(4, "little") + b"WAVEfmt " + (40).to_bytes(4, "little") + b"\xfe\xff"
    return head + content[22:36] + extension + content[36:]


@pytest.mark.parametrize("with_extension", [False, True])
def test_24_bits(with_extension):
    values = [0, 2**22, -(2**23), -1, 1]
    content = wav(b"".join(value.to_bytes(3, "little", signed=True) for value in values), 3)
    samples = read_sound(extended(content) if with_extension else content, "a.wav").samples
    assert samples.tolist() == [0, 0.5, -1, -(2.0**-23), 2.0**-23]


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
@pytest.mark.parametrize("with_extension", [False, True])
def test_floats(kind, with_extension):
    values = np.array([0, 0.5, -1, 1.25], kind)
    content = wav(values.tobytes(), values.itemsize)
    if with_extension:
        content = extended(content, 3)
    else:
        content = content.replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\3")
    assert read_sound(content, "a.wav").samples.tolist() == values.tolist()
    broken = content[: -values.itemsize] + np.array(np.nan, kind).tobytes()
    with pytest.raises(ValueError, match=r"a\.wav holds samples that are not finite"):
        read_sound(broken, "a.wav")


def test_channels_are_averaged():
    frames = np.array([2**14, 0, 0, -(2**14)], "<i2").tobytes()
    assert read_sound(wav(frames, 2, channels=2), "a.wav")[0].tolist() == [0.25, -0.25]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.wav is empty, expected a WAV file"),
        (b"ID3 no sound", r"a\.wav is no WAV file that can be read: it does not begin with RIFF; convert"),
        (b"RIFF", r"a\.wav is no WAV file that can be read"),
        (
            wav(b"\0" * 8, 2).replace(b"fmt \x10\0", b"fmt \x10\x99"),
            r"a\.wav is no WAV file that can be read: it ends",
        ),
        (
            wav(b"\0" * 8, 2).replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\7"),
            r"unknown format: 7; convert it",
        ),
        (
            wav(b"\0" * 8, 2).replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\3"),
            r"has floats of 16 bits, expected",
        ),
        (wav(b"", 2), r"a\.wav has no samples"),
        (wav(b"\0" * 8, 2)[:-3], r"a\.wav is cut off: it holds 5 of 8 bytes of sound"),
    ],
)
def test_other_files(content, message):
    with pytest.raises(ValueError, match=message):
        read_sound(content, "a.wav")
