"""Weights of one's own through the real upload: taken where they fit, listed where not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from safetensors.torch import load_file, save_file

from tests.browser.conftest import ROOT, settle
from tests.browser.test_journeys import LONG

Visit = Callable[[str], Page]
SHIPPED = ROOT / "assets" / "weights" / "lenet5" / "lenet5.safetensors"


def give(page: Page, path: Path) -> None:
    page.get_by_role("button", name="Own weights").click()
    page.locator('[data-testid="stPopoverBody"] input[type="file"]').set_input_files(path)
    settle(page)


@pytest.mark.slow
def test_a_file_that_fits_is_chosen_and_one_that_does_not_is_listed(
    visit: Visit, tmp_path: Path
) -> None:
    state = load_file(SHIPPED)
    fits = tmp_path / "mine.safetensors"
    save_file({f"module.{name}": tensor for name, tensor in state.items()}, fits)
    short = tmp_path / "short.safetensors"
    last = sorted(state)[-1]
    save_file({name: tensor for name, tensor in state.items() if name != last}, short)

    page = visit("/complexity?model=lenet5")
    give(page, short)
    expect(page.get_by_text("does not fit")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Missing (1):")).to_be_visible()
    expect(page.get_by_text(last).first).to_be_visible()

    page = visit("/complexity?model=lenet5")
    give(page, fits)
    expect(page.get_by_text("own weights, not verified").first).to_be_visible(timeout=LONG)
    expect(page).to_have_url(re.compile(r"weights=own-"))
