"""Routes of the loopback Hub that move files: downloads, and uploads of large ones."""

import re
from urllib.parse import quote

from hub_http import Reply, Request
from hub_routes import route
from hub_state import HubState
from hub_store import Blob, HubError


def ranged(request: Request, blob: Blob, headers: dict[str, str]) -> Reply:
    """Return a file, or the part of it that a Range header asks for."""
    headers = {
        "ETag": f'"{blob.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    } | headers
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    size = len(blob.data)
    if match is None or match.groups() == ("", ""):
        return Reply(blob.data, 200, headers)
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if start >= stop:
        return Reply(b"", 416, headers | {"Content-Range": f"bytes */{size}"})
    return Reply(blob.data[start:stop], 206, headers | {"Content-Range": f"bytes {start}-{stop - 1}/{size}"})


@route("GET|HEAD", "/{repo}/resolve/{rev}/{path}")
def resolve(hub: HubState, request: Request, repo_id: str, rev: str, path: str) -> Reply:
    commit = hub.open(request, repo_id).at(rev)
    blob = commit.tree.get(path)
    if blob is None:
        raise HubError(404, "Entry not found", "EntryNotFound", commit.oid)
    headers = {"X-Repo-Commit": commit.oid}
    if not blob.lfs:
        return ranged(request, blob, {**headers, **hub.lies})
    # Another origin than the Hub's, as with the real one: the client reads the headers of the redirect
    # instead of following it, and must not take its token there.
    headers["Location"] = f"{hub.cdn}/cdn/{repo_id}/{blob.sha256}/{quote(path)}"
    headers |= {"X-Linked-ETag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.data)), **hub.lies}
    return Reply(b"", 302, headers)


@route("GET|HEAD", "/cdn/{repo}/{sha}/{path}")
def download(hub: HubState, request: Request, repo_id: str, sha: str, path: str) -> Reply:
    if sha not in hub.objects:
        raise HubError(404, f"No object {sha} of {repo_id} for {path}")
    return ranged(request, hub.objects[sha], {})


@route("POST", r"/{repo}\.git/info/lfs/objects/batch")
def lfs_batch(hub: HubState, request: Request, repo_id: str) -> Reply:
    hub.writable(request, repo_id)
    answers: list[dict[str, object]] = []
    for file in request.json()["objects"]:
        sha, size = file["oid"], file["size"]
        answer = {"oid": sha, "size": size}
        if sha not in hub.objects:
            answer["actions"] = {
                "upload": _upload(hub, repo_id, sha, size),
                "verify": {"href": f"{hub.endpoint}/{repo_id}.git/info/lfs/objects/verify"},
            }
        answers.append(answer)
    return Reply.of({"transfer": "basic", "objects": answers})


def _upload(hub: HubState, repo_id: str, sha: str, size: int) -> dict[str, object]:
    """Return where a large file goes: in one piece to the storage host, or in parts there and then to the Hub."""
    target = f"{hub.cdn}/upload/{repo_id}/{sha}"
    hub.parts[sha] = {}
    if hub.part_size is None or size <= hub.part_size:
        return {"href": f"{target}/1"}
    urls = {str(n + 1): f"{target}/{n + 1}" for n in range(-(-size // hub.part_size))}
    return {
        "href": f"{hub.endpoint}/api/complete_multipart/{repo_id}/{sha}",
        "header": {"chunk_size": str(hub.part_size)} | urls,
    }


def _part_etag(data: bytes) -> str:
    return f'"{Blob(data).oid}"'


@route("PUT", r"/upload/{repo}/{sha}/(?P<part>\d+)")
def upload_part(hub: HubState, request: Request, repo_id: str, sha: str, part: str) -> Reply:
    if sha not in hub.parts:
        raise HubError(403, f"Nobody asked to upload {sha} to {repo_id}")
    hub.parts[sha][int(part)] = request.body
    return Reply(b"", 200, {"ETag": _part_etag(request.body)})


@route("POST", "/api/complete_multipart/{repo}/{sha}")
def complete(hub: HubState, request: Request, repo_id: str, sha: str) -> Reply:
    told = {part["partNumber"]: part["etag"] for part in request.json()["parts"]}
    stored = {number: _part_etag(data) for number, data in hub.parts.get(sha, {}).items()}
    if told != stored:
        raise HubError(400, f"The parts of {sha} in {repo_id} are not those that were uploaded")
    return Reply.of({})


@route("POST", r"/{repo}\.git/info/lfs/objects/verify")
def lfs_verify(hub: HubState, request: Request, repo_id: str) -> Reply:
    hub.writable(request, repo_id)
    payload = request.json()
    parts = hub.parts.pop(payload["oid"], {})
    blob = Blob(b"".join(parts[number] for number in sorted(parts)), lfs=True)
    if payload["oid"] in hub.objects:  # verified before: a repeated request, or another client's upload
        return Reply.of({})
    if (blob.sha256, len(blob.data)) != (payload["oid"], payload["size"]):
        raise HubError(422, f"The object {payload['oid']} of {repo_id} did not arrive as it was announced")
    hub.objects[blob.sha256] = blob
    return Reply.of({})
