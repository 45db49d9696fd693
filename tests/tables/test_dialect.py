"""Dialects of text files: encodings, separators, comments, quotes, blank lines."""

import numpy as np
import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import Dialect, TableError
from chainhead_plugin.tables.formats.text.dialect import find_separator


def values(found):
    return [series.values.T.tolist() for series in found]


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "read as UTF-16"),
        ("utf-16-le", "read as UTF-16"),
        ("utf-16-be", "read as UTF-16"),
        ("latin-1", "read as Latin-1"),
    ],
)
def test_encodings(load, encoding, note):
    found = load("id,kind,x\nä,é,1\nä,é,2\n", encoding=encoding, label="kind")
    assert [(series.id, series.labels) for series in found] == [("ä", ("é",))]
    assert (note in tables.summary(found)) if note else ("read as" not in tables.summary(found))


def test_windows_quotes_are_no_control_characters(load):
    found = load("id,x\n“a” €,1\n“a” €,2\n", encoding="cp1252")
    assert found[0].id == "“a” €"
    assert "cp1252" in tables.summary(found)


def test_a_stated_encoding(load):
    assert load("id,x\né,1\né,2\n", encoding="cp850", dialect={"encoding": "cp850"})[0].id == "é"
    with pytest.raises(TableError, match=r"a\.csv is not written in utf-8"):
        load("id,x\né,1\n", encoding="latin-1", dialect={"encoding": "utf-8"})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1.5,2\n", [[1.5], [2]]),
        ("a;b\n1,5;2\n", [[1.5], [2]]),
        ("a;b\n1.5;2\n", [[1.5], [2]]),
        ("a\tb\n1,5\t2,25\n", [[1.5], [2.25]]),
        ("a;b\n1,5;2,5\n3,5;4,5\n", [[1.5, 3.5], [2.5, 4.5]]),
        ('a,b\n"1.5","2"\n', [[1.5], [2]]),
        ("a\n1\n2\n", [[1, 2]]),
        ("a,b\r\n1,2\r\n", [[1], [2]]),
        ("a,b\r1,2\r", [[1], [2]]),
        ("a,b,\n1,2,\n", [[1], [2]]),
        ("a;b\n1e3;-,5\n", [[1000], [-0.5]]),
        ("1.0 2.5\n  3.5  4\n", [[1, 3.5], [2.5, 4]]),
    ],
)
def test_separators_and_decimal_signs(load, content, expected):
    assert values(load(content)) == [expected]


def test_a_stated_separator(load):
    found = load("a;b,c\n1;2,5\n", dialect={"separator": ";"})
    assert found.features == ("a", "b,c")
    assert values(found) == [[[1], [2.5]]]


def test_decimal_comma_and_points_between_thousands(load):
    with pytest.raises(
        TableError, match=r"row 2, column b has '1.500', but column a has '1,5': write fractions in one way"
    ):
        load("a;b\n1,5;1.500\n2,5;2.000\n")
    with pytest.raises(TableError, match=r"row 2, column a holds '1,500', .* state it, as thousands: ','"):
        load('a,b\n"1,500",1\n')
    with pytest.raises(TableError, match="but the decimal sign is a comma"):
        load("a;b\n1;1.500\n", dialect={"decimal": ","})


@pytest.mark.parametrize(
    ("content", "expected", "dialect"),
    [
        ('a,b\n"1,500.5",1\n"12",2.5\n', [[1500.5, 1], [12, 2.5]], {}),
        ('a,b\n"1,500",0.5\n"-2,000,000",2.5\n', [[1500, 0.5], [-2e6, 2.5]], {}),
        ('a,b\n"1,500",0.5\n"12",2.5\n', [[1500, 0.5], [12, 2.5]], {}),
        ('a,b\n"1,500",1\n"12",2\n', [[1500, 1], [12, 2]], {"thousands": ","}),
        ("a;b\n1.500,5;1.234.567\n12;1.000\n", [[1500.5, 1234567], [12, 1000]], {}),
        ("a;b\n1'500.5;2\n12.5;1’000\n", [[1500.5, 2], [12.5, 1000]], {}),
        ("a;b\n1\u202f500,5;2\n12,5;1 000\n", [[1500.5, 2], [12.5, 1000]], {}),
        ("a;b\n1.500;1\n12;2\n", [[1500, 1], [12, 2]], {"thousands": "."}),
    ],
)
def test_signs_between_thousands(load, content, expected, dialect):
    found = load(content, dialect=dialect)
    assert found[0].values.tolist() == expected
    assert "between thousands left out" in tables.summary(found)


def test_signs_between_thousands_that_do_not_fit(load, tmp_path):
    with pytest.raises(TableError, match=r"row 3, column b holds '2.5', but '.' stands between thousands"):
        load("a;b\n1.500,5;1\n12;2.5\n")
    with pytest.raises(TableError, match="thousands and decimal cannot both be"):
        load("a;b\n1;2\n", dialect={"thousands": ",", "decimal": ","})
    # Ids and labels stand as they are in the file.
    assert load('id,a,label\n"1,000,000","1,500.5","2,000,000"\n', series="id")[0].labels == ("2,000,000",)
    (tmp_path / "b.csv").write_text("id,a\n" + "x,7\n" * 3 + 'y,"1,500.5"\n', "utf-8")
    with pytest.raises(TableError, match=r"row 5, column a holds '1,500.5', .* state thousands: ','"):
        list(tables.load_pieces(tmp_path / "b.csv", block_rows=3))
    reading = tables.Reading(dialect=tables.Dialect(thousands=","))
    *_, last = tables.load_pieces(tmp_path / "b.csv", reading=reading, block_rows=3)
    assert last[0].values.item() == 1500.5


def test_comments(load):
    found = load("# a logger\n# of mine\nid,x\n#7,1\n#7,2\n")
    assert (found[0].id, found[0].first_row, found[0].last_row) == ("#7", 4, 5)
    assert load("#id,x\n7,1.5\n7,2.5\n").features == ("x",)
    assert load("# temp,hum\n1,2\n3,4\n").features == ("temp", "hum")  # as numpy.savetxt writes it
    assert load("#temp,hum\n1,\n3,4\n", dialect={"header": True}).features == ("temp", "hum")
    found = load("x,y\n1,2\n% off\n3,4\n", dialect={"comment": "%"})
    assert values(found) == [[[1, 3], [2, 4]]]
    assert found[0].last_row == 4
    assert "1 line of comments left out" in tables.summary(load("x,y\n1,2\n# the end\n"))


def test_ids_that_all_begin_like_comments(load):
    assert [series.id for series in load("id,x\n#1,1\n#1,2\n#2,3\n")] == ["#1", "#2"]


def test_quotes(load):
    found = load('id,x\n"a, ""b""\nc",1\n"a, ""b""\nc",2\n')
    assert (found[0].id, found[0].first_row, found[0].last_row) == ('a, "b"\nc', 2, 4)
    with pytest.raises(TableError, match=r"a.csv, row 3: a quote is opened here and never closed"):
        load('id,x\nb,1\n"a,2\nc,3\n')
    with pytest.raises(TableError, match=r"a.csv, row 2 cannot be cut into cells"):
        load('id,x\n"a"b,2\n')


def test_rows_of_empty_cells_are_nodes(load):
    assert np.isnan(load("a,b\n1,2\n,\n3,4\n")[0].values).tolist() == [[False] * 2, [True] * 2, [False] * 2]
    assert np.isnan(load("a\n1\n\n\n3\n\n")[0].values.ravel()).tolist() == [False, True, True, False]
    assert np.isnan(load('a\n1\n""\n')[0].values.ravel()).tolist() == [False, True]


def test_blank_lines_of_wide_tables_are_ambiguous(load):
    with pytest.raises(
        TableError, match=r"a.csv, row 3 is blank: delete the line, or .* write its separators"
    ):
        load("a,b\n1,2\n\n3,4\n")
    assert len(load("a,b\n1,2\n3,4\n\n\n")[0]) == 2
    assert len(load("\n\na,b\n1,2\n3,4\n")[0]) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "there is nothing in it"),
        ("a,b\n", "there are no rows below the header"),
        ("a,b\n1\n", "row 2 has 1 cell, expected 2 as in the first row: end shorter rows"),
        ("a,b\n1,2\n1,2,3\n", "row 3 has 3 cells, expected 2 .*: put a text with separators in quotes"),
        ("a,b,a\n1,2,3\n", "row 1 names two columns a: rename"),
        ("a,,c\n1,2.5,3\n", "column 2 has no name"),
        ("a,b\n1,2\0\n", "row 2 holds a zero byte"),
    ],
)
def test_what_is_no_table(load, content, message):
    with pytest.raises(TableError, match=f"a.csv.*{message}"):
        load(content)


@pytest.mark.parametrize(
    "options",
    [{"separator": ":"}, {"decimal": "."[:0]}, {"encoding": "utf-9"}, {"comment": " "}, {"header": "yes"}],
)
def test_dialects_that_there_are_not(options):
    with pytest.raises(TableError):
        Dialect(**options)
    with pytest.raises(TableError, match="both be a comma"):
        Dialect(separator=",", decimal=",")


def test_find_separator():
    assert find_separator(["a;b", "1,5;2,5"]) == ";"
    assert find_separator(["a, b; c", "1, 2; 3"]) in ",;"
    assert find_separator(["a"]) == ","


def test_blocks_lose_no_row(load, tmp_path):
    from chainhead_plugin.tables.formats.files import find_sources
    from chainhead_plugin.tables.formats.text.separated import read_blocks

    (tmp_path / "a.csv").write_text("x\n" + "".join(f"{number}\n" for number in range(10)))
    (source,), _ = find_sources(tmp_path / "a.csv")
    for block_rows in (1, 3, 5, 10, 11):
        blocks = list(read_blocks(source, Dialect(), block_rows))
        assert [cell for block in blocks for cell in block.columns["x"]] == [
            str(number) for number in range(10)
        ]
        assert [row for block in blocks for row in block.rows] == list(range(2, 12))
