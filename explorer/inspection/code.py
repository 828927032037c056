"""The source of a module's class, as the installed library has it."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

from explorer.errors import LayerError
from explorer.i18n import N_
from explorer.inspection.types import ClassCode

LONGEST_CODE = 250  # lines
# Where networks come from; the name of anything else is not imported.
PACKAGES = frozenset({"torch", "torchvision", "timm", "explorer"})


def class_code(source: str) -> ClassCode:
    """The code of a class.

    Args:
        source: "torchvision.models.resnet.Bottleneck", as ``ModuleNode.source``.

    Raises:
        LayerError: There is no such class in the libraries of networks, or its code is not there.
    """
    package = source.partition(".")[0]
    try:
        found = _class(source) if package in PACKAGES else None
        if found is None:
            raise LookupError(source)
        lines, first = inspect.getsourcelines(found)
        path = Path(inspect.getsourcefile(found) or "")
    except (ImportError, AttributeError, LookupError, OSError, TypeError) as error:
        raise LayerError(
            N_("The code of {name} is not on this machine; choose another layer."), name=source
        ) from error
    root = Path(inspect.getsourcefile(importlib.import_module(package)) or "").parent.parent
    shown = "".join(lines[:LONGEST_CODE]).rstrip()
    version = getattr(importlib.import_module(package), "__version__", "")
    return ClassCode(
        source=source,
        file=path.relative_to(root).as_posix(),
        line=max(first, 1),
        text=inspect.cleandoc("\n" + shown),
        lines=len(lines),
        version=str(version),
    )


def _class(source: str) -> type | None:
    """The class by its qualified name; the module is as much of the name as can be imported."""
    parts = source.split(".")
    for split in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:split]))
        except ImportError:
            continue
        for name in parts[split:]:
            found = getattr(found, name)
        return found if isinstance(found, type) else None
    return None
