"""Random tables, written in every way, are read alike, or the error names the place."""

import csv
import io
import re
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from chainhead_plugin import tables
from chainhead_plugin.tables import (
    Dialect,
    Reading,
    TableError,
    TableSpec,
    load_matched,
    load_pieces,
    schema_of,
)
from chainhead_plugin.tables.formats.cells import number_of

quickly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Anything but what no text file can hold: zero bytes and halves of characters; and a carriage return is an end of line.
texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda text: bool(text.strip()))
awkward = st.sampled_from(
    [
        "NA",
        "None",
        "null",
        "nan",
        "NaN",
        "007",
        "1e5",
        "1,5",
        "-",
        "#1",
        '"',
        "'",
        "a;b",
        "a\tb",
        "a\nb",
        " x ",
        "TRUE",
        "∞",
    ]
)
# pandas puts no quotes around a carriage return, and a name behind # is a comment's.
names = st.lists(
    texts.map(str.strip).filter(lambda text: bool(text) and "\r" not in text and not text.startswith("#")),
    min_size=2,
    max_size=4,
    unique=True,
)
numbers = st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.12g}")) | st.just(np.nan)
dialects = st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")])
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


@st.composite
def panels(draw):
    """Draw ids, labels, times and values of series."""
    ids = draw(st.lists(texts | awkward, min_size=1, max_size=4, unique=True))
    labels = [draw(texts | awkward) for _ in ids]
    lengths = [draw(st.integers(1, 5)) for _ in ids]
    values = [np.array([[draw(numbers) for _ in range(2)] for _ in range(length)]) for length in lengths]
    return ids, labels, values


def write(panel, columns, order, separator, decimal, quoting=csv.QUOTE_MINIMAL):
    """Return a table as text, with its columns and rows in an order."""
    ids, labels, values = panel
    rows = []
    for key, label, series in zip(ids, labels, values, strict=True):
        for step, node in enumerate(series.tolist()):
            cells = ["" if np.isnan(value) else repr(value).replace(".", decimal) for value in node]
            day = np.datetime64("2024-02-27") + step
            rows.append(
                dict(zip(("series", "kind", "day", "a", "b"), [key, label, str(day), *cells], strict=True))
            )
    rows = [rows[i] for i in order] if order is not None else rows
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, quoting=quoting)
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)
    return stream.getvalue()


@contextmanager
def refused_in_our_words(name):
    """Take an error of ours that names the file for an answer, and any other for a failure."""
    try:
        yield
    except TableError as error:
        if name not in str(error):
            raise


SPEC = TableSpec(series="series", label="kind", time="day", features=["a", "b"])


def check(found, panel, *, labelled=True):
    ids, labels, values = panel
    by_id = {series.id: series for series in found}
    assert by_id.keys() == set(ids)
    for key, label, expected in zip(ids, labels, values, strict=True):
        np.testing.assert_array_equal(by_id[key].values, expected)
        assert by_id[key].labels == ((label,) if labelled else ())


@quickly
@given(
    panel=panels(),
    columns=st.permutations(["series", "kind", "day", "a", "b"]),
    dialect=dialects,
    encoding=encodings,
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    data=st.data(),
)
def test_text_files(panel, columns, dialect, encoding, quoting, data):
    # A label such as 1,5 beside numbers with a point is refused where nothing else tells which sign fractions have.
    assume(
        dialect[1] == ","
        or not any("," in label and number_of(label, may_have_comma=True) is not None for label in panel[1])
    )
    count = sum(map(len, panel[2]))
    order = data.draw(st.permutations(range(count)))
    content = write(panel, columns, order, *dialect, quoting).encode(encoding)
    found = tables.load(
        tables.source_of(content, "a.csv"), SPEC, Reading(dialect=Dialect(separator=dialect[0]))
    )
    check(found, panel)
    schema = schema_of(found)
    shuffled = write(panel, columns[::-1], order[::-1], *dialect).encode(encoding)
    reading = Reading(dialect=Dialect(separator=dialect[0]))
    check(load_matched(tables.source_of(shuffled, "b.csv"), schema, reading, labelled=True), panel)
    check(load_matched(tables.source_of(shuffled, "b.csv"), schema, reading), panel, labelled=False)


@quickly
@given(panel=panels(), dialect=dialects, encoding=encodings, block_rows=st.integers(1, 7))
def test_the_separator_is_found_and_pieces_are_the_whole(panel, dialect, encoding, block_rows):
    ids, _, values = panel
    plain = [f"s{number}" for number in range(len(ids))], [f"k{number}" for number in range(len(ids))], values
    content = write(plain, ["series", "kind", "day", "a", "b"], None, *dialect).encode(encoding)
    source = tables.source_of(content, "a.csv")
    check(tables.load(source, SPEC), plain)
    check([one for piece in load_pieces(source, SPEC, block_rows=block_rows) for one in piece], plain)


@quickly
@given(panel=panels(), kind=st.sampled_from(["parquet", "feather", "jsonl", "json", "frame"]), data=st.data())
def test_typed_formats(panel, kind, data, tmp_path):
    ids, labels, values = panel
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "series": key,
                    "kind": label,
                    "day": pd.date_range("2024-02-27", periods=len(series)),
                    "a": series[:, 0],
                    "b": series[:, 1],
                }
            )
            for key, label, series in zip(ids, labels, values, strict=True)
        ],
        ignore_index=True,
    )
    frame = frame.iloc[data.draw(st.permutations(range(len(frame))))]
    frame = frame[data.draw(st.permutations(list(frame)))]
    if kind == "frame":
        check(tables.load(frame, SPEC), panel)
        return
    file = tmp_path / f"a.{kind}"
    if kind == "parquet":
        frame.to_parquet(file, index=data.draw(st.booleans()))
    elif kind == "feather":
        frame.reset_index(drop=True).to_feather(file)
    else:
        frame["day"] = frame["day"].dt.strftime("%Y-%m-%d")
        file.write_text(
            frame.reset_index(drop=True).to_json(orient="records", lines=kind == "jsonl", double_precision=15)
        )
        values = [np.array([float(f"{v:.15g}") for v in series.ravel()]).reshape(-1, 2) for series in values]
        found = tables.load(file, SPEC)
        for key, expected in zip(ids, values, strict=True):
            [series] = [series for series in found if series.id == key]
            np.testing.assert_allclose(series.values, expected, rtol=1e-12, atol=1e-14)
        return
    check(tables.load(file, SPEC), panel)


@quickly
@given(
    names=names,
    values=st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=2, max_size=5),
    data=st.data(),
)
def test_names_of_features(names, values, data):
    order = data.draw(st.permutations(range(len(names))))
    frame = pd.DataFrame([row[: len(names)] for row in values], columns=names)
    spec = TableSpec(features=names, rows="nodes")
    header = Reading(dialect=Dialect(header=True, separator=","))
    content = frame.iloc[:, order].to_csv(index=False).encode("utf-8")
    found = tables.load(tables.source_of(content, "a.csv"), spec, header)
    assert found.features == tuple(names)
    np.testing.assert_array_equal(found[0].values, frame.to_numpy())


@quickly
@given(
    panel=panels(),
    row=st.integers(0, 100),
    cell=st.sampled_from(["inf", "x", "1..2", "--", "1 00", "N/A", "1_0"]),
)
def test_what_is_no_number_is_placed(panel, row, cell):
    lines = write(
        (["s"], ["k"], panel[2][:1]), ["series", "kind", "day", "a", "b"], None, ",", "."
    ).splitlines()
    row = row % (len(lines) - 1) + 1
    lines[row] = ",".join([*lines[row].split(",")[:4], cell])
    with pytest.raises(
        TableError, match=rf"^a\.csv, row {row + 1}, column b holds .?{re.escape(cell)}.?, expected a"
    ):
        tables.load(tables.source_of("\n".join(lines).encode(), "a.csv"), SPEC)


@settings(quickly, max_examples=200)
@given(
    content=st.binary(max_size=200)
    | texts.map(str.encode)
    | st.text(",;\n\t\"'#01.a \r", max_size=60).map(str.encode)
)
def test_anything_is_read_or_refused_in_our_words(content):
    for name in (
        "a.csv",
        "a.txt",
        "a.json",
        "a.jsonl",
        "a.ts",
        "a.arff",
        "a.npy",
        "a.npz",
        "a.parquet",
        "a.feather",
    ):
        source = tables.source_of(content, name)
        with refused_in_our_words(name):
            found = tables.load(source)
            assert all(len(series) for series in found)
            assert tables.summary(found).startswith(name)
        with refused_in_our_words(name):
            assert all(piece for piece in load_pieces(source, block_rows=3))
        with refused_in_our_words(name):
            assert all(text.text.strip() for text in tables.load_texts(source)[0])
