"""Every cache of the program with its bound and what is in it: one list for operator and visitors.

A cache is either described here (the large ones, which know their size) or is a cached function
of ``FUNCTIONS``, each with the reason why it cannot grow without end. A test walks the code and
fails on a cached function that is missing here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from explorer.i18n import N_

# ``explorer.roofline.store.MAX_FILES``, whose package imports torch; a test compares them.
MAX_PEAKS = 16

Place = Literal["server", "worker", "disk"]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """One cache at this moment.

    Attributes:
        id: Short name, also the label in metrics.
        title: What it holds (English, msgid).
        place: Where it lies.
        entries: How many; None while it has not been asked or cannot be known from here.
        max_entries: None where only bytes are bounded.
        nbytes: None where they are not counted.
        max_bytes: None where only entries are bounded.
    """

    id: str
    title: str
    place: Place
    entries: int | None
    max_entries: int | None
    nbytes: int | None
    max_bytes: int | None

    @property
    def fill(self) -> float | None:
        """0…1, of the bound that is nearer; None when nothing is known."""
        shares = [
            used / bound
            for used, bound in ((self.entries, self.max_entries), (self.nbytes, self.max_bytes))
            if used is not None and bound
        ]
        return max(shares, default=None)


# Module and function → why it is bounded. With a number, ``maxsize`` (or ``max_entries``) says so
# and a test compares the two; else its inputs are few, and these words name them.
FUNCTIONS: Mapping[str, int | str] = {
    "explorer.attribution.outcomes.outcomes": "one committed file",
    "explorer.catalog.atlas_costs.atlas_costs": "one committed file",
    "explorer.catalog.atlas_costs.atlas_versions": "one committed file",
    "explorer.catalog.blocks.blocks": "one committed file",
    "explorer.catalog.counted._table": "one committed file",
    "explorer.catalog.history.timeline": "one committed file",
    "explorer.catalog.own._answer": "one value",
    "explorer.catalog.own.problems": "one value",
    "explorer.catalog.own.records": "one value",
    "explorer.catalog.search._entries": "the catalog",
    "explorer.catalog.search.families": "the catalog",
    "explorer.catalog.store._own_accuracy": "builders of this program's own networks",
    "explorer.catalog.store.class_labels": "two committed files",
    "explorer.catalog.store.curated_records": "one committed file",
    "explorer.catalog.store.families": "one committed file",
    "explorer.catalog.store.spec": "ids of the catalog; an unknown one raises and is not kept",
    "explorer.catalog.store.timm_records": "one committed file",
    "explorer.catalog.timm_results.benchmark": "committed files",
    "explorer.catalog.timm_results.results": "one committed file",
    "explorer.charts.bubble_labels._places": 64,
    "explorer.charts.theme._template": "light and dark",
    "explorer.claims.statements.claims": "one committed file",
    "explorer.downloads.hugging_face._silent_bar": "one class",
    "explorer.engine.cluster.versions.code_digest": "one value",
    "explorer.i18n._catalog": "the languages",
    "explorer.images._register_heif": "no value",
    "explorer.layouting.place._engine": 4096,
    "explorer.layouting.words._sizes_text": 4096,
    "explorer.offered.patterns": "the setting EXPLORER_OFFERED",
    "explorer.own_models.read_models": "the setting EXPLORER_MODELS",
    "explorer.settings.get_settings": "one value",
    "explorer.tour._kept": 2,
    "explorer.tracing.reading._signature": "the operators of ATen",
    "explorer.tracing.versions._versions": "one value",
    "explorer.tracing.versions.code_version": "one value",
    "explorer.ui.bubble.sources._timm_rows": "the languages",
    "explorer.ui.compare.numbers._others": "the catalog",
    "explorer.ui.complexity.view._changed": 24,
    "explorer.ui.complexity.view._rows": 48,
    "explorer.ui.graph_view.bundle.script": "one value",
    "explorer.ui.graph_view.bundle.style": "one value",
    "explorer.ui.history.folklore._style": "one value",
    "explorer.ui.kept._drawn": 64,
}
# Of those, the ones that hold much: shown one by one, the others in one line.
SHOWN = {
    "explorer.ui.kept._drawn": N_("Figures that are drawn"),
    "explorer.ui.complexity.view._rows": N_("Tables of costs"),
    "explorer.ui.complexity.view._changed": N_("Networks with a part changed"),
    "explorer.layouting.place._engine": N_("Layouts of parts of graphs"),
    "explorer.charts.bubble_labels._places": N_("Places of labels in charts"),
    "explorer.layouting.words._sizes_text": N_("Sizes of layers in words"),
}


def caches() -> tuple[CacheInfo, ...]:
    """All of them; looks at three folders, asks no worker and imports nothing heavy."""
    return tuple(_caches())


def _caches() -> Iterator[CacheInfo]:
    from explorer import own_weights
    from explorer.engine import get_engine
    from explorer.settings import get_settings
    from explorer.tracing import cache as traces

    info, settings = get_engine().info(), get_settings()
    yield CacheInfo(
        "results", N_("Finished results"), "server",
        info.cached_results, None, info.cached_bytes, settings.result_cache_mb * 2**20,
    )  # fmt: skip
    yield CacheInfo(
        "models", N_("Loaded networks"), "worker",
        info.pool_models, None, info.pool_bytes, info.pool_budget,
    )  # fmt: skip
    count, nbytes = _files(traces.folder(), "*.json.gz")
    yield CacheInfo(
        "traces", N_("Layer graphs"), "disk",
        count, traces.MAX_FILES, nbytes, traces.MAX_BYTES,
    )  # fmt: skip
    count, nbytes = _files(settings.cache_dir / "roofline", "*.json")
    yield CacheInfo(
        "peaks", N_("Measured peaks of devices"), "disk", count, MAX_PEAKS, nbytes, None
    )
    count, nbytes = _files(own_weights.folder(), "*/*")
    yield CacheInfo(
        "own_weights", N_("Own weights of visitors"), "disk",
        count, None, nbytes, own_weights.most_bytes(),
    )  # fmt: skip
    for path, title in SHOWN.items():
        entries, bound = usage(path), FUNCTIONS[path]
        assert isinstance(bound, int), path
        yield CacheInfo(path.rpartition(".")[2].strip("_"), title, "server", entries, bound, None,
                        None)  # fmt: skip
    small = [path for path in FUNCTIONS if path not in SHOWN]
    yield CacheInfo(
        "constants", N_("Tables of the program and texts, read once"), "server",
        sum(usage(path) or 0 for path in small), None, None, None,
    )  # fmt: skip


def usage(path: str) -> int | None:
    """Entries of a cached function; 0 while its module is not loaded, None when it does not say."""
    module, _dot, name = path.rpartition(".")
    if module not in sys.modules:
        return 0
    function: Any = getattr(sys.modules[module], name)
    count: Callable[[], Any] | None = getattr(function, "cache_info", None)
    return None if count is None else int(count().currsize)


def _files(folder: Path, pattern: str) -> tuple[int, int]:
    count = nbytes = 0
    for path in folder.glob(pattern):
        with suppress(OSError):  # removed meanwhile
            nbytes += path.stat().st_size
            count += 1
    return count, nbytes
