"""A button that puts a text on the visitor's clipboard."""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.title = data.text;
  const by_hand = () => {  // pages served without TLS have no clipboard of their own
    const area = document.createElement("textarea");
    area.value = data.text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(data.text); } catch { by_hand(); }
    button.textContent = data.done;
    setTimeout(() => { button.textContent = data.label; }, 1800);
  };
}
"""
_STYLE = """
button { font: inherit; font-size: 0.95rem; padding: 0.3rem 0.8rem; cursor: pointer;
  color: var(--st-text-color); background: transparent; border-radius: 0.5rem;
  border: 1px solid var(--st-border-color, rgba(128, 132, 142, 0.5)); }
button:hover { color: var(--st-primary-color); border-color: var(--st-primary-color); }
button:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
"""

_component = None


def copy_button(text: str, label: str, done: str, key: str) -> None:
    """Draws the button; the text is also its tooltip.

    Args:
        text: What is copied.
        label: On the button.
        done: On the button after the click.
        key: Unique on the page.
    """
    global _component  # noqa: PLW0603 - a component may be registered once per process only
    if _component is None:
        _component = st.components.v2.component(
            "explorer_copy", html="<button type='button'></button>", css=_STYLE, js=_SCRIPT
        )
    _component(key=key, data={"text": text, "label": label, "done": done})
