"""The page about the server: what it is, what it may, how full it is."""
