"""The storage of the loopback Hub: blobs, immutable commits, repositories and accounts."""

import fnmatch
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import yaml

# The Hub writes this file into every new repository; its patterns decide what is stored as LFS.
LFS_SUFFIXES = (
    "7z arrow bin ckpt ftz gz h5 joblib model msgpack npy npz onnx ot parquet pb pickle pkl pt pth rar"
)
LFS_SUFFIXES += " safetensors tar tflite tgz wasm xz zip zst"
GITATTRIBUTES = "".join(f"*.{s} filter=lfs diff=lfs merge=lfs -text\n" for s in LFS_SUFFIXES.split())


class HubError(Exception):
    """An answer that is an error, with the headers by which the client chooses its exception."""

    def __init__(self, status: int, message: str, code: str | None = None, commit: str | None = None):
        super().__init__(message)
        self.status, self.message, self.code, self.commit = status, message, code, commit


def git_oid(kind: str, data: bytes) -> str:
    """Return the id under which git stores an object."""
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()


@dataclass(frozen=True)
class Blob:
    """One file's content, stored in git (`lfs=False`) or as an LFS object."""

    data: bytes
    lfs: bool = False

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the content, by which LFS objects are addressed."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """The text that git stores in place of an LFS object."""
        text = (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.data)}\n"
        )
        return text.encode()

    @cached_property
    def oid(self) -> str:
        """The git id of the file, or of its pointer."""
        return git_oid("blob", self.pointer if self.lfs else self.data)

    @property
    def etag(self) -> str:
        """What the client calls the file in its cache."""
        return self.sha256 if self.lfs else self.oid

    def describe(self, path: str) -> dict[str, object]:
        """Return the file's line in a listing of a folder."""
        line: dict[str, object] = {"type": "file", "oid": self.oid, "size": len(self.data), "path": path}
        if self.lfs:
            line["lfs"] = {"oid": self.sha256, "size": len(self.data), "pointerSize": len(self.pointer)}
        return line


Tree = Mapping[str, Blob]


def tree_oid(tree: Tree) -> str:
    """Return git's id of a folder with the given files."""
    folders: dict[str, dict[str, Blob]] = {}
    lines: dict[str, tuple[str, str, str]] = {}
    for path, blob in tree.items():
        name, _, rest = path.partition("/")
        if rest:
            folders.setdefault(name, {})[rest] = blob
        else:
            lines[name] = "100644", name, blob.oid
    for name, inner in folders.items():
        lines[name + "/"] = "40000", name, tree_oid(inner)  # git sorts a folder as if its name ended so
    data = b"".join(
        f"{mode} {name}\0".encode() + bytes.fromhex(oid) for _, (mode, name, oid) in sorted(lines.items())
    )
    return git_oid("tree", data)


def list_folder(tree: Tree, folder: str = "", recursive: bool = False) -> list[dict[str, object]]:
    """Return the files and folders below `folder`, sorted by path."""
    prefix = folder + "/" if folder else ""
    lines: dict[str, dict[str, object]] = {}
    for path, blob in tree.items():
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            parent = prefix + "/".join(parts[:depth])
            if parent not in lines:
                inside = {p[len(parent) + 1 :]: b for p, b in tree.items() if p.startswith(parent + "/")}
                lines[parent] = {"type": "directory", "oid": tree_oid(inside), "size": 0, "path": parent}
        if recursive or len(parts) == 1:
            lines[path] = blob.describe(path)
    return [lines[path] for path in sorted(lines)]


@dataclass(frozen=True)
class Commit:
    """A state of a repository, with the state before it."""

    tree: Tree
    title: str
    message: str
    author: str
    parent: "Commit | None" = None
    seconds: int = field(default_factory=lambda: int(time.time()))

    @cached_property
    def oid(self) -> str:
        """The git id of the commit."""
        who = f"{self.author} <{self.author}@loopback> {self.seconds} +0000"
        above = f"parent {self.parent.oid}\n" if self.parent else ""
        text = f"tree {tree_oid(self.tree)}\n{above}author {who}\ncommitter {who}\n\n{self.title}\n\n{self.message}"
        return git_oid("commit", text.encode())

    @property
    def date(self) -> str:
        """When it was made, as the Hub writes dates."""
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(self.seconds))

    def history(self) -> "Iterator[Commit]":
        """Yield this commit and those before it, newest first."""
        commit: Commit | None = self
        while commit:
            yield commit
            commit = commit.parent

    def last_change(self, path: str) -> "Commit":
        """Return the newest commit that changed a file or something in a folder."""

        def below(commit: Commit) -> dict[str, str]:
            return {p: b.oid for p, b in commit.tree.items() if p == path or p.startswith(path + "/")}

        for commit in self.history():
            if commit.parent is None or below(commit) != below(commit.parent):
                return commit
        raise AssertionError("a history ends in a commit without parent")

    @property
    def card(self) -> dict[str, object]:
        """The front matter of the model card."""
        blob = self.tree.get("README.md")
        return (front_matter(blob.data.decode()) or {}) if blob else {}

    @property
    def config(self) -> dict[str, object]:
        """The fields of `config.json` that the Hub repeats in a model's info."""
        blob = self.tree.get("config.json")
        try:
            content = json.loads(blob.data) if blob else {}
        except ValueError:
            content = {}
        return {key: content[key] for key in ("architectures", "model_type", "auto_map") if key in content}


def front_matter(text: str) -> dict[str, object] | None:
    """Return the YAML mapping at the head of a card, None if there is none; `ValueError` if it is broken."""
    if not text.startswith("---\n"):
        return None
    head, closed, _ = text[4:].partition("\n---")
    try:
        content = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise ValueError(f"Invalid YAML: {error}") from error
    if not closed or not isinstance(content, dict):
        raise ValueError("The front matter is not a closed YAML mapping")
    return content


@dataclass(frozen=True)
class Account:
    """Whom a token stands for, and what it may do."""

    user: str
    role: str = "write"
    orgs: tuple[str, ...] = ()
    label: str = "token"

    def owns(self, namespace: str) -> bool:
        """Tell whether a namespace is the user's own or an organisation of theirs."""
        return namespace == self.user or namespace in self.orgs

    def writes(self, namespace: str) -> bool:
        """Tell whether this token may write into a namespace."""
        return self.role == "write" and self.owns(namespace)


class Repository:
    """Branches and tags over commits, and who may see them."""

    def __init__(self, repo_id: str, private: bool, author: str):
        self.repo_id, self.private = repo_id, private
        self.namespace, self.name = repo_id.split("/")
        self.gated: str | bool = False
        self.granted: set[str] = set()
        first = Commit({".gitattributes": Blob(GITATTRIBUTES.encode())}, "initial commit", "", author)
        self.commits = {first.oid: first}
        self.branches, self.tags = {"main": first.oid}, dict[str, str]()

    def at(self, revision: str = "main") -> Commit:
        """Return the commit that a branch, a tag or a commit id names."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]

    def commit(self, branch: str, tree: Tree, title: str, message: str, author: str) -> Commit:
        """Add a commit to a branch."""
        new = Commit(dict(tree), title, message, author, self.at(branch))
        self.commits[new.oid] = new
        self.branches[branch] = new.oid
        return new

    def visible(self, account: Account | None) -> bool:
        """Tell whether somebody may know that the repository exists."""
        return not self.private or (account is not None and account.owns(self.namespace))

    def open_to(self, account: Account | None) -> bool:
        """Tell whether somebody may read files: in a gated repository only who was let in."""
        if not self.gated:
            return True
        return account is not None and (account.owns(self.namespace) or account.user in self.granted)

    def stores_as_lfs(self, revision: str, path: str, sample: bytes, size: int, threshold: int) -> bool:
        """Decide as the Hub does: by `.gitattributes`, by size, and whatever is not text."""
        attributes = self.at(revision).tree.get(".gitattributes")
        lines = attributes.data.decode().splitlines() if attributes else []
        patterns = [line.split()[0] for line in lines if "filter=lfs" in line]
        by_name = any(
            fnmatch.fnmatch(path, p) or fnmatch.fnmatch(path.rpartition("/")[2], p) for p in patterns
        )
        return by_name or size >= threshold or b"\0" in sample
