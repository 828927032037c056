"""What the operator of a server sees: health, metrics, logs. No page, and no streamlit."""
