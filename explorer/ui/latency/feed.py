"""A running measurement over an address of its own: the browser asks there for what has changed.

A fragment that reruns several times a second has Streamlit's whole page looked through each time,
in the browser that stands beside the measurement on the same machine: a quarter of a core, which
the times showed. What is fetched here goes into one element, and the page learns of nothing until
the measurement is over.

An address is known to the visitor's page only (128 random bits) and ends with the measurement.
Asking is what says that somebody still waits: a job whose page is gone loses its lease as ever.
"""

from __future__ import annotations

import html
import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from explorer.charts.live_timing import live_charts
from explorer.engine import Job
from explorer.i18n import language, set_language
from explorer.latency_results import LatencyResult
from explorer.ui.jobs import describe
from explorer.ui.latency.headline import headline_html, notes_while_running
from explorer.ui.text import sentence

FOLDER = "latency-live"
MOST = (
    500  # measurements watched at once; who is forgotten gets another address by a run of the page
)
STYLE = """
.live-place { contain: content; }
.live-state { font-size: 0.95rem; margin-bottom: 0.8rem; }
.live-state .bar { height: 0.5rem; border-radius: 0.25rem; margin-top: 0.3rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 15%, transparent); }
.live-state .bar div { height: 100%; background: var(--st-primary-color, #1f5fbf); }
.live-note { font-size: 0.95rem; margin: 0.6rem 0; padding: 0.5rem 0.8rem; border-radius: 0.4rem;
  border-left: 0.25rem solid #d98200;
  background: color-mix(in srgb, #d98200 12%, transparent); }
"""


@dataclass(frozen=True, slots=True)
class Feed:
    """What somebody watches.

    Attributes:
        job: The measurement.
        owner: Who watches, for the engine.
        label: What is being done, in the visitor's language.
        language: That language.
    """

    job: Job
    owner: str
    label: str
    language: str

    def over(self) -> bool:
        """Whether the measurement has ended; asked for, so it is waited for."""
        return self.job.status(self.owner).finished

    def html(self) -> str:
        """All that is known so far."""
        set_language(self.language)
        status = self.job.status(self.owner)
        share = round(100 * min(max(status.fraction or 0.0, 0.0), 1.0), 1)
        text = html.escape(describe(status, self.label))
        parts = [
            f'<div class="live-state">{text}<div class="bar" role="progressbar" aria-valuemin="0" '
            f'aria-valuemax="100" aria-valuenow="{share}" aria-label="{text}">'
            f'<div style="width:{share}%"></div></div></div>'
        ]
        partial: LatencyResult | None = status.partial
        if partial is not None and partial.series and len(partial.series[-1].seconds):
            series = partial.series[-1]
            parts.append(headline_html(partial, series))
            parts += [
                f'<div class="live-note">{html.escape(sentence(note))}</div>'
                for note in notes_while_running(series)
            ]
            parts.append(live_charts(series))
        return "".join(parts)


_feeds: OrderedDict[str, Feed] = OrderedDict()
_lock = threading.Lock()


def open_feed(token: str | None, job: Job, owner: str, label: str) -> tuple[str, Feed]:
    """The address under which a job is watched, and what is seen there.

    Args:
        token: That of an earlier run of the page for the same job; None for a new one.
        job: The measurement.
        owner: Who watches.
        label: What is being done, in the visitor's language.
    """
    token = token or uuid.uuid4().hex
    feed = Feed(job, owner, label, language())
    with _lock:
        # Whose page was closed never learns that it is over, and its job holds all raw times.
        for ended in [one for one, other in _feeds.items() if other.job.status().finished]:
            del _feeds[ended]
        _feeds[token] = feed
        _feeds.move_to_end(token)
        while len(_feeds) > MOST:
            _feeds.popitem(last=False)
    return token, feed


def _look(token: str) -> dict[str, object]:
    with _lock:
        feed = _feeds.get(token)
    if feed is None or feed.over():
        with _lock:
            _feeds.pop(token, None)
        return {"over": True}
    return {"over": False, "html": feed.html()}


async def _answer(request: Request) -> Response:
    found = await run_in_threadpool(_look, request.path_params["token"])
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def feed_routes() -> list[Route]:
    """Below the app's own path, wherever a proxy has put it."""
    return [
        Route(f"/{FOLDER}/{{token}}", _answer),
        Route(f"/{{base:path}}/{FOLDER}/{{token}}", _answer),
    ]
