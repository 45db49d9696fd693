"""The model in transformers' own pipeline."""

import pytest
import registry
from my_zoo.digits import images
from PIL import Image
from transformers import pipeline


def test_it_reads_a_picture():
    pytest.importorskip("sklearn")
    registry.load_plugins()
    pixels, classes = images()
    classify = pipeline("image-classification", model=str(registry.checkpoint_path("my-zoo-digits")))
    best = classify(Image.fromarray(pixels[-1]).convert("RGB"), top_k=1)[0]
    assert best["label"] == str(classes[-1])
    assert best["score"] > 0.5
