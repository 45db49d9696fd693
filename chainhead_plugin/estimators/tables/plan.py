"""The plan of `chainhead train` for a table, as a YAML file that can be changed and run again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import yaml  # type: ignore[import-untyped]

from ...checks.yaml_files import read_yaml
from ...tables.read import Reading
from ...tables.spec import TableSpec

Task = Literal["classification", "regression", "forecasting"]
TASKS = ("classification", "regression", "forecasting")
# A YAML file with this key is a plan; otherwise it is a recipe.
KEY = "estimator"


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """A table, and the settings of the default training on it.

    Attributes
    ----------
    data : Path
        A file, a folder or a pattern of file names, as for `chainhead_plugin.tables.load`.
    table : TableSpec
        The meaning of the table's columns. Whatever is not stated is guessed if that is safe.
    reading : Reading
        How the files are written, such as their separator; by default this is found from the files.
    task : {"classification", "regression", "forecasting"}, optional
        By default it follows from the labels; a table with times and without labels is for forecasting.
    test : Path, optional
        Another table to test on.
    test_share : float, optional
        Share of the series to test on, between 0 and 1, drawn with `seed`; series of a group stay together. For
        forecasting it is the last share of the time.
    seed : int
        The seed of the model and of the test part.
    options : mapping
        Parameters of `ChainHeadClassifier`, `ChainHeadRegressor` or `ChainHeadForecaster`; for forecasting also
        "horizon".

    Raises
    ------
    ValueError
        If a value is not as described, or `test` and `test_share` are both given.
    """

    data: Path
    table: TableSpec = field(default_factory=TableSpec)
    reading: Reading = field(default_factory=Reading)
    task: Task | None = None
    test: Path | None = None
    test_share: float | None = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.task is not None and self.task not in TASKS:
            raise ValueError(
                f"task must be one of {', '.join(TASKS)}, got {self.task!r}; a recipe has other tasks, such as "
                "time-series-segmentation for labels of nodes"
            )
        if self.test is not None and self.test_share is not None:
            raise ValueError("test and test_share contradict each other: state one of them")
        if self.test_share is not None and not (
            isinstance(self.test_share, int | float) and 0 < self.test_share < 1
        ):
            raise ValueError(f"test_share must be between 0 and 1, got {self.test_share!r}")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            raise ValueError(f"seed must be a whole number of at least 0, got {self.seed!r}")

    def text(self) -> str:
        """Return the plan as YAML, with absolute paths."""
        table = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self.table).items()
            if value not in ((), None) and value != getattr(TableSpec, name, None)
        }
        values = {
            KEY: {"task": self.task, **self.options},
            "data": str(self.data.absolute()),
            "table": table,
            "reading": self.reading.options(),
            "test": None if self.test is None else str(self.test.absolute()),
            "test_share": self.test_share,
            "seed": self.seed,
        }
        head = "# Written by chainhead train. Change it, and run it again: chainhead train training.yaml\n"
        return head + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def is_plan(file: Path) -> bool:
    """Return whether a file is a plan, and not a recipe or another file."""
    if file.suffix.lower() not in (".yaml", ".yml") or not file.is_file():
        return False
    try:
        values = read_yaml(file)
    except ValueError:
        return False  # The reader of recipes raises the error for it.
    return isinstance(values, dict) and KEY in values


def load_plan(file: Path) -> TablePlan:
    """Read a plan from a YAML file.

    Raises
    ------
    ValueError
        If the file is not valid YAML, or holds a key or a value that a plan cannot have.
    """
    values = read_yaml(file)
    known = {KEY, *(entry.name for entry in fields(TablePlan))} - {"options", "task"}
    if unknown := [str(name) for name in values if name not in known]:
        raise ValueError(f"{file}: there is no {', '.join(unknown)}: expected {', '.join(sorted(known))}")
    options, table = values.pop(KEY), values.pop("table", None) or {}
    reading = values.pop("reading", None) or {}
    for name, part in ((KEY, options), ("table", table), ("reading", reading)):
        if not isinstance(part, dict):
            raise ValueError(f"{file}: {name} must be a mapping, got {part!r}")
    for name in ("data", "test"):
        if not isinstance(values.get(name), str | None) or (name == "data" and not values.get(name)):
            raise ValueError(f"{file}: {name} must be a path, got {values.get(name)!r}")
    options = dict(options)
    task = options.pop("task", None)
    test = values.get("test")
    return TablePlan(
        data=Path(values["data"]),
        table=TableSpec.from_options(table),
        reading=Reading.from_options(reading),
        task=task,
        test=None if test is None else Path(test),
        test_share=values.get("test_share"),
        seed=values.get("seed", 0),
        options=options,
    )
