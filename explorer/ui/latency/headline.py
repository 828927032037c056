"""The number that people quote, with its conditions and a sentence fit for a paper."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import replace

import streamlit as st

from explorer.catalog import CATALOG
from explorer.i18n import _, ngettext
from explorer.latency_results import Note
from explorer.results import LatencyResult, LatencySeries
from explorer.ui.latency.copying import copy_button
from explorer.ui.text import said, sentence
from explorer.ui.units import memory

# A bar that glides to its new length would be drawn sixty times a second while time is measured.
STYLE = """<style>
.stProgress * { transition: none !important; animation: none !important; }
.latency-number { font-variant-numeric: tabular-nums; line-height: 1.15; }
.latency-number .median { font-size: 3rem; font-weight: 600; }
.latency-number .spread { font-size: 1.5rem; opacity: 0.85; }
.latency-number .rate { font-size: 1.5rem; margin-left: 1.2rem; }
.latency-number .conditions { font-size: 0.95rem; opacity: 0.85; margin: 0.2rem 0 0.5rem; }
.latency-cards { display: grid; gap: 0.2rem 1.4rem; font-variant-numeric: tabular-nums;
  grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); }
.latency-cards .name { font-size: 0.85rem; opacity: 0.8; }
.latency-cards .value { font-size: 1rem; line-height: 1.3; }
.latency-note { font-size: 0.85rem; opacity: 0.8; }
@media (max-width: 640px) {
  .latency-number .median { font-size: 2.3rem; }
  .latency-number .spread, .latency-number .rate { font-size: 1.15rem; }
  .latency-number .rate { margin-left: 0; display: block; }
  .latency-cards { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
</style>"""
#: Runs at which the signs of unsteadiness are looked for while a measurement goes on.
MOST_LOOKED_AT = 20_000


def headline_html(result: LatencyResult, series: LatencySeries) -> str:
    """Median ± half of its interval, images a second, conditions; needs ``STYLE`` in the page."""
    number = (
        f'<span class="median">{median_text(series)}</span> '
        f'<span class="spread">{html.escape(_spread(series))}</span>'
    )
    rate = series.images_per_second
    if rate is not None:
        number += f'<span class="rate">{rate:,.1f} {html.escape(_("images/s"))}</span>'
    conditions = html.escape(conditions_text(result, series))
    cards = "".join(
        f'<div><div class="name">{html.escape(name)}</div>'
        f'<div class="value">{html.escape(value)}</div></div>'
        for name, value in _cards(series)
    )
    reason = series.energy.reason
    note = "" if reason is None else html.escape(sentence(reason))
    return (
        f'<div class="latency-number">{number}<div class="conditions">{conditions}</div>'
        f'</div><div class="latency-cards">{cards}</div><div class="latency-note">{note}</div>'
    )


def draw_headline(result: LatencyResult, series: LatencySeries) -> None:
    """The number, a button that copies it as a sentence, and what speaks against it."""
    st.html(headline_html(result, series))
    if series.median is not None:
        copy_button(
            paper_sentence(result, series), _("Copy as a sentence"), _("Copied"), "_latency_copy"
        )
    for note in series.notes:
        st.warning(said(note), icon=":material/ssid_chart:")
    if not series.finished and series.stopped is None:
        st.info(_("Stopped before its end: these are the runs up to then."), icon=":material/stop:")
    if result.unstored is not None:
        st.warning(
            said(result.unstored)
            + " "
            + _("The measurement is here all the same: take it as a file below."),
            icon=":material/database_off:",
        )


def notes_while_running(series: LatencySeries) -> tuple[Note, ...]:
    """What speaks against the number so far."""
    return _thinned(series).notes


def _thinned(series: LatencySeries) -> LatencySeries:
    """At most 20,000 runs, evenly: sorting more of them again and again would disturb the runs."""
    step = math.ceil(len(series.seconds) / MOST_LOOKED_AT)
    if step <= 1:
        return series
    return replace(series, seconds=series.seconds[::step], starts=series.starts[::step])


def median_text(series: LatencySeries) -> str:
    """The median in ms, to the digits that its interval allows."""
    median = series.median
    return "–" if median is None else f"{median * 1e3:,.{_digits(series)}f}"


def _half_width(series: LatencySeries) -> float | None:
    """The larger of the distances from the median to the ends of its interval, seconds."""
    found = series.statistics
    if found.median is None or found.interval is None:
        return None
    low, high = found.interval
    return max(found.median - low, high - found.median)


def _digits(series: LatencySeries) -> int:
    """Decimals of a time in ms: two figures of its half width, or three figures of the median."""
    width = _half_width(series)
    if width:
        return min(5, max(0, 1 - math.floor(math.log10(width * 1e3))))
    median = series.median
    return min(5, max(0, 2 - math.floor(math.log10(median * 1e3)))) if median else 2


def _spread(series: LatencySeries) -> str:
    width = _half_width(series)
    if width is None:
        return _("ms per batch")
    return _("± {width} ms per batch").format(width=f"{width * 1e3:.{_digits(series)}f}")


def interval_text(series: LatencySeries) -> str:
    """The median's confidence interval in ms; "" where the sample does not earn one."""
    interval = series.statistics.interval
    if interval is None:
        return ""
    low, high = (f"{1e3 * end:,.{_digits(series)}f}" for end in interval)
    return f"{low}–{high} ms"


def conditions_text(result: LatencyResult, series: LatencySeries) -> str:
    """All that the number holds for, in one line."""
    spec = CATALOG.get(result.model)
    parts = [
        spec.name if spec else result.model,
        _("batch {batch}").format(batch=series.batch_size),
        "×".join(str(n) for n in result.input_size),
        result.dtype,
        result.memory_format,
        result.mode,
        result.device,
        ngettext("{count} thread", "{count} threads", result.threads).format(count=result.threads),
        *(f"{name} {version}" for name, version in result.versions.items() if name == "torch"),
    ]
    interval = interval_text(series)
    if interval:
        parts.append(_("median, 95 % interval {interval}").format(interval=interval))
    if result.started_at:
        parts.append(result.started_at[:16].replace("T", " ") + " UTC")
    return " · ".join(parts)


def paper_sentence(result: LatencyResult, series: LatencySeries) -> str:
    """The measurement as a sentence that stands for itself."""
    spec = CATALOG.get(result.model)
    found = series.statistics
    interval = interval_text(series)
    values = {
        "model": spec.name if spec else result.model,
        "batch": series.batch_size,
        "size": " × ".join(str(n) for n in result.input_size),
        "dtype": result.dtype,
        "layout": result.memory_format,
        "mode": result.mode,
        "median": median_text(series),
        "interval": interval or _("too few runs for one"),
        "runs": found.runs,
        "warmup": len(series.warmup_seconds),
        "rate": f"{series.images_per_second or 0:,.1f}",
        "device": result.device,
        "threads": result.threads,
        "torch": result.versions.get("torch", "?"),
        "version": _version(),
    }
    return _(
        "The median forward time of {model} (batch size {batch}, input {size}, {dtype}, {layout}, "
        "{mode}) was {median} ms per batch (95 % confidence interval of the median: {interval}; "
        "{runs} runs after {warmup} warm-up runs), i.e. {rate} images/s, on {device} with "
        "{threads} CPU threads, PyTorch {torch}, measured with ConvNet Explorer {version}."
    ).format(**values)


def _version() -> str:
    from explorer import __version__

    return __version__


def _cards(series: LatencySeries) -> Iterator[tuple[str, str]]:
    """What stands below the number: spread, sample, preparation, memory, energy."""
    found = series.statistics
    yield "p5", milliseconds(found.p5)
    yield "p95", milliseconds(found.p95)
    yield "p99", milliseconds(found.p99)
    yield _("Quartiles' distance"), milliseconds(found.iqr)
    yield _("Runs"), f"{found.runs:,}"
    warmup = _("{seconds:.2f} s, {count} runs").format(
        seconds=sum(series.warmup_seconds), count=len(series.warmup_seconds)
    )
    yield _("Warm-up, apart"), warmup
    if series.compile_seconds:
        yield _("Compiling, apart"), f"{series.compile_seconds:.2f} s"
    peak = _("not told here") if series.peak_bytes is None else memory(series.peak_bytes)
    if series.estimate_bytes:
        peak += " / " + memory(series.estimate_bytes)
    yield _("Memory of a pass: peak / estimate"), peak
    energy = series.energy
    if energy.joules_per_image is not None:
        text = f"{energy.joules_per_image:.3g} J, {energy.watts or 0:.1f} W ({energy.source})"
        yield _("Energy an image"), text
    elif energy.reason is not None:
        yield _("Energy an image"), _("absent here")


def milliseconds(seconds: float | None) -> str:
    """Seconds as text in milliseconds; a percentile that the sample does not earn is said."""
    return _("not enough runs") if seconds is None else f"{seconds * 1e3:.2f} ms"
