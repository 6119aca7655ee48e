"""How long ``POST /api/v1/score`` takes: one lead with about 100 touches, and 1,000 leads in one call.

``python -m tests.benches.online HOME [--calls 500]`` with a ranked demo; in this process, and over HTTP.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx
import numpy as np
import pyarrow.parquet as pq
import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines import online
from pipelines import params as parameters
from serve.online.standing import Standing
from serve.runs import current
from serve.views.scope import EVERYTHING
from serve.web.listening import listening
from tests.benches.report import conditions
from tests.serve.telling import Telling

screen = Console(width=120)
NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
TOUCHES = 100
WARM = 20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("home", type=Path)
    options.add_argument("--calls", type=int, default=500)
    given = options.parse_args()
    screen.print(conditions())
    params = parameters.load(given.home / "params.yaml")
    run = current(given.home / params.score.runs)
    assert run is not None
    telling = Telling(params, given.home)
    leads = pq.read_table(run.folder / "ranking.parquet").column("lead_id").to_pylist()
    lead = min(leads, key=lambda one: abs(telling.touches(one) - TOUCHES))
    one, many = telling.of([lead], run.as_of), telling.of(leads[:1000], run.as_of)
    standing = online.standing(params, given.home)
    began = time.perf_counter()
    standing.prepare()
    screen.print(
        f"ready after {time.perf_counter() - began:.1f} s; the lead has {telling.touches(lead)} touches"
    )
    _told("in process", lambda body: standing.answer(body, EVERYTHING, NIGHT), one, many, given.calls)
    with _Served(standing) as served:
        _told("over HTTP", served.asked, one, many, given.calls)
    standing.close()


def _told(how: str, ask: Callable[[bytes], bytes], one: bytes, many: bytes, calls: int) -> None:
    times = np.array([_seconds(ask, one) for _ in range(WARM + calls)])[WARM:] * 1000
    p50, p99 = np.percentile(times, [50, 99])
    screen.print(f"{how}: one lead, {calls} calls: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    several = sorted(_seconds(ask, many) for _ in range(5))
    count = len(json.loads(ask(many))["leads"])
    screen.print(f"{how}: {count} leads, {len(many) / 1e6:.1f} MB: {several[2]:.2f} s (median of 5)")


def _seconds(ask: Callable[[bytes], bytes], body: bytes) -> float:
    began = time.perf_counter()
    ask(body)
    return time.perf_counter() - began


class _Served:
    """The route behind uvicorn, with nobody to log in."""

    def __init__(self, standing: Standing) -> None:
        async def score(request: Request) -> Response:
            content = await request.body()
            answer = await run_in_threadpool(standing.answer, content, EVERYTHING, NIGHT)
            return Response(answer, media_type="application/json")

        app = Starlette(routes=[Route("/api/v1/score", score, methods=["POST"])])
        self._socket = listening("127.0.0.1", 0)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self._socket.getsockname()[1]}", timeout=60)
        return self

    def asked(self, body: bytes) -> bytes:
        answer = self._client.post(
            "/api/v1/score", content=body, headers={"Content-Type": "application/json"}
        )
        return answer.raise_for_status().content

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.should_exit = True
        self._thread.join()


if __name__ == "__main__":
    main()
