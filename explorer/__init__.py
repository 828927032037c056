"""ConvNet Explorer: real image-classification networks, opened, counted, explained and timed.

A map of the modules, from the bottom up; arrows point down only, and a test holds them to it:

* ``errors``, ``i18n``, ``settings``: what everything else may use.
* ``catalog``: WHAT can be explored, as data. ``networks``: architectures written from papers.
* ``results``, ``graph``, ``requests``: the frozen dataclasses that travel between processes.
* ``weights``: where a network's weights are, without loading them. ``zoo``: entry → module.
* ``pool``: loaded models under a byte budget. ``trace``: module + input → ``LayerGraph``.
* ``costs``, ``attribution``, ``latency``: the analyses; they do not import each other.
* ``tasks``, ``engine``, ``worker``: heavy calls as picklable requests, run off the script thread.
* ``atlas``: surveys over many networks through the engine, from the command line.
* ``charts``: result objects → Plotly figures; neither torch nor streamlit.
* ``ui``: the only importer of streamlit besides ``app.py`` and ``pages/``.

Importing this package imports nothing heavy.
"""

__version__ = "0.1.0"
