"""Promise 7, for images: a picture is classified as Pillow reads it, or an error says why not."""

import io
import random
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from fuzzing import fuzz
from hostile_files import mutate_bytes
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from packaging.version import Version
from PIL import Image, ImageOps
from transformers import pipeline

import chainhead_plugin
from chainhead_plugin import ChainHeadImageProcessor
from chainhead_plugin.inputs.image_files import read_image

# transformers leaves it to the garbage collector to close files of several frames, and broken ones.
pytestmark = pytest.mark.filterwarnings("ignore:.*unclosed file")

DIGITS = Path(chainhead_plugin.__file__).parent / "checkpoints" / "chainhead-digits"
CLASSIFIER = pipeline("image-classification", model=str(DIGITS), device="cpu", top_k=10)
# transformers' pipeline refuses arrays before that version, as no images.
TAKES_ARRAYS = Version(transformers.__version__) >= Version("5.13")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
KINDS = [
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("GIF", "P"), ("BMP", "RGB"), ("TIFF", "F"), ("TIFF", "RGBA"), ("WEBP", "RGB"), ("PPM", "RGB")),
]
# What Pillow raises for files that it cannot read; OSError in almost all cases.
PILLOWS = (OSError, ValueError, TypeError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError)


def picture(mode):
    if mode in ("I;16", "I", "F"):
        # Of these, Pillow clips to 255 what is more.
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        return Image.fromarray(PIXELS[:, :, 0].astype(kind))
    if mode == "LA":
        return Image.fromarray(PIXELS).convert("L").convert("LA")
    return Image.fromarray(PIXELS).convert(mode)


def encoded(kind, mode):
    stream = io.BytesIO()
    picture(mode).save(stream, kind)
    return stream.getvalue()


def scores(result):
    found = {entry["label"]: entry["score"] for entry in result}
    assert len(found) == 10
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    return found


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")
def test_mutated_files_are_classified_as_pillow_reads_them_or_refused(full, tmp_path):
    originals = {kind: encoded(*kind) for kind in KINDS}
    file = tmp_path / "image"
    count, accepted = 10_000 if full else 300, 0
    for index in range(count):
        generator = random.Random(f"image-{index}")
        kind = generator.choice(KINDS)
        file.write_bytes(mutate_bytes(originals[kind], generator))
        try:
            with Image.open(file) as image:
                expected = ImageOps.exif_transpose(image).convert("RGB")
        except PILLOWS as error:
            with pytest.raises(type(error)):
                CLASSIFIER(str(file))
            continue
        accepted += 1
        assert scores(CLASSIFIER(str(file))) == scores(CLASSIFIER(expected))
    # Neither does every mutation break a file, nor does none.
    assert 0.1 * count < accepted < 0.9 * count


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")
def test_mutated_bytes_become_pixels_or_an_error_that_names_them(full):
    originals = [encoded(*kind) for kind in KINDS]
    processor = CLASSIFIER.image_processor
    count, read, told = 100_000 if full else 400, 0, set()
    for index in range(count):
        generator = random.Random(f"bytes-{index}")
        content = mutate_bytes(generator.choice(originals), generator)
        try:
            pixels = processor(read_image(content, "photo"), return_tensors="np")["pixel_values"]
        except ValueError as error:
            told.add(re.sub("photo is no image.*|.* has pixels from .*", "told", str(error), flags=re.S))
            continue
        read += 1
        assert pixels.shape == (1, 1, 8, 8)
        assert np.isfinite(pixels).all()
    assert told == {"told"}
    assert 0.1 * count < read < 0.9 * count


@pytest.mark.parametrize(("kind", "mode"), KINDS, ids=str)
def test_every_mode_is_read_as_its_grey_values(kind, mode, tmp_path):
    file = tmp_path / "image"
    file.write_bytes(encoded(kind, mode))
    with Image.open(file) as image:
        expected = np.array(image.convert("RGB").convert("L"))
    processor = ChainHeadImageProcessor(
        do_grayscale=True, do_resize=False, do_rescale=False, do_normalize=False
    )
    with Image.open(file) as image:
        found = processor(image, return_tensors="np")["pixel_values"][0, 0]
    np.testing.assert_array_equal(found, expected)
    [batched] = CLASSIFIER([str(file)], batch_size=2)
    assert scores(batched) == scores(CLASSIFIER(str(file)))


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
@pytest.mark.parametrize("value", [256, 40_000])
def test_more_than_eight_bits_are_not_clipped_silently(mode, value):
    kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
    with pytest.raises(ValueError, match=f"of mode {mode} has pixels from .* to {value:g}, which would be"):
        ChainHeadImageProcessor()(Image.fromarray(np.full((4, 4), value, kind)))


def claiming(width, height):
    """A PNG file that claims to be of some size and has no pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("size", "error"),
    [
        ((2**31 - 1, 2**31 - 1), Image.DecompressionBombError),
        ((2**31 - 1, 1), Image.DecompressionBombError),
        ((60_000, 60_000), Image.DecompressionBombError),
        ((10_000, 10_000), Image.DecompressionBombWarning),
        ((1000, 1000), OSError),
        ((0, 0), OSError),
    ],
)
def test_what_a_file_claims_is_no_reason_to_allocate_it(size, error, tmp_path):
    file = tmp_path / "image.png"
    file.write_bytes(claiming(*size))
    with pytest.raises(error):
        CLASSIFIER(str(file))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_no_pixels(size):
    with pytest.raises(ValueError, match="image 0 has no pixels"):
        CLASSIFIER(Image.new("RGB", size))


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_images(size):
    image = Image.fromarray(np.full((*size[::-1], 3), 200, np.uint8))
    assert scores(CLASSIFIER(image)) == pytest.approx(scores(CLASSIFIER(image.resize((8, 8)))), abs=1e-6)


BAD = {
    "bytes": b"\x89PNG\r\n\x1a\n\x00",
    "a bytearray": bytearray(b"\xff\xd8\xff"),
    "None": None,
    "a number": 3,
    "an object": object(),
    "no file": "no-such-file.png",
    "no text": "",
    "a surrogate": "\ud800",
    "a NUL": "a\0b.png",
    "base64 of no image": "iVBORw==",
    "a dict": {"image": 1},
    "lists": [[[1, 2, 3]] * 8] * 8,
    "objects": np.full((8, 8, 3), None),
    "text": np.full((8, 8, 3), "a"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_no_image_at_all(bad):
    with pytest.raises((TypeError, ValueError)) as refusal:
        CLASSIFIER(bad)
    assert len(str(refusal.value)) > 15


def test_fuzzed_arrays_give_an_error_or_what_they_hold(full):
    accepted = 0
    sides = st.sampled_from([0, 1, 2, 3, 4, 7])
    shapes = st.one_of(
        st.lists(sides, max_size=3).map(tuple), st.tuples(sides, sides, st.sampled_from([1, 3]))
    )
    kinds = st.sampled_from(["u1", "i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "?", "c8", "S3", "O"])
    floats = st_numpy.arrays("f4", st.just((7, 7, 3)), elements=st.floats(0, 255, width=32))
    arrays = st.one_of(st.tuples(kinds, shapes).flatmap(lambda pair: st_numpy.arrays(*pair)), floats)

    def check(array):
        nonlocal accepted
        try:
            result = CLASSIFIER(array)
        except (TypeError, ValueError) as error:
            if len(str(error)) <= 15:
                raise
            return
        accepted += 1
        assert array.size
        assert array.dtype.kind in "iuf"
        assert 0 <= array.min() <= array.max() <= 255
        found = scores(result)
        if array.dtype.kind == "u" and array.shape[0] not in (1, 3, 4) and array.shape[-1] == 3:
            assert found == scores(CLASSIFIER(Image.fromarray(array.astype(np.uint8))))

    examples = 5000 if full else 200
    fuzz(check, arrays, examples)
    assert accepted > examples / 20 if TAKES_ARRAYS else accepted == 0


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.full((7, 7, 3), np.nan), ValueError, "image 1 has pixels that are NaN or infinite"),
        (np.full((7, 7, 3), np.inf), ValueError, "image 1 has pixels that are NaN or infinite"),
        (np.full((7, 7, 3), 60_000, np.uint16), ValueError, "image 1 has pixels from 60000 to 60000, exp"),
        (np.full((7, 7, 3), -1.0), ValueError, "image 1 has pixels from -1 to -1, expected 0 to 255"),
        (np.ones((7, 7, 3), dtype=bool), TypeError, "image 1 has pixels of torch.bool"),
        (np.ones((7, 7, 3), dtype=complex), TypeError, "image 1 has pixels of torch.complex128"),
        (np.ones((0, 7, 3), dtype=np.uint8), ValueError, r"image 1 has no pixels: it has \[3, 0, 7\]"),
    ],
)
def test_a_bad_image_is_named(array, error, message):
    with pytest.raises(error, match=message):
        CLASSIFIER.image_processor([np.ones((7, 7, 3), dtype=np.uint8), array])


def test_pixels_that_are_scaled_already_need_saying_so():
    pixels = torch.rand(3, 8, 8) * 2 - 1
    with pytest.raises(ValueError, match="or pass do_rescale=False if they are scaled already"):
        CLASSIFIER.image_processor(pixels)
    assert (
        CLASSIFIER.image_processor(pixels, do_rescale=False, return_tensors="pt")["pixel_values"]
        .isfinite()
        .all()
    )
