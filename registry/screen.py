"""Text for the terminal: foreign text is made harmless, in messages and tables alike.

Names of models, labels, cards, cells and messages of other libraries are foreign. Escape sequences in them
could overwrite lines, hide text or write to the clipboard; rich would read [brackets] and :words: of them as its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Control characters; line separators that only some programs know; characters that turn the direction of writing
# around, and so can show another text; halves of characters, which cannot be written.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
UNPRINTABLE = re.compile(f"[{_CONTROL}]")
UNPRINTABLE_LINES = re.compile(rf"(?![\n\t])[{_CONTROL}]")


def printable(text: object, *, one_line: bool = False) -> str:
    r"""Return foreign text as a terminal can show it: characters that it would obey are escaped, such as \x1b.

    Parameters
    ----------
    text : object
        Anything with a `str`.
    one_line : bool
        Whether line feeds and tabs are escaped too, as in a cell of a table.
    """
    pattern = UNPRINTABLE if one_line else UNPRINTABLE_LINES
    return pattern.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))


def console(*, stderr: bool = False) -> Console:
    """Return a console that takes all texts for foreign; lines are cut on a screen alone."""
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text

    class Screen(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options | {"markup": False, "emoji": False})

        def status(self, status: Any, **options: Any) -> Status:
            return super().status(Text(printable(status, one_line=True)), **options)

    made = Screen(markup=False, emoji=False, highlight=False, stderr=stderr)
    if not made.is_terminal:
        made.width = 200
    return made


def foreign_table(*headings: str, **options: Any) -> Table:
    """Return a table of rich whose cells and headings are foreign text: each on one line, control characters escaped.

    Parameters
    ----------
    *headings : str
        The headings of columns; more are added by `add_column`.
    **options : Any
        Those of `rich.table.Table`.
    """
    from rich.table import Table

    def plain(cell: Any) -> Any:
        return printable(cell, one_line=True) if isinstance(cell, str) else cell

    class ForeignTable(Table):
        def add_column(self, header: Any = "", *args: Any, **how: Any) -> None:
            super().add_column(plain(header), *args, **how)

        def add_row(self, *cells: Any, **how: Any) -> None:
            super().add_row(*map(plain, cells), **how)

    table = ForeignTable(**options)
    for heading in headings:
        table.add_column(heading)
    return table
