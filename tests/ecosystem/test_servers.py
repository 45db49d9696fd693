"""The servers of the guide to serving, on loopback and under load: right answers, clear refusals, nothing dropped."""

import asyncio
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import http_load
import pytest
from ports import free_port
from transformers import pipeline

import registry

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "docs" / "servers"
REQUESTS = 80
LIMITS = {
    "BODY_SECONDS": "1.5",
    "MAX_BYTES": "200000",
    "MAX_STEPS": "500",
    "MODEL": "chainhead-japanese-vowels",
}
pytestmark = pytest.mark.skipif(
    not (find_spec("fastapi") and find_spec("uvicorn")), reason="the extra serve is not installed"
)


def environment(**variables):
    paths = (SERVERS, ROOT / "tests" / "support", ROOT)
    return os.environ | LIMITS | {"PYTHONPATH": os.pathsep.join(map(str, paths))} | variables


@contextmanager
def running(port):
    """Run the server of FastAPI until the end of the block, or until it has been told to stop there."""
    command = [sys.executable, "-m", "uvicorn", "fastapi_server:app", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--log-level", "warning"], env=environment(), stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            for _ in range(600):
                assert server.poll() is None, server.stderr.read()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield server
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def expected():
    """The answers of the pipeline, called for single series."""
    registry.load_plugins()
    classify = pipeline("time-series-classification", model=LIMITS["MODEL"], device="cpu")
    return [classify(values) for values in http_load.series(REQUESTS)]


def check(answers, expected):
    assert [status for status, _ in answers] == [200] * REQUESTS
    for (_, content), [wanted] in zip(answers, expected, strict=True):
        [found] = content["answer"]
        assert found["label"] == wanted["label"]
        assert found["score"] == pytest.approx(wanted["score"], abs=1e-5)


@pytest.mark.slow
def test_fastapi_answers_under_load_refuses_what_is_bad_and_stops_in_order(expected):
    port = free_port()
    with running(port) as server, http_load.Client(f"http://127.0.0.1:{port}") as client:
        bad = http_load.bad_bodies(int(LIMITS["MAX_STEPS"]), int(LIMITS["MAX_BYTES"]))
        answers, _, wrong, _ = http_load.load(client, http_load.series(REQUESTS), 8, bad)
        check(answers, expected)
        assert not wrong
        status, told = client.request("POST", "/predict", '{"series": [[1, 2]]}')
        assert status == 422
        assert told["detail"].startswith("the series has 2 features per node, expected 12")
        check_slow_clients(port, client)
        assert client.request("GET", "/health") == (200, {"model": LIMITS["MODEL"], "waiting": 0})
        check_stopping(port, server)


def begin(port):
    """Send the head of a request and the first half of its body; return the connection and the other half."""
    body = json.dumps({"series": http_load.series(1)[0]}).encode()
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    half = len(body) // 2
    connection.sendall(head.encode() + body[:half])
    return connection, body[half:]


def check_slow_clients(port, client):
    """They hold up nobody and are told; a connection that breaks harms nothing."""
    (slow, _), (broken, _) = begin(port), begin(port)
    broken.close()
    start = time.monotonic()
    with slow:
        answers, *_ = http_load.load(client, http_load.series(10), 4)
        assert [status for status, _ in answers] == [200] * 10
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - start < 10


def check_stopping(port, server):
    """A request that has begun is answered."""
    connection, rest = begin(port)
    with connection:
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        connection.sendall(rest)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert server.wait(20) in (0, -signal.SIGTERM)


def test_full_queues_late_answers_and_failing_models_are_told(monkeypatch):
    from fastapi import HTTPException, Request

    monkeypatch.syspath_prepend(SERVERS)
    server = importlib.import_module("fastapi_server")
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.05)

    def fails(series, batch_size):
        raise RuntimeError("out of memory")

    async def receive():
        return {"type": "http.request", "body": b'{"series": [[1]]}', "more_body": False}

    async def predict():
        with pytest.raises(HTTPException) as told:
            await server.predict(Request({"type": "http"}, receive))
        return told.value.status_code, told.value.detail

    async def statuses():
        server.app.state.waiting = server.Waiting(1)
        late, full = await asyncio.gather(predict(), predict())
        server.app.state.waiting = server.Waiting(1)
        server.app.state.worker = asyncio.create_task(server.answer(fails, server.app.state.waiting))
        failed = [await predict(), await predict()]
        assert (await server.health())["waiting"] == 0
        server.app.state.worker.cancel()
        await asyncio.sleep(0)
        with pytest.raises(HTTPException, match="stopped"):
            await server.health()
        return [late, full, *failed]

    late, full, *failed = asyncio.run(statuses())
    assert late == (504, "no answer within 0.05 seconds")
    assert full == (503, "1000 requests wait already")
    assert failed == [(500, "the model failed: RuntimeError")] * 2


@pytest.mark.slow
@pytest.mark.skipif(not (find_spec("ray") and find_spec("aiohttp")), reason="ray[serve] is not installed")
def test_ray_serve_answers_under_load_and_refuses_what_is_bad(expected, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "support" / "ray_serving.py", str(REQUESTS), tmp_path / "told"],
        env=environment(PORT=str(free_port())),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "told").read_text())
    check(told["answers"], expected)
    assert not told["wrong"]
    assert told["health"] == [200, {"model": LIMITS["MODEL"]}]
