"""The building blocks of networks, told by class: one sentence each, in English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from explorer.catalog.store import read_json


@dataclass(frozen=True, slots=True)
class Block:
    """A kind of block.

    Attributes:
        id: "bottleneck", "inception_a", …
        classes: Pattern of the class names that are this block.
        source: Pattern that "module.Class" has to contain; "" for any.
        sentences: Language → one sentence on what the block does.
    """

    id: str
    classes: str
    source: str
    sentences: dict[str, str]

    def matches(self, class_name: str, source: str) -> bool:
        """Whether a class is this block."""
        named = re.fullmatch(self.classes, class_name) is not None
        return named and (not self.source or re.search(self.source, source) is not None)


@cache
def blocks() -> tuple[Block, ...]:
    """All blocks that are explained; where several match a class, the first counts."""
    return tuple(
        Block(
            id=record["id"],
            classes=record["classes"],
            source=record["source"],
            sentences={"en": record["en"], "zh": record["zh"]},
        )
        for record in read_json("blocks.json")
    )


def find_block(class_name: str, source: str = "") -> Block | None:
    """The block that a module's class is; None when it is none that is explained.

    Args:
        class_name: "Bottleneck".
        source: "torchvision.models.resnet.Bottleneck": tells classes of one name apart.
    """
    return next((one for one in blocks() if one.matches(class_name, source)), None)
