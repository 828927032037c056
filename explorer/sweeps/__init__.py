"""Many measurements one after another: ``choosing`` the models, ``running`` the loop, ``command``.

Imports nothing: ``arguments`` must be there for ``python -m explorer doctor`` where packages miss.
"""
