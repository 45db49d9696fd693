"""`python -m benchmarks`: measure, and write docs/benchmarks.md with its pictures."""

import json
from dataclasses import asdict, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .machine import describe
from .speed.allocator import keep_memory
from .speed.call_parts import measure_parts, missed
from .speed.cases import CUDA_SHAPES, FULL, Settings, Sizes, plan, run, steps
from .speed.cuda_parts import measure_cuda_parts
from .speed.loading import measure_loading
from .speed.report import write_report
from .speed.tinybig_peer import import_tinybig

DOCS = Path(__file__).parents[1] / "docs"


class Device(str, Enum):
    """Where to run."""

    cpu = "cpu"
    cuda = "cuda"


class Dtype(str, Enum):
    """Of weights and inputs."""

    float32 = "float32"
    bfloat16 = "bfloat16"


def measure(settings: Settings, console: Console, keeps_memory: bool = False) -> dict[str, Any]:
    """Measure everything that the settings ask for, behind a progress bar.

    Parameters
    ----------
    settings : Settings
    console : rich.console.Console
    keeps_memory : bool
        Whether the process keeps freed memory, for the report.

    Returns
    -------
    dict
        The content of the `--json` file: the settings, the machine, and a row for every contestant and piece of work.
    """
    with_tinybig, tinybig = False, "float32 on the CPU only"
    machine = describe(settings.device)
    if settings.plain:
        with console.status("importing tinyBIG"):
            module, tinybig = import_tinybig()
            with_tinybig = module is not None
    parts = plan(settings, with_tinybig)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("warming up", total=steps(parts, settings))
        rows = run(parts, settings, lambda label: progress.update(task, advance=1, description=label))
    sizes, seed = settings.sizes, settings.seed
    with console.status("the parts of calls that miss their targets"):
        call_parts = measure_parts(
            missed(rows, settings.device),
            settings.device,
            settings.dtype,
            seed,
            sizes.rounds,
            sizes.least_seconds,
        )
    loading = cuda_parts = None
    if settings.device == "cuda" and settings.dtype == "bfloat16":
        with console.status("the fused kernel in parts"):
            cuda_parts = measure_cuda_parts(sizes.shapes, seed, sizes.rounds, sizes.least_seconds)
    if settings.plain:
        with console.status("loading and the pipeline"):
            loading = measure_loading(seed, sizes.rounds)
    return {
        "settings": asdict(settings),
        "machine": machine,
        "tinybig": tinybig,
        "rows": rows,
        "keeps_memory": keeps_memory,
        "call_parts": call_parts,
        "cuda_parts": cuda_parts,
        "loading": loading,
    }


def main(
    full: Annotated[
        bool, typer.Option("--full", help="More rounds and lengths, and memory in the length.")
    ] = False,
    device: Annotated[Device, typer.Option(help="Where to run.")] = Device.cpu,
    dtype: Annotated[Dtype, typer.Option(help="Of weights and inputs.")] = Dtype.float32,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    seed: Annotated[int, typer.Option(help="For weights, inputs and the order of each round.")] = 0,
    output: Annotated[Path, typer.Option(help="Folder for benchmarks.md and images/.")] = DOCS,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every measurement there.")
    ] = None,
) -> None:
    """Measure chain heads against a bare nn.Linear and other peers, in turns, and write the report."""
    console = Console()
    if device is Device.cuda and not torch.cuda.is_available():
        raise typer.BadParameter("torch finds no CUDA device here", param_hint="--device")
    sizes = FULL if full else Sizes()
    if device is Device.cuda:
        sizes = replace(sizes, shapes=CUDA_SHAPES)
    settings = Settings(device.value, dtype.value, threads, full, seed, sizes)
    results = measure(settings, console, keep_memory())
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    console.print(f"wrote {write_report(json.loads(json.dumps(results)), output)}")


if __name__ == "__main__":
    typer.run(main)
