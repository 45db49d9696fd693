"""One part of a recipe's data as it was read, with labels as texts, and where each example stands."""

from dataclasses import dataclass
from typing import Any

from ...tables.schema import Schema


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Examples of a part.

    Attributes
    ----------
    inputs : list
    labels : list
        Of every example a text, or of its nodes an object array of texts [L].
    places : list of str
        Where each example stands, in words: file, rows, series.
    groups : list of str, optional
    schema : Schema, optional
        What the columns of the table were called.
    said : str
        What was read, in one line.
    """

    inputs: list[Any]
    labels: list[Any]
    places: list[str]
    groups: list[str] | None = None
    schema: Schema | None = None
    said: str = ""
