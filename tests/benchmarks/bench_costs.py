"""Counting the whole zoo: ours against fvcore, ptflops and torchinfo, and the page's switches.

``python -m pytest tests/benchmarks/bench_costs.py --override-ini python_files=bench_*.py -s`` after
``pip install -r requirements-bench.txt``. Times are printed; what is asserted is who is right.
"""

from __future__ import annotations

import statistics
import time

import pytest
import torch
from streamlit.testing.v1 import AppTest

from docs.make_accuracy import published, summary, survey, zoo
from explorer.engine import get_engine, set_engine
from tests.pages.conftest import SHELL, finish

COUNTERS = ("ours", "fvcore", "ptflops", "torchinfo")


def test_the_whole_zoo_is_counted_right_and_no_slower_than_fvcore() -> None:
    for tool in ("fvcore", "ptflops"):
        pytest.importorskip(tool)
    found = survey(COUNTERS, zoo())
    print(f"\ntorch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    print("\n".join(summary(found)))
    right = {
        name: sum(row[name].right(published(spec)) for spec, row in zip(zoo(), found.values()))  # noqa: B905
        for name in COUNTERS
    }
    assert right["ours"] == len(found)
    assert all(right[name] < right["ours"] for name in COUNTERS[1:])


def test_a_switch_on_the_warm_page() -> None:
    """Seconds of the server's script for another convention, and for another model."""
    app = AppTest.from_file(str(SHELL), default_timeout=60)
    app.query_params["model"] = "resnet50"
    app.run()
    app.switch_page("../../pages/complexity.py")
    finish(app.run())
    try:
        for model in ("resnet18", "resnet50"):
            app.selectbox(key="model").set_value(model)
            finish(app.run())
        for what, values in (("_w_convention", ("flops", "canziani", "macs")),
                             ("model", ("resnet18", "resnet50", "resnet18"))):  # fmt: skip
            times = []
            for value in values * 3:
                widget = app.button_group if what.startswith("_w") else app.selectbox
                widget(key=what).set_value(value)
                start = time.perf_counter()
                app.run()
                times.append(time.perf_counter() - start)
                assert not app.exception
            print(f"{what}: median {1e3 * statistics.median(times):.0f} ms")
    finally:
        get_engine().shutdown()
        set_engine(None)
