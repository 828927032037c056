"""What can be said to ``python -m explorer prefetch``; imports nothing that may be missing."""

from __future__ import annotations

from typing import Any

WEIGHTS = ("default", "all", "none")


def add_prefetch(commands: Any) -> None:
    """Adds the command to a parser's commands."""
    prefetch = commands.add_parser(
        "prefetch",
        help="fetch weights and traces, so that they are there without a network",
        description=(
            "Downloads weights into the libraries' own caches, traces the networks, and says for "
            "each what will work offline. What is there is not fetched again: a run that was "
            "broken off goes on when it is started again."
        ),
    )
    add = prefetch.add_argument
    add("models", nargs="*", metavar="MODEL", help="ids, 'resnet*', or all: every plain id")
    add("--tour", action="store_true", help="what the steps of the talk mode show, too")
    add("--weights", choices=WEIGHTS, default="default",
        help="the first ones of each model, all of them, or none")  # fmt: skip
