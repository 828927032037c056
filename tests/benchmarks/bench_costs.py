"""Counting the whole zoo: ours against fvcore, ptflops and torchinfo, and the page's switches.

``python -m pytest tests/benchmarks/bench_costs.py --override-ini python_files=bench_*.py -s`` after
``pip install -r requirements-bench.txt``; ``-k zoo`` (some five minutes) and ``-k switch`` (half a
minute) run apart. Nothing is read from disk that was counted before. What is asserted: who is
right, that ours takes no longer than fvcore, and the limit of a switch.
"""

from __future__ import annotations

import statistics
import time

import pytest
import torch
from streamlit.testing.v1 import AppTest

from docs.make_accuracy import published, summary, survey, zoo
from explorer.engine import get_engine, set_engine
from explorer.ui.kept import _drawn
from tests.pages.conftest import SHELL, finish

COUNTERS = ("ours", "fvcore", "ptflops", "torchinfo")
MAX_SWITCH = 0.150  # seconds of the server's script


def test_the_whole_zoo_is_counted_right_and_no_slower_than_fvcore() -> None:
    for tool in ("fvcore", "ptflops"):
        pytest.importorskip(tool)
    found = survey(COUNTERS, zoo())
    print(f"\ntorch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    print("\n".join(summary(found)))
    known = {spec.id: published(spec) for spec in zoo()}
    right = {
        name: sum(row[name].right(known[model]) for model, row in found.items())
        for name in COUNTERS
    }
    seconds = {name: sum(row[name].seconds for row in found.values()) for name in COUNTERS}
    assert right["ours"] == len(found)
    assert all(right[name] < right["ours"] for name in COUNTERS[1:])
    assert seconds["ours"] <= seconds["fvcore"]


def test_a_switch_on_the_warm_page() -> None:
    """Seconds of the server's script for another convention, and for another model.

    The first time a figure is built; after that it is kept. Each is a median over the values.
    """
    app = AppTest.from_file(str(SHELL), default_timeout=60)
    app.query_params["model"] = "vgg16"
    app.run()
    app.switch_page("../../pages/complexity.py")
    finish(app.run())
    models = ("resnet18", "resnet50", "densenet121", "googlenet", "mobilenet_v2")
    try:
        for model in models:
            _switch(app, "model", model)
            finish(app.run())
        for key, values in (("_w_convention", ("flops", "canziani", "macs")), ("model", models)):
            _drawn.cache_clear()
            for turn in ("first", "again", "again"):
                times = [_switch(app, key, value) for value in values]
                median = statistics.median(times)
                print(f"{key} {turn}: median {1e3 * median:.0f}, most {1e3 * max(times):.0f} ms")
                assert median <= MAX_SWITCH
    finally:
        get_engine().shutdown()
        set_engine(None)


def _switch(app: AppTest, key: str, value: str) -> float:
    """Sets a control; the seconds of the script's run."""
    (app.button_group if key.startswith("_w") else app.selectbox)(key=key).set_value(value)
    start = time.perf_counter()
    app.run()
    seconds = time.perf_counter() - start
    assert not app.exception
    return seconds
