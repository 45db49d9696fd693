"""Fixtures that write a file and load it."""

import pytest

from chainhead_plugin import tables


@pytest.fixture
def load(tmp_path):
    """Load text, or bytes, as a file of a name, with options of TableSpec and of Dialect."""

    def loaded(content, name="a.csv", dialect=None, encoding="utf-8", **options):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        reading = tables.Reading(dialect=tables.Dialect(**(dialect or {})))
        return tables.load(file, tables.TableSpec(**options), reading)

    return loaded
