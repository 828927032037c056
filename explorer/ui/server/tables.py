"""The tables of the page about the server; they name no folder, no address and no visitor."""

from __future__ import annotations

import platform
from datetime import timedelta
from importlib import metadata
from typing import Any

from explorer import __version__
from explorer.caches import CacheInfo
from explorer.engine import EngineInfo
from explorer.i18n import N_, _
from explorer.settings import Settings

LIBRARIES = ("streamlit", "torch", "torchvision", "timm", "captum", "plotly", "sqlalchemy")
PLACES = {"server": N_("server"), "worker": N_("worker"), "disk": N_("disk")}
STATES = {
    "stopped": N_("not started"),
    "starting": N_("starting"),
    "idle": N_("waits for a job"),
    "busy": N_("runs a job"),
    "broken": N_("given up after three attempts"),
}
MEBI = 2**20


def mebibytes(nbytes: int | None) -> str:
    """A size in MiB; "–" where there is none."""
    return "–" if nbytes is None else f"{nbytes / MEBI:,.1f} MiB"


def version_rows() -> list[dict[str, str]]:
    """This program, Python, and the libraries that decide what is computed."""
    rows = [("ConvNet Explorer", __version__), ("Python", platform.python_version())]
    for name in LIBRARIES:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return [{_("Part"): name, _("Version"): version} for name, version in rows]


def limit_rows(settings: Settings) -> list[dict[str, str]]:
    """The limits that hold now, with the setting that changes each."""
    rows = [
        (_("Size of an uploaded file"), f"{settings.max_image_mb} MiB", "max_image_mb"),
        (_("Pixels of an uploaded image"), f"{settings.max_image_pixels:,}", "max_image_pixels"),
        (_("Finished results kept"), f"{settings.result_cache_mb} MiB", "result_cache_mb"),
    ]
    if settings.public:
        rows += [
            (_("Networks offered"), settings.offered, "offered"),
            (_("Jobs of one visitor"), str(settings.max_jobs_per_visitor), "max_jobs_per_visitor"),
            (_("Jobs in all"), str(settings.max_jobs), "max_jobs"),
            (_("Seconds of a job"), f"{settings.max_job_seconds:g}", "max_job_seconds"),
            (_("Images at once in a timing"), str(settings.max_batch), "max_batch"),
            (_("New jobs a minute"), str(settings.jobs_per_minute), "jobs_per_minute"),
        ]
    return [
        {_("Limit"): what, _("Value"): value, _("Setting"): f"EXPLORER_{name.upper()}"}
        for what, value, name in rows
    ]


def cache_rows(found: tuple[CacheInfo, ...]) -> list[dict[str, Any]]:
    """Every cache with its bound and what is in it."""
    return [
        {
            _("Cache"): _(cache.title),
            _("Place"): _(PLACES[cache.place]),
            _("Entries"): "–" if cache.entries is None else f"{cache.entries:,}",
            _("At most"): "–" if cache.max_entries is None else f"{cache.max_entries:,}",
            _("Size"): mebibytes(cache.nbytes),
            _("Largest size"): mebibytes(cache.max_bytes),
            _("Fill"): None if cache.fill is None else 100 * cache.fill,
        }
        for cache in found
    ]


def node_rows(info: EngineInfo, *, public: bool = False) -> list[dict[str, Any]]:
    """Every device of a cluster; strangers read neither a node's name nor why it is not used."""
    return [
        {
            _("Node"): str(number) if public else node.name,
            _("Device"): "–" if node.device is None else node.device.name,
            _("Worker"): _(STATES[node.worker]) if public or not node.reason else node.reason,
            _("Memory of the worker"): mebibytes(node.memory_bytes or None),
            _("Networks loaded"): node.networks,
            _("Worker started again"): max(0, node.starts - 1),
        }
        for number, node in enumerate(info.nodes, 1)
    ]


def device_text(info: EngineInfo) -> str:
    """Where networks run, in one line."""
    if info.device_error is not None:
        return info.device_error.text(_)
    if info.device is None:
        return _("not looked up yet")
    device = info.device
    threads = _("{count} threads").format(count=device.threads)
    return f"{device.kind.upper()} · {device.name} · {threads}"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds ("1 day, 2:03:04" as Python writes it, in the language)."""
    span = timedelta(seconds=int(max(0.0, seconds)))
    clock = str(span - timedelta(days=span.days))
    return clock if not span.days else _("{days} d {clock}").format(days=span.days, clock=clock)
