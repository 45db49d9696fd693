"""Answers series over HTTP, those that wait together as one batch: uvicorn fastapi_server:app --port 8000."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from requests_for_series import (
    ANSWER_SECONDS,
    BATCH_SIZE,
    MAX_WAITING,
    MODEL,
    answers_of,
    load,
    series_of,
)
from transformers import Pipeline

Waiting = asyncio.Queue[tuple[list[Any], asyncio.Future[Any]]]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model before the first request; what waits when the server is told to stop is still answered."""
    app.state.waiting = Waiting(MAX_WAITING)
    app.state.worker = asyncio.create_task(answer(await asyncio.to_thread(load), app.state.waiting))
    yield
    app.state.worker.cancel()


async def answer(classify: Pipeline, waiting: Waiting) -> None:
    """Answer whatever has come while the last batch was computed: a single request does not wait for others."""
    while True:
        batch = [await waiting.get()]
        while len(batch) < BATCH_SIZE and not waiting.empty():
            batch.append(waiting.get_nowait())
        batch = [entry for entry in batch if not entry[1].done()]  # without those that have given up
        try:
            answers = await asyncio.to_thread(answers_of, classify, [series for series, _ in batch])
        except (
            Exception
        ) as error:  # a model out of memory, say: told to these clients, and the server goes on
            answers = [error] * len(batch)
        for (_, future), result in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(result)


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> dict[str, Any]:
    """Return {"answer": [{"label": …, "score": …}]} for {"series": [[…], …]}."""
    series = await series_of(request)
    future = asyncio.get_running_loop().create_future()
    try:
        app.state.waiting.put_nowait((series, future))
        result = await asyncio.wait_for(future, ANSWER_SECONDS)
    except asyncio.QueueFull:
        raise HTTPException(503, f"{MAX_WAITING} requests wait already", {"Retry-After": "1"}) from None
    except asyncio.TimeoutError:
        raise HTTPException(504, f"no answer within {ANSWER_SECONDS:g} seconds") from None
    if isinstance(result, (TypeError, ValueError)):
        raise HTTPException(422, str(result))
    if isinstance(result, Exception):
        raise HTTPException(500, f"the model failed: {type(result).__name__}")
    return {"answer": result}


@app.get("/health")
async def health() -> dict[str, Any]:
    """Return the model and the number of requests that wait; an error if nothing would be answered."""
    if app.state.worker.done():
        raise HTTPException(503, "the worker has stopped")
    return {"model": MODEL, "waiting": app.state.waiting.qsize()}
