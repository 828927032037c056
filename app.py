"""ConvNet Explorer's entry point: ``streamlit run app.py``."""

import streamlit as st

from explorer.serving.routes import routes
from explorer.ui.faults import show_fault
from explorer.ui.latency.feed import feed_routes
from explorer.ui.lifecycle import lifespan
from explorer.ui.sessions import visitors

app = st.App(
    "explorer/ui/shell.py",
    lifespan=lifespan,
    routes=[*routes(visitors), *feed_routes()],
    on_script_error=show_fault,
)
