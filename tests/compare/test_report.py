"""The report is one file, escaped, with Plotly inside once."""

from __future__ import annotations

import re

from explorer.charts.compare import CompareEntry, compare_bars
from explorer.compare_report import Section, html_report, markdown_table

RECORDS = [{"Quantity": "Parameters | all", "A": "1.00 ★", "B": "<b>2</b>"}]


def test_everything_is_inside_and_text_is_text() -> None:
    figure = compare_bars([CompareEntry("A", params=1e6), CompareEntry("B", params=2e6)])
    data = html_report(
        "A · <script>x</script>", "http://127.0.0.1/compare?compare=a,b",
        [
            Section("One", ["<img src=x>"], ["<i>item"], RECORDS, [figure]),
            Section("Two", figures=[figure]),
        ],
    )  # fmt: skip
    page = data.decode()
    assert len(data) < 12_000_000
    assert page.count("<script>/**") + page.count("plotly.js v") >= 1
    assert len(re.findall(r"\* plotly\.js v[\d.]+", page)) == 1
    assert page.count('id="figure-') >= 2
    assert "<script>x" not in page
    assert "&lt;img src=x&gt;" in page
    assert "<li>&lt;i&gt;item</li>" in page
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="http', page)
    assert "Content-Security-Policy" in page


def test_markdown_has_a_line_each_and_its_bars_escaped() -> None:
    lines = markdown_table(RECORDS).splitlines()
    assert lines[0] == "| Quantity | A | B |"
    assert lines[1] == "|---|---:|---:|"
    assert lines[2] == "| Parameters \\| all | 1.00 ★ | <b>2</b> |"
    assert markdown_table([]) == ""
