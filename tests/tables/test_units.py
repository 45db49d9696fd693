"""Signs of currencies and units beside numbers: left out where a whole column has them, else told."""

import pytest

from chainhead_plugin import tables
from chainhead_plugin.tables import TableError


def written(cells, separator=","):
    rows = [f"2024-01-{day:02d}{separator}{cell}" for day, cell in enumerate(cells, start=1)]
    return "\n".join([f"date{separator}x", *rows]) + "\n"


@pytest.mark.parametrize(
    ("cells", "separator", "values", "told"),
    [
        (['"$1,234.50"', "$7.00", '"($1,000.00)"', "-$2.50"], ",", [1234.5, 7, -1000, -2.5], "x in $"),
        (["€ 12,50", "", "€ 1.200,75"], ";", [12.5, None, 1200.75], "x in €"),
        (["1 234,50 €", "12,00 €"], ";", [1234.5, 12], "x in €"),
        (["45 %", "46.5%", "n/a"], ",", [45, 46.5, None], "x in %"),
        (["21.5 °C", "\u22123 °C"], ",", [21.5, -3], "x in °C"),
        (["12 km/h", "13 km/h"], ",", [12, 13], "x in km/h"),
    ],
)
def test_numbers_of_a_unit(load, cells, separator, values, told):
    found = load(written(cells, separator), missing="n/a")
    assert found[0].values.ravel().tolist() == pytest.approx(
        [float("nan") if value is None else value for value in values], nan_ok=True
    )
    assert told in tables.summary(found)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["$1", "€2"], "row 2, column x holds '\\$1', a number in \\$, but row 3 holds '€2'"),
        (["1", "2 %"], "row 3, column x holds '2 %', a number in %, but row 2 holds '1'"),
        (["5k", "6k"], "expected a number alone"),
        (["2 PM", "3 PM"], "expected a number"),
    ],
)
def test_numbers_of_no_common_unit(load, cells, message):
    with pytest.raises(TableError, match=message):
        load(written(cells), time="date")


def test_later_tables_are_in_the_same_unit(load):
    schema = tables.schema_of(load(written(["45 %", "46 %"])))
    schema = tables.Schema.from_dict(schema.to_dict())

    def later(cells):
        return tables.load_matched(tables.source_of(written(cells).encode(), "later.csv"), schema)

    assert later(["50%"])[0].values.tolist() == [[50]]
    for cells, told in ((["0.5"], "without a unit"), (["$5"], "in \\$")):
        with pytest.raises(TableError, match=f"column x is {told}, but .* trained on it is in %"):
            later(cells)
    prices = tables.schema_of(load(written(["$45", "$46"])))
    assert tables.load_matched(tables.source_of(b"date,x\n2024-01-01,45\n", "b.csv"), prices)[0].values == 45


def test_units_of_pieces(tmp_path):
    (tmp_path / "a.csv").write_text("id,x\n" + "".join(f"s{i // 3},{i} %\n" for i in range(9)))
    pieces = [
        one
        for piece in tables.load_pieces(tmp_path / "a.csv", tables.TableSpec(series="id"), block_rows=4)
        for one in piece
    ]
    assert [one.values.ravel().tolist() for one in pieces] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    (tmp_path / "a.csv").write_text("id,x\n" + "".join(f"s{i // 3},{i}{' %' * (i < 7)}\n" for i in range(9)))
    with pytest.raises(TableError, match="row 9, column x holds '7', expected a number in %"):
        list(tables.load_pieces(tmp_path / "a.csv", tables.TableSpec(series="id"), block_rows=4))
