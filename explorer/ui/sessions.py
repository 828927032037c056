"""How many visitors have the app open; the one thing about sessions that the operator is told."""

from __future__ import annotations

from streamlit import runtime


def visitors() -> int:
    """Open sessions; 0 where no server runs (a test, a script)."""
    if not runtime.exists():
        return 0
    # Streamlit counts them for its own metrics and has no public word for it. What stands in for
    # the runtime in an AppTest has no sessions.
    manager = getattr(runtime.get_instance(), "_session_mgr", None)
    return 0 if manager is None else int(manager.num_active_sessions())
