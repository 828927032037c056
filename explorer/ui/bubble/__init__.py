"""The front page: what is drawn, how, and what can be done with it."""
