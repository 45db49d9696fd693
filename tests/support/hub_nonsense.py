"""Answers of a Hub that are valid HTTP, but do not answer the request."""

import json
import re
from urllib.parse import unquote

from hub_http import Reply, Request
from hub_state import HubState

_COMMIT = "1" * 40
_VALUES = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "text",
    "\x00\x1b[31m",
    "../..",
    [],
    [None],
    [[]],
    [{}],
    ["x"],
    {},
    {"a": 1},
)
_FIELDS = (
    {"name": None},
    {"name": 5, "auth": {}},
    {"name": "me", "auth": None},
    {"name": "me", "auth": {"accessToken": []}, "orgs": 3},
    {"name": "me", "auth": {"accessToken": {"role": 3}}, "orgs": [{}]},
    {"name": "..", "auth": {"accessToken": {"role": "write"}}, "orgs": [{"name": None}]},
    {"id": "me/chain"},
    {"id": None, "sha": None, "siblings": None},
    {"id": "me/chain", "sha": 3, "siblings": []},
    {"id": "me/chain", "sha": "../..", "siblings": [{"rfilename": "config.json"}]},
    {"id": "me/chain", "sha": _COMMIT, "siblings": [{}]},
    {"id": "me/chain", "sha": _COMMIT, "siblings": 7},
    {"id": "me/chain", "sha": _COMMIT, "siblings": [{"rfilename": 3}]},
    {"id": "me/chain", "sha": _COMMIT, "siblings": [{"rfilename": "a\x00b", "lfs": {}}]},
    {"id": "me/chain", "sha": _COMMIT, "siblings": [{"rfilename": "config.json", "lfs": 3}]},
    {"id": "me/chain", "sha": _COMMIT, "siblings": [{"rfilename": "model.safetensors", "blobId": []}]},
    {"id": "me/chain", "sha": _COMMIT, "siblings": [], "createdAt": "never"},
    {"branches": 3, "tags": None},
    {"branches": [{}], "tags": [], "converts": []},
    {"branches": [{"name": 1, "ref": 2, "targetCommit": []}], "tags": [], "converts": []},
    {"files": [{}]},
    {"files": {"path": 1}},
    {"commitUrl": 3, "commitOid": None},
    {"url": None},
    {"error": {"error": []}},
)
_BYTES = (
    b"",
    b"<html>Welcome to our hotel. Please accept the terms.</html>",
    b"{",
    b"[" * 100_000,
    b"\xff\xfe\x00",
    b'"\\ud800"',
    b'{"name": "\\ud800", "auth": {"accessToken": {"role": "\\udfff"}}}',
    b'{"id": "me/chain", "sha": "\\ud800", "siblings": [{"rfilename": "\\ud800"}]}',
    b"NaN",
)
BODIES = (*(json.dumps(value).encode() for value in (*_VALUES, *_FIELDS)), *_BYTES)


def nonsense_for(state: HubState, request: Request) -> Reply | None:
    """Return the nonsense that is planned for a request, None where it is to be answered.

    A request of `/nonsense/NUMBER` plans the answer of that number, and `/nonsense/NUMBER/PATTERN` that it is given to
    requests of a pattern.
    """
    if request.path.startswith("/nonsense/") and state.nonsense is not None:
        number, _, pattern = request.path.removeprefix("/nonsense/").partition("/")
        state.nonsense = (unquote(pattern) or state.nonsense[0], int(number))
        return Reply()
    if state.nonsense is None:
        return None
    pattern, number = state.nonsense
    if number < 0 or not re.fullmatch(pattern, f"{request.method} {request.path}"):
        return None
    return Reply(BODIES[number], headers={"Content-Type": "application/json"})
