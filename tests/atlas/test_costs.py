"""The survey of costs: its rows are what a trace counts; failures are rows; kills cost nothing."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from explorer.atlas import costs
from explorer.atlas.costs import CountCosts, costs_survey, count_spec
from explorer.catalog import find
from explorer.costs import Convention, count, memory_profile
from explorer.errors import AtlasError
from explorer.trace import trace_spec
from tests.atlas.conftest import Atlas, rows_of

MODELS = ["lenet5", "timm/test_resnet", "timm/test_convnext"]


class Quiet:
    def stage(self, name: str) -> None:
        assert name

    def progress(self, done: float, total: float | None, partial: Any = None) -> None:
        raise NotImplementedError


def test_a_row_is_what_the_trace_counts() -> None:
    spec = find("lenet5")
    graph = trace_spec(spec)
    found = count_spec(spec)
    assert found["params"] == graph.total_params == spec.params
    assert found["macs"] == graph.total_macs == spec.macs
    assert found["flops"] == 2 * spec.macs
    assert found["canziani_ops"] == count(graph, Convention.CANZIANI)
    assert found["activation_bytes"] == graph.activation_bytes
    assert found["peak_bytes"] == memory_profile(graph).peak_bytes
    assert found["complete"]
    assert found["uncounted"] == ""


def test_a_network_that_cannot_be_traced_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_spec: Any) -> None:
        raise RuntimeError("no such kernel\nand a long story")

    monkeypatch.setattr(costs, "_traced", broken)
    with pytest.raises(AtlasError) as caught:
        CountCosts("lenet5").run(Quiet())  # type: ignore[arg-type]
    text = "It could not be traced (RuntimeError: no such kernel)."
    assert str(caught.value) == text
    survey = costs_survey(["lenet5"])
    row = survey.failure(0, text, seconds=0.1)
    assert (row["state"], row["reason"], row["macs"]) == ("failed", text, None)


def test_the_long_way_gives_the_same_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer import trace

    def broken(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("no")

    light = count_spec(find("lenet5"))
    monkeypatch.setattr(trace, "watched", broken)
    long = count_spec(find("lenet5"))
    assert (light.pop("method"), long.pop("method")) == ("pre_dispatch", "export")
    del light["seconds"], long["seconds"]
    assert light == long


SCHEMA = """\
position: int32
state: string
reason: string
model: string
source: string
family: string
channels: int32
height: int32
width: int32
params: int64
aux_params: int64
buffers: int64
macs: int64
flops: int64
canziani_ops: int64
complete: bool
uncounted: string
ops: int32
modules: int32
activation_bytes: int64
peak_bytes: int64
method: string
seconds: double
torch: string
torchvision: string
timm: string"""


def test_the_command_makes_one_table(atlas: Atlas, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = atlas("costs", "--models", *MODELS, "--workers", "2", "--out", str(out))
    told, log = process.communicate(timeout=120)
    assert process.returncode == 0, log
    assert told == f"0 rows have a reason in place of numbers. All rows: {out / 'costs.parquet'}\n"
    assert "3/3" in log
    rows = rows_of(out / "costs.parquet")
    assert [row["model"] for row in rows] == MODELS
    for row in rows:
        spec = find(row["model"])
        assert (row["macs"], row["params"], row["state"]) == (spec.macs, spec.params, "done")
        assert (row["channels"], row["height"], row["width"]) == spec.input_size
    table = pq.ParquetFile(out / "costs.parquet").read()
    assert table.schema.remove_metadata().to_string() == SCHEMA
    again = atlas("costs", "--models", *MODELS, "--out", str(out))
    assert "add --resume to go on" in again.communicate(timeout=60)[1]
    assert again.returncode == 1
    other = atlas("costs", "--models", "lenet5", "--out", str(out), "--resume")
    assert "different: items" in other.communicate(timeout=60)[1]
    whole = atlas("costs", "--models", *MODELS, "--out", str(out), "--resume")
    assert "All rows" in whole.communicate(timeout=60)[0]
    assert rows_of(out / "costs.parquet") == rows


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--models", "nothing*"], "No model matches “nothing*”"),
        (["--workers", "0"], "“0” is no whole number from 1 on"),
    ],
)
def test_what_cannot_be_done_is_said(
    atlas: Atlas, tmp_path: Path, arguments: list[str], match: str
) -> None:
    process = atlas("costs", *arguments, "--out", str(tmp_path / "out"))
    assert match in process.communicate(timeout=60)[1]
    assert process.returncode in (1, 2)
    assert not (tmp_path / "out").exists()


def test_closed_in_public_mode(
    atlas: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_PUBLIC", "true")
    process = atlas("costs", "--models", "lenet5", "--out", str(tmp_path / "out"))
    assert "unset EXPLORER_PUBLIC" in process.communicate(timeout=60)[1]


def wait_for(rows: int, out: Path, process: Any) -> None:
    """Until so many rows are kept; they are in the journal, for shards are larger."""
    deadline = time.monotonic() + 120
    journal = out / "rows.jsonl"
    while not journal.exists() or len(journal.read_text().splitlines()) < rows:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_driver_and_worker_cost_no_row(atlas: Atlas, tmp_path: Path) -> None:
    """Worker killed, then the driver, then Ctrl-C: the end is that of an undisturbed run."""
    out = tmp_path / "out"
    command = ["costs", "--models", "lenet5", "timm/test_*", "--workers", "2", "--out", str(out)]
    first = atlas(*command)
    wait_for(2, out, first)
    workers = psutil.Process(first.pid).children()
    assert len(workers) == 2
    workers[0].kill()
    wait_for(6, out, first)
    driver = psutil.Process(first.pid)
    children = driver.children()
    driver.kill()
    first.communicate(timeout=30)
    assert psutil.wait_procs(children, timeout=20)[1] == []  # no worker outlives its driver
    second = atlas(*command, "--resume")
    wait_for(8, out, second)
    second.send_signal(signal.SIGINT)
    _told, log = second.communicate(timeout=60)
    assert second.returncode == 130, log
    assert "the same command with --resume goes on" in log
    assert "Traceback" not in log
    third = atlas(*command, "--resume")
    _told, log = third.communicate(timeout=200)
    assert third.returncode == 0, log
    rows = rows_of(out / "costs.parquet")
    assert [row["position"] for row in rows] == list(range(len(rows)))
    assert len({row["model"] for row in rows}) == len(rows) > 15
    for row in rows:
        assert (row["state"], row["macs"]) == ("done", find(row["model"]).macs), row["model"]
