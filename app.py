"""ConvNet Explorer's entry point: ``streamlit run app.py``."""

import streamlit as st

from explorer.ui.lifecycle import lifespan

app = st.App("explorer/ui/shell.py", lifespan=lifespan)
