"""Writes the part "Sizing" of ``docs/scale.md``: what a worker serves, and what a day needs.

``python -m docs.make_scale`` on a quiet machine, three minutes. It times each kind of job with one
worker, sends the same worker jobs that come at random, holds the waits against the simulation of
``docs.queueing``, and works out how many workers and servers visitors need. ``--kept`` writes the
tables anew from the last measurement (``docs/scale_measured.json``).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docs.queueing import erlang_c, poisson, waits, workers_needed
from explorer.catalog import find
from explorer.engine import Engine, Job
from explorer.engine.local import EngineOptions, LocalEngine
from explorer.images import sample_bytes
from explorer.requests import ExplainRequest, LatencyRequest, ModelRef
from explorer.tasks import Explain, Measure, Predict, Task

PAGE = Path(__file__).with_name("scale.md")
KEPT = Path(__file__).with_name("scale_measured.json")
BEGIN, END = "<!-- sizing: written by docs/make_scale.py -->", "<!-- end of sizing -->"
NETWORK = ModelRef("tf_efficientnet_lite0", find("tf_efficientnet_lite0").weights[0].id)
RUNS = 16
LOAD, LOAD_SECONDS = 0.6, 110.0
LIMIT = 2.0  # seconds that 95 % of the jobs may wait

# What a visitor asks for in one visit; front pages and pages with a job apart.
VISIT = {"predict": 1.0, "grad_cam": 1.0, "integrated_gradients": 0.5, "timing": 0.3}
PAGES_PER_VISIT = 6.0
PAGE_CPU_SECONDS = 0.055  # of the server's process; docs/hosting.md
BUSY_SHARE = 0.2  # of a day's visitors come in its busiest hour
SERVER_LOAD = 0.5  # of its core that a server process may be busy in that hour
DAYS = (1_000, 100_000)


@dataclass(frozen=True)
class Kind:
    """One kind of job.

    Attributes:
        name: In words.
        task: The job with this number; each is computed anew.
    """

    name: str
    task: Any


def kinds() -> dict[str, Kind]:
    """What visitors ask for."""
    image = sample_bytes("coffee")
    timing = LatencyRequest(min_seconds=1.0, min_runs=5, warmup_runs=2)

    def explained(method: str, number: int, **options: Any) -> Task:
        # Another target is another map, which costs the same.
        return Explain(NETWORK, image, ExplainRequest(method, target=number, options=options))

    return {
        "predict": Kind("classes of an image", lambda n: Predict(NETWORK, image, top_k=1 + n)),
        "grad_cam": Kind("Grad-CAM", lambda n: explained("grad_cam", n)),
        "integrated_gradients": Kind(
            "integrated gradients, 8 steps",
            lambda n: explained("integrated_gradients", n, steps=8, adaptive=False),
        ),
        "timing": Kind("timing of 1 s", lambda _n: Measure(NETWORK, timing, keep=False)),
    }


def measure() -> dict[str, Any]:
    """Service times of each kind alone, and the waits under a load that comes at random."""
    # Nobody asks how the jobs are until all have come: for so long they are not given up.
    options = EngineOptions(threads=1, lease=3600.0)
    engine = LocalEngine(options)
    try:
        found = kinds()
        for number, kind in enumerate(found.values()):  # load the network, fill caches
            engine.submit(kind.task(900 + number), "warm").result(120)
        seconds = {name: _alone(engine, kind, RUNS) for name, kind in found.items()}
        load = _under_load(engine, found, seconds)
        device = engine.info().device
    finally:
        engine.shutdown()
    return {
        "date": time.strftime("%Y-%m-%d"),
        "device": device.name if device else "",
        "seconds": seconds,
        "load": load,
    }


def _alone(engine: Engine, kind: Kind, count: int) -> list[float]:
    found = []
    for number in range(count):
        job = engine.submit(kind.task(number), "alone")
        job.result(120)
        found.append(job.status().elapsed_seconds)
    return found


def _under_load(
    engine: Engine, found: dict[str, Kind], seconds: dict[str, list[float]]
) -> dict[str, Any]:
    """Jobs of a visit's mix, each of a visitor of its own, at ``LOAD`` of what a worker can do."""
    random = np.random.default_rng(5)
    names = list(VISIT)
    weights = np.array([VISIT[name] for name in names]) / sum(VISIT.values())
    mean = float(sum(w * np.mean(seconds[n]) for n, w in zip(names, weights, strict=True)))
    rate = LOAD / mean
    arrivals = poisson(rate, int(rate * LOAD_SECONDS), random)
    chosen = [names[at] for at in random.choice(len(names), len(arrivals), p=weights)]
    jobs: list[tuple[Job, float]] = []
    begin = time.monotonic()
    for number, (arrival, name) in enumerate(zip(arrivals, chosen, strict=True)):
        time.sleep(max(0.0, begin + float(arrival) - time.monotonic()))
        job = engine.submit(found[name].task(RUNS + number), f"visitor {number}")
        jobs.append((job, time.monotonic() - begin))
    for job, _at in jobs:
        job.wait(300)
    measured = [job.started - job.submitted for job, _at in jobs if job.started is not None]
    if len(measured) < len(jobs):
        raise SystemExit(f"{len(jobs) - len(measured)} jobs were not run: see the log.")
    # What the simulation knows: when they came, and how long such jobs took alone.
    drawn = [waits([at for _job, at in jobs], [random.choice(seconds[n]) for n in chosen], 1)
             for _time in range(200)]  # fmt: skip
    return {
        "rate": rate,
        "jobs": len(jobs),
        "measured": measured,
        "simulated_mean": [float(one.mean()) for one in drawn],
        "simulated_p95": [float(np.percentile(one, 95)) for one in drawn],
        "erlang": erlang_c(rate, mean, 1),
    }


# --- the page -----------------------------------------------------------------------------------


def sizing(kept: dict[str, Any]) -> Iterator[str]:
    """The lines of the page's part."""
    seconds = {name: np.array(values) for name, values in kept["seconds"].items()}
    names = kinds()
    yield f"Measured on {kept['device']}, one thread a worker, {kept['date']}, with"
    yield "EfficientNet-Lite0 and its weights. No GPU was there; where one is, it is taken.\n"
    yield "| Job | seconds, median | 95 % within | jobs a second and core | in a visit |"
    yield "|---|---|---|---|---|"
    for name, values in seconds.items():
        median, late = np.median(values), np.percentile(values, 95)
        yield (
            f"| {names[name].name} | {median:.3f} | {late:.3f} | {1 / values.mean():.2f} "
            f"| {VISIT[name]:g} |"
        )
    yield ""
    yield from _check(kept["load"])
    yield from _days(seconds)


def _check(load: dict[str, Any]) -> Iterator[str]:
    measured = np.array(load["measured"])
    low, high = np.percentile(load["simulated_mean"], [2.5, 97.5])
    low95, high95 = np.percentile(load["simulated_p95"], [2.5, 97.5])
    yield "### The simulation against a measured load\n"
    yield (
        f"{load['jobs']} jobs of that mix came to one worker at random, {load['rate']:.2f} a "
        f"second, {LOAD:.0%} of what it can do."
    )
    yield "The simulation (`docs/queueing.py`) knows when they came, and how long such jobs took"
    yield "alone:\n"
    yield "| Wait, seconds | measured | simulated, 95 % of 200 runs | Erlang C |"
    yield "|---|---|---|---|"
    yield f"| mean | {measured.mean():.2f} | {low:.2f} to {high:.2f} | {load['erlang']:.2f} |"
    late = np.percentile(measured, 95)
    yield f"| 95 % within | {late:.2f} | {low95:.2f} to {high95:.2f} | |\n"


def _days(seconds: dict[str, Any]) -> Iterator[str]:
    random = np.random.default_rng(7)
    mix = np.concatenate(
        [np.resize(values, round(VISIT[name] * 1000)) for name, values in seconds.items()]
    )
    jobs = sum(VISIT.values())
    yield "### Visitors a day\n"
    yield (
        f"A visit is {jobs:g} jobs ({float(mix.mean()):.2f} s of a core each in the mean) and\n"
        f"{PAGES_PER_VISIT:g} pages of {PAGE_CPU_SECONDS * 1000:.0f} ms; "
        f"{BUSY_SHARE:.0%} of a day's"
    )
    yield (
        f"visitors come in its busiest hour. Workers: the fewest with which 95 % of the jobs wait\n"
        f"for at most {LIMIT:g} s, by the simulation. Servers:"
    )
    yield (
        f"processes of which each is busy for at most {SERVER_LOAD:.0%} of that hour. A visit's\n"
        "own share is assumed; change it at the head of the script.\n"
    )
    yield (
        "| Visitors a day | in the busiest hour | jobs a second | cores busy with jobs | workers "
        "| 95 % wait | page CPU | servers |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for visitors in DAYS:
        busy = visitors * BUSY_SHARE
        rate = busy * jobs / 3600
        count, late = workers_needed(rate, mix, LIMIT, random)
        cpu = busy * PAGES_PER_VISIT * PAGE_CPU_SECONDS / 3600
        servers = max(1, int(np.ceil(cpu / SERVER_LOAD)))
        yield (
            f"| {visitors:,} | {busy:,.0f} | {busy:,.0f} × {jobs:g} / 3,600 = {rate:.2f} "
            f"| {rate:.2f} × {mix.mean():.2f} = {rate * mix.mean():.2f} | {count} | {late:.2f} s "
            f"| {busy:,.0f} × {PAGES_PER_VISIT:g} × {PAGE_CPU_SECONDS} / 3,600 = {cpu:.2f} cores "
            f"| {servers} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", action="store_true", help="write the page from what was measured")
    if not parser.parse_args().kept:
        KEPT.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _old, _, after = rest.partition(END)
    lines = "\n".join(sizing(json.loads(KEPT.read_text(encoding="utf-8"))))
    PAGE.write_text(f"{before}{BEGIN}\n\n{lines}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
