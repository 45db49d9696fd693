"""Load texts for models of texts, from tables, JSON and plain text files."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..checks.json_values import json_value
from .columns.meaning import check_row, resolve
from .columns.numbers import is_missing
from .columns.usual_names import usual_column
from .errors import TableError, check_is_text, closest, listed, place, renamed
from .formats.cells import to_texts
from .formats.content import TEXT_FORMATS, check_content
from .formats.files import Source, find_sources
from .formats.table import Table
from .formats.text.dialect import find_encoding
from .read import Reading, damage_reported, read_raw
from .schema import Schema
from .spec import TableSpec


@dataclass(frozen=True)
class Text:
    """One text.

    Attributes
    ----------
    text : str
    label, group : str
        "" where there is none.
    fields : dict of str to str
        The other cells of its row, as they stand.
    file : str
    row : int
        From 1; in a text file the line.
    column : str, optional
        The name of its column, or of its field in JSON; None if the file has no names.
    error : str
        Why there is no text, if it was asked to be told; else empty.
    """

    text: str
    label: str
    group: str
    fields: Mapping[str, Any]
    file: str
    row: int
    column: str | None = None
    error: str = ""


def load_texts(
    data: Any,
    spec: TableSpec | Schema | None = None,
    reading: Reading | None = None,
    *,
    labelled: bool = False,
    tell_errors: bool = False,
) -> tuple[list[Text], TableSpec]:
    """Load texts.

    Parameters
    ----------
    data : str, Path, list of them, Source, pandas.DataFrame or Table
        A file, a folder, a pattern, or several of them; or a table in memory.
    spec : TableSpec or Schema, optional
        Only `text`, `label`, `group` and `drop` are used. By default texts are in the column "text", or in the only
        column. With the schema of a model, columns are matched by name; columns of labels may be missing unless
        `labelled` asks for them.
    reading : Reading, optional
        With the `format` "lines", each line is a text, which is the default for .txt files; with "document", each file
        is a text.
    labelled : bool
        Whether labels are read, if `spec` is a schema.
    tell_errors : bool
        Whether a row without a text, or a line that is no JSON, is a `Text` with the reason as its `error`.

    Returns
    -------
    texts : list of Text
    spec : TableSpec
        With the names of the columns that were taken.

    Raises
    ------
    TableError
        If there is no column of texts, there are no texts, or a text (unless errors are told) or a label is empty; or
        if the columns of a schema are missing.
    """
    schema = None
    if isinstance(spec, Schema):
        schema, spec = spec, TableSpec(text=spec.text, label=spec.label if labelled else ())
    spec = spec or TableSpec()
    reading = reading or Reading()
    if not isinstance(data, Table) and not hasattr(data, "iloc"):
        sources = [data] if isinstance(data, Source) else find_sources(data, reading.folder, ())[0]
        formats = {source.name: _format(source, reading) for source in sources}
        if {*formats.values()} & {*TEXT_FORMATS, "json", "jsonl"}:
            texts = [
                text for source in sources for text in _plain(source, formats[source.name], spec, tell_errors)
            ]
            if not texts:
                raise TableError(f"{sources[0].name}: there are no texts in it")
            return texts, spec
    raw, _, _ = read_raw(data, reading)
    if not isinstance(raw, Table):
        raise TableError(f"{raw[0].file} holds sequences of numbers, expected texts")
    if schema is not None and raw.has_names:
        _check_names(raw, schema, spec)
    return _from_table(raw, spec if schema is None or raw.has_names else TableSpec(), tell_errors)


def schema_of_texts(texts: Sequence[Text], spec: TableSpec) -> Schema | None:
    """Return the names of the columns of texts and labels, which are saved with a model; None without names.

    Parameters
    ----------
    texts : sequence of Text
    spec : TableSpec
        Both as `load_texts` returns them.
    """
    if texts[0].column is None:
        return None
    label = spec.label or (("label",) if texts[0].label else ())
    return Schema(features=(), text=texts[0].column, label=label, group=spec.group, drop=spec.drop)


def _check_names(table: Table, schema: Schema, spec: TableSpec) -> None:
    needed = [name for name in (spec.text, *spec.label) if name is not None]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        unknown = [name for name in table.columns if name not in {*needed, *schema.label, *schema.drop}]
        raise TableError(
            f"{table.name} has other columns than the model was trained on: missing {listed(missing)}; unknown "
            f"{listed(unknown)}{renamed(missing, unknown)}. Rename them, or name the column of texts with --columns "
            "and that of labels with --label"
        )


def _format(source: Source, reading: Reading) -> str:
    if reading.format in TEXT_FORMATS:
        return str(reading.format)
    if source.suffix == ".txt" and reading.format is None:
        return "lines"
    return source.format(reading.format)


def _from_table(table: Table, spec: TableSpec, tell_errors: bool) -> tuple[list[Text], TableSpec]:
    column = spec.text
    if column is None:
        free = [name for name in table.columns if name not in {*spec.label, *spec.drop, spec.group}]
        column = usual_column("text", free) or (free[0] if len(free) == 1 else None)
        if column is None:
            raise TableError(
                f"{table.name} has no column text, but {listed(table.columns)}: name the column of texts "
                "as text, on the command line with --columns"
            )
    spec = replace(spec, text=column)
    label = usual_column("label", table.columns)
    if not spec.label and label is not None and label != column:
        spec = replace(spec, label=(label,))
    resolve(table, spec)
    texts = to_texts(table.columns[column])
    lacking = is_missing(texts)
    if not tell_errors:
        check_row(table, column, lacking, "a text")
    labels = [to_texts(table.columns[name]) for name in spec.label]
    for name, cells in zip(spec.label, labels, strict=True):
        missing = is_missing(cells)
        if not missing.all():
            check_row(table, name, missing, "a table with labels")
    groups = None if spec.group is None else to_texts(table.columns[spec.group])
    others = {
        name: to_texts(cells)
        for name, cells in table.columns.items()
        if name not in {column, *spec.label, *spec.drop, spec.group}
    }
    found = []
    for i, text in enumerate(texts):
        file, row = table.place(i)
        found.append(
            Text(
                "" if lacking[i] else text,
                labels[0][i] if labels else "",
                "" if groups is None else groups[i],
                {name: cells[i] for name, cells in others.items()},
                file,
                row,
                column if table.has_names else None,
                f"{place(file, row=row, column=column)} is empty, expected a text" if lacking[i] else "",
            )
        )
    return found, spec


def _plain(source: Source, file_format: str, spec: TableSpec, tell_errors: bool) -> list[Text]:
    with damage_reported(source):
        check_content(source, file_format)
        encoding, _ = find_encoding(source)
    with (
        damage_reported(source),
        source.open() as binary,
        io.TextIOWrapper(binary, encoding, newline="\n") as stream,
    ):
        content = stream.read()
    check_is_text(content, source.name, content.count("\n", 0, content.find("\0")) + 1)
    if file_format == "document":
        return [Text(content, "", "", {}, source.name, 1)] if content.strip() else []
    # Texts may hold other characters that Python takes for the end of a line, such as U+2028.
    ended = (line.removesuffix("\r") for line in content.split("\n"))
    lines = list(enumerate(ended, start=1))
    if file_format == "lines":
        return [Text(line, "", "", {}, source.name, number) for number, line in lines if line.strip()]
    if file_format == "jsonl":
        return [
            _from_line(line, spec, source.name, number, tell_errors) for number, line in lines if line.strip()
        ]
    if file_format != "json":
        raise TableError(f"{source.name} cannot be read together with files of JSON or lines of text")
    value = _json(content, source.name, 1)
    values = value if isinstance(value, list) else [value]
    return [_from_json(value, spec, source.name, number) for number, value in enumerate(values, start=1)]


def _from_line(line: str, spec: TableSpec, file: str, number: int, tell_errors: bool) -> Text:
    try:
        return _from_json(_json(line, file, number), spec, file, number)
    except TableError as error:
        if not tell_errors:
            raise
        return Text("", "", "", {}, file, number, error=str(error))


def _json(text: str, file: str, number: int) -> Any:
    try:
        return json_value(text)
    except json.JSONDecodeError as error:
        raise TableError(f"{place(file, row=number + error.lineno - 1)} is no JSON: {error.msg}") from error


def _from_json(value: Any, spec: TableSpec, file: str, number: int) -> Text:
    where = place(file, row=number)
    given = value if isinstance(value, Mapping) else {spec.text or "text": value}
    name = spec.text or "text"
    if name not in given:
        raise TableError(
            f"{where} has no field {name}{closest(name, given)}; it has {listed(given)}: name the field of texts as "
            "text, on the command line with --columns"
        )
    text = given[name]
    if not isinstance(text, str) or not text.strip():
        raise TableError(f"{where} holds {text!r:.40}, expected a text")
    label = _field(given, spec.label or ("label",), where, required=bool(spec.label))
    group = "" if spec.group is None else _field(given, (spec.group,), where, required=True)
    taken = {name, *(spec.label or ("label",)), spec.group, *spec.drop}
    fields = {key: cell for key, cell in given.items() if key not in taken}
    column = name if isinstance(value, Mapping) else None
    return Text(text, label, group, fields, file, number, column)


def _field(given: Mapping[str, Any], names: Sequence[str], where: str, *, required: bool) -> str:
    value = given.get(names[0])
    if value is None:
        if required:
            raise TableError(f"{where} has no field {names[0]}, only {listed(given)}")
        return ""
    return value if isinstance(value, str) else json.dumps(value)
