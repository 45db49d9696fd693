"""A Hub on the loopback interface, to which the real `huggingface_hub` client pushes and from which it pulls.

`LoopbackHub` listens on two ports of 127.0.0.1, one for the Hub and one for the host of large files, so that redirects
cross origins as on the real Hub. It supports models, but not datasets; LFS, but not Xet (clients set
`HF_HUB_DISABLE_XET=1`); and no pull requests. `hub_client.run_client` runs clients against it.
"""

import re
from types import TracebackType

import hub_files  # noqa: F401  (adds its routes)
from hub_faults import Faults
from hub_http import HubServer, Record, Reply, Request
from hub_nonsense import nonsense_for
from hub_routes import route
from hub_state import HubState
from hub_store import Account, Blob, HubError, Repository


class LoopbackHub:
    """A Hub in this process, for clients in other processes.

    Parameters
    ----------
    lfs_threshold, part_size, page_size
        See `HubState`; they may be changed at any time through `state`.

    Attributes
    ----------
    faults : Faults
        What is to go wrong.
    requests : list of Record
        What was asked, in order of arrival; may be cleared.
    state : HubState
        Repositories, tokens and files.

    Examples
    --------
    >>> with LoopbackHub() as hub:
    ...     token = hub.token("writer")
    ...     hub.faults.add("drop", r"/cdn/.*safetensors")
    ...     run_client("...", hub, token=token, home=tmp_path)
    """

    def __init__(
        self, *, lfs_threshold: int = 10 * 2**20, part_size: int | None = None, page_size: int = 1000
    ):
        self.state = HubState(lfs_threshold, part_size, page_size)
        self.faults = Faults()
        self.requests: list[Record] = []
        self._servers: list[HubServer] = []
        self._ports = {"hub": 0, "cdn": 0}

    def __enter__(self) -> "LoopbackHub":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """What clients have as `HF_ENDPOINT`; the same after a stop and a start."""
        return self.state.endpoint

    def start(self) -> None:
        """Listen, on the same ports as before."""
        for host, port in self._ports.items():
            server = HubServer(port, host, self._answer, self.faults, self.requests)
            self._ports[host] = server.port
            self._servers.append(server)
        self.state.endpoint = f"http://127.0.0.1:{self._ports['hub']}"
        self.state.cdn = f"http://127.0.0.1:{self._ports['cdn']}"

    def stop(self) -> None:
        """Close every connection and refuse new ones; repositories and tokens stay."""
        while self._servers:
            self._servers.pop().stop()

    def _answer(self, host: str, request: Request) -> Reply:
        if (host == "cdn") != request.path.startswith(("/cdn/", "/upload/")):
            return Reply.error(HubError(404, f"{request.path} is not on the {host} host"))
        try:
            if (reply := nonsense_for(self.state, request)) is not None:
                return reply
            return route.find(request)(self.state, request)
        except HubError as error:
            return Reply.error(error)

    def token(self, user: str, role: str = "write", orgs: tuple[str, ...] = ()) -> str:
        """Return a new token of a user.

        Parameters
        ----------
        user : str
            Whose; the namespace of the user's repositories.
        role : str
            "write", "read" or "expired".
        orgs : tuple of str
            Organisations the user belongs to, whose repositories they may write too.
        """
        if role not in ("write", "read", "expired"):
            raise ValueError(f"no token has the role {role!r}")
        token = f"hf_{user}_{role}_{len(self.state.accounts)}"
        self.state.accounts[token] = None if role == "expired" else Account(user, role, orgs, token)
        return token

    def repo(self, repo_id: str) -> Repository:
        """Return a repository, to look at its `at(revision).tree` or to set `private`, `gated`, `granted`."""
        return self.state.repos[repo_id]

    def publish(
        self, repo_id: str, files: dict[str, bytes], *, branch: str = "main", private: bool = False
    ) -> str:
        """Commit files without a client, creating the repository if needed; return the commit's id."""
        owner = repo_id.partition("/")[0]
        repo = self.state.repos.setdefault(repo_id, Repository(repo_id, private, owner))
        tree = dict(repo.at(branch).tree)
        for path, data in files.items():
            lfs = repo.stores_as_lfs(branch, path, data[:512], len(data), self.state.lfs_threshold)
            tree[path] = Blob(data, lfs)
            if lfs:
                self.state.objects[tree[path].sha256] = tree[path]
        return repo.commit(branch, tree, "Published by a test", "", repo.namespace).oid

    def asked(self, path: str = "", method: str = ".*") -> list[Record]:
        """Return the logged requests whose path contains the regular expression."""
        return [r for r in self.requests if re.search(path, r.path) and re.fullmatch(method, r.method)]
