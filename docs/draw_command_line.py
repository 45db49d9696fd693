"""Draw the guide's picture of the command line: `python docs/draw_command_line.py`."""

import csv
import io
import json
from pathlib import Path

from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.cli.demonstration import MODEL, SAMPLES

OUTPUT = Path(__file__).parent / "images" / "command-line.svg"
WIDTH = 108


def main() -> None:
    """Run commands, and draw what a terminal shows of them."""
    samples = json.loads(SAMPLES.read_text("utf-8"))["samples"][:3]
    table = io.StringIO()
    write = csv.writer(table).writerow
    write(["id", *(f"c{i}" for i in range(1, 13))])
    for number, sample in enumerate(samples, start=1):
        for node in sample["nodes"]:
            write([f"recording {number}", *node])
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for arguments in (["list"], ["predict", MODEL, "-", "--top-k", "2"]):
        done = CliRunner().invoke(
            app, arguments, input=table.getvalue(), env={"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
        )
        shown = " ".join(arguments).replace(" - ", " recordings.csv ")
        console.print(Text(f"$ chainhead {shown}", "bold green"))
        console.print(Text.from_ansi(done.stdout))
    OUTPUT.write_text(console.export_svg(title="chainhead", unique_id="chainhead"), "utf-8")


if __name__ == "__main__":
    main()
