"""What the two servers of this folder share: the limits of a request, its series, and the answers of a batch."""

import asyncio
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect
from transformers import Pipeline, pipeline

import registry

# A name of the zoo, a folder, or a name on the Hub.
MODEL = os.environ.get("MODEL", "chainhead-japanese-vowels")
# The most bytes of a body, and steps of a series.
MAX_BYTES = int(os.environ.get("MAX_BYTES", "1000000"))
MAX_STEPS = int(os.environ.get("MAX_STEPS", "10000"))
# How long a client may take to send its body, and an answer with its time in the queue.
BODY_SECONDS = float(os.environ.get("BODY_SECONDS", "10"))
ANSWER_SECONDS = float(os.environ.get("ANSWER_SECONDS", "30"))
# The most requests that wait, and series that are computed at once.
MAX_WAITING = int(os.environ.get("MAX_WAITING", "1000"))
BATCH_SIZE = int(os.environ.get("BATCH_SIZE", "32"))


def load() -> Pipeline:
    """Load the model; one thread, so that processes side by side do not take each other's."""
    registry.load_plugins()
    torch.set_num_threads(1)
    return pipeline("time-series-classification", model=MODEL, device="cpu")


async def series_of(request: Request) -> list[Any]:
    """Read the body {"series": [[…], …]}; raise an HTTPException that says what is wrong with it."""
    try:
        body = await asyncio.wait_for(_body_of(request), BODY_SECONDS)
        series = json.loads(body)["series"]
    except asyncio.TimeoutError:
        raise HTTPException(408, f"the body took more than {BODY_SECONDS:g} seconds") from None
    except ClientDisconnect:
        raise HTTPException(400, "the connection ended before the body did") from None
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is no JSON: {error}") from None
    except (KeyError, TypeError):
        raise HTTPException(422, 'expected an object with "series", the values of every step') from None
    if not isinstance(series, list) or not series:
        raise HTTPException(422, f'"series" is of type {type(series).__name__}, expected a list of steps')
    if len(series) > MAX_STEPS:
        raise HTTPException(413, f"the series has {len(series)} steps, at most {MAX_STEPS} are answered")
    return series


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"the body has more than {MAX_BYTES} bytes")
    return bytes(body)


def answers_of(classify: Pipeline, batch: Sequence[list[Any]]) -> list[Any]:
    """Return the answer to every series, or the error of one that does not fit the model: it spoils no other."""
    results = iter(classify((series for series in batch), batch_size=len(batch)))
    return [_next_of(results) for _ in batch]


def _next_of(results: Iterator[Any]) -> Any:
    try:
        return next(results)
    except (TypeError, ValueError) as error:
        # A client sent one series, and knows no numbers within a batch.
        return type(error)(re.sub(r"\bsequence \d+\b", "the series", str(error), count=1))
