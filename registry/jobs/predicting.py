"""`registry.predict`: the predictions of a model for files or a table of any size."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from .inputs.files import input_files
from .inputs.tables import pieces_of
from .loading import check_task
from .model_files import digest_of, folder_of_model, task_of_model
from .pipelines import ModelOfJob, PipelineWork
from .predictions import Predictions
from .running import Engine, Progress, Where, run_job
from .work import Format, JobOptions, OnError

# Names of columns that are taken as the input where none is named.
_USUAL = ("text", "image", "audio", "nodes", "sequence", "input")


def predict(
    data: Any,
    model: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str],
    task: str | None = None,
    column: str | Sequence[str] | None = None,
    keep: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    revision: str | None = None,
    device: str | None = None,
    file_format: Format = "parquet",
    part_rows: int = 1000,
    batch_size: int = 16,
    on_error: OnError = "keep",
    overwrite: bool = False,
    engine: Engine = "ray",
    address: str | None = None,
    workers: int | None = None,
    cpus: float = 1,
    gpus: float = 0,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Predictions:
    """Predict many inputs, on a cluster of Ray or in this process, into a folder of parts.

    A job that was broken off goes on with the parts that are missing, if inputs, model and options are the same.

    Parameters
    ----------
    data : str, path, sequence of them, or table
        Files, folders, patterns and addresses that fsspec knows (``"s3://bucket/texts/*.parquet"``): Parquet, CSV, TSV,
        JSON lines, texts with one a line, images or sounds. Or a table in memory: of pyarrow, pandas, datasets or Ray.
    model : str or path
        A model of the zoo, a checkpoint's folder, or a repository on the Hub as ``"owner/name"``.
    output : str or path
        A folder, or an address. All machines of a cluster have to reach input and output under the same names.
    task : str, optional
        The pipeline's task, such as ``"text-classification"``; needed for models that are not of the zoo.
    column : str or sequence of str, optional
        The column that the pipeline takes, or the columns, for a pipeline that takes several (question and context). By
        default the only column, or one of the name text, image, audio, nodes, sequence or input.
    keep : sequence of str, optional
        The columns that the output repeats, such as a key; by default all, without the bytes of images and sounds.
    options : mapping, optional
        Keyword arguments of the pipeline's call, such as ``{"top_k": 3}``.
    revision : str, optional
        Branch, tag or commit on the Hub.
    device : str, optional
        Such as ``"cuda"``; by default a GPU if `gpus` is set, else the CPU.
    file_format : {"parquet", "jsonl"}
        How parts are written.
    part_rows : int
        The most rows of the input whose predictions are a part.
    batch_size : int
        The most inputs in a batch; in a part, inputs of about the same length share one.
    on_error : {"keep", "raise"}
        Whether a row without a result gets its reason into the column ``error``, or ends the job.
    overwrite : bool
        Whether the output of another job is replaced.
    engine : {"ray", "plain"}
        Ray needs the extra "ray"; "plain" computes one part after the other in this process, to the same files.
    address : str, optional
        Of a cluster of Ray; by default one is started on this machine, for this call.
    workers : int, optional
        How many copies of the model work at a time; by default as many as fit.
    cpus, gpus : float
        What each copy takes of its machine; `cpus` is also its number of threads.
    on_progress : callable
        Called with a `Progress` after every part.

    Returns
    -------
    Predictions

    Raises
    ------
    ValueError
        If an option or a name is wrong, or the output belongs to something else; before anything is computed. A
        `RowError`, which is one, tells of a row without a result if `on_error` is "raise".
    TypeError
        If the data are neither paths nor a table.
    FileNotFoundError
        If a path names no file.
    ModuleNotFoundError
        If a package is missing; the message says what to install.
    """
    where = Where(engine, address, workers, cpus, gpus)
    of_job = JobOptions(
        file_format=file_format, part_rows=part_rows, batch_size=batch_size, on_error=on_error
    )
    name = os.fspath(model)
    found_task = task or task_of_model(name)
    if found_task is None:
        raise ValueError(f"{name} is no model of the zoo: say its task, such as task='text-classification'")
    check_task(found_task)
    folder = folder_of_model(name, revision)
    opened = ModelOfJob(
        name=str(folder) if Path(name).is_dir() else name,
        revision=revision,
        task=found_task,
        digest=digest_of(folder),
        device=device or ("cuda" if gpus else "cpu"),
        options=dict(options or {}),
    )
    if isinstance(keep, str):
        raise ValueError(f"keep is {keep!r}, expected a list of columns")
    work = PipelineWork(model=opened, column="", keep=None, **_source(data))
    columns = _columns(work)
    for kept in keep or ():
        _check_column(kept, columns)
    return run_job(
        replace(work, column=_column(columns, column), keep=None if keep is None else tuple(keep)),
        of_job,
        _address(output),
        where,
        overwrite=overwrite,
        on_progress=on_progress,
    )


def _source(data: Any) -> dict[str, Any]:
    """Return where rows come from, as fields of the work."""
    paths = [data] if isinstance(data, str | os.PathLike) else data
    if isinstance(paths, list | tuple) and all(isinstance(path, str | os.PathLike) for path in paths):
        if not paths:
            raise ValueError("no path is given")
        kind, files = input_files([os.fspath(path) for path in paths])
        return {"kind": kind, "files": tuple(files)}
    pieces, digest = pieces_of(data)
    return {"table": pieces, "table_digest": digest}


def _columns(work: PipelineWork) -> list[str]:
    """Return the columns of the first row that is not broken."""
    for source in range(len(work.sources())):
        with suppress(ValueError, OSError):  # the job tells of sources that cannot be read
            for row in work.rows(source):
                if row.fields:
                    return list(row.fields)
    raise ValueError(f"there is no row that can be read in {', '.join(work.sources()[:3])}")


def _column(columns: list[str], given: str | Sequence[str] | None) -> str | tuple[str, ...]:
    if given is not None:
        for name in [given] if isinstance(given, str) else given:
            _check_column(name, columns)
        return given if isinstance(given, str) else tuple(given)
    if len(columns) == 1:
        return columns[0]
    usual = [name for name in _USUAL if name in columns]
    if len(usual) != 1:
        raise ValueError(
            f"the input has the columns {', '.join(columns)}: say with column which of them the pipeline takes"
        )
    return usual[0]


def _check_column(name: str, columns: list[str]) -> None:
    if name not in columns:
        raise ValueError(f"the input has no column {name}, it has {', '.join(columns)}")


def _address(output: str | os.PathLike[str]) -> str:
    """Return an output as workers on all machines know it."""
    place = os.fspath(output)
    return place if "://" in place else os.path.abspath(place)
