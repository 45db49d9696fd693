"""Runs the command line in this process, and writes inputs for it."""

import csv
import io
import json

from typer.testing import CliRunner

from chainhead_plugin.cli import app
from chainhead_plugin.cli.demonstration import SAMPLES

CHAINS = [sample["nodes"] for sample in json.loads(SAMPLES.read_text("utf-8"))["samples"]]
TEXTS = ["good and cheap", "bad , slow , dear and bad", "good"]


def invoke(*arguments, code=0, **options):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], **options)
    assert result.exit_code == code, result.output
    return result.output


def as_csv(chains, header=True, delimiter=","):
    out = io.StringIO()
    write = csv.writer(out, delimiter=delimiter).writerow
    if header:
        write(["id", *(f"c{i}" for i in range(len(chains[0][0])))])
    for number, chain in enumerate(chains):
        for node in chain:
            write([f"r{number}", *node] if header else node)
    return out.getvalue()
