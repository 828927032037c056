"""Downloads: the same numbers in every format, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json

import pytest
from openpyxl import load_workbook

from explorer.errors import CostFileError
from explorer.exports import FORMAT, FORMATS, LARGEST_FILE, VERSION, Table, read_costs, to_json

TABLE = Table(
    rows=[
        {"Layer": "conv_1", "Parameters": 1728, "Share (%)": 60.0, "Time (ms)": None},
        {"Layer": "=cmd()", "Parameters": 1152, "Share (%)": 40.0, "Time (ms)": 1.5},
        {"Layer": "Total", "Parameters": 2880, "Share (%)": 100.0, "Time (ms)": None},
    ],
    about={"model": "net", "convention": "MACs, batch 1"},
    records=[
        {"name": "conv_1", "kind": "convolution", "params": 1728, "macs": 9, "canziani_ops": 20,
         "activation_bytes": 4}
    ],
)  # fmt: skip


def written(ending: str) -> bytes:
    return FORMATS[ending][2](TABLE)


def test_csv_and_excel_hold_the_same_numbers_and_run_nothing() -> None:
    lines = list(csv.DictReader(io.StringIO(written("csv").decode("utf-8-sig"))))
    assert [line["Parameters"] for line in lines] == ["1728", "1152", "2880"]
    assert lines[1]["Layer"] == "'=cmd()"
    book = load_workbook(io.BytesIO(written("xlsx")))
    cells = list(book["costs"].iter_rows(values_only=True))
    assert cells[0] == ("Layer", "Parameters", "Share (%)", "Time (ms)")
    assert [row[1] for row in cells[1:]] == [1728, 1152, 2880]
    assert {cell.data_type for row in book["costs"] for cell in row} <= {"s", "n"}
    assert next(iter(book["about"].iter_rows(values_only=True))) == ("model", "net")


def test_latex_and_markdown_escape_and_say_the_convention() -> None:
    latex, markdown = written("tex").decode(), written("md").decode()
    assert r"conv\_1 & 1,728 & 60.0 &  \\" in latex
    assert r"Share (\%)" in latex
    assert r"\begin{tabular}{lrrr}" in latex
    assert "| conv_1 | 1,728 | 60.0 |  |" in markdown
    assert "| --- | ---: | ---: | ---: |" in markdown
    assert "MACs, batch 1" in latex
    assert "MACs, batch 1" in markdown


def test_json_comes_back() -> None:
    about, records = read_costs(written("json"))
    assert about == dict(TABLE.about)
    assert records == [dict(record) for record in TABLE.records]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not json", "no table of costs"),
        (b"[]", "no table of costs"),
        (b"[" * 100_000, "no table of costs"),
        (b"\xff\xfe\x00", "no table of costs"),
        (json.dumps({"format": "x", "version": 1}).encode(), "no table of costs"),
        (json.dumps({"format": FORMAT, "version": VERSION}).encode(), "no table of costs"),
        (to_json(Table([], {}, [{"name": "a"}])), "no table of costs"),
        (to_json(TABLE).replace(b'"macs": 9', b'"macs": -9'), "no table of costs"),
        (to_json(TABLE).replace(b'"version": 1', b'"version": 0'), "version 0 and this page"),
        (b" " * (LARGEST_FILE + 1), "more than"),
    ],
)
def test_other_files_are_refused_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(CostFileError, match=said):
        read_costs(data)
