"""Surveys as one resumable job: costs of every network, timings, quality of attribution maps.

``survey`` says what is surveyed, ``folder`` keeps its rows so that a kill costs only what was
running, ``crew`` gives the items to the engine's workers, ``costs``, ``attribution`` and
``latency`` are the three surveys, ``command`` is ``python -m explorer atlas``.

Imports nothing: ``arguments`` must be there for ``python -m explorer doctor`` where packages miss.
"""
