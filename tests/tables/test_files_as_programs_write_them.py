"""Files as Excel, R, MATLAB, pandas and loggers write them: the values are right, or an error says what to do."""

import re

import numpy as np
import pytest

from chainhead_plugin.tables import TableError, TableSpec, load, summary

HEAD = "id,day,temp,hum,kind"
ROWS = [
    "s0,2025-01-20,1.5,0.25,a",
    "s0,2025-01-21,2.5,0.5,a",
    "s0,2025-01-22,3.5,0.75,a",
    "s1,2025-01-20,-1,5,b",
    "s1,2025-01-21,-2,6,b",
    "s1,2025-01-22,-3,7,b",
]
SERIES = [[[1.5, 0.25], [2.5, 0.5], [3.5, 0.75]], [[-1, 5], [-2, 6], [-3, 7]]]
PLAIN = "\n".join([HEAD, *ROWS]) + "\n"


def with_row(number, row):
    """Return the table with another row in place of one, counted from 2 as an editor counts lines."""
    rows = [HEAD, *ROWS]
    rows[number - 1] = row
    return "\n".join(rows) + "\n"


def spaced(quote=""):
    lines = [" ".join(f"{quote}{name}{quote}" for name in HEAD.split(","))]
    lines += [f"{quote}{i}{quote} {row.replace(',', ' ')}" for i, row in enumerate(ROWS, start=1)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (PLAIN, ""),
        ("\ufeff" + PLAIN, ""),
        ("sep=,\r\n" + PLAIN.replace("\n", "\r\n"), ""),
        ("sep=;\n" + PLAIN.replace(",", ";"), ""),
        (PLAIN.replace("\n", "\r\r\n"), ""),
        (PLAIN.replace("\n", "\r"), ""),
        (PLAIN.replace(",", "|"), ""),
        (PLAIN.replace(",", "  ").replace("\n", " \n"), ""),
        (PLAIN.replace(",-", ",\u2212"), ""),
        (PLAIN.replace("1.5", "\u00a01.5\u202f"), ""),
        (PLAIN.replace("\n", ",\n"), ""),
        (PLAIN.replace("\n", ",\n").replace("kind,", "kind"), ""),
        ("\n".join([HEAD, *ROWS[:3], HEAD, *ROWS[3:]]), "1 further row of names left out"),
        (
            "\n".join([HEAD, *(f"{i},{row}" for i, row in enumerate(ROWS, start=1))]),
            "left out Unnamed: 0, which numbers the rows",
        ),
        (spaced(), "left out Unnamed: 0, which numbers the rows"),
        (spaced('"'), "left out Unnamed: 0, which numbers the rows"),
    ],
)
def test_the_same_table_in_the_ways_of_many_programs(tmp_path, content, note):
    (tmp_path / "t.csv").write_text(content, "utf-8", newline="")
    found = load(tmp_path / "t.csv", TableSpec(label="kind"))
    assert [one.values.tolist() for one in found] == SERIES
    assert [one.id for one in found] == ["s0", "s1"]
    assert [one.labels for one in found] == [("a",), ("b",)]
    features = "features temp, hum; label kind (a 1, b 1)"
    told = f"t.csv: 2 series of 3 nodes; {features}; series by id; time by day, 1 day apart"
    assert summary(found) == "; ".join(filter(None, [told, note]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Report of station 7\n" + PLAIN, "t.csv: 'Report of station 7' stands above a table of 5 columns"),
        (
            "Report,,,,\n,,,,\n" + PLAIN,
            "'Report' stands above a table of 5 columns: if this is a title, delete",
        ),
        ("Report\nBy: me\n\n" + PLAIN, "'Report', 'By: me' stand above a table .* (--comment 'Report')"),
        (
            with_row(2, "s0,2025-01-20,C,%,a"),
            "row 2, column temp holds 'C', expected a number, as 5 of 6 cells",
        ),
        (PLAIN + "Total,,9,9,\n", "row 8, column id holds 'Total', a series of a single row"),
        (
            PLAIN + "Total,Total,9,9,\n",
            "row 8, column id holds 'Total', a series of a single row",
        ),
        (
            with_row(3, "s0,2025-01-21,2.5%,0.5,a"),
            "row 3, column temp holds '2.5%', a number in %, but row 2 holds",
        ),
        (with_row(3, "s0,2025-01-21,€ 2.5,0.5,a"), "column temp holds '€ 2.5', a number in €, but row"),
        (with_row(3, "s0,2025-01-21,2.5 mm,0.5,a"), "column temp holds '2.5 mm', a number in mm, but row"),
        (with_row(3, "s0,2025-01-21,#DIV/0!,0.5,a"), "'#DIV/0!', expected .* missing: [#DIV/0!]"),
        (
            with_row(3, "s0,2025-01-21,---,0.5,a"),
            "'---', expected a number: if it stands for a missing value",
        ),
        (with_row(3, "s0,2025-01-21,0x1F,0.5,a"), "row 3, column temp holds '0x1F', expected a number"),
        (with_row(3, "s0,2025-01-21,1_000,0.5,a"), "row 3, column temp holds '1_000', expected a number"),
        (with_row(3, "s0,2025-01-21,1e400,0.5,a"), "row 3, column temp holds inf, expected a finite number"),
        (PLAIN[:-3], "row 7 has 4 cells, expected 5 .* it is the last row .* seems to be cut off"),
        (
            with_row(3, "s0,2025-01-21\0,2.5,0.5,a"),
            "row 3 holds a zero byte, .* or a file whose writing was cut off",
        ),
        (
            with_row(3, "s0 ,2025-01-21,2.5,0.5,a"),
            "row 2, column id holds 's0', and row 3 's0 ', .* but for blanks",
        ),
        (PLAIN.replace(",b\n", ",a \n"), "row 2, column kind holds 'a', and row 5 'a ', .* write them alike"),
        (
            PLAIN.replace(",a\n", ",1\n").replace(",b\n", ",1.0\n"),
            "row 2, column kind holds '1', and row 5 '1.0', which are the same as numbers",
        ),
        (with_row(2, "s0,2025-01-20,1.5,0.25,"), "row 2, column kind, series s0 is empty, but 'a' in row 3"),
        (PLAIN.replace("temp,hum", "temp, temp"), "row 1 names two columns temp"),
        ("\n \n\n", "there is nothing in it"),
    ],
)
def test_what_is_no_table_yet(tmp_path, content, message):
    (tmp_path / "t.csv").write_text(content, "utf-8", newline="")
    with pytest.raises(TableError, match=re.sub(r"([][$?()])", r"\\\1", message)):
        load(tmp_path / "t.csv", TableSpec(label="kind"))


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,038", "839"], None),
        (["1,038", "839,5"], [1.038, 839.5]),
        (["1,038", "0,839"], [1.038, 0.839]),
        (["1,038", "1,839"], [1.038, 1.839]),
        (["1.038", "839"], None),
        (["1.038", "12.5"], [1.038, 12.5]),
        (["1.038", "1839"], [1.038, 1839]),
    ],
)
def test_signs_that_may_divide_thousands(tmp_path, cells, numbers):
    (tmp_path / "t.csv").write_text("x;y\n" + "\n".join(f"{cell};7" for cell in cells), "utf-8")
    if numbers is None:
        with pytest.raises(TableError, match=r"row 2, column x holds .* is 1.038 or, with a sign .* 1038"):
            load(tmp_path / "t.csv")
    else:
        assert load(tmp_path / "t.csv")[0].values[:, 0].tolist() == numbers


@pytest.mark.parametrize(
    ("times", "step", "coming"),
    [
        (["2024-W51", "2024-W52", "2025-W01"], "7 days", "2025-W02"),
        (["2024W511", "2024W521", "2025W011"], "7 days", "2025W021"),
        (["2024Q3", "2024Q4", "2025Q1"], "3 months", "2025Q2"),
        (["Q3/2024", "Q4/2024", "Q1/2025"], "3 months", "Q2/2025"),
        (["Nov 2024", "Dec 2024", "Jan 2025"], "1 month", "Feb 2025"),
        (["11/2024", "12/2024", "01/2025"], "1 month", "02/2025"),
        (["202411", "202412", "202501"], "1 month", "202502"),
        (["20241230", "20241231", "20250101"], "1 day", "20250102"),
        (["30-Dec-2024 06:00", "31-Dec-2024 06:00", "01-Jan-2025 06:00"], "1 day", "02-Jan-2025 06:00"),
        (["December 30, 2024", "December 31, 2024", "January 01, 2025"], "1 day", "January 02, 2025"),
        (["20241230T0600", "20241231T0600", "20250101T0600"], "1 day", "20250102T0600"),
        (
            ["2024-12-30\u00a006:00", "2024-12-31\u00a006:00", "2025-01-01\u00a006:00"],
            "1 day",
            "2025-01-02 06:00",
        ),
        (["2025", "2024", "2023"], "1", 2026),
        (["1736409600000", "1736413200000", "1736416800000"], "1 hour", 1736420400000),
    ],
)
def test_times_that_nobody_named(tmp_path, times, step, coming):
    rows = "\n".join(f'"{time}",{i + 10}' for i, time in enumerate(times))
    (tmp_path / "t.csv").write_text(f"date,x\n{rows}\n", "utf-8")
    found = load(tmp_path / "t.csv")
    assert str(found.step) == step
    assert found.future_times(found[0], 1) == [coming]
    assert found.columns.spec.time == "date"


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (
            ["2025-01-01", "2025-01-02", "2052-01-03", "2025-01-04", "2025-01-05", "2025-01-06"],
            {"gaps": "missing"},
            "row 4: to fill its gaps with steps of 1 day",
        ),
        (
            ["2025-01-01", "2025-01-02", "2025-01-03 07:33", "2025-01-04", "2025-01-05", "2025-01-06"],
            {"gaps": "missing"},
            "row 4: times are unevenly spaced, .* from 2025-01-02 00:00 to 2025-01-03 07:33 .* (--gaps keep)",
        ),
        (
            ["01.01.25", "02.01.25"],
            {},
            "'02.01.25' is 2025-01-02 with the day first, 2025-02-01 with the month first.*(--time-format)",
        ),
        (["06:00", "07:00"], {"time": "day"}, "row 2, column day holds '06:00', .* (--time-format)"),
    ],
)
def test_times_that_cannot_be_told(tmp_path, rows, options, message):
    (tmp_path / "t.csv").write_text("day,x\n" + "".join(f"{time},1\n" for time in rows), "utf-8")
    with pytest.raises(TableError, match=re.sub(r"([()])", r"\\\1", message)):
        load(tmp_path / "t.csv", TableSpec(**options))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("kind,t0,t1,t2", ""),
        ("kind,0 s,1 s,2 s", ""),
        ("kind,2025-01-01,2025-01-02,2025-01-03", ""),
        (
            "kind,t0,t1,t2,age",
            "age is not named as the nodes of series are, t0, t1, t2: leave it out (--drop age)",
        ),
        (
            "kind,temp,hum,wind",
            "no column tells series apart, and temp, hum, wind are not named as the nodes of one",
        ),
        ("kind,patient,temp", "no column tells series apart, and patient, temp are not named as the nodes"),
    ],
)
def test_columns_that_may_be_nodes(tmp_path, header, message):
    width = header.count(",")
    rows = "".join(f"{kind},{','.join(str(i + 0.5) for i in range(width))}\n" for kind in "abab")
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}", "utf-8")
    spec = {"label": "kind"}
    if message:
        with pytest.raises(TableError, match=re.sub(r"([()])", r"\\\1", message)):
            load(tmp_path / "t.csv", TableSpec(**spec))
        spec["rows"] = "series"
    found = load(tmp_path / "t.csv", TableSpec(**spec))
    assert [one.values.shape for one in found] == [(width, 1)] * 4


def test_numbers_to_learn_may_have_a_decimal_comma(tmp_path):
    (tmp_path / "t.csv").write_text(
        "id;x;kind\ns0;1,5;0,896\ns0;2,5;0,896\ns1;1,5;2,25\ns1;1,5;2,25\n", "utf-8"
    )
    found = load(tmp_path / "t.csv", TableSpec(label="kind"))
    np.testing.assert_array_equal(found.label_numbers(), [0.896, 2.25])
    assert [one.labels[0] for one in found] == ["0,896", "2,25"]
