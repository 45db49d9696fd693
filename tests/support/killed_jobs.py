"""Jobs on a cluster of several nodes, whose workers, nodes and drivers are killed at random moments.

Usage: killed_jobs.py FOLDER SEED KILLS ROWS MODEL. MODEL is "classifier", a pipeline of transformers, or "lengths",
which starts sooner and answers with the lengths of texts. Prints, as JSON, the kills of each kind, the jobs that were
finished, and how many of their rows were lost, doubled or answered otherwise than in a plain loop.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from texts_in_files import write_texts

import registry
from registry.jobs.running import Where, run_job
from registry.jobs.work import JobOptions, Row

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
# Ray takes 127.0.0.1 for the address of the network card.
LOOPBACK = "127.0.0.2"
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "node_ip_address": LOOPBACK}
PART_ROWS = 100
KINDS = ("worker", "driver", "node")
PATIENCE = 120  # seconds


class Lengths:
    """Work whose model counts characters, and takes a moment for it."""

    def __init__(self, folder):
        self.file = folder / "texts.jsonl"

    def pinned(self):
        return {}

    def sources(self):
        return [str(self.file)]

    def rows(self, source):
        for line in self.file.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield Row(row["text"], row)

    def open(self):
        return self

    def prepare(self, data):
        return data

    def size(self, prepared):
        return len(prepared)

    def answer(self, batch):
        time.sleep(0.02)
        return [len(text) for text in batch]

    def cells(self, row, result):
        return [{"length": result}]


def predict(folder, output, model, engine):
    if model == "lengths":
        return run_job(
            Lengths(folder), JobOptions(part_rows=PART_ROWS), str(output), Where(engine, workers=2)
        )
    return registry.predict(
        folder / "texts.jsonl",
        folder / "model",
        task="text-classification",
        output=output,
        part_rows=PART_ROWS,
        engine=engine,
        workers=2,
    )


def drive(folder, output, model, address):
    """Run a job, as the program that is killed."""
    import ray

    ray.init(address=address, _node_ip_address=LOOPBACK, log_to_driver=False, logging_level="ERROR")
    predict(folder, output, model, "ray")


class Jobs:
    """Runs jobs one after the other, and kills what takes part in them."""

    def __init__(self, folder, seed, model):
        from ray.cluster_utils import Cluster

        self.folder, self.model, self.random = folder, model, random.Random(seed)
        self.cluster = Cluster(
            initialize_head=True, head_node_args={**NODE, "num_cpus": 0, "include_dashboard": False}
        )
        self.nodes = [self.cluster.add_node(**NODE) for _ in range(2)]
        self.expected = predict(folder, folder / "plain", model, "plain").lines()
        self.finished, self.driver = 0, None
        self.faults = Counter(lost=0, doubled=0, different=0)

    @property
    def output(self):
        return self.folder / f"answers-{self.finished}"

    def parts(self):
        return len(list(self.output.glob("part-*")))

    def start(self):
        command = [
            sys.executable,
            __file__,
            "--drive",
            self.folder,
            self.output,
            self.model,
            self.cluster.address,
        ]
        # A new session, so that a driver that is killed takes no process of this one with it.
        self.driver = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, start_new_session=True
        )

    def wait_for_new_parts(self, count):
        """Return whether there are so many parts more; if not, the job has ended before."""
        wanted, end = self.parts() + count, time.monotonic() + PATIENCE
        while self.parts() < wanted:
            if self.driver.poll() is not None:
                return False
            assert time.monotonic() < end, "the job stands still"
            time.sleep(0.02)
        time.sleep(self.random.random() * 0.2)
        return self.driver.poll() is None

    def kill(self, kind):
        """Kill something of a kind; return whether there was any."""
        if kind == "driver":
            self.driver.kill()
            self.driver.wait()
            self.start()
        elif kind == "node":
            node = self.nodes.pop(self.random.randrange(len(self.nodes)))
            self.cluster.remove_node(node, allow_graceful=False)
            self.nodes.append(self.cluster.add_node(**NODE))
        else:
            workers = self.workers()
            if not workers:
                return False
            self.random.choice(workers).send_signal(signal.SIGKILL)
        return True

    def workers(self):
        """Return the processes of actors on this cluster, and of tasks that read."""
        import psutil

        here = {process.pid for process in psutil.Process().children(recursive=True)}
        found = []
        for process in psutil.process_iter(["name", "cmdline"]):
            title = " ".join(process.info["cmdline"] or [])
            if title.startswith("ray::") and "Map" in title and process.pid in here:
                found.append(process)
        return sorted(found, key=lambda process: process.pid)

    def finish(self):
        """Wait for the end of a job, and compare its answers."""
        assert self.driver.wait(PATIENCE) == 0, "the job failed"
        complete = json.loads((self.output / "_complete.json").read_text("utf-8"))
        names = tuple(part["name"] for part in complete["parts"])
        assert sorted(names) == sorted(file.name for file in self.output.glob("part-*"))
        lines = registry.Predictions(str(self.output), complete["rows"], complete["errors"], names).lines()
        seen = Counter(line["id"] for line in lines)
        self.faults["lost"] += sum(seen[line["id"]] == 0 for line in self.expected)
        self.faults["doubled"] += sum(count - 1 for count in seen.values())
        self.faults["different"] += sum(one != other for one, other in zip(lines, self.expected, strict=True))
        self.finished += 1


def main(folder, seed, kills, rows, model):
    if model == "classifier":
        from tiny_classifier import write_classifier

        write_classifier(folder / "model")
    write_texts(folder / "texts.jsonl", rows)
    jobs = Jobs(folder, seed, model)
    done = Counter(dict.fromkeys(KINDS, 0))
    # Every kind has its turn, in an order by chance.
    todo = [KINDS[number % len(KINDS)] for number in range(kills)]
    jobs.random.shuffle(todo)
    try:
        jobs.start()
        while todo:
            if not jobs.wait_for_new_parts(jobs.random.randint(1, 4)):
                jobs.finish()
                jobs.start()
            elif jobs.kill(todo[-1]):
                done[todo.pop()] += 1
        jobs.finish()
    finally:
        jobs.driver.kill()
        jobs.cluster.shutdown()
    found = {"kills": done, "jobs": jobs.finished, "rows": rows * jobs.finished, **jobs.faults}
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    if sys.argv[1] == "--drive":
        drive(Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:6])
    else:
        main(Path(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5])
