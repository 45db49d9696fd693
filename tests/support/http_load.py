"""A client that loads a server of docs/servers: good requests from many threads, and bad ones among them.

python http_load.py URL REQUESTS prints the requests a second, and percentiles of the latency in milliseconds.
"""

import http.client
import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np

FEATURES = 12


def series(count):
    """Return series of 1 to 60 steps."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(int(rng.integers(1, 61)), FEATURES)).round(4).tolist() for _ in range(count)]


def bad_bodies(most_steps, most_bytes):
    """Return bodies that are refused, each with its status."""
    node = [0.5] * FEATURES
    return [
        ("hello", 400),
        ("[" * 100_000, 400),
        (b"\xff\xfe", 400),
        ("[[1, 2]]", 422),
        ('{"values": [[1, 2]]}', 422),
        ('{"series": []}', 422),
        ('{"series": "0.5"}', 422),
        (json.dumps({"series": [node[:-1]]}), 422),
        (json.dumps({"series": [[*node[:-1], float("nan")]]}), 422),
        (json.dumps({"series": [[*node[:-1], "a"]]}), 422),
        (json.dumps({"series": [node] * (most_steps + 1)}), 413),
        (" " * (most_bytes + 1), 413),
    ]


class Client:
    """Connections that stay open until the end of a `with` block: every thread has its own."""

    def __init__(self, url):
        self.address = urlsplit(url).netloc
        self.local = threading.local()
        self.connections = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.connections:
            connection.close()

    def request(self, method, path, body=None):
        """Return the status and the answer."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.address, timeout=60)
            self.connections.append(self.local.connection)
        connection = self.local.connection
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content.startswith(b"{") else content.decode()

    def predict(self, values):
        """Return the status, the answer and the seconds that it took."""
        body = json.dumps({"series": values})
        start = time.perf_counter()
        return *self.request("POST", "/predict", body), time.perf_counter() - start


def load(client, requests, threads, bad=()):
    """Send every good request once, from `threads` threads, and bad bodies [(body, status)] at random among them.

    Returns the statuses and answers of the good requests in their order, their seconds, the statuses of the bad ones
    that were not as expected, and the seconds of it all.
    """
    jobs = [(client.predict, (values,)) for values in requests]
    extra = [(client.request, ("POST", "/predict", body)) for body, _ in bad]
    order = list(range(len(jobs) + len(extra)))
    random.Random(0).shuffle(order)
    found = {}

    def work(index):
        call, arguments = (jobs + extra)[index]
        found[index] = call(*arguments)

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, order))
    seconds = time.perf_counter() - start
    good = [found[index] for index in range(len(jobs))]
    wrong = [
        (body[:60], found[len(jobs) + index][:2], status)
        for index, (body, status) in enumerate(bad)
        if found[len(jobs) + index][0] != status
    ]
    return [answer[:2] for answer in good], [answer[2] for answer in good], wrong, seconds


def main(url, count):
    requests = series(count)
    for threads in (1, 8, 32):
        with Client(url) as client:
            load(client, requests[:64], threads)
            answers, latencies, _, seconds = load(client, requests, threads)
        failed = sum(status != 200 for status, _ in answers)
        at = {f"p{q}": round(1000 * float(np.percentile(latencies, q)), 1) for q in (50, 95, 99)}
        told = {"threads": threads, "per second": round(count / seconds), "failed": failed, **at}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
