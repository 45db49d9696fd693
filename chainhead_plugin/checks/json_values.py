"""Values of JSON: whatever is wrong with a text is a `JSONDecodeError`, in place of Python's other errors."""

import json
from typing import Any


def json_value(text: str | bytes) -> Any:
    """Return the value that a text holds.

    Raises
    ------
    json.JSONDecodeError
        If it is no JSON, is nested too deep, or holds a number of thousands of digits.
    UnicodeDecodeError
        If bytes are no text.
    """
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except RecursionError as error:
        raise json.JSONDecodeError("it is nested too deep", "", 0) from error
    except ValueError as error:
        raise json.JSONDecodeError("a number has too many digits", "", 0) from error


__all__ = ["json_value"]
