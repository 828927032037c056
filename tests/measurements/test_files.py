from __future__ import annotations

import io
import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from explorer.catalog import find
from explorer.catalog.timm_results import CPU_FILE
from explorer.errors import MeasurementError
from explorer.measurements import MeasurementStore, rows_of
from explorer.measurements.files import export, import_file
from explorer.measurements.history import changes
from explorer.measurements.keeping import keep
from explorer.measurements.reading_files import TIMM_COLUMNS, read_file
from tests.measurements.made import made, same


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_everything_comes_back_from_json_and_parquet(kind: str) -> None:
    results = [made(seed=1), made("b", (4,), seed=2, machine=None, request=None, weights="w")]
    found = read_file(export(results, kind), f"file.{kind}")
    assert all(map(same, found, results))
    assert len(found) == 2


def test_raw_times_and_conditions_come_back_from_csv() -> None:
    result = made(seed=1)
    data = export([result, made("b", (4,), seed=2)], "csv")
    found = read_file(data, "file.CSV")
    assert [one.model for one in found] == ["lenet5", "b"]
    for one, two in zip(found[0].series, result.series, strict=True):
        assert np.array_equal(one.seconds, two.seconds)
        assert np.array_equal(one.starts, two.starts)
    about = ("device", "mode", "dtype", "memory_format", "threads", "input_size", "started_at")
    assert all(getattr(found[0], name) == getattr(result, name) for name in about)
    table = pd.read_csv(io.BytesIO(data))
    assert len(table) == 3 * 250
    assert table.groupby("batch_size").seconds_per_batch.median()[8] == result.series[1].median


def test_timms_layout_goes_out_and_in(file_store: MeasurementStore) -> None:
    result = made("squeezenet1_1", (2,), input_size=(3, 224, 224))
    table = pd.read_csv(io.BytesIO(export([result], "timm")))
    row = table.iloc[0]
    assert tuple(table.columns) == TIMM_COLUMNS
    median = result.series[0].median
    assert median is not None
    assert row.infer_step_time == round(median * 1e3, 4)  # milliseconds a batch
    assert row.infer_samples_per_sec == round(2 / median, 2)
    spec = find("squeezenet1_1")
    assert (row.param_count, row.infer_gmacs) == (
        round(spec.params / 1e6, 2), round((spec.macs or 0) / 1e9, 2),
    )  # fmt: skip
    assert import_file(file_store, export([result], "timm"), "mine.csv") == (1, 0)
    (kept,) = file_store.rows()
    assert (kept.model, kept.origin, kept.batch_size) == ("squeezenet1_1", "imported", 2)
    assert kept.median == pytest.approx(median, abs=1e-7)


def test_timms_own_table_can_be_imported(file_store: MeasurementStore) -> None:
    data = CPU_FILE.read_bytes()
    assert import_file(file_store, data, "timm-cpu.csv") == (1440, 0)
    assert import_file(file_store, data, "timm-cpu.csv") == (0, 1440)
    row = next(row for row in file_store.rows() if row.model == "timm/test_byobnet")
    assert row.median == pytest.approx(1.062e-3)  # its first line: 1.062 ms, 930.48 images/s
    assert row.images_per_second == pytest.approx(930.48, rel=0.02)
    assert row.device == "timm-cpu.csv"


GOOD = export([made("a", (1,), seed=1)], "csv").decode()
TIMM = "model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size\n"


def changed(line: int, column: str, value: str) -> str:
    lines = GOOD.splitlines()
    cells = lines[line - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[line - 1] = ",".join(cells)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (changed(7, "seconds_per_batch", "fast"), "row 7: seconds_per_batch is “fast”, no number"),
        (changed(9, "seconds_per_batch", "-1"), "row 9: seconds_per_batch is -1"),
        (changed(9, "seconds_per_batch", "nan"), "row 9: seconds_per_batch is nan"),
        (changed(9, "seconds_per_batch", "inf"), "row 9: seconds_per_batch is inf"),
        (changed(5, "batch_size", "0"), "row 5: 0 is below 1"),
        (changed(5, "batch_size", "1.5"), "row 5: “1.5” is no whole number"),
        (changed(5, "input_size", "224"), "row 5: input_size is “224”"),
        (changed(5, "model", "b"), "row 5: the model is not that"),
        (GOOD + "1,a,untrained\n", "row 252: "),
        (GOOD.replace("seconds_per_batch", "time"), "row 1: the column seconds_per_batch is miss"),
        (GOOD.splitlines()[0], "holds no measurement"),
        ("", "row 1: the column measurement is missing"),
        (TIMM + "resnet18,224,10,100,1\nresnet34,224,10,slow,1\n", "row 3: infer_step_time is “sl"),
        (TIMM + "resnet18,224,10,100,1\n,224,10,100,1\n", "row 3: model is empty"),
        (TIMM + "resnet18,224,10,100,1\nx,224\n", "row 3: "),
    ],
)
def test_a_malformed_csv_is_refused_with_its_row(
    file_store: MeasurementStore, text: str, match: str
) -> None:
    with pytest.raises(MeasurementError, match=match):
        import_file(file_store, text.encode(), "file.csv")
    assert file_store.count() == 0


@pytest.mark.parametrize(
    ("data", "name", "match"),
    [
        (b"\xff\xfe\x00", "file.csv", "row 1: the text is not UTF-8"),
        (b"{", "file.json", "row 1: not a file of measurements"),
        (b"[]", "file.json", "row 1: not a file of measurements"),
        (b'{"measurements": [{"model": "a"}]}', "file.json", "row 1: series is missing"),
        (b"PAR1", "file.parquet", "row 1: not a Parquet file"),
        (b"", "file.xlsx", "file.xlsx is no file of measurements"),
    ],
)
def test_other_malformed_files(data: bytes, name: str, match: str) -> None:
    with pytest.raises(MeasurementError, match=match):
        read_file(data, name)


def test_a_json_file_with_one_bad_time_is_refused_whole(file_store: MeasurementStore) -> None:
    content = json.loads(export([made(seed=1), made(seed=2)], "json"))
    content["measurements"][1]["series"][0]["seconds"][3] = -1
    with pytest.raises(MeasurementError, match="row 2: a time that is not above 0"):
        import_file(file_store, json.dumps(content).encode(), "file.json")
    assert file_store.count() == 0


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(MeasurementError, match="“xml” is no kind"):
        export([made()], "xml")


# --- kept in any case, and compared with before ---------------------------------------------------


def test_what_cannot_be_kept_is_shown_with_the_reason(file_store: MeasurementStore) -> None:
    kept = keep(made(), file_store)
    assert kept.unstored is None
    assert kept.run_id is not None
    broken = MeasurementStore("sqlite:////proc/nowhere/file.sqlite")
    unkept = keep(made(), broken)
    assert unkept.run_id is None
    assert "cannot be opened" in str(unkept.unstored)
    again = pickle.loads(pickle.dumps(unkept))  # it comes from a worker process
    assert "cannot be opened" in again.unstored.text()
    assert export([again], "json")


def test_changes_are_flagged_between_runs_of_the_same_conditions() -> None:
    def scaled(factor: float, seed: int, **changes: object) -> tuple[object, ...]:
        result = made("a", (1,), seed=seed, **changes)
        (series,) = result.series
        slower = replace(series, seconds=series.seconds * factor)
        return rows_of(replace(result, series=(slower,)))

    rows = [*scaled(1.0, 1), *scaled(1.02, 2), *scaled(1.5, 3), *scaled(1.5, 4, mode="compile")]
    found = changes(reversed(rows))  # type: ignore[arg-type]
    assert [change.flagged for change in found] == [False, False, True, False]
    assert found[0].before is None
    assert found[2].relative == pytest.approx(0.5, abs=0.1)
    assert found[3].before is None  # another mode
