"""Results of models beside the records they are for: as objects for JSON, and as rows of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Answers, Cells
    from .wanted import Record


def line_of(answers: Answers, record: Record, result: Any) -> dict[str, Any]:
    """Return a result as an object for JSON, together with the record's own fields.

    Raises
    ------
    ValueError
        If the result and the record have a field of the same name.
    """
    return _beside(record, answers.fields(record, result))


def rows_of(answers: Answers, record: Record, result: Any) -> Cells:
    """Return a result as columns of a table, together with the record's own fields.

    Raises
    ------
    ValueError
        If the result and the record have a field of the same name.
    """
    return [_beside(record, row) for row in answers.cells(record, result)]


def _beside(record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    if clash := sorted(shown.keys() & record.fields.keys()):
        raise ValueError(
            f"input and result both have fields named {', '.join(clash)}: rename those of the input, or leave them out "
            "with --drop"
        )
    return record.fields | shown
