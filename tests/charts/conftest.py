"""Rows that several chart tests use."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from explorer.catalog.paper2016 import load_points
from explorer.charts.bubble import BubbleRow
from explorer.charts.bubble_rows import rows_2016
from explorer.i18n import set_language

DATA = Path(__file__).resolve().parents[2] / "assets" / "data" / "canziani2016.csv"


@dataclass(frozen=True)
class Point:
    network: str
    top1: float
    ops_giga: float
    params_millions: float
    density: float
    colour: str


@pytest.fixture(scope="session")
def paper_points() -> list[Point]:
    """The paper's table as it is committed, read here on its own."""
    with DATA.open(encoding="utf-8") as file:
        return [
            Point(
                row["network"],
                float(row["top1_pct"]),
                float(row["ops_gops"]),
                float(row["params_m"]),
                float(row["density_pct_per_mparam"]),
                row["colour_hex"],
            )
            for row in csv.DictReader(file)
        ]


@pytest.fixture
def paper_rows() -> list[BubbleRow]:
    """The rows as the page makes them, through the catalog."""
    return rows_2016(load_points()[0])


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")
