"""Find labelled files of one kind, such as sounds: in a folder for each label, or named by a table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ....tables.errors import TableError, listed, place
from ....tables.formats.files import find_sources
from ....tables.read import Reading
from ....tables.schema import Schema
from ....tables.spec import TableSpec
from ....tables.texts import load_texts, schema_of_texts
from ...errors import RecipeError
from ..examples import Labelled
from .kinds import FileKind
from .label_folders import find_labelled, label_of, place_of

# The usual column of paths.
_PATH = "path"


def find_media(
    kind: FileKind,
    locations: Any,
    folder: Path | None = None,
    spec: TableSpec | Schema | None = None,
    reading: Reading | None = None,
) -> Labelled:
    """Find files and their labels, without reading the files.

    Parameters
    ----------
    kind : FileKind
    locations : str, Path or list of them
        Folders or patterns of such files, whose labels are the names of their folders; or tables.
    folder : Path, optional
        The folder that relative locations start from.
    spec : TableSpec or Schema, optional
        The columns of a table: `text`, by default "path", is that of paths, which start from the table's folder.
    reading : Reading, optional
        How a table is written.

    Returns
    -------
    Labelled
        Its inputs are paths.

    Raises
    ------
    RecipeError, TableError
        If there are none, or a table has no such column, or no label in a row.
    """
    folder = folder or Path()
    if not _are_tables(locations, folder, kind):
        if isinstance(spec, TableSpec) and (
            role := next(filter(None, (spec.text, *spec.label, spec.group)), None)
        ):
            raise RecipeError(
                f"{role} names a column, but a folder of {kind.name}s has none: its folders are the labels"
            )
        files, left_out = find_labelled(locations, folder, kind)
        said = f"left out {listed(left_out)}; " if left_out else ""
        labels = list(map(label_of, files))
        return Labelled(
            inputs=files, labels=labels, places=list(map(place_of, files)), said=f"{said}label by folder"
        )

    parts = [_of_table(source, spec, reading) for source in find_sources(locations, folder)[0]]
    first = parts[0]
    return Labelled(
        inputs=[file for part in parts for file in part.inputs],
        labels=[label for part in parts for label in part.labels],
        places=[where for part in parts for where in part.places],
        groups=None if first.groups is None else [group for part in parts for group in part.groups or ()],
        schema=first.schema,
        said=listed(part.said for part in parts),
    )


def _are_tables(locations: Any, folder: Path, kind: FileKind) -> bool:
    paths = [Path(one) for one in (locations if isinstance(locations, list) else [locations])]
    return all(path.suffix and not kind.includes(path) and not (folder / path).is_dir() for path in paths)


def _of_table(source: Any, spec: TableSpec | Schema | None, reading: Reading | None) -> Labelled:
    if not isinstance(spec, Schema):
        spec = replace(spec or TableSpec(), text=spec.text if spec and spec.text else _PATH)
    texts, spec = load_texts(source, spec, reading, labelled=True)
    files, places = [], []
    for text in texts:
        where = place(text.file, row=text.row, column=text.column)
        file = source.parent / text.text.strip()
        if not file.is_file():
            raise TableError(f"{where}: there is no file {text.text.strip()} in {source.parent.resolve()}")
        if not text.label.strip():
            raise TableError(f"{where} has no label: name the column of labels as label, and fill it in")
        files.append(file)
        places.append(f"{where}: {file.name}")
    return Labelled(
        inputs=files,
        labels=[text.label for text in texts],
        places=places,
        groups=None if spec.group is None else [text.group for text in texts],
        schema=schema_of_texts(texts, spec),
        said=f"{source.name} with paths in {spec.text}; label {listed(spec.label or ('label',))}",
    )
