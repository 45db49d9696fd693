"""Summarise loaded series in one line."""

from collections import Counter

from .errors import counted, told_name
from .series import SeriesSet
from .time.steps import Step

_MOST_CLASSES = 10


def summary(found: SeriesSet) -> str:
    """Return a line that describes the series that were read.

    An example is "train.csv: 60 series of 20–39 nodes; features temp, hum; label kind (a 30, b 30); series by window;
    time by day, 1 day apart".
    """
    spec = found.columns.spec
    files = found.files[0] if len(found.files) == 1 else f"{len(found.files)} files ({found.files[0]}, …)"
    lengths = [len(series) for series in found]
    shortest, longest = min(lengths), max(lengths)
    nodes = f"{shortest}" if shortest == longest else f"{shortest}–{longest}"
    parts = [f"{len(lengths)} series of {nodes} {'node' if longest == 1 else 'nodes'}"]
    if spec.rows == "series":
        parts.append("a series a row")
    elif found.has_names:
        others = [name for name in found.features if name not in found.targets]
        if found.targets:
            parts.append(f"target{'s' if len(found.targets) > 1 else ''} {_few(found.targets)}")
        if others:
            parts.append(f"feature{'s' if len(others) > 1 else ''} {_few(others)}")
    else:
        count = len(found.features)
        parts.append(f"{counted(count, 'feature')} without names")
    if found.known:
        parts.append(f"known {_few(found.known)}")
    if spec.static:
        parts.append(f"static {_few(spec.static)}")
    parts += [
        f"label {told_name(name)} ({_classes(found, i)})"
        for i, name in enumerate(spec.label)
        if found.is_labelled
    ]
    if spec.group is not None:
        groups = len({series.group for series in found})
        parts.append(f"{counted(groups, 'group')} by {told_name(spec.group)}")
    if spec.series:
        parts.append(f"series by {' and '.join(map(told_name, spec.series))}")
    elif 1 < len(found) == len(found.files) and spec.rows == "nodes":
        parts.append("series by file")
    if spec.time is not None:
        *before, last = map(told_name, (spec.time, *spec.time_parts))
        told = f"{', '.join(before)} and {last}" if before else last
        parts.append(f"time by {told}, {_spacing(found.step)}")
    elif found.clock is not None:
        parts.append(f"time by the names of columns, {_spacing(found.step)}")
    elif found.targets and spec.rows == "nodes":
        parts.append("time by the order of rows")
    missing = sum(int((series.values != series.values).sum()) for series in found)
    if missing:
        # A forecaster knows which values are missing; a model of whole series or of nodes gets values in their place.
        parts.append(counted(missing, "missing value") + (", interpolated" if found.is_labelled else ""))
    return f"{files}: {'; '.join([*parts, *found.notes])}"


def _spacing(step: Step | None) -> str:
    return "unevenly spaced" if step is None else f"{step} apart"


def _few(names: tuple[str, ...] | list[str]) -> str:
    told = [told_name(name) for name in names[:_MOST_CLASSES]]
    return ", ".join(told if len(names) <= _MOST_CLASSES else [*told, f"… ({len(names)})"])


def _classes(found: SeriesSet, label: int) -> str:
    if found.columns.spec.label_of == "node":
        counts = Counter(text for series in found for text in series.labels[label])
    else:
        counts = Counter(series.labels[label] for series in found)
    counts.pop("", None)
    if len(counts) > _MOST_CLASSES:
        return f"{len(counts)} values"
    return ", ".join(f"{told_name(name)} {count}" for name, count in sorted(counts.items()))
