"""How wide the visitor's page is, so that labels can be placed where they fit.

A tiny component reports the width of the main area in a few steps; until it has, a phone is known
by its own header and everything else is taken for a laptop. Most visitors cause no second run.
"""

from __future__ import annotations

import streamlit as st

STEPS = (360, 600, 820, 1080, 1400, 1800)
LAPTOP, PHONE = 1080, 360

_SCRIPT = """
export default function ({ parentElement, data, setStateValue }) {
  const main = document.querySelector(".stMainBlockContainer");
  if (!main) return;
  const inner = () => {
    const style = getComputedStyle(main);
    return main.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };
  const step = () => data.steps.filter((width) => width <= inner()).pop() ?? data.steps[0];
  let told = data.now;
  const tell = () => {
    const width = step();
    if (width !== told) setStateValue("width", (told = width));
  };
  let timer = 0;
  const watcher = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(tell, 250);
  });
  watcher.observe(main);
  tell();
  return () => { clearTimeout(timer); watcher.disconnect(); };
}
"""

_component = None


def viewport_width() -> int:
    """Pixels of the main area, rounded down to one of ``STEPS``."""
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        _component = st.components.v2.component("explorer_viewport", js=_SCRIPT)
    phone = st.context.headers.get("Sec-Ch-Ua-Mobile") == "?1"
    now = st.session_state.get("_width", PHONE if phone else LAPTOP)
    state = _component(
        key="_viewport", data={"steps": list(STEPS), "now": now}, default={"width": now},
        height=1, on_width_change=lambda: None,
    )  # fmt: skip
    width = int(state.width or now)
    st.session_state["_width"] = width
    return width
