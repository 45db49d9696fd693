"""Runs commands on changed folders and indices in this process, and counts the outcomes.

Usage: mutated_folders.py FOLDER SEED COUNT. Prints {outcome: count}. Stops at the first command that ends in a
traceback, takes more than 10 seconds of processor time, starts a program, imports a module that a file names, or
changes a file.
"""

import collections
import hashlib
import json
import random
import shutil
import signal
import sys
import traceback
import warnings
from pathlib import Path

import hostile_files
import torch
from transformers.utils import logging
from typer.testing import CliRunner

from chainhead_plugin import ChainHeadConfig, ChainHeadFeatureExtractor, ChainHeadForSequenceClassification
from chainhead_plugin.cli import app

SECONDS = 10
INDEX = "model.safetensors.index.json"
PLACES = [
    "../model.safetensors", "/etc/passwd", "model-00001-of-00002.safetensors", "", ".", "..", "a/b.safetensors",
    "no.safetensors", "model.bin", 3, None, [], {}, "\0", "\ud800", "x" * 5000,
]  # fmt: skip


def mutate_index(content, generator):
    if generator.random() < 0.3:
        return hostile_files.mutate_json(content, generator)
    fields = json.loads(content)
    places = fields["weight_map"]
    for name in generator.sample([*places], generator.choice((1, len(places)))):
        places[name] = generator.choice(PLACES)
    if generator.random() < 0.2:
        fields[generator.choice([*fields])] = generator.choice(hostile_files.VALUES)
    return json.dumps(fields).encode()


FILES = {**hostile_files.FILES, INDEX: mutate_index}
FILES.pop("tokenizer.json")
FILES.pop("tokenizer_config.json")


def state(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def main(folder, seed, count):
    warnings.simplefilter("ignore")
    logging.set_verbosity(logging.CRITICAL)
    folder.mkdir(parents=True)
    originals = folder / "originals"
    for index, options in enumerate(({}, {"max_shard_size": 200})):
        torch.manual_seed(index)
        place = originals / str(index)
        config = ChainHeadConfig(m=4, hidden_sizes=[6, 5], num_labels=3)
        ChainHeadForSequenceClassification(config).save_pretrained(place, **options)
        ChainHeadFeatureExtractor(feature_size=4).save_pretrained(place)
    rows = folder / "rows.csv"
    rows.write_text("0.1,0.2,0.3,0.4\n0.4,0.3,0.2,0.1\n")
    (folder / "evil_module.py").write_text("raise SystemExit('imported')")
    sys.path.insert(0, str(folder))
    commands = {
        "predict": lambda place: ["predict", place, rows, "--no-header", "--json"],
        "plot": lambda place: ["plot", place, "--out", folder / "out" / "chain.png", "--overwrite"],
        "explain": lambda place: [
            *("plot", place, "--input", rows, "--no-header"),
            *("--out", folder / "out" / "why.png", "--overwrite"),
        ],
    }
    (folder / "out").mkdir()
    for place in originals.iterdir():
        for command in commands.values():
            done = CliRunner().invoke(app, [str(part) for part in command(place)])
            assert done.exit_code == 0, done.output
    before = state(originals)
    sys.addaudithook(hostile_files.watch)

    outcomes, place = collections.Counter(), folder / "mutated"
    for number in range(count):
        generator = random.Random(f"{seed}-{number}")
        original = originals / generator.choice("011")
        names = [name for name in FILES if (original / name).is_file()]
        name = generator.choice([*names, INDEX] if (original / INDEX).is_file() else names)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(original, place)
        (place / name).write_bytes(FILES[name]((original / name).read_bytes(), generator))
        written = state(place)
        command = generator.choice([*commands])
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        done = CliRunner().invoke(app, [str(part) for part in commands[command](place)], input="y\n")
        signal.setitimer(signal.ITIMER_PROF, 0)
        is_told = done.exception is None or isinstance(done.exception, SystemExit)
        if not is_told or done.exit_code not in (0, 1, 2) or "Traceback" in done.output:
            sys.stderr.write(
                f"mutation {number} of seed {seed}, {name}, {command} in {place}: {done.output}\n"
            )
            if done.exc_info:
                traceback.print_exception(*done.exc_info)
            sys.exit(3)
        if state(place) != written or state(originals) != before:
            sys.exit(f"mutation {number} of seed {seed}, {name}: {command} changed files of {place}")
        outcomes[f"{name}: {'done' if done.exit_code == 0 else 'refused'}"] += 1
    sys.stdout.write(json.dumps(outcomes) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
