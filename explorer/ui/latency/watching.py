"""The element in which a running measurement is watched; it fetches what it shows by itself."""

from __future__ import annotations

import streamlit as st

from explorer.charts.live_timing import STYLE as CHARTS_STYLE
from explorer.engine import Job
from explorer.ui.jobs import owner
from explorer.ui.latency.feed import FOLDER, STYLE, open_feed

#: Milliseconds between two looks; a worker reports four times a second.
LOOK_EVERY = 400
_FEED = "_latency_feed"

# ``st.html`` takes the paths of SVG away. The text holds our own numbers and escaped words only.
_SCRIPT = """
export default function ({ parentElement, data, setTriggerValue }) {
  const place = parentElement.querySelector(".live-place");
  place.innerHTML = data.html;
  window.explorerStopsWatching?.(); // this runs again with every run of the page, and once will do
  const page = location.pathname.replace(/[/]+$/, "");
  const address = page.slice(0, page.lastIndexOf("/") + 1) + data.address;
  let [gone, failures, timer] = [false, 0, 0];
  const look = async () => {
    const begin = performance.now();
    try {
      const now = await (await fetch(address, { cache: "no-store" })).json();
      if (gone || !place.isConnected) return;
      if (now.over) {
        setTriggerValue("over", true);
        return;
      }
      failures = 0;
      place.innerHTML = now.html;
    } catch {
      failures += 1; // the server is busy, or restarts: Streamlit itself says so
    }
    const wait = failures ? 1000 : Math.max(50, data.every - (performance.now() - begin));
    if (!gone && failures < 30) timer = setTimeout(look, wait);
  };
  timer = setTimeout(look, data.every);
  const stop = () => { gone = true; clearTimeout(timer); };
  window.explorerStopsWatching = stop;
  return stop;
}
"""

_component = None


def watch_measurement(job: Job, label: str) -> None:
    """Shows a measurement until it is over, and then has the page run once.

    Args:
        job: The measurement, queued or running.
        label: What is being done.
    """
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        # Not apart from the page's styles: those of the number are the page's.
        _component = st.components.v2.component(
            "explorer_watching", html='<div class="live-place"></div>', css=STYLE + CHARTS_STYLE,
            js=_SCRIPT, isolate_styles=False,
        )  # fmt: skip
    known, token = st.session_state.get(_FEED, ("", None))
    token, feed = open_feed(token if known == job.id else None, job, owner(), label)
    st.session_state[_FEED] = (job.id, token)
    _component(
        key="latency-watching",
        data={"html": feed.html(), "address": f"{FOLDER}/{token}", "every": LOOK_EVERY},
        on_over_change=lambda: None,
    )
