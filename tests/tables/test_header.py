"""Whether the first row holds names or values."""

import numpy as np
import pandas as pd
import pytest

from chainhead_plugin.tables import TableError


@pytest.mark.parametrize(
    "content",
    [
        "temp,hum\n1,2\n",
        "0,1,2\n0.5,1.5,2.5\n1.5,2.5,3.5\n",
        "0,1,2\n0.5,1,2\n1.5,2,3.5\n",
        "1,2,3\n0.5,1,2\n",
        "0,1,2,3\n5,1,2,7\n4,4,1,0\n",
        "id,0,1\na,3,4\na,5,6\n",
        ",0,1\n0,3,4\n1,5,6\n",
        "0\n1.5\n2.5\n",
        "id,2019,2020\n7,1,2\n",
        "day,1\n2024-01-01,2.5\n",
    ],
)
def test_names(load, content):
    assert len(load(content).features) > 0
    assert load(content).has_names
    assert sum(len(series) for series in load(content)) == content.count("\n") - 1


@pytest.mark.parametrize(
    "content",
    [
        "0.1,0.2\n1,2\n",
        "3,1,2\n0.5,1,2\n",
        "5,6\n1,2\n",
        "2024-01-01,0,1\n2024-01-02,1,1\n",
        "2024-01-01,2.5\n2024-01-02,2.5\n",
    ],
)
def test_values(load, content):
    found = load(content)
    assert not found.has_names
    assert sum(len(series) for series in found) == content.count("\n")


@pytest.mark.parametrize(
    "content",
    [
        "0,1,2\n5,1,2\n1,2,3\n",
        "0,1\n1,0\n",
        "0,1,2,3\n4,5,6,7\n",
        "0\n0.5\n1\n",
        "0.0,0.1,0.2\n5,6,7\n",
        "400,401,402\n0.5,0.25,0.1\n",
        "walk,0.0,0.1,0.2\nrun,5,6,7\n",
        "a,0,1\nb,3,4\n",
    ],
)
def test_what_can_be_both_has_to_be_stated(load, content):
    with pytest.raises(TableError, match=r"a.csv, row 1 .* --header or --no-header .* header: true or false"):
        load(content)
    rows = content.count("\n")
    options = {"drop": "1"} if "a" in content else {}
    named = load(content, dialect={"header": True}, **({"drop": content.split(",")[0]} if options else {}))
    assert named.has_names
    assert len(named[0]) == rows - 1
    unnamed = load(content, dialect={"header": False}, **options)
    assert not unnamed.has_names
    assert len(unnamed[0]) == rows


def test_the_header_that_pandas_writes_for_arrays(tmp_path, load):
    array = np.random.default_rng(0).normal(size=(6, 12))
    frame = pd.DataFrame(array)
    for index in (False, True):
        found = load(frame.to_csv(index=index))
        assert found.features == tuple(map(str, range(12)))
        np.testing.assert_allclose(found[0].values, array, rtol=1e-15)
    found = load(frame.to_csv(index=False, header=False))
    np.testing.assert_allclose(found[0].values, array, rtol=1e-15)
