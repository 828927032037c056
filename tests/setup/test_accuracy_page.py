"""``docs/accuracy.md`` is of the whole zoo, and its words on us are still true."""

from __future__ import annotations

import re

import pytest

from docs.make_accuracy import COUNTERS, PAGE, published, zoo
from explorer.catalog import CATALOG


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: row[1:] for row in cells if row[0] in CATALOG}


def test_every_network_of_the_zoo_is_in_it(rows: dict[str, list[str]]) -> None:
    assert list(rows) == [spec.id for spec in zoo()]
    assert all(len(row) == 1 + len(COUNTERS) for row in rows.values())


def test_our_column_is_what_the_catalog_counts(rows: dict[str, list[str]]) -> None:
    for model, (known, ours, *_others) in rows.items():
        spec = CATALOG[model]
        assert float(known) == round(published(spec) / 1e9, 3)
        assert ours == f"{spec.macs / 1e9:.3f}", model  # never bold: always within the tolerance


def test_the_summary_counts_the_bold_cells(rows: dict[str, list[str]]) -> None:
    said = dict(re.findall(r"^\| (\w+) \|[^|]*\| (\d+) of \d+ \|", PAGE.read_text("utf-8"), re.M))
    for place, name in enumerate(COUNTERS, 1):
        right = sum(not re.search(r"\*\*|–", row[place]) for row in rows.values())
        assert int(said[name]) == right, name
    assert int(said["ours"]) == len(rows)
