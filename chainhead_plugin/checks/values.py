"""Checks of single values: whole numbers, numbers, switches, choices."""

import math
from collections.abc import Iterable
from typing import Any, TypeVar

ChoiceT = TypeVar("ChoiceT", bound="str | None")


def check_whole_number(
    name: str, value: Any, least: int | None = None, most: int | None = None, *, reason: str = ""
) -> int:
    """Return an int after checking its type and its bounds, which are included.

    Parameters
    ----------
    name : str
        The value's name in the message.
    value : object
        True and False are no numbers, and neither are NumPy's.
    least, most : int, optional
    reason : str
        The reason for the bounds, or another value that is allowed.

    Raises
    ------
    TypeError
        If it is no int.
    ValueError
        If it is out of bounds.
    """
    if least is not None and most is not None:
        bounds = f" between {least:,} and {most:,}"
    elif most is not None:
        bounds = f" of at most {most:,}"
    else:
        bounds = "" if least is None else f" of at least {least:,}"
    expected = f"{name} must be a whole number{bounds}, got "
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{expected}{value!r:.80} of type {type(value).__name__}")
    if (least is not None and value < least) or (most is not None and value > most):
        raise ValueError(f"{expected}{value:,}{': ' if reason else ''}{reason}")
    return value


def check_number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    reason: str = "",
) -> float:
    """Return a number after checking its type, that it is finite, and its bounds.

    Parameters
    ----------
    name : str
        The value's name in the message.
    value : object
        An int or a float. True and False are no numbers.
    least, most : float, optional
        Bounds that are included.
    above, below : float, optional
        Bounds that are excluded.
    reason : str
        Why these bounds, where that is not plain.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is not finite, or out of bounds.
    """
    bounds = {"of at least": least, "above": above, "of at most": most, "below": below}
    said = [f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None]
    expected = f"{name} must be a finite number {' and '.join(said)}".rstrip() + ", got "
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{expected}{value!r:.80} of type {type(value).__name__}")
    try:
        is_finite = math.isfinite(value)
    except OverflowError:  # an int beyond all floats
        is_finite = False
    within = (
        is_finite
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
        and (below is None or value < below)
    )
    if not within:
        raise ValueError(f"{expected}{value!s:.80}{': ' if reason else ''}{reason}")
    return value


def check_switch(name: str, value: Any) -> bool:
    """Return True or False after checking that the value is either.

    Raises
    ------
    TypeError
        If it is anything else, 0 and 1 included.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r:.80} of type {type(value).__name__}")
    return value


def check_choice(name: str, value: Any, choices: Iterable[ChoiceT]) -> ChoiceT:
    """Return a name, or None, having checked that it is among the choices.

    Raises
    ------
    ValueError
        If it is not.
    """
    choices = tuple(choices)
    is_name = value is None or isinstance(value, str)
    if not is_name or value not in choices:
        shown = ", ".join(str(choice) if choice else repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {shown}, got {value!r:.80}")
    return value
