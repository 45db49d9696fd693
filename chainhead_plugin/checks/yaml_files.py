"""Read YAML that anybody may have written: plain values of bounded size, or an error that says where."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

MOST_VALUES = 100_000
MOST_LEVELS = 20
_MOST_BYTES = 2**22
_BIGGEST = 2**63
_TOO_DEEP = object()


def read_yaml(file: Path) -> Any:
    """Return the content of a YAML file: texts, numbers, true and false, nothing, and lists and mappings of these.

    Raises
    ------
    ValueError
        If it is not YAML, holds anything else, such as dates without quotes, or is nested deeper than 20 levels, or
        has more than 100,000 values, each counted as often as an alias repeats it. Names the file, and the line or the
        field.
    OSError
        If it cannot be read.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{file} is larger than {_MOST_BYTES:,} bytes, too large for a file of options")
    try:
        content = yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except RecursionError:
        raise ValueError(f"{file} is nested too deep, expected at most {MOST_LEVELS} levels") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 1}"
        told = getattr(error, "problem", None) or " ".join(str(error).split())
        raise ValueError(f"{file}{where} is no YAML: {told:.300}") from error
    for count, (where, value) in enumerate(_values(content)):
        if count > MOST_VALUES:
            raise ValueError(
                f"{file} has more than {MOST_VALUES:,} values, aliases counted as often as they are used"
            )
        if wrong := _wrong(value):
            raise ValueError(f"{file}: {where:.80} {wrong}")
    return content


class _Loader(yaml.SafeLoader):
    """Reads plain values, each name of a mapping once, and tells every error with its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # the constructors of dates, numbers and binaries let every kind through
            problem = f"{node.tag.rpartition(':')[2]} cannot be read: {error}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> Any:
        names = [name.value for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        texts = [name for name in names if isinstance(name, str)]
        if doubled := [name for name in texts if texts.count(name) > 1]:
            problem = f"{doubled[0]!r:.80} is there twice"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _values(content: Any, where: str = "it", level: int = 0) -> Iterator[tuple[str, Any]]:
    """Return every value and every key, and where it stands; a list that holds itself has too many levels."""
    yield where, content if level <= MOST_LEVELS else _TOO_DEEP
    if level > MOST_LEVELS:
        return
    if isinstance(content, dict):
        for key, value in content.items():
            yield f"a name in {where}", key
            yield from _values(value, f"{key!s:.40}" if level == 0 else f"{where}.{key!s:.40}", level + 1)
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _values(value, f"{where}[{number}]", level + 1)


def _wrong(value: Any) -> str | None:
    if value is _TOO_DEEP:
        return f"is nested too deep, expected at most {MOST_LEVELS} levels"
    if isinstance(value, bool | float | list | dict) or value is None:
        return None
    if isinstance(value, int):
        return None if abs(value) < _BIGGEST else "is a whole number of more than 64 bits"
    if isinstance(value, str):
        return "holds half of a surrogate pair, which is no text" if _is_broken(value) else None
    return f"is {type(value).__name__} {value!s:.40}, expected text, a number, a list or a mapping: put it in quotes"


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
