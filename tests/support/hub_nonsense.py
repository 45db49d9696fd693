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
# Headers of files; the client joins some of them to the path of its cache.
LIES: tuple[dict[str, str], ...] = (
    {"ETag": '"../../../../victim"', "X-Linked-ETag": '"../../../../victim"'},
    {"ETag": '"../../../../new"', "X-Linked-ETag": '"../../../../new"'},
    {"ETag": '"VICTIM"', "X-Linked-ETag": '"VICTIM"'},
    {"ETag": '".."', "X-Linked-ETag": '".."'},
    {"ETag": "x" * 300, "X-Linked-ETag": "x" * 300},
    {"ETag": "", "X-Linked-ETag": ""},
    {"X-Repo-Commit": "../../../../new"},
    {"X-Repo-Commit": "VICTIM"},
    {"X-Repo-Commit": ""},
    {"X-Linked-Size": "-5"},
    {"X-Linked-Size": "99999999999999"},
    {"X-Linked-Size": "many"},
    {"X-Error-Code": "RepoNotFound", "X-Error-Message": "\x1b[31mred"},
    {"Content-Encoding": "gzip"},
    {"Content-Type": "text/html"},
    {"Location": "file:///etc/passwd"},
    {"Location": "http://127.0.0.1:9/nobody"},
    {"Location": "//"},
)
BODIES = (*(json.dumps(value).encode() for value in (*_VALUES, *_FIELDS)), *_BYTES)


def nonsense_for(state: HubState, request: Request) -> Reply | None:
    """Return the nonsense that is planned for a request, None where it is to be answered.

    A request of `/nonsense/NUMBER` plans the answer of that number, and `/nonsense/NUMBER/PATTERN` that it is given to
    requests of a pattern. A request of `/lies/NUMBER/FILE` plans the headers of that number for all files.
    """
    if request.path.startswith("/nonsense/") and state.nonsense is not None:
        number, _, pattern = request.path.removeprefix("/nonsense/").partition("/")
        state.nonsense = (unquote(pattern) or state.nonsense[0], int(number))
        return Reply()
    if request.path.startswith("/lies/"):
        number, _, victim = request.path.removeprefix("/lies/").partition("/")
        lie = LIES[int(number)] if int(number) >= 0 else {}
        state.lies = {name: value.replace("VICTIM", unquote(victim)) for name, value in lie.items()}
        return Reply()
    if state.nonsense is None:
        return None
    pattern, number = state.nonsense
    if number < 0 or not re.fullmatch(pattern, f"{request.method} {request.path}"):
        return None
    return Reply(BODIES[number], headers={"Content-Type": "application/json"})
