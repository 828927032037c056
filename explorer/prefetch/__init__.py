"""``python -m explorer prefetch``: weights and traces fetched before the network is gone.

``choosing`` says what is wanted, ``fetching`` gets it, ``command`` shows it; ``arguments`` is all
that is imported where nothing is installed yet.
"""
