"""Checks of the fitted attributes in an estimator's state: a file may hold anything."""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any

from .state import NAME


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _mapping_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "left_out_score_": ("a number", _is_number),
    "choices_": ("an object", _is_mapping),
    "chosen_": ("a text", _is_text),
    "reason_": ("a text", _is_text),
    "n_channels_in_": ("a count", _is_count),
    "n_features_in_": ("a count", _is_count),
    "channel_names_in_": ("a list of texts", _list_of(_is_text)),
    "horizon_": ("a count", _is_count),
    "seasons_": ("a list of counts", _list_of(_is_count)),
    "shares_": ("an object of numbers", _mapping_of(_is_number)),
    "error_": ("a number", _is_number),
    "naive_error_": ("a number", _is_number),
    "origins_": ("a count", _is_count),
    "n_targets_": ("a count", _is_count),
    "effects_": ("an object of lists", _mapping_of(lambda value: isinstance(value, list))),
    "until": ("a list of counts", _list_of(_is_count)),
    "memory": ("a number", _is_number),
}


def require_fitted_values(state: Mapping[str, Any], names: Iterable[str]) -> None:
    """Check the values that a state holds under these names; names that it lacks, or that have no check, pass.

    Raises
    ------
    ValueError
        If a value has another type, or is out of range.
    """
    for name in names:
        kind, check = _EXPECTED.get(name, ("", lambda _: True))
        if name in state and not check(state[name]):
            raise ValueError(f"{NAME} is damaged: its {name} is {state[name]!r:.80}, expected {kind}")
