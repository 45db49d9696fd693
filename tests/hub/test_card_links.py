"""Links of cards to pictures are found in linear time."""

import time

import pytest
from hub_samples import MODEL

from registry.hub.publication import gather


@pytest.mark.parametrize("text", ["![](" * 32_000, "![" * 32_000, "![](a" * 32_000, "![a](" + "b" * 100_000])
def test_cards_full_of_broken_links_take_no_time(tmp_path, text):
    for name, data in MODEL.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "README.md").write_text(f"---\nlicense: mit\n---\n{text}", "utf-8")
    start = time.perf_counter()
    files = gather(tmp_path, tmp_path / "README.md", "me/model")
    assert time.perf_counter() - start < 2
    assert text.encode() in files["README.md"]
