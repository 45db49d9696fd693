"""The state behind the loopback Hub's routes: repositories, tokens, large files and permissions."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub_http import Request
from hub_store import Account, Blob, HubError, Repository


@dataclass
class HubState:
    """Everything a Hub knows.

    Attributes
    ----------
    lfs_threshold : int
        From this size on a file is stored as LFS, whatever its name.
    part_size : int or None
        LFS files above this size are uploaded in parts of it; None for always in one piece.
    page_size : int
        Entries on a page of a listing.
    objects, parts : dict
        Large files by SHA-256, and the parts of those on their way.
    endpoint, cdn : str
        Where the Hub and its storage host listen.
    nonsense : tuple of str and int, optional
        A pattern of "METHOD path", and the number of the answer of `hub_nonsense` that such requests get.
    lies : Mapping[str, str]
        Headers in the place of the true headers of files.
    """

    lfs_threshold: int
    part_size: int | None
    page_size: int
    endpoint: str = ""
    cdn: str = ""
    repos: dict[str, Repository] = field(default_factory=dict)
    accounts: dict[str, Account | None] = field(default_factory=dict)
    objects: dict[str, Blob] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    nonsense: tuple[str, int] | None = None
    lies: Mapping[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def account(self, request: Request) -> Account | None:
        """Return whose token a request carries, None without one; bad tokens are refused, even for public files."""
        _, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return None
        if token not in self.accounts:
            raise HubError(401, "Invalid credentials in Authorization header")
        account = self.accounts[token]
        if account is None:
            raise HubError(401, f'User Access Token "{token}" is expired')
        return account

    def signed_in(self, request: Request) -> Account:
        """Return the account of a request that needs one."""
        account = self.account(request)
        if account is None:
            raise HubError(401, "Invalid username or password.")
        return account

    def readable(self, request: Request, repo_id: str) -> Repository:
        """Return a repository that the request may know of; a private one looks like a missing one."""
        account = self.account(request)
        repo = self.repos.get(repo_id)
        if repo is None or not repo.visible(account):
            if account is None:
                raise HubError(401, "Invalid username or password.", "RepoNotFound")
            raise HubError(404, "Repository not found", "RepoNotFound")
        return repo

    def open(self, request: Request, repo_id: str) -> Repository:
        """Return a repository whose files the request may read."""
        repo, account = self.readable(request, repo_id), self.account(request)
        if repo.open_to(account):
            return repo
        restricted = f"Access to model {repo_id} is restricted"
        if account is None:
            advice = "You must have access to it and be authenticated to access it. Please log in."
            raise HubError(401, f"{restricted}. {advice}", "GatedRepo")
        advice = f"and you are not in the authorized list. Visit {self.endpoint}/{repo_id} to ask for access."
        raise HubError(403, f"{restricted} {advice}", "GatedRepo")

    def writable(self, request: Request, repo_id: str) -> tuple[Repository, Account]:
        """Return a repository that the request may change, and who asks."""
        repo = self.readable(request, repo_id)
        account = self.signed_in(request)
        if not account.writes(repo.namespace):
            raise HubError(403, f"You don't have the required permissions to write to {repo_id}")
        return repo, account
