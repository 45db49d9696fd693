"""Tables and files of series become series with names: values, times, labels, and their places in the files.

This room holds a reader for every format, the meanings of columns, the column names that are saved with a model,
summaries and error messages, and the writer of predictions. pandas, pyarrow and openpyxl are imported only where a
table needs them.

May import: `checks`, `storage`.
"""

from typing import TYPE_CHECKING

from ..faces import names_of

if TYPE_CHECKING:
    from .errors import TableError as TableError
    from .formats.text.dialect import Dialect as Dialect
    from .loading import load as load
    from .matching import load_matched as load_matched
    from .pieces import load_pieces as load_pieces
    from .read import Reading as Reading, source_of as source_of
    from .schema import Schema as Schema, schema_of as schema_of
    from .series import Series as Series, SeriesSet as SeriesSet
    from .spec import TableSpec as TableSpec
    from .summarising import summary as summary
    from .texts import Text as Text, load_texts as load_texts, schema_of_texts as schema_of_texts
    from .write import to_plain as to_plain, write_rows as write_rows

__getattr__, __dir__, __all__ = names_of(
    __name__,
    {
        "Dialect": "formats.text.dialect",
        "Reading": "read",
        "Schema": "schema",
        "Series": "series",
        "SeriesSet": "series",
        "TableError": "errors",
        "TableSpec": "spec",
        "Text": "texts",
        "load": "loading",
        "load_matched": "matching",
        "load_pieces": "pieces",
        "load_texts": "texts",
        "schema_of": "schema",
        "schema_of_texts": "texts",
        "source_of": "read",
        "summary": "summarising",
        "to_plain": "write",
        "write_rows": "write",
    },
)
