"""Runs commands on changed folders and indices in this process, and counts the outcomes.

Usage: mutated_folders.py FOLDER SEED COUNT. Prints {outcome: count}. Commands that end in a traceback, estimators that
raise what is not documented, and files that were changed are told at the end, with exit code 3. Stops at once where a
command takes more than 10 seconds of processor time, starts a program, or imports a module that a file names.
"""

import collections
import json
import random
import resource
import shutil
import signal
import sys
import traceback
import warnings
from pathlib import Path

import hostile_files
from saved_folders import save_all
from transformers.utils import logging
from typer.testing import CliRunner

from chainhead_plugin.cli import app

SECONDS = 10
MEMORY = 2**31
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


def mutated(file, generator):
    """Return changed content for a file: of its kind, or with it taken away (None)."""
    if generator.random() < 0.02:
        return None
    if file.name == INDEX:
        return mutate_index(file.read_bytes(), generator)
    if file.suffix == ".safetensors":
        return hostile_files.mutate_safetensors(file.read_bytes(), generator)
    if file.suffix == ".json":
        return hostile_files.mutate_json(file.read_bytes(), generator)
    return hostile_files.mutate_bytes(file.read_bytes(), generator)


def state(folder):
    found = {}
    for file in folder.rglob("*"):
        stat = file.lstat()
        found[str(file.relative_to(folder))] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def commands(folder, saved):
    """Return what is done with a folder of a kind: the command line's arguments by name."""
    out = folder / "out"
    found = {
        "predict": lambda place: ["predict", place, saved.data, *saved.options, "--json"],
        "plot": lambda place: ["plot", place, "--out", out / "chain.png", "--overwrite"],
        "explain": lambda place: [
            *("plot", place, "--input", saved.data, *saved.options),
            *("--out", out / "why.png", "--overwrite"),
        ],
        "info": lambda place: ["info", place],
        "card": lambda place: ["card", place],
    }
    if saved.labelled is not None:
        found["evaluate"] = lambda place: ["evaluate", place, "--data", saved.labelled]
    return found


def told(arguments):
    """Return whether a command was done, and the fault where it ended in a traceback."""
    done = CliRunner().invoke(app, [str(part) for part in arguments], input="y\n")
    is_told = done.exception is None or isinstance(done.exception, SystemExit)
    if is_told and done.exit_code in (0, 1, 2) and "Traceback" not in done.output:
        return done.exit_code == 0, ""
    trace = "".join(traceback.format_exception(*done.exc_info)) if done.exc_info else ""
    return False, f"{done.output[-500:]}\n{trace}"


def ran(run, place):
    """Return whether an estimator was loaded and run, and the fault where it raised what is not documented."""
    try:
        run(place)
    except hostile_files.DOCUMENTED:
        return False, ""
    except Exception:
        return False, traceback.format_exc()
    return True, ""


def main(folder, seed, count):
    warnings.simplefilter("ignore")
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    originals = folder / "originals"
    originals.mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "evil_module.py").write_text("raise SystemExit('imported')")
    sys.path.insert(0, str(folder))
    kinds = save_all(originals)
    actions = {name: commands(folder, saved) for name, saved in kinds.items()}
    for name, saved in kinds.items():
        for action in [*actions[name]]:
            is_done, fault = told(actions[name][action](saved.folder))
            assert not fault, fault
            if not is_done:
                assert action != "predict", f"{name} {action}"
                del actions[name][action]
        if saved.run is not None:
            saved.run(saved.folder)
    before = state(originals)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    sys.addaudithook(hostile_files.watch)

    outcomes, faults, place = collections.Counter(), [], folder / "mutated"
    for number in range(count):
        generator = random.Random(f"{seed}-{number}")
        kind = generator.choice([*kinds, "shards"])
        files = [file for file in sorted(kinds[kind].folder.rglob("*")) if file.is_file()]
        file = generator.choice(files + [file for file in files if file.name == INDEX])
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(kinds[kind].folder, place)
        content = mutated(file, generator)
        changed = place / file.relative_to(kinds[kind].folder)
        changed.unlink()
        if content is not None:
            changed.write_bytes(content)
        written = state(place)
        run = kinds[kind].run
        action = generator.choice([*actions[kind], *(["load"] * 2 if run is not None else [])])
        case = f"mutation {number} of seed {seed}, {file.name} of {kind}, {action}"
        # On the disk is the case that took too long, when this timer ends the process.
        (folder / "case").write_text(case)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        is_done, fault = ran(run, place) if action == "load" else told(actions[kind][action](place))
        signal.setitimer(signal.ITIMER_PROF, 0)
        if state(place) != written or state(originals) != before:
            fault += "files were changed"
        if fault:
            faults.append(f"{case}: {fault}")
            sys.stderr.write(faults[-1])
        outcomes[f"{kind} {file.name}: {'done' if is_done else 'refused'}"] += 1
    sys.stdout.write(json.dumps(outcomes) + "\n")
    if faults:
        sys.exit(3)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
