"""``python -m explorer doctor``: says in words what is installed and what will be used.

``python -m explorer bench`` times many networks one after another (``explorer.sweeps``).
``python -m explorer atlas`` surveys many networks (``explorer.atlas``).
``python -m explorer prefetch`` fetches weights and traces beforehand (``explorer.prefetch``).
"""

from __future__ import annotations

import argparse
import locale
import logging
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from explorer import __version__
from explorer.atlas.arguments import add_atlas
from explorer.errors import ExplorerError, SettingsError
from explorer.i18n import N_, _, set_language
from explorer.prefetch.arguments import add_prefetch
from explorer.sweeps.arguments import add_bench

if TYPE_CHECKING:
    from explorer.settings import Settings

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
GIGA = 1e9  # bytes of a GB; a MB has a million

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        topic: What it is about, translated.
        text: What was found, translated.
        ok: False where the app would not work, or not as asked.
    """

    topic: str
    text: str
    ok: bool = True

    def __str__(self) -> str:
        mark = "✓" if self.ok else "✗"
        return f"{mark} {self.topic}: {self.text}"


def examine() -> Iterator[Finding]:
    """Everything worth knowing before the app is started; imports torch."""
    yield Finding(
        _("Version"),
        f"ConvNet Explorer {__version__}, Python {platform.python_version()}, {platform.system()}",
    )
    # Everything that is not of Python itself is imported late: this must run where it is missing.
    try:
        yield from _packages()
        from pydantic import ValidationError

        from explorer.settings import get_settings, unusable
        from explorer.settings_check import misspelt, problems

        yield from (_odd(problem) for problem in misspelt(os.environ))
        settings = get_settings()
    except SettingsError as error:
        cause = error.__cause__
        found = unusable(cause) if isinstance(cause, ValidationError) else [error]
        yield from map(_odd, found)
        return
    except ImportError as error:
        yield _not_installed(_("Packages"), error)
        return
    yield Finding(_("Settings"), _changed(settings))
    yield from (_odd(problem.error) for problem in problems(settings))
    yield _cache_folder(settings.cache_dir)
    yield from _own_models(settings)
    yield from _guarded(_("Engine"), lambda: _engine(settings))
    if settings.engine != "local" and not settings.database_url:
        text = _("timings stay on the node that took them; name one place with {name}.")
        yield Finding(_("Engine"), text.format(name="EXPLORER_DATABASE_URL"), ok=False)
    yield from _guarded(_("Device"), lambda: _device(settings))
    yield from _cache_lines()
    yield from _guarded(_("Downloaded weights"), _weights_folders)
    yield from _guarded(_("Default model"), _default_model)


def _odd(error: SettingsError) -> Finding:
    return Finding(_("Settings"), error.text(_), ok=False)


def _not_installed(topic: str, error: ImportError) -> Finding:
    _log.debug("doctor: %s", topic, exc_info=error)
    text = _("{error}; run make run, or pip install -r requirements.txt.")
    return Finding(topic, text.format(error=error), ok=False)


def _guarded(topic: str, find: Callable[[], str]) -> Iterator[Finding]:
    """The finding, or the one sentence of what went wrong."""
    try:
        yield Finding(topic, find())
    except ExplorerError as error:
        yield Finding(topic, error.text(_), ok=False)
    except ImportError as error:
        yield _not_installed(topic, error)


def _packages() -> Iterator[Finding]:
    """One line for what is installed, and one for each requirement that is not met."""
    from packaging.requirements import Requirement

    found = []
    for line in REQUIREMENTS.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith(("#", "-")):
            continue
        requirement = Requirement(line)
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            text = _("{name} is missing; run make run, or pip install -r requirements.txt.")
            yield Finding(_("Packages"), text.format(name=requirement.name), ok=False)
            continue
        found.append(f"{requirement.name} {version}")
        if not requirement.specifier.contains(version, prereleases=True):
            text = _("{name} is {version}, but {wanted} is needed; run make run.")
            yield Finding(
                _("Packages"),
                text.format(name=requirement.name, version=version, wanted=requirement.specifier),
                ok=False,
            )
    yield Finding(_("Packages"), ", ".join(found))


def _changed(settings: Settings) -> str:
    """The settings that are not at their defaults, as they would be written."""
    changed = [
        f"EXPLORER_{name.upper()}={_shown(getattr(settings, name))}"
        for name, field in type(settings).model_fields.items()
        if getattr(settings, name) != field.default
    ]
    return ", ".join(changed) or _("all at their defaults")


def _shown(value: object) -> str:
    """A setting's value; of a URL without the password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", str(value))


def _cache_folder(folder: Path) -> Finding:
    # The nearest folder that exists decides whether the rest can be made.
    existing = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if existing.is_dir() and os.access(existing, os.W_OK):
        return Finding(_("Cache folder"), str(folder))
    text = _("{folder} cannot be written to; name another with EXPLORER_CACHE_DIR.")
    return Finding(_("Cache folder"), text.format(folder=folder), ok=False)


def _own_models(settings: Settings) -> Iterator[Finding]:
    """What ``EXPLORER_MODELS`` registers, and what is wrong with the rest."""
    if not settings.models:
        return
    from explorer.catalog import own

    if own.records():
        yield Finding(_("Own models"), ", ".join(own.records()))
    for problem in own.problems():
        yield Finding(_("Own models"), problem.text(_), ok=False)


def _cache_lines() -> Iterator[Finding]:
    """One line for each cache: its bound, and what is in it where this process sees that."""
    from explorer.caches import caches

    for cache in caches():
        bounds = []
        if cache.max_entries is not None:
            bounds.append(_("{count} entries").format(count=cache.max_entries))
        if cache.max_bytes is not None:
            bounds.append(f"{cache.max_bytes / 2**20:.0f} MiB")
        text = _("{title}: at most {bound}") if bounds else _("{title}: bounded by its inputs")
        text = text.format(title=_(cache.title), bound=", ".join(bounds))
        if cache.place == "disk":
            used = _("now {count}, {size} MiB")
            text += "; " + used.format(
                count=cache.entries, size=f"{(cache.nbytes or 0) / 2**20:.1f}"
            )
        yield Finding(_("Cache"), text)


def _engine(settings: Settings) -> str:
    if settings.engine == "local":
        return _("one worker process on this machine")
    from explorer.engine.cluster.connection import Connection, ConnectionOptions

    connection = Connection(ConnectionOptions(settings.engine))
    connection.open()
    try:
        nodes = ", ".join(
            _("{name} ({cpus} processors, {gpus} graphics cards)").format(
                name=node.name, cpus=node.cpus, gpus=node.gpus
            )
            for node in connection.nodes()
        )
    finally:
        connection.close()
    return _("Ray {version}, {nodes}").format(version=metadata.version("ray"), nodes=nodes)


def _device(settings: Settings) -> str:
    from explorer.device import describe, pick_device

    info = describe(pick_device(settings.device))
    text = _("{kind}, {name}, {threads} threads").format(
        kind=info.kind, name=info.name, threads=info.threads
    )
    return text if info.memory_bytes is None else f"{text}, {info.memory_bytes / GIGA:.1f} GB"


def _weights_folders() -> str:
    import torch.hub
    from huggingface_hub import constants

    return f"{torch.hub.get_dir()}, {constants.HF_HUB_CACHE}"


def _default_model() -> str:
    from explorer.catalog import DEFAULT_MODEL, find
    from explorer.weights import default_weights, weights_status

    spec = find(DEFAULT_MODEL)
    weights = default_weights(spec)
    status = weights_status(spec, weights)
    place = {
        "disk": N_("{name}, weights {weights} in {place}"),
        "package": N_("{name}, weights {weights} in the package {place}"),
        "download": N_("{name}, weights {weights} to be downloaded from {place}"),
        "none": N_("{name}, untrained"),
    }[status.kind]
    return _(place).format(name=spec.name, weights=weights, place=status.place)


def _log_to_terminal(*, verbose: bool) -> None:
    """What fails is told in a sentence by the command itself: its traceback only when asked for."""
    handler = logging.StreamHandler()
    if not verbose:
        handler.addFilter(lambda record: not record.exc_info)
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(
        format="%(levelname)s %(name)s: %(message)s", level=level, handlers=[handler]
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; the exit status (1 when something needs attention)."""
    parser = argparse.ArgumentParser(
        prog="python -m explorer", description="Real image-classification networks, opened."
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="log all, with the tracebacks of failures"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="say what is installed, which device, which settings")
    add_bench(commands)
    add_prefetch(commands)
    add_atlas(commands)
    options = parser.parse_args(arguments)
    _log_to_terminal(verbose=options.verbose)
    set_language("zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chi")) else "en")
    if options.command == "bench":
        from explorer.sweeps.command import bench

        return bench(options)
    if options.command == "prefetch":
        from explorer.prefetch.command import prefetch

        return prefetch(options)
    if options.command == "atlas":
        from explorer.atlas.command import atlas

        return atlas(options)
    ok = True
    for finding in examine():
        sys.stdout.write(f"{finding}\n")
        ok = ok and finding.ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
