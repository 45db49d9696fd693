"""Answers series over HTTP on all machines of a Ray cluster: serve run ray_server:app."""

import asyncio
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from ray import serve
from requests_for_series import BATCH_SIZE, MAX_WAITING, MODEL, answers_of, load, series_of

api = FastAPI()


@serve.deployment(
    num_replicas=1,  # or "auto"; every one has a model of its own
    max_ongoing_requests=2 * BATCH_SIZE,  # of a replica: a batch that is computed, and the next
    max_queued_requests=MAX_WAITING,  # beyond which Ray Serve answers 503
    ray_actor_options={"num_cpus": 1},
)
@serve.ingress(api)
class Classifier:
    """A replica of the server."""

    def __init__(self) -> None:
        self.classify = load()

    @serve.batch(max_batch_size=BATCH_SIZE, batch_wait_timeout_s=0)
    async def answers(self, batch: list[list[Any]]) -> list[Any]:
        """Return an answer, or an error, for every series."""
        return await asyncio.to_thread(answers_of, self.classify, batch)

    @api.post("/predict")
    async def predict(self, request: Request) -> dict[str, Any]:
        """Return {"answer": [{"label": …, "score": …}]} for {"series": [[…], …]}."""
        result = await self.answers(await series_of(request))
        if isinstance(result, (TypeError, ValueError)):
            raise HTTPException(422, str(result))
        return {"answer": result}

    @api.get("/health")
    async def health(self) -> dict[str, Any]:
        """Return the model; Ray Serve's own /-/healthz tells of the proxy."""
        return {"model": MODEL}


app = Classifier.bind()
