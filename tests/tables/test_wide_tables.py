"""Tables to forecast in which each row is a whole series."""

import numpy as np
import pytest

from chainhead_plugin import tables
from chainhead_plugin.recipes import load_recipe
from chainhead_plugin.tables import TableError

_M4 = '"V1","V2","V3","V4","V5"\n"M1","1","2","3",""\n"M2","5","6","7","8"\n'


def test_ids_and_ends_of_m4(load):
    found = load(_M4)
    assert [one.id for one in found] == ["M1", "M2"]
    assert [one.values.ravel().tolist() for one in found] == [[1, 2, 3], [5, 6, 7, 8]]
    assert [one.start for one in found] == [1, 0]
    assert tables.summary(found) == "a.csv: 2 series of 3–4 nodes; a series a row; series by V1"


def test_times_in_names_of_columns(load):
    found = load("Page,2024-03,2024-02,2024-01\na,3,2,1\nb,6,5,\n", rows="series")
    assert found[0].values.ravel().tolist() == [1, 2, 3]
    assert np.isnan(found[1].values[0]) and found[1].values[-1] == 6  # noqa: PT018
    assert found.future_times(found[0], 2) == ["2024-04", "2024-05"]
    assert "time by the names of columns, 1 month apart" in tables.summary(found)
    schema = tables.Schema.from_dict(tables.schema_of(found).to_dict())
    later = tables.load_matched(tables.source_of(b"Page,2025-01,2025-02,2025-03\na,1,2,3\n", "b.csv"), schema)
    assert later.future_times(later[0], 1) == ["2025-04"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,2024-01,2024-02,2024-03,2024-05\na,1,2,3,4\n", "missing between 2024-03 and 2024-05"),
        ("id,2024-01-01,2024-01-02,2024/01/02\na,1,2,3\n", "have the same time"),
    ],
)
def test_times_that_do_not_follow_each_other(load, content, message):
    with pytest.raises(TableError, match=message):
        load(content)


@pytest.mark.parametrize(
    "names", ["t0,t1,t2,t3", "0,1,2,3", "2024-01,2024-02,2024-03,2024-04", "g_0h,g_1h,g_2h,g_3h"]
)
@pytest.mark.parametrize("label", [None, "kind"])
def test_stated_ids_of_rows_leave_rows_whole(load, names, label):
    head, ends = (f"shop,{names}", ("", "")) if label is None else (f"shop,{names},kind", (",u", ",v"))
    content = f"{head}\na,1.5,2,3,4.5{ends[0]}\nb,5,6.5,7.5,8{ends[1]}\n"
    found = load(content, series=("shop",), **({} if label is None else {"label": (label,)}))
    assert [(one.id, one.values.ravel().tolist()) for one in found] == [
        ("a", [1.5, 2, 3, 4.5]),
        ("b", [5, 6.5, 7.5, 8]),
    ]
    assert "a series a row" in tables.summary(found)
    # A row is a node where an id comes again, where that is stated, and where the columns are no nodes by their names.
    assert (
        len(load(content.replace("\nb", "\na").replace(",v", ",u"), series=("shop",), label=label or ())) == 1
    )
    assert len(load(content, series=("shop",), label=label or (), rows="nodes")[0]) == 1
    assert len(load(content.replace(names, "p,q,r,s"), series=("shop",), label=label or ())[0]) == 1


def test_windows_of_recipes(tmp_path):
    series = np.arange(40.0).reshape(2, 20)
    rows = [f"s{i}," + ",".join(f"{value:g}" for value in one) for i, one in enumerate(series)]
    (tmp_path / "a.csv").write_text("\n".join(["V1," + ",".join(f"V{i}" for i in range(2, 22)), *rows]))
    rows = [f"s{i},{100 + i},{200 + i}" for i in range(2)]
    (tmp_path / "b.csv").write_text("\n".join(["V1,V2,V3", *rows]))
    (tmp_path / "r.yaml").write_text(
        "name: m4\ntask: time-series-forecasting\ndata: {train: a.csv, test: b.csv, rows: series}\n"
        "model: {n: 4, chain_length: 4, prediction_length: 2, pooling: flatten}\n"
        "training: {num_train_epochs: 1, per_device_train_batch_size: 8}\nvalidation_share: 0.2\nseeds: [0]\n"
    )
    recipe = load_recipe(tmp_path / "r.yaml")
    data = recipe.task.load(recipe)
    assert data.test.labels.ravel().tolist() == [100, 200, 101, 201]
    assert data.test.inputs[slice(0, 2)].pasts(1)[..., 0].tolist() == [[16, 17, 18, 19], [36, 37, 38, 39]]


def test_ids_of_labelled_rows_need_no_usual_name(load):
    head, rows = "subject,t0,t1,t2,t3,label", [f"s{i},{i},{-i},2,3,{'ab'[i % 2]}" for i in range(4)]
    found = load("\n".join([head, *rows]))
    assert [series.id for series in found] == ["s0", "s1", "s2", "s3"]
    assert "a series a row; label label (a 2, b 2); series by subject" in tables.summary(found)
    with pytest.raises(TableError, match="row 3, column t1 holds 'oops', expected a number"):
        load("\n".join([head, *rows]).replace("1,-1,", "1,oops,"))
    with pytest.raises(
        TableError, match="subject is not named as the nodes"
    ):  # twice the same: no id of rows
        load("\n".join([head, *rows, rows[0]]))


@pytest.mark.parametrize("name", ["t2", "subject"])
def test_a_node_with_a_text_is_no_id(load, name):
    """Among ids of another name, and where there are none."""
    head = f"{name},t0,t1,t3,t4"
    text = "\n".join([head, *(f"{cell},{i},{-i},2,3" for i, cell in enumerate(["1.5", "n/a", "2.5", "3.5"]))])
    if name == "subject":
        assert [series.id for series in load(text)] == ["1.5", "n/a", "2.5", "3.5"]
    else:
        with pytest.raises(TableError, match="column t2 holds 'n/a', expected a number"):
            load(text)
