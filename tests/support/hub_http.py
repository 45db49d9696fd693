"""HTTP of the loopback Hub: requests, replies, and faults in between."""

import json
import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hub_faults import Fault
from hub_store import HubError


@dataclass
class Request:
    """A request as the routes see it; `path` is quoted, since a branch may contain a slash."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """Return the body, parsed."""
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise HubError(400, f"The body is not JSON: {error}") from error

    def flag(self, name: str) -> bool:
        """Tell whether a query parameter is switched on."""
        return self.query.get(name, [""])[0].lower() in ("1", "true")


@dataclass
class Reply:
    """An answer. For HEAD its body is left out, its length is not."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        """Return a reply that carries JSON."""
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return cls(json.dumps(content).encode(), status, kind | dict(headers or {}))

    @classmethod
    def error(cls, error: HubError) -> "Reply":
        """Return an error with the headers the client looks at."""
        headers = {"X-Error-Message": error.message.replace("\n", " ")}
        if error.code:
            headers["X-Error-Code"] = error.code
        if error.commit:
            headers["X-Repo-Commit"] = error.commit
        return cls.of({"error": error.message}, error.status, headers)


@dataclass
class Record:
    """A line of the request log; `path` is unquoted, `host` is "hub" or "cdn"."""

    host: str
    method: str
    path: str
    query: str
    authorized: bool
    range: str | None
    request_id: str
    fault: str | None = None
    status: int | None = None
    sent: int = 0


class CutOffError(Exception):
    """The connection is gone: nothing more can be said on it."""


class HubServer(ThreadingHTTPServer):
    """A listening port: of the Hub itself, or of the other host that stores large files."""

    daemon_threads = False  # server_close waits for the requests in progress

    def __init__(
        self, port: int, host: str, answer: Callable[[str, Request], Reply], faults: Any, log: list[Record]
    ):
        self.host, self.answer, self.faults, self.log = host, answer, faults, log
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Stop listening and close every connection, idle ones too."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            with suppress(OSError):  # closed in the meantime
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads requests, lets the server answer them, commits the faults."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HubServer

    def handle(self) -> None:
        try:
            super().handle()
        except (CutOffError, ConnectionError):
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (ConnectionError, ValueError):  # it was reset, by us or by the client
            self.rfile.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet: the log is `LoopbackHub.requests`."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        fault = self.server.faults.take(self.command, path)
        record = Record(
            self.server.host,
            self.command,
            path,
            url.query,
            "Authorization" in self.headers,
            self.headers["Range"],
            self.headers["X-Request-Id"] or uuid.uuid4().hex,
            fault and fault.kind,
        )
        self.server.log.append(record)
        kind, at = (fault.kind, fault.at) if fault else (None, None)
        if kind == "upload_reset":
            self._read(at if at is not None else int(self.headers["Content-Length"] or 0) // 2)
            self._reset()
        body = self._read()
        if kind == "reset" and at is None:
            self._reset()
        if fault and kind == "delay" and at is None:
            self.server.stopping.wait(fault.seconds)
        headers = {key.lower(): value for key, value in self.headers.items()}
        if kind == "no_range":
            headers.pop("range", None)
        if fault and kind == "status":
            told = HubError(fault.status, "The loopback Hub was asked to fail", fault.error_code)
            reply = Reply.error(told)
            reply.headers = {**reply.headers, **fault.headers}
        else:
            request = Request(self.command, url.path, parse_qs(url.query), headers, body)
            reply = self.server.answer(self.server.host, request)
        if kind == "lost_reply":
            self._reset()
        record.status = reply.status
        self._send(reply, fault, record)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  (http.server looks for these)

    def _read(self, limit: int | None = None) -> bytes:
        """Read the request's body, or its first `limit` bytes."""
        if self.headers["Transfer-Encoding"]:
            parts = []
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                parts.append(self.rfile.read(size + 2)[:size])
                if limit is not None and sum(map(len, parts)) >= limit:
                    return b"".join(parts)[:limit]
            self.rfile.readline()
            return b"".join(parts)
        length = int(self.headers["Content-Length"] or 0)
        wanted = length if limit is None else min(limit, length)
        body = self.rfile.read(wanted)
        if len(body) < wanted:  # the client died: half a request must not be carried out
            raise CutOffError
        return body

    def _reset(self) -> None:
        """Close the connection with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wfile.close()
        self.rfile.close()
        self.connection.close()
        raise CutOffError

    def _send(self, reply: Reply, fault: Fault | None, record: Record) -> None:
        body = b"" if self.command == "HEAD" else reply.body
        kind = fault.kind if fault and body else None
        at = len(body) // 2 if fault is None or fault.at is None else min(fault.at, max(len(body) - 1, 0))
        if kind == "corrupt":
            body = body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :]
        if kind == "truncate":
            body = body[:at]
        self.send_response(reply.status)
        headers = {"X-Request-Id": record.request_id} | dict(reply.headers)
        headers["Content-Length"] = str(len(body) if kind == "truncate" else len(reply.body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault and (kind in ("drop", "reset") or (kind == "delay" and fault.at is not None)):
            self.wfile.write(body[:at])
            record.sent = at
            if kind == "drop":
                self.close_connection = True
                raise CutOffError
            if kind == "reset":
                time.sleep(0.1)  # RST throws away what the kernel has not sent yet
                self._reset()
            self.server.stopping.wait(fault.seconds)
            body = body[at:]
        self.wfile.write(body)
        record.sent += len(body)


Route = Callable[..., Reply]


class Router:
    """Which function answers which request: patterns match the quoted path, groups arrive unquoted."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Route]] = []

    def __call__(self, methods: str, pattern: str) -> Callable[[Route], Route]:
        """Return a decorator that adds a route; `{repo}`, `{rev}`, `{path}` and `{name}` are groups."""
        pattern = pattern.replace("{repo}", "(?P<repo_id>[^/]+/[^/]+)").replace("{path}", "(?P<path>.+)")
        pattern = re.sub(r"\{(rev|name|sha)\}", r"(?P<\1>[^/]+)", pattern)

        def add(route: Route) -> Route:
            self._routes.append((methods, re.compile(pattern), route))
            return route

        return add

    def find(self, request: Request) -> Callable[..., Reply]:
        """Return the function for a request, its groups bound."""
        for methods, pattern, route in self._routes:
            match = pattern.fullmatch(request.path)
            if match and re.fullmatch(methods, request.method):
                groups = {key: unquote(value) for key, value in match.groupdict(default="").items()}
                return lambda *arguments, route=route, groups=groups: route(*arguments, **groups)
        raise HubError(404, f"The loopback Hub does not know {request.method} {request.path}")
