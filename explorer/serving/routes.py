"""``/health/live``, ``/health/ready``, ``/health`` and ``/metrics`` beside the app's own routes."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from explorer import __version__
from explorer.serving.metrics import render
from explorer.serving.readiness import ReadinessProbe

NO_STORE = {"Cache-Control": "no-store"}


def routes(visitors: Callable[[], int], probe: ReadinessProbe | None = None) -> list[Route]:
    """The routes.

    Args:
        visitors: Gives the number of open sessions.
        probe: What "ready" means; None for the checks of this program.
    """
    asked = probe or ReadinessProbe()

    async def live(_request: Request) -> Response:
        """The event loop turns; nothing else is looked at."""
        return JSONResponse({"live": True}, headers=NO_STORE)

    async def ready(_request: Request) -> Response:
        found = await asked.ask()
        return _json({"ready": found.ready, "checks": dict(found.checks)}, found.ready)

    async def health(_request: Request) -> Response:
        found = await asked.ask()
        document = {
            "live": True,
            "ready": found.ready,
            "checks": dict(found.checks),
            "version": __version__,
        }
        return _json(document, found.ready)

    async def metrics(_request: Request) -> Response:
        # On a thread: it looks into folders and asks the system for memory.
        text = await run_in_threadpool(render, visitors)
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers=NO_STORE)

    return [
        Route("/health", health),
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]


def _json(document: dict[str, object], ready: bool) -> Response:
    return JSONResponse(document, status_code=200 if ready else 503, headers=NO_STORE)
