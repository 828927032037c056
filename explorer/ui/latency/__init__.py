"""The latency page's parts: controls, the number, the live measurement, and what is kept."""
