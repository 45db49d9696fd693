"""The loopback Hub behaves as the real client expects."""

from hub_client import run_client
from hub_samples import MIB, PULL, SMALL, digest, noise
from hub_store import Blob, tree_oid


def test_ids_are_those_of_git():
    # $ printf hello > a; mkdir b; printf world > b/c; git add .; git write-tree
    assert Blob(b"hello").oid == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"
    assert (
        tree_oid({"a": Blob(b"hello"), "b/c": Blob(b"world")}) == "9e71a19d74d3ea271672e3db88440a6d3f4d6c98"
    )


def test_push_then_pull_by_branch_tag_and_commit(hub, home, tmp_path):
    hub.state.part_size = MIB
    files = SMALL | {
        "model.safetensors": noise(3 * MIB + 5),
        "sub/other.bin": noise(999),
        "big.txt": b"x" * 11 * MIB,
    }
    for name, data in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    push = f"""
    from huggingface_hub import HfApi
    api = HfApi()
    url = api.create_repo("me/model", exist_ok=True, private=True)
    api.create_branch("me/model", branch="next/one", exist_ok=True)
    done = api.upload_folder(repo_id=url.repo_id, folder_path={str(tmp_path / "folder")!r}, revision="next/one")
    result = done.oid
    """
    token = hub.token("me")
    first = run_client(push, hub, home=home, token=token).ok
    repo = hub.repo("me/model")
    assert {name: blob.data for name, blob in repo.at("next/one").tree.items() if name in files} == files
    assert [n for n, b in repo.at("next/one").tree.items() if b.lfs] == [
        "big.txt",
        "model.safetensors",
        "sub/other.bin",
    ]
    assert len(hub.asked("/upload/", "PUT")) == 4 + 11 + 1
    assert len(hub.asked("/api/complete_multipart/", "POST")) == 2
    assert not any(r.authorized for r in hub.requests if r.host == "cdn")
    assert len(hub.asked("/commit/next/one", "POST")) == 1

    hub.requests.clear()
    assert run_client(push, hub, home=home, token=token).ok == first
    assert not hub.asked("/commit/", "POST") + hub.asked("/upload/")

    pulled = run_client(
        """
        import hashlib
        from pathlib import Path
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download
        api = HfApi()
        head = api.model_info("me/model", revision="next/one").sha
        api.create_tag("me/model", tag="v1", revision="next/one")
        def files(revision):
            root = Path(snapshot_download("me/model", revision=revision))
            found = [p for p in root.rglob("*") if p.is_file()]
            return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}
        result = [files(revision) for revision in ("next/one", "v1", head)]
        checked = api.verify_repo_checksums("me/model", revision=head)
        assert not checked.mismatches and not checked.missing_paths
        """,
        hub,
        home=home,
        token=token,
    ).ok
    wanted = {name: digest(blob.data) for name, blob in repo.at("v1").tree.items()}
    assert pulled == [wanted] * 3


def test_api_of_repositories(hub, home, published):
    hub.state.page_size = 2
    seen = run_client(
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
        api = HfApi()
        def failure(call, *arguments, **options):
            try:
                call(*arguments, **options)
            except Exception as error:
                return type(error).__name__, getattr(getattr(error, "response", None), "status_code", None)
        info = api.model_info("me/model", files_metadata=True)
        large = next(s for s in info.siblings if s.rfilename == "model.safetensors")
        result = {
            "who": api.whoami()["auth"]["accessToken"]["role"],
            "info": [info.sha, info.private, info.gated, info.tags, info.config, info.card_data.license],
            "sibling": [large.size, large.lfs.sha256],
            "expand": api.model_info("me/model", expand=["sha"]).sha,
            "exists": failure(api.create_repo, "me/model"),
            "url": str(api.create_repo("me/model", exist_ok=True)),
        }
        def commit(*operations, **options):
            return api.create_commit("me/model", operations, commit_message="m", **options).oid
        two = commit(CommitOperationAdd("a/b/c.txt", b"c"), CommitOperationAdd("a/d.txt", b"d"), parent_commit=info.sha)
        add = CommitOperationAdd("late.txt", b"late")
        result["late"] = failure(commit, add, parent_commit=info.sha)
        result["pr"] = failure(commit, CommitOperationAdd("late.txt", b"late"), create_pr=True)
        result["gone"] = failure(commit, CommitOperationDelete("missing"))
        three = commit(CommitOperationCopy("model.safetensors", "copy.safetensors"), CommitOperationDelete("a/b/"))
        result["log"] = [c.commit_id for c in api.list_repo_commits("me/model")][:3] == [three, two, info.sha]
        result["tree"] = [f.path for f in api.list_repo_tree("me/model", recursive=True, expand=True)]
        result["top"] = [f.path for f in api.list_repo_tree("me/model", revision=two)]
        result["sub"] = [f.path for f in api.list_repo_tree("me/model", "a", revision=two)]
        result["paths"] = [f.path for f in api.get_paths_info("me/model", ["a/d.txt", "a", "nothing"], expand=True)]
        api.create_tag("me/model", tag="v1", revision=two)
        api.create_branch("me/model", branch="old", revision=info.sha)
        result["again"] = [
            failure(api.create_tag, "me/model", tag="v1"),
            failure(api.create_branch, "me/model", branch="old"),
        ]
        def refs():
            found = api.list_repo_refs("me/model")
            return {r.name: r.target_commit for r in found.branches + found.tags}
        result["refs"] = refs() == {"main": three, "old": info.sha, "v1": two}
        api.delete_tag("me/model", tag="v1")
        api.delete_branch("me/model", branch="old")
        result["left"] = list(refs())
        result["yaml"] = failure(commit, CommitOperationAdd("README.md", b"---\\na: [\\n---\\n"))
        api.delete_repo("me/model")
        result["deleted"] = api.repo_exists("me/model")
        """,
        hub,
        home=home,
        token=hub.token("me"),
    ).ok
    assert seen["info"] == [published, False, False, ["a", "license:mit"], {"model_type": "chainhead"}, "mit"]
    assert seen["sibling"] == [64 * 1024, digest(noise(64 * 1024))]
    assert (seen["who"], seen["expand"], seen["url"]) == ("write", published, f"{hub.endpoint}/me/model")
    assert (seen["exists"], seen["late"], seen["pr"]) == (
        ["HfHubHTTPError", 409],
        ["HfHubHTTPError", 412],
        ["BadRequestError", 400],
    )
    assert seen["gone"] == ["RemoteEntryNotFoundError", 404]
    assert seen["again"] == [["HfHubHTTPError", 409]] * 2
    always = [".gitattributes", "README.md"]
    assert seen["tree"] == [*always, "a", "a/d.txt", "config.json", "copy.safetensors", "model.safetensors"]
    assert seen["top"] == [*always, "a", "config.json", "model.safetensors"]
    assert (seen["sub"], seen["paths"]) == (["a/b", "a/d.txt"], ["a", "a/d.txt"])
    assert (seen["log"], seen["refs"], seen["left"], seen["deleted"]) == (True, True, ["main"], False)
    assert seen["yaml"] == ["ValueError", None]
    assert any("cursor=2" in r.query for r in hub.asked("/tree/main"))


def test_who_may_read_and_write(hub, home, published):
    hub.publish("me/secret", SMALL, private=True)
    hub.publish("me/gated", SMALL)
    hub.repo("me/gated").gated = "manual"
    hub.repo("me/gated").granted = {"friend"}
    tokens = {role: hub.token("me", role) for role in ("write", "read", "expired")}
    tokens |= {name: hub.token(name) for name in ("friend", "stranger")} | {
        "wrong": "hf_wrong",
        "nobody": False,
    }
    seen = run_client(
        f"""
        from huggingface_hub import HfApi, hf_hub_download
        def failure(call, *arguments, **options):
            try:
                call(*arguments, **options)
            except Exception as error:
                return [type(error).__name__, error.response.status_code]
        result = {{}}
        for name, token in {tokens!r}.items():
            api = HfApi(token=token)
            result[name] = [
                failure(api.model_info, "me/secret"),
                failure(hf_hub_download, "me/gated", "config.json", token=token, force_download=False, cache_dir=name),
                failure(hf_hub_download, "me/model", "config.json", token=token, cache_dir=name),
                failure(api.upload_file, path_or_fileobj=b"x", path_in_repo=name, repo_id="me/model"),
            ]
        nobody = dict(token=False, cache_dir="nobody")
        result["repo"] = failure(hf_hub_download, "me/missing", "config.json", **nobody)
        result["revision"] = failure(hf_hub_download, "me/model", "config.json", revision="missing", **nobody)
        result["entry"] = failure(hf_hub_download, "me/model", "missing.json", **nobody)
        result["create"] = failure(HfApi(token={tokens["stranger"]!r}).create_repo, "me/other")
        """.replace("cache_dir=name", f"cache_dir={str(home)!r} + name").replace(
            '"nobody")', f"{str(home)!r})"
        ),
        hub,
        home=home,
    ).ok
    unknown, gated, plain = "RepositoryNotFoundError", "GatedRepoError", "HfHubHTTPError"
    assert seen["write"] == [None] * 4
    assert seen["read"] == [None, None, None, [plain, 403]]
    assert seen["friend"] == [[unknown, 404], None, None, [plain, 403]]
    assert seen["stranger"] == [[unknown, 404], [gated, 403], None, [plain, 403]]
    assert seen["nobody"] == [[unknown, 401], [gated, 401], None, [plain, 401]]
    assert seen["expired"] == seen["wrong"] == [[plain, 401]] * 4
    assert (seen["repo"], seen["revision"]) == ([unknown, 401], ["RevisionNotFoundError", 404])
    assert (seen["entry"], seen["create"]) == (["RemoteEntryNotFoundError", 404], [plain, 403])
    assert all(r.request_id for r in hub.requests)


def test_offline_and_server_down(hub, home, published, weights):
    pull = PULL + "result = pull()"
    assert run_client(pull, hub, home=home).ok == digest(weights)
    asked = len(hub.requests)
    offline = run_client(pull, hub, home=home, offline=True)
    assert (offline.ok, offline.network, len(hub.requests)) == (digest(weights), [], asked)
    missing = run_client(PULL + "pull('config.json')", hub, home=home, offline=True)
    assert (missing.error, missing.network) == ("LocalEntryNotFoundError", [])

    endpoint = hub.endpoint
    hub.stop()
    down = run_client(pull, hub, home=home)
    assert down.ok == digest(weights)
    assert down.network
    hub.start()
    assert hub.endpoint == endpoint
    assert run_client(PULL + "result = pull('config.json')", hub, home=home).ok == digest(
        SMALL["config.json"]
    )
