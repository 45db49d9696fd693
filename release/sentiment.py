"""Make the data set `sentiment`: ``npm pack sentiment@5.0.2``, then ``python -m release.sentiment TARBALL``.

That npm package (MIT) carries Sentiment Labelled Sentences (CC BY 4.0) as its test fixtures.
"""

import argparse
import csv
import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from chainhead_plugin.storage.hashing import sha256

SHA256 = "89302eb03d2005d03b214fe65814bb48adb7d3c42c8ca80bdee6a3ecb7e4480f"
OUTPUT = Path(__file__).parents[1] / "chainhead_plugin" / "recipes" / "zoo" / "sentiment.csv.gz"
_SITES = ("amazon", "imdb", "yelp")
_LABELS = {0: "negative", 1: "positive"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; by default that of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m release.sentiment", description=__doc__)
    parser.add_argument("tarball", type=Path, help="sentiment-5.0.2.tgz")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    options.output.write_bytes(packed(sentences(options.tarball.read_bytes())))


def sentences(tarball: bytes) -> dict[str, str]:
    """Return every sentence's label, each sentence once, without the white space around it.

    Raises
    ------
    ValueError
        If the tarball is another file, or a sentence has two labels.
    """
    digest = sha256(tarball)
    if digest != SHA256:
        raise ValueError(f"the tarball has SHA-256 {digest}, expected {SHA256}")
    labels: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        for site in _SITES:
            member = archive.extractfile(f"package/test/fixtures/{site}.json")
            assert member is not None
            for record in json.load(member):
                text = record["text"].strip()
                if not text:  # the last record of every file is empty
                    continue
                label = _LABELS[record["class"]]
                if labels.setdefault(text, label) != label:
                    raise ValueError(f"{text!r} is both negative and positive")
    return labels


def packed(labels: dict[str, str]) -> bytes:
    """Return gzipped CSV with the columns label and text, the same bytes for the same sentences."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["label", "text"])
    writer.writerows((label, text) for text, label in labels.items())
    return gzip.compress(table.getvalue().encode("utf-8"), mtime=0)


if __name__ == "__main__":
    main()
