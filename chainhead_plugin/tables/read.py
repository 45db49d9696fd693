"""Read files of any format into one raw table, or into sequences if the files hold them as wholes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import TableError, closest, listed
from .formats.archives import read_arff, read_ts
from .formats.arrays import read_arrays
from .formats.columnar import read_blocks as read_columns
from .formats.content import check_content
from .formats.excel import read_excel
from .formats.files import Source, find_sources, from_bytes
from .formats.frame import from_frame
from .formats.json_rows import read_json
from .formats.table import Sequences, Table, join_tables
from .formats.text.dialect import Dialect
from .formats.text.separated import BLOCK_ROWS, read_blocks as read_separated

# The column with the names of folders, which is added if the files of several folders are read as one set.
FOLDER = "folder"
Raw = Table | list[Sequences]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read files that do not tell it themselves.

    Attributes
    ----------
    format : str, optional
        "csv", "parquet", "feather", "excel", "jsonl", "json", "npz", "npy", "ts" or "arff"; it comes before the format
        that a file's name tells.
    dialect : Dialect
        How text files are written.
    sheet : str, optional
        The sheet of a workbook.
    axes : {"nodes_first", "channels_first"}, optional
        The order of the axes in arrays that have three.
    feature_size : int, optional
        The number of features of a node, if a model states it.
    folder : Path, optional
        The folder that relative paths start from.
    """

    format: str | None = None
    dialect: Dialect = field(default_factory=Dialect)
    sheet: str | None = None
    axes: str | None = None
    feature_size: int | None = None
    folder: Path | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Reading":
        """Return the reading that a mapping of options states, in which options of a dialect are not nested.

        Raises
        ------
        TableError
            If there is no option of a name, or its value is not allowed.
        """
        own = ("format", "sheet", "axes")
        dialect = [entry.name for entry in fields(Dialect)]
        for name in options:
            if name not in (*own, *dialect):
                known = listed([*own, *dialect])
                raise TableError(
                    f"there is no option {name}{closest(str(name), [*own, *dialect])}: expected {known}"
                )
        stated = {name: value for name, value in options.items() if name in own}
        return cls(dialect=Dialect(**{name: options[name] for name in dialect if name in options}), **stated)

    def options(self) -> dict[str, Any]:
        """Return all options that are stated, as `from_options` takes them; `folder` and `feature_size` are none."""
        stated = {"format": self.format, "sheet": self.sheet, "axes": self.axes, **asdict(self.dialect)}
        return {name: value for name, value in stated.items() if value is not None}


def read_raw(data: Any, reading: Reading = Reading()) -> tuple[Raw, list[str], list[str]]:
    """Read files, or take a table from memory.

    Parameters
    ----------
    data : str, Path, list of them, Source, pandas.DataFrame or Table
        A file, a folder, a pattern, or several of them, which are read into one table or one list of sequences.
    reading : Reading

    Returns
    -------
    raw : Table or list of Sequences
        Sequences are listed by file.
    notes : list of str
        Sentences about the reading, for the summary.
    stems : list of str
        The name of every file without suffixes.

    Raises
    ------
    TableError
        If a file is missing, is damaged, or does not fit its format.
    """
    if isinstance(data, Table):
        return data, [], [""] * len(data.files)
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return from_frame(data), [], [""]
    sources: list[Source] = [data]
    notes: list[str] = []
    if not isinstance(data, Source):
        sources, notes = find_sources(data, reading.folder)
    pieces: list[Table | Sequences] = []
    for source in sources:
        parts = list(read_blocks(source, reading))
        tables = [part for part in parts if isinstance(part, Table)]
        pieces += [_one_file(tables)] if tables else parts
    tables = [piece for piece in pieces if isinstance(piece, Table)]
    sequences = [piece for piece in pieces if isinstance(piece, Sequences)]
    if tables and sequences:
        raise TableError(
            f"{tables[0].name} is a table, {sequences[0].file} holds whole sequences: read them one by one"
        )
    stems = [source.stem for source in sources]
    return (join_tables(tables) if tables else sequences), notes, stems


def read_blocks(
    source: Source, reading: Reading = Reading(), block_rows: int = BLOCK_ROWS
) -> Iterator[Table | Sequences]:
    """Read one file, a block of rows at a time if its format allows that.

    Parameters
    ----------
    source : Source
    reading : Reading
    block_rows : int
        The most rows of a block.

    Yields
    ------
    Table or Sequences

    Raises
    ------
    TableError
        If the file is damaged, or does not fit its format.
    """
    for piece in _read_blocks(source, reading, block_rows):
        yield _in_folder(piece, source.folder) if source.folder else piece


def _in_folder(piece: Table | Sequences, folder: str) -> Table | Sequences:
    """Return a part of a file with its folder's name as a column or field, unless it has a column or field "folder"."""
    if isinstance(piece, Sequences):
        return replace(piece, fields={FOLDER: [folder] * len(piece), **piece.fields})
    if FOLDER in piece.columns:
        return piece
    cells = np.full(len(piece), folder, dtype=object)
    return replace(piece, columns={**piece.columns, FOLDER: cells}, made=(FOLDER,))


def _read_blocks(source: Source, reading: Reading, block_rows: int) -> Iterator[Table | Sequences]:
    with damage_reported(source):
        file_format = source.format(reading.format)
        check_content(source, file_format)
        if file_format == "csv":
            yield from read_separated(source, reading.dialect, block_rows)
        elif file_format in ("parquet", "feather"):
            yield from read_columns(source, file_format, block_rows)
        elif file_format == "excel":
            yield read_excel(source, reading.dialect, reading.sheet)
        elif file_format in ("json", "jsonl"):
            yield read_json(source, lines=file_format == "jsonl", feature_size=reading.feature_size)
        elif file_format in ("npz", "npy"):
            yield read_arrays(source, file_format, axes=reading.axes, feature_size=reading.feature_size)
        else:
            yield read_ts(source) if file_format == "ts" else read_arff(source)


def source_of(content: bytes, name: str) -> Source:
    """Return content in memory as a source for `read_raw`. The name of standard input is "-"."""
    return from_bytes(content, name)


@contextmanager
def damage_reported(source: Source) -> Iterator[None]:
    """Turn every error that libraries raise for a damaged file into a TableError that names the file."""
    try:
        yield
    except TableError:
        raise
    except UnicodeError as error:
        raise TableError(f"{source.name} is not the text that it should be: {error}") from error
    except MemoryError as error:
        raise TableError(
            f"{source.name} needs more memory than there is: cut it into several files, each with whole series"
        ) from error
    except RecursionError as error:
        raise TableError(
            f"{source.name} is nested too deeply to be read: expected numbers in lists of lists"
        ) from error
    except Exception as error:  # of any type, as readers of some formats do not check their input
        told = str(error) or type(error).__name__
        raise TableError(f"{source.name} cannot be read, or is damaged: {told:.300}") from error


def _one_file(tables: Sequence[Table]) -> Table:
    """Put the blocks of one file together again."""
    joined = join_tables(tables)
    if len(tables) == 1:
        return joined
    return Table(
        joined.columns,
        tables[0].files,
        joined.file_of * 0,
        joined.rows,
        decimal=joined.decimal,
        thousands=joined.thousands,
        zones=joined.zones,
        index=joined.index,
        has_names=joined.has_names,
        classes_first=joined.classes_first,
        notes=tables[-1].notes,
        made=joined.made,
    )
