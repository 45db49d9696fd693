"""Commands on Ray: their options, and predictions as a folder of parts that its workers compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from registry.screen import console

from .screen import say, wrong

if TYPE_CHECKING:
    from registry.jobs.running import Progress

    from ..answering.jobs import AnsweringWork

Engine = Literal["ray"]
OnError = Literal["keep", "raise"]
AddressOption = Annotated[
    str | None, typer.Option(help="Address of a cluster of Ray; by default one starts on this machine.")
]


def check_engine(engine: Engine | None, given: Mapping[str, object]) -> None:
    """Check that options which only Ray knows are not given without it.

    Raises
    ------
    typer.BadParameter
        If one of them has a value.
    """
    unused = [option for option, value in given.items() if value is not None]
    if engine is None and unused:
        raise wrong("has no effect without --engine ray", unused[0])


def check_folder(output: Path | None, files: Sequence[Path]) -> Path:
    """Check, before a model is loaded, that a job can run; return its output.

    Raises
    ------
    typer.BadParameter
        If there is no output, its name ends otherwise than in .parquet or .jsonl, or standard input is read.
    ModuleNotFoundError
        If Ray is not installed.
    """
    from registry.jobs.engines.cluster import require_ray

    if output is None:
        raise wrong("needs --output: a folder for the parts", "--engine")
    if output.suffix.lower() not in ("", ".parquet", ".jsonl"):
        raise wrong(
            f"is {output}, expected a folder whose name ends in .parquet or .jsonl with --engine ray",
            "--output",
        )
    if output.exists() and not output.is_dir():
        raise wrong(f"{output} is a file, expected a folder with --engine ray", "--output")
    if Path("-") in files:
        raise wrong("standard input cannot be read again by workers: give files with --engine ray")
    require_ray("--engine ray")
    return output


def predict_on_ray(
    work: AnsweringWork,
    output: Path,
    batch_size: int,
    address: str | None,
    workers: int | None,
    on_error: OnError | None,
    *,
    overwrite: bool,
) -> None:
    """Run a job, show how far it is, and say where the parts are."""
    from registry.jobs.running import Where, run_job
    from registry.jobs.work import JobOptions

    options = JobOptions(
        file_format="jsonl" if work.as_lines else "parquet",
        batch_size=batch_size,
        on_error=on_error or "keep",
    )
    with console(stderr=True).status("Starting workers") as status:

        def show(progress: Progress) -> None:
            status.update(f"{progress.rows:,} inputs, {progress.errors:,} of them without an answer")

        found = run_job(
            work,
            options,
            str(output.absolute()),
            Where("ray", address, workers),
            overwrite=overwrite,
            on_progress=show,
        )
    told = (
        f"{output}: {found.rows:,} inputs in {len(found.parts):,} part{'s' if len(found.parts) > 1 else ''}"
    )
    if found.errors:
        told += f", {found.errors:,} of them without an answer: the column error says why"
    say(told)
