"""Result objects → Plotly figures; imports neither torch, streamlit nor pandas.

Every chart is a pure function from plain results to a ``plotly.graph_objects.Figure`` in the light
template; ``theme.apply(figure, dark=True)`` gives the dark one. Plotly itself is imported on the
first figure. ``figure.layout.meta["alt"]`` is one sentence for screen readers.
"""
