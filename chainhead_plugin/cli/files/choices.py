"""The values that options on files can have, where they are few."""

from enum import Enum


class FileFormat(str, Enum):
    """The format of an input; it overrides the ending of the file's name."""

    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"
    feather = "feather"
    excel = "excel"
    npy = "npy"
    npz = "npz"
    ts = "ts"
    arff = "arff"
    lines = "lines"
    document = "document"


class Gaps(str, Enum):
    """How to treat a missing row between two times."""

    error = "error"
    missing = "missing"
    keep = "keep"


class Rows(str, Enum):
    """The meaning of a row in a table."""

    nodes = "nodes"
    series = "series"


class Axes(str, Enum):
    """The order of the axes of an array of series."""

    nodes_first = "nodes_first"
    channels_first = "channels_first"
