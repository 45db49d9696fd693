"""Checks of the feature extractor's options: each a TypeError or a ValueError that names the expected values."""

from typing import Any

import numpy as np
from transformers.utils import PaddingStrategy

from ..checks.values import check_number, check_switch, check_whole_number


def check_length_options(
    strategy: PaddingStrategy, max_length: int | None, truncation: bool, pad_to_multiple_of: int | None
) -> None:
    """Refuse lengths that contradict each other or would have no effect."""
    check_switch("truncation", truncation)
    for name, value in (("max_length", max_length), ("pad_to_multiple_of", pad_to_multiple_of)):
        if value is not None:
            check_integer(name, value)
    if truncation and max_length is None:
        raise ValueError("truncation=True needs max_length")
    if max_length is not None and not truncation and strategy != PaddingStrategy.MAX_LENGTH:
        raise ValueError("max_length has no effect here: add truncation=True or padding='max_length'")
    if pad_to_multiple_of is not None and strategy == PaddingStrategy.DO_NOT_PAD:
        raise ValueError("pad_to_multiple_of has no effect with padding=False: pass padding=True")


def check_scaling_options(
    do_normalize: bool, standardize_each: bool, mean: list[float] | None, std: list[float] | None
) -> None:
    """Refuse two ways of scaling at once, and half of one."""
    check_switch("do_normalize", do_normalize)
    check_switch("standardize_each", standardize_each)
    if (mean is None) != (std is None):
        raise ValueError("mean and std belong together: pass both or neither")
    if standardize_each and (do_normalize or mean is not None):
        raise ValueError(
            "standardize_each=True contradicts do_normalize, mean and std: series are standardised by their own "
            "statistics or by those of all: choose one of the two"
        )


def check_integer(name: str, value: Any, maximum: int | None = None) -> None:
    """Raise unless a value is an integer, of Python or NumPy, from 1 to `maximum`."""
    check_whole_number(name, int(value) if isinstance(value, np.integer) else value, 1, maximum)


def as_float(name: str, value: Any, maximum: float | None = None) -> float:
    """Return a finite number, of Python or NumPy, and of at most `maximum` in size, as a float."""
    number = float(value) if isinstance(value, np.integer | np.floating) else value
    least = None if maximum is None else -maximum
    return float(check_number(name, number, least=least, most=maximum))


def as_floats(name: str, values: Any, feature_size: int) -> list[float]:
    """Return a list of a finite number for each feature."""
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"{name} must be a list of {feature_size} numbers, got {type(values).__name__}")
    if len(values) != feature_size:
        raise ValueError(f"{name} must have feature_size={feature_size} numbers, got {len(values)}")
    return [as_float(f"{name}[{index}]", value) for index, value in enumerate(values)]


def as_deviations(name: str, values: Any, feature_size: int) -> list[float]:
    """Return a list of a number of at least 0 for each feature."""
    deviations = as_floats(name, values, feature_size)
    if min(deviations) < 0:
        raise ValueError(
            f"{name} must be at least 0, got {min(deviations)} for feature {np.argmin(deviations)}"
        )
    return deviations
