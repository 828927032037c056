"""Networks of one's own: ``EXPLORER_MODELS=package.module:function`` names what lists them.

The function takes nothing and returns a list of ``OwnModel``, or a mapping of names to callables
that build a module (all else at its default). Its module is imported only where torch is: in the
workers and in the short-lived process that describes the networks to the server
(``explorer.own_describe``), never in the server itself.

    from explorer.own_models import OwnModel

    def models():
        return [OwnModel("tiny", TinyNet, input_size=(3, 64, 64), labels=("cat", "dog"))]
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError, OwnModelError
from explorer.i18n import N_
from explorer.settings import get_settings

if TYPE_CHECKING:
    from torch import nn

_log = logging.getLogger(__name__)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,59}")
_SETTING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
DATASETS = ("imagenet", "mnist", "cifar10", "other")


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A network of one's own, as the catalog shall have it.

    Attributes:
        name: Letters, digits and ``_ . + -``; the catalog's id is "own/NAME".
        build: Called without arguments, returns the ``nn.Module``; it takes one image tensor
            (N, C, H, W) and gives one tensor of scores (N, classes).
        input_size: (channels, height, width).
        labels: Names of the classes in the order of the scores; empty for those of ``dataset``.
        family: For search and colour.
        year: Of first publication; None for unknown.
        weights: A ``.safetensors`` file with the trained weights; None for an untrained network.
        dataset: What it classifies: "imagenet", "mnist", "cifar10" or "other".
        mean: Per channel on the 0…1 scale; empty for ImageNet's, or 0.5 for other than 3 channels.
        std: Likewise.
        resize: Pixels of the shorter side before the central crop; None for the crop's own.
        interpolation: "bilinear", "bicubic" or "nearest".
    """

    name: str
    build: Callable[[], nn.Module]
    input_size: tuple[int, int, int] = (3, 224, 224)
    labels: tuple[str, ...] = ()
    family: str = "own"
    year: int | None = None
    weights: str | Path | None = None
    dataset: str = "other"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    resize: int | None = None
    interpolation: str = "bilinear"


@cache
def read_models(setting: str) -> tuple[dict[str, OwnModel], tuple[OwnModelError, ...]]:
    """The networks by name and what is wrong with the rest; imports the setting's module.

    Args:
        setting: "package.module:function".
    """
    try:
        listed = _call(setting)
    except OwnModelError as error:
        return {}, (error,)
    found: dict[str, OwnModel] = {}
    problems: list[OwnModelError] = []
    for item in listed:
        try:
            model = _checked(item, found)
        except OwnModelError as error:
            problems.append(error)
        else:
            found[model.name] = model
    return found, tuple(problems)


def own_model(name: str) -> OwnModel:
    """The network of this name as its function returned it.

    Raises:
        OwnModelError: There is none.
    """
    setting = get_settings().models or ""
    found, problems = read_models(setting)
    if name not in found:
        raise next(iter(problems), None) or OwnModelError(
            N_("EXPLORER_MODELS={setting} gives no network “{name}”; restart the app."),
            setting=setting, name=name,
        )  # fmt: skip
    return found[name]


def _call(setting: str) -> Iterable[object]:
    """What the function lists; its mappings become ``OwnModel``s later."""
    if not _SETTING.fullmatch(setting):
        raise OwnModelError(
            N_("EXPLORER_MODELS={setting} is not of the form package.module:function."),
            setting=setting,
        )
    module_name, _colon, function_name = setting.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
        listed: object = function()
    except (Exception, SystemExit) as error:  # somebody's code may raise anything
        _log.warning("EXPLORER_MODELS=%s", setting, exc_info=True)
        raise OwnModelError(
            N_("EXPLORER_MODELS={setting} cannot be used: {reason}. The app runs without it."),
            setting=setting, reason=reason_of(error),
        ) from error  # fmt: skip
    if isinstance(listed, Mapping):
        return list(listed.items())
    if isinstance(listed, list | tuple):
        return listed
    raise OwnModelError(
        N_(
            "EXPLORER_MODELS={setting} returns {kind}; it must return a list of OwnModel, or names "
            "with the callables that build them."
        ),
        setting=setting, kind=type(listed).__name__,
    )  # fmt: skip


def _checked(item: object, known: Mapping[str, OwnModel]) -> OwnModel:
    model: Any = item
    if isinstance(item, tuple) and len(item) == 2:
        name, value = item
        model = OwnModel(str(name), value) if callable(value) else value
    if not isinstance(model, OwnModel):
        raise OwnModelError(
            N_("EXPLORER_MODELS lists {item}, which is neither an OwnModel nor a callable."),
            item=repr(item)[:80],
        )
    if not isinstance(model.name, str) or not NAME.fullmatch(model.name):
        raise OwnModelError(
            N_("EXPLORER_MODELS: the name {name} cannot be used; take letters, digits and _ . + -"),
            name=repr(model.name)[:80],
        )
    if model.name in known:
        raise OwnModelError(
            N_("EXPLORER_MODELS lists two networks named “{name}”; the first one is used."),
            name=model.name,
        )
    wrong = next(_wrong_fields(model), None)
    if wrong is not None:
        raise OwnModelError(
            N_("EXPLORER_MODELS: {field}={value} of “{name}” cannot be used; see OwnModel."),
            field=wrong, value=repr(getattr(model, wrong))[:80], name=model.name,
        )  # fmt: skip
    return model


def _wrong_fields(model: OwnModel) -> Iterator[str]:
    """Names of the fields that cannot be used, whatever the annotations promise."""
    given: Any = model
    size = given.input_size
    whole = isinstance(size, tuple) and len(size) == 3 and all(isinstance(s, int) for s in size)
    if not whole or min(size) < 1 or max(size) > 8192:
        yield "input_size"
        return
    if not callable(given.build):
        yield "build"
    for name in ("mean", "std"):
        values = getattr(given, name)
        numbers = isinstance(values, tuple) and all(isinstance(v, int | float) for v in values)
        if not numbers or (values and len(values) != size[0]) or (name == "std" and 0 in values):
            yield name
    if not isinstance(given.labels, tuple) or not all(isinstance(o, str) for o in given.labels):
        yield "labels"
    if not isinstance(given.family, str) or not given.family.strip():
        yield "family"
    if given.year is not None and not isinstance(given.year, int):
        yield "year"
    if model.dataset not in DATASETS:
        yield "dataset"
    if model.interpolation not in ("bilinear", "bicubic", "nearest"):
        yield "interpolation"
    resize = given.resize
    if resize is not None and not (isinstance(resize, int) and 1 <= resize <= 8192):
        yield "resize"
    if model.weights is not None and not Path(model.weights).is_file():
        yield "weights"


def reason_of(error: BaseException) -> str:
    """Kind and first line of what somebody's code raised; one of ours as it is."""
    if isinstance(error, ExplorerError):
        return str(error)
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
