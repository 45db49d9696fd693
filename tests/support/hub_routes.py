"""Routes of the loopback Hub that deal with repositories: settings, info, listings, refs, commits."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode

from hub_http import Reply, Request, Router
from hub_state import HubState
from hub_store import Blob, Commit, HubError, Repository, front_matter, list_folder

route = Router()


@route("GET", "/api/whoami-v2")
def whoami(hub: HubState, request: Request) -> Reply:
    account = hub.signed_in(request)
    token = {"displayName": account.label, "role": account.role}
    orgs = [{"type": "org", "name": name} for name in account.orgs]
    auth = {"type": "access_token", "accessToken": token}
    return Reply.of(
        {"type": "user", "name": account.user, "fullname": account.user, "orgs": orgs, "auth": auth}
    )


@route("POST", "/api/validate-yaml")
def validate_yaml(hub: HubState, request: Request) -> Reply:
    try:
        content = front_matter(request.json()["content"])
    except ValueError as error:
        return Reply.of({"errors": [{"message": str(error)}], "warnings": []}, 400)
    warnings = [] if content else [{"message": "empty or missing yaml metadata in repo card"}]
    return Reply.of({"errors": [], "warnings": warnings})


def named(payload: Mapping[str, str], user: str) -> str:
    """Return the repository that a payload names: without an organisation it is the user's."""
    if payload.get("type", "model") != "model":
        raise HubError(400, "The loopback Hub keeps models only")
    return f"{payload.get('organization') or user}/{payload['name']}"


@route("POST", "/api/repos/create")
def create_repo(hub: HubState, request: Request) -> Reply:
    account, payload = hub.signed_in(request), request.json()
    repo_id = named(payload, account.user)
    if not account.writes(repo_id.split("/")[0]):
        namespace = repo_id.split("/")[0]
        raise HubError(403, f'You don\'t have the rights to create a model under the namespace "{namespace}"')
    url = f"{hub.endpoint}/{repo_id}"
    with hub.lock:
        if repo_id in hub.repos:
            # The client reads `url` also from this answer when called with `exist_ok=True`.
            return Reply.of({"error": "You already created this model repo", "url": url}, 409)
        # By the client's version.
        is_private = payload.get("private", payload.get("visibility") == "private")
        hub.repos[repo_id] = Repository(repo_id, is_private, account.user)
    return Reply.of({"url": url, "name": repo_id, "id": repo_id})


@route("DELETE", "/api/repos/delete")
def delete_repo(hub: HubState, request: Request) -> Reply:
    repo, _ = hub.writable(request, named(request.json(), hub.signed_in(request).user))
    del hub.repos[repo.repo_id]
    return Reply(b"OK")


@route("PUT", "/api/models/{repo}/settings")
def settings(hub: HubState, request: Request, repo_id: str) -> Reply:
    repo, _ = hub.writable(request, repo_id)
    payload = request.json()
    if "visibility" in payload or "private" in payload:
        repo.private = payload.get("private", payload.get("visibility") == "private")
    repo.gated = payload.get("gated", repo.gated)
    return Reply.of({"private": repo.private, "gated": repo.gated})


@route("GET", "/api/models/{repo}/auth-check(?P<write>/write)?")
def auth_check(hub: HubState, request: Request, repo_id: str, write: str) -> Reply:
    hub.open(request, repo_id)
    if write:
        hub.writable(request, repo_id)
    return Reply.of({})


@route("GET", "/api/models/{repo}(/revision/{rev})?")
def model_info(hub: HubState, request: Request, repo_id: str, rev: str) -> Reply:
    repo = hub.readable(request, repo_id)
    commit = repo.at(rev or "main")
    siblings: list[dict[str, object]] = []
    for path, blob in sorted(commit.tree.items()):
        file: dict[str, object] = {"rfilename": path}
        if request.flag("blobs"):
            file |= {"size": len(blob.data), "blobId": blob.oid}
            if blob.lfs:
                file["lfs"] = {
                    "sha256": blob.sha256,
                    "size": len(blob.data),
                    "pointerSize": len(blob.pointer),
                }
        siblings.append(file)
    card = commit.card
    tags = [card.get("library_name"), card.get("pipeline_tag"), *_list(card.get("tags"))]
    tags += [f"{key}:{value}" for key in ("license", "dataset") for value in _list(card.get(key))]
    everything = {
        "id": repo_id,
        "modelId": repo_id,
        "author": repo.namespace,
        "sha": commit.oid,
        "createdAt": list(commit.history())[-1].date,
        "lastModified": commit.date,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [tag for tag in tags if tag],
        "library_name": card.get("library_name"),
        "pipeline_tag": card.get("pipeline_tag"),
        "model-index": card.get("model-index"),
        "cardData": card,
        "config": commit.config,
        "siblings": siblings,
        "usedStorage": sum(len(blob.data) for blob in commit.tree.values()),
    }
    wanted = request.query.get("expand")
    return Reply.of({k: v for k, v in everything.items() if not wanted or k in (*wanted, "id")})


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


def page_of(hub: HubState, request: Request, lines: list[dict[str, object]], size: int) -> Reply:
    """Return one page of a listing, with a link to the next."""
    start = int(request.query.get("cursor", ["0"])[0])
    headers = {}
    if start + size < len(lines):
        query = {key: values[0] for key, values in request.query.items()} | {"cursor": str(start + size)}
        headers["Link"] = f'<{hub.endpoint}{request.path}?{urlencode(query)}>; rel="next"'
    return Reply.of(lines[start : start + size], headers=headers)


def expanded(commit: Commit, line: dict[str, object]) -> dict[str, object]:
    """Return a line of a listing with the last commit that touched it."""
    last = commit.last_change(str(line["path"]))
    return line | {"lastCommit": {"id": last.oid, "title": last.title, "date": last.date}}


@route("GET", "/api/models/{repo}/tree/{rev}(/{path})?")
def tree(hub: HubState, request: Request, repo_id: str, rev: str, path: str) -> Reply:
    commit = hub.readable(request, repo_id).at(rev)
    lines = list_folder(commit.tree, path, request.flag("recursive"))
    if path and not lines:
        raise HubError(404, f"{path} does not exist on {rev!r}", "EntryNotFound", commit.oid)
    if request.flag("expand"):
        return page_of(hub, request, [expanded(commit, line) for line in lines], min(hub.page_size, 50))
    return page_of(hub, request, lines, hub.page_size)


@route("POST", "/api/models/{repo}/paths-info/{rev}")
def paths_info(hub: HubState, request: Request, repo_id: str, rev: str) -> Reply:
    commit = hub.readable(request, repo_id).at(rev)
    form = parse_qs(request.body.decode())
    lines = [x for x in list_folder(commit.tree, recursive=True) if x["path"] in form.get("paths", [])]
    if form.get("expand", [""])[0].lower() == "true":
        lines = [expanded(commit, line) for line in lines]
    return Reply.of(lines)


@route("GET", "/api/models/{repo}/commits/{rev}")
def commits(hub: HubState, request: Request, repo_id: str, rev: str) -> Reply:
    lines: list[dict[str, object]] = [
        {"id": c.oid, "title": c.title, "message": c.message, "date": c.date, "authors": [{"user": c.author}]}
        for c in hub.readable(request, repo_id).at(rev).history()
    ]
    return page_of(hub, request, lines, hub.page_size)


@route("GET", "/api/models/{repo}/discussions")
def discussions(hub: HubState, request: Request, repo_id: str) -> Reply:
    hub.readable(request, repo_id)
    return Reply.of({"discussions": [], "count": 0, "start": 0})


@route("GET", "/api/models/{repo}/refs")
def refs(hub: HubState, request: Request, repo_id: str) -> Reply:
    repo = hub.readable(request, repo_id)

    def lines(kind: str, names: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid} for n, oid in names.items()]

    both = {"branches": lines("heads", repo.branches), "tags": lines("tags", repo.tags)}
    return Reply.of(both | {"converts": [], "pullRequests": []})


@route("POST|DELETE", "/api/models/{repo}/branch/{name}")
def branch(hub: HubState, request: Request, repo_id: str, name: str) -> Reply:
    repo, _ = hub.writable(request, repo_id)
    with hub.lock:
        if request.method == "POST":
            start = repo.at(request.json().get("startingPoint", "main"))
            return _add_ref(repo.branches, name, start)
        if name == "main":
            raise HubError(403, "The default branch cannot be deleted")
        return _drop_ref(repo.branches, name)


@route("POST|DELETE", "/api/models/{repo}/tag/{name}")
def tag(hub: HubState, request: Request, repo_id: str, name: str) -> Reply:
    repo, _ = hub.writable(request, repo_id)
    with hub.lock:
        if request.method == "POST":  # then the path names what is tagged
            return _add_ref(repo.tags, request.json()["tag"], repo.at(name))
        return _drop_ref(repo.tags, name)


def _add_ref(names: dict[str, str], name: str, commit: Commit) -> Reply:
    if name in names:
        raise HubError(409, f"Reference {name} already exists")
    names[name] = commit.oid
    return Reply.of({"name": name, "targetCommit": commit.oid}, 201)


def _drop_ref(names: dict[str, str], name: str) -> Reply:
    if names.pop(name, None) is None:
        raise HubError(404, f"Reference {name} does not exist", "RevisionNotFound")
    return Reply.of({})


@route("POST", "/api/models/{repo}/preupload/{rev}")
def preupload(hub: HubState, request: Request, repo_id: str, rev: str) -> Reply:
    repo, _ = hub.writable(request, repo_id)
    commit = repo.at(rev)
    answers = []
    for file in request.json()["files"]:
        path, sample = file["path"], base64.b64decode(file["sample"])
        lfs = repo.stores_as_lfs(rev, path, sample, file["size"], hub.lfs_threshold)
        # By `oid` the client sees that a file is unchanged, and leaves it out of the commit.
        known = commit.tree.get(path)
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        answers.append(answer | ({"oid": known.etag} if known else {}))
    return Reply.of({"files": answers, "commitOid": commit.oid})


@route("POST", "/api/models/{repo}/commit/{rev}")
def commit(hub: HubState, request: Request, repo_id: str, rev: str) -> Reply:
    repo, account = hub.writable(request, repo_id)
    if request.flag("create_pr"):
        raise HubError(400, "The loopback Hub has no pull requests")
    lines = [json.loads(line) for line in request.body.splitlines()]
    header = lines[0]["value"]
    with hub.lock:
        if rev not in repo.branches:
            raise HubError(404, f"Invalid rev id: {rev}", "RevisionNotFound")
        head = repo.at(rev)
        if header.get("parentCommit") not in (None, head.oid):
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        # The whole payload is applied to a copy first: a commit happens entirely or not at all.
        files = dict(head.tree)
        for line in lines[1:]:
            _apply(hub, files, line["key"], line["value"])
        new = repo.commit(rev, files, header["summary"], header.get("description", ""), account.user)
    url = f"{hub.endpoint}/{repo_id}/commit/{new.oid}"
    return Reply.of({"success": True, "commitOid": new.oid, "commitUrl": url, "hookOutput": ""})


def _apply(hub: HubState, files: dict[str, Blob], key: str, value: Mapping[str, str]) -> None:
    path = value["path"]
    if key == "file":
        files[path] = Blob(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if value["oid"] not in hub.objects:
            raise HubError(400, f"The LFS pointer of {path} pointed to a file that does not exist")
        files[path] = hub.objects[value["oid"]]
    elif key in ("deletedFile", "deletedFolder"):
        gone = [
            p for p in files if p == path or (key == "deletedFolder" and p.startswith(path.rstrip("/") + "/"))
        ]
        if not gone:
            raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
        for name in gone:
            del files[name]
    else:
        raise HubError(400, f"The loopback Hub does not know the operation {key}")
