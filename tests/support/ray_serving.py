"""Serves docs/servers/ray_server.py on a cluster of its own, loads it, and writes what came back as JSON.

python ray_serving.py REQUESTS FILE, with docs/servers in PYTHONPATH and the port in PORT. The cluster has no dashboard,
and shares nothing with another one on this machine.
"""

import json
import os
import sys
from pathlib import Path

import http_load
import ray
import ray_server
import requests_for_series
from ray import serve

REQUESTS, FILE = int(sys.argv[1]), Path(sys.argv[2])
PORT = int(os.environ["PORT"])
ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": PORT, "request_timeout_s": 20})
serve.run(ray_server.app)
with http_load.Client(f"http://127.0.0.1:{PORT}") as client:
    bad = http_load.bad_bodies(requests_for_series.MAX_STEPS, requests_for_series.MAX_BYTES)
    answers, _, wrong, _ = http_load.load(client, http_load.series(REQUESTS), 8, bad)
    told = {"answers": answers, "wrong": wrong, "health": client.request("GET", "/health")}
FILE.write_text(json.dumps(told))
serve.shutdown()
ray.shutdown()
