"""One reader of users' tables and series files, and the writer of predictions.

What belongs here: files of any format into values with names (`load`, `load_pieces`, `load_texts`), what their columns
mean (`TableSpec`), the names that travel with a model (`Schema`), time, missing values, and the words for what was read
and for what is wrong. `formats/` has a reader for every format, `time/` knows clocks and calendars.

It imports nothing else of the package, and pandas, pyarrow and openpyxl only where a table needs them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import TableError
    from .formats.dialect import Dialect
    from .formats.frame import from_frame
    from .loading import load
    from .pieces import load_pieces
    from .read import Reading, source_of
    from .schema import Schema, load_matched, match, schema_of
    from .series import Series, SeriesSet
    from .spec import TableSpec
    from .summarising import summary
    from .texts import Text, load_texts
    from .write import to_plain, write_rows

_MODULES = {
    "Dialect": "formats.dialect",
    "Reading": "read",
    "Schema": "schema",
    "Series": "series",
    "SeriesSet": "series",
    "TableError": "errors",
    "TableSpec": "spec",
    "Text": "texts",
    "from_frame": "formats.frame",
    "load": "loading",
    "load_matched": "schema",
    "load_pieces": "pieces",
    "load_texts": "texts",
    "match": "schema",
    "schema_of": "schema",
    "source_of": "read",
    "summary": "summarising",
    "to_plain": "write",
    "write_rows": "write",
}

__all__ = [
    "Dialect",
    "Reading",
    "Schema",
    "Series",
    "SeriesSet",
    "TableError",
    "TableSpec",
    "Text",
    "from_frame",
    "load",
    "load_matched",
    "load_pieces",
    "load_texts",
    "match",
    "schema_of",
    "source_of",
    "summary",
    "to_plain",
    "write_rows",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
