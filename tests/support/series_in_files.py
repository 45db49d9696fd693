"""The same twenty series in every file format that can be read."""

import gzip
import json
import zipfile

import numpy as np
import pandas as pd

COUNT = 20


def twenty():
    """Return ids, labels and values [L, 2] of series, with values missing and levels of 1e8."""
    rng = np.random.default_rng(0)
    ids = [f"{number:03d}" for number in range(COUNT)]
    labels = ["NA" if number % 2 else "007" for number in range(COUNT)]
    levels = np.array([0, 1e8])
    values = [np.round(rng.normal(0, 1, (5 + number % 4, 2)), 3) + levels for number in range(COUNT)]
    for series in values[::3]:
        series[1, 0] = np.nan
    values[4][2] = np.nan
    return ids, labels, values


def frame():
    """Return the series as a DataFrame, a row a node."""
    ids, labels, values = twenty()
    parts = [
        pd.DataFrame({"id": key, "label": label, "temp": series[:, 0], "level": series[:, 1]})
        for key, label, series in zip(ids, labels, values, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _csv(file, **options):
    frame().to_csv(file, index=False, **options)


def _zip(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", frame().to_csv(index=False))


def _zstandard(file):
    import pyarrow

    content = frame().to_csv(index=False).encode()
    file.write_bytes(pyarrow.compress(content, codec="zstd", asbytes=True))


def _json_lines(file):
    ids, labels, values = twenty()
    with file.open("w") as stream:
        for key, label, series in zip(ids, labels, values, strict=True):
            nodes = [[None if np.isnan(value) else value for value in node] for node in series.tolist()]
            stream.write(json.dumps({"id": key, "label": label, "nodes": nodes}) + "\n")


def _json(file):
    ids, labels, values = twenty()
    content = [
        {
            "id": key,
            "label": label,
            "nodes": [[None if v != v else v for v in node] for node in series.tolist()],
        }
        for key, label, series in zip(ids, labels, values, strict=True)
    ]
    file.write_text(json.dumps(content))


def _npz(file):
    ids, labels, values = twenty()
    lengths = [len(series) for series in values]
    np.savez(file, x=np.concatenate(values), lengths=lengths, y=labels, id=ids, features=["temp", "level"])


def _lists(file):
    ids, labels, values = twenty()
    nodes = [series.tolist() for series in values]
    pd.DataFrame({"id": ids, "label": labels, "nodes": nodes}).to_parquet(file)


def _ts(file):
    _, labels, values = twenty()
    lines = ["@problemName twenty", "@univariate false", "@classLabel true 007 NA", "@data"]
    for label, series in zip(labels, values, strict=True):
        channels = [",".join("?" if v != v else repr(v) for v in channel) for channel in series.T.tolist()]
        lines.append(":".join([*channels, label]))
    file.write_text("\n".join(lines) + "\n")


def _arff(file):
    _, labels, values = twenty()
    lines = [
        "@relation twenty",
        "@attribute cases relational",
        "@end cases",
        "@attribute class {007,NA}",
        "@data",
    ]
    for label, series in zip(labels, values, strict=True):
        channels = [",".join("?" if v != v else repr(v) for v in channel) for channel in series.T.tolist()]
        lines.append("'" + "\\n".join(channels) + "'," + label)
    file.write_text("\n".join(lines) + "\n")


WRITERS = {
    "a.csv": _csv,
    "semicolon.csv": lambda file: _csv(file, sep=";", decimal=","),
    "a.tsv": lambda file: _csv(file, sep="\t"),
    "bom.csv": lambda file: _csv(file, encoding="utf-8-sig"),
    "utf16.csv": lambda file: _csv(file, encoding="utf-16"),
    "windows.csv": lambda file: _csv(file, lineterminator="\r\n"),
    "comment.csv": lambda file: file.write_text("# measured\n" + frame().to_csv(index=False)),
    "index.csv": lambda file: frame().to_csv(file),
    "a.csv.gz": lambda file: file.write_bytes(gzip.compress(frame().to_csv(index=False).encode())),
    "a.csv.zip": _zip,
    "a.csv.zst": _zstandard,
    "a.parquet": lambda file: frame().to_parquet(file),
    "categories.parquet": lambda file: (
        frame().astype({"id": "category", "label": "category"}).to_parquet(file)
    ),
    "a.feather": lambda file: frame().to_feather(file),
    "rows.jsonl": lambda file: frame().to_json(file, orient="records", lines=True),
    "rows.json": lambda file: frame().to_json(file, orient="records"),
    "columns.json": lambda file: frame().to_json(file, orient="columns"),
    "nodes.jsonl": _json_lines,
    "nodes.json": _json,
    "ragged.npz": _npz,
    "lists.parquet": _lists,
    "a.ts": _ts,
    "a.arff": _arff,
}
# Formats whose series have no ids.
WITHOUT_IDS = ("a.ts", "a.arff")
