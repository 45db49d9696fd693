"""Ask the Hub: passing failures are tried again, refusals come with advice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalTokenNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo

from ..errors import RegistryError, TransferError

T = TypeVar("T")
ErrorT = TypeVar("ErrorT", bound=Exception)

_WAITS = (0.5, 1.0)  # seconds between attempts
# The client is built on httpx or on its successor, depending on its version, and lets their errors through.
_HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
# About the user's request, not about the answer.
_USERS = (HFValidationError,)
_LOG_IN = "run `hf auth login`, or set HF_TOKEN to a token from https://huggingface.co/settings/tokens"


def ask(call: Callable[[], T], repo_id: str) -> T:
    """Return the result of a call of the client, and try again after failures that may pass.

    Parameters
    ----------
    call : callable
        Asks the Hub; may be called several times.
    repo_id : str
        The repository it is about, for messages.

    Raises
    ------
    huggingface_hub.errors.HfHubHTTPError
        If the Hub refuses: the client's own error with advice added.
    huggingface_hub.errors.LocalTokenNotFoundError
        If a token is needed and there is none, with advice added.
    TransferError
        If every attempt ended in a broken connection, a server error or an incomplete file, the Hub cannot be
        reached, or its answer does not fit the request.
    """
    for wait in (*_WAITS, None):
        try:
            return call()
        except RegistryError:
            raise
        except HfHubHTTPError as error:
            if error.response.status_code < 500:
                raise with_advice(error, _advice(error, repo_id)) from error.__cause__
            failure: Exception = error
        except LocalTokenNotFoundError as error:
            raise with_advice(error, f"To log in, {_LOG_IN}.") from error.__cause__
        except _HTTP_ERROR as error:
            failure = error
        except RuntimeError as error:
            if isinstance(error, RecursionError):
                raise _misunderstood(error, repo_id) from error
            if not isinstance(error.__cause__, _HTTP_ERROR):
                raise
            failure = error.__cause__
            break  # an upload, which the client has tried again itself
        except OSError as error:
            if error.errno is not None:  # of this machine, such as a full disk
                raise
            failure = error
        except _USERS:
            raise
        except Exception as error:  # the client computes with the answer, whatever it holds
            raise _misunderstood(error, repo_id) from error
        if wait is not None:
            time.sleep(wait)

    if _is_unreachable(failure):
        raise TransferError(
            f"{repo_id}: {constants.ENDPOINT} cannot be reached from this machine: {failure}\nCheck its connection, "
            "and HTTPS_PROXY and HF_ENDPOINT where they are set. Files that were downloaded completely are kept."
        ) from failure
    raise TransferError(
        f"{repo_id}: the Hub did not answer as it should in several attempts; the last ended in "
        f"{type(failure).__name__}: {failure}\nNothing is broken on this machine: try again later. "
        "Files that were downloaded completely are kept."
    ) from failure


@contextmanager
def understood(repo_id: str) -> Iterator[None]:
    """Raise a `TransferError` where the code within cannot work with the Hub's answer."""
    try:
        yield
    except (RegistryError, OSError, *_USERS):
        raise
    except RuntimeError as error:
        if not isinstance(error, RecursionError):
            raise
        raise _misunderstood(error, repo_id) from error
    except (LookupError, TypeError, AttributeError, AssertionError, ValueError, ArithmeticError) as error:
        raise _misunderstood(error, repo_id) from error


def commit_of(info: ModelInfo) -> str:
    """Return the commit that the Hub told of.

    Raises
    ------
    TransferError
        If it is none.
    """
    if not isinstance(info.sha, str) or not re.fullmatch("[0-9a-f]{40}", info.sha):
        raise TransferError(f"the Hub names {info.sha!a:.80} as a commit, expected 40 hexadecimal digits")
    return info.sha


def _misunderstood(error: Exception, repo_id: str) -> TransferError:
    # In ASCII: the answer may hold halves of surrogate pairs, and sequences that control a terminal.
    told = ascii(f"{type(error).__name__}: {error}")[1:-1]
    return TransferError(
        f"{repo_id}: {constants.ENDPOINT} gave an answer that does not fit the request ({told:.300})\nIs it the "
        "Hub, or a proxy or a log-in page before it? Check HF_ENDPOINT and HTTPS_PROXY where they are set. Files that "
        "were downloaded completely are kept."
    )


def _is_unreachable(error: BaseException) -> bool:
    """Tell whether no connection was made at all: then nothing is known of the Hub."""
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(names & {"ConnectError", "ConnectTimeout", "ProxyError"})


def with_advice(error: ErrorT, advice: str) -> ErrorT:
    """Append a line to an error's message."""
    if advice:
        error.args = (f"{error.args[0] if error.args else ''}\n{advice}", *error.args[1:])
    return error


def _advice(error: HfHubHTTPError, repo_id: str) -> str:
    if isinstance(error, GatedRepoError):
        return f"Access to {repo_id} is granted on its page. Once it is, {_LOG_IN}."
    if isinstance(error, RepositoryNotFoundError):
        return f"Is {repo_id!r} spelt correctly? If it is private, {_LOG_IN}."
    if isinstance(error, RevisionNotFoundError):
        return f"{repo_id} exists, but has no such branch, tag or commit."
    if error.response.status_code == 401:
        return f"The token is not valid, or not any more. To renew it, {_LOG_IN}."
    if error.response.status_code == 403:
        return f"The token does not allow this. For a token that does, {_LOG_IN}."
    return ""
