"""Rows become rows of the output: batches of equal length, and a reason for every row without a result."""

from __future__ import annotations

from typing import Any

from .work import JobOptions, Model, Row

ERROR = "error"
_MOST_CHARACTERS = 300
# How many values memory holds at a time of inputs that are prepared, such as images.
_MOST_VALUES = 1 << 24


class RowError(ValueError):
    """A row has no result, and the job was told to end then."""


class ClashError(ValueError):
    """The output would have two columns of the same name."""


def told(error: BaseException) -> str:
    """Return an error's message on a line, with its type if the message alone is not clear."""
    text = " ".join(str(error).split())
    if not isinstance(error, ValueError | OSError) or not text:
        text = f"{type(error).__name__}: {text}".rstrip(": ")
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


def answered(model: Model, rows: list[Row], options: JobOptions, first: int = 0) -> list[dict[str, Any]]:
    """Return the rows of the output, in the input's order.

    Inputs are sorted by length before they are cut into batches, so that short ones are not padded to long ones. A
    batch that fails is taken again row by row.

    Parameters
    ----------
    model : Model
    rows : list of Row
    options : JobOptions
    first : int
        The place of the first row in its source, for messages.

    Raises
    ------
    RowError
        If a row has no result, and errors are raised.
    ClashError
        If input and result have a column of the same name.
    """
    results: dict[int, Any] = {}
    errors: dict[int, str] = {}
    prepared: list[tuple[int, int, Any]] = []
    values = 0
    for place, row in enumerate(rows):
        data, reason = (None, row.error) if row.error else _prepared(model, row)
        if reason:
            errors[place] = reason
            continue
        prepared.append((model.size(data), place, data))
        values += prepared[-1][0]
        if values > _MOST_VALUES:
            _answer(model, prepared, options, results, errors)
            prepared, values = [], 0
    _answer(model, prepared, options, results, errors)

    if errors and options.on_error == "raise":
        place = min(errors)
        raise RowError(f"row {first + place + 1}: {errors[place]}")
    return [line for place, row in enumerate(rows) for line in _lines(model, row, place, results, errors)]


def _prepared(model: Model, row: Row) -> tuple[Any, str]:
    try:
        return model.prepare(row.data), ""
    except Exception as error:
        _raise_if_fatal(error)
        return None, told(error)


def _answer(
    model: Model,
    prepared: list[tuple[int, int, Any]],
    options: JobOptions,
    results: dict[int, Any],
    errors: dict[int, str],
) -> None:
    """Answer inputs in batches, the shortest first, and add their results or errors by place."""
    prepared.sort(key=lambda entry: entry[:2])
    for start in range(0, len(prepared), options.batch_size):
        found, failed = _of_batch(model, prepared[start : start + options.batch_size])
        results |= found
        errors |= failed


def _of_batch(model: Model, batch: list[tuple[int, int, Any]]) -> tuple[dict[int, Any], dict[int, str]]:
    places = [place for _, place, _ in batch]
    try:
        results = model.answer([data for _, _, data in batch])
    except Exception as error:
        _raise_if_fatal(error)
        if len(batch) == 1:
            return {}, {places[0]: told(error)}
        found: dict[int, Any] = {}
        failed: dict[int, str] = {}
        for entry in batch:
            of_one = _of_batch(model, [entry])
            found |= of_one[0]
            failed |= of_one[1]
        return found, failed
    return dict(zip(places, results, strict=True)), {}


def _raise_if_fatal(error: Exception) -> None:
    """Raise an error again that says nothing about a row."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        raise MemoryError(f"there is not enough memory: give a smaller batch size ({error})") from error
    if isinstance(error, ModuleNotFoundError):
        raise error


def _lines(
    model: Model, row: Row, place: int, results: dict[int, Any], errors: dict[int, str]
) -> list[dict[str, Any]]:
    if place in errors:
        return [row.fields | {ERROR: errors[place]}]
    lines = []
    for cells in model.cells(row, results[place]):
        if clash := sorted((cells.keys() | {ERROR}) & row.fields.keys()):
            raise ClashError(
                f"input and result both have columns named {', '.join(clash)}: leave those of the input out"
            )
        lines.append(row.fields | cells | {ERROR: None})
    return lines
