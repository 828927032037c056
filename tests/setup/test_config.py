"""Streamlit's configuration: known options, telemetry off, two readable themes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from streamlit import config

from explorer.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / ".streamlit" / "config.toml"
CONFIG: dict[str, Any] = tomllib.loads(FILE.read_text("utf-8"))


def options(table: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, value in table.items():
        path = f"{prefix}{name}"
        found += options(value, f"{path}.") if isinstance(value, dict) else [path]
    return found


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2: (L1 + 0.05) / (L2 + 0.05)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_streamlit_knows_every_option() -> None:
    known = set(config._config_options_template)
    assert [name for name in options(CONFIG) if name not in known] == []


def test_nothing_is_reported_and_nobody_is_asked_for_an_address() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["showEmailPrompt"] is False
    # Without it a headless server looks up its public address at another machine.
    assert CONFIG["browser"]["serverAddress"] == "localhost"


def test_upload_limit_is_the_default_of_the_settings() -> None:
    assert CONFIG["server"]["maxUploadSize"] == Settings.model_fields["max_image_mb"].default


def test_nothing_in_the_theme_comes_from_outside() -> None:
    assert not re.search(r"https?://|url\(|fontFaces", FILE.read_text("utf-8"))


@pytest.mark.parametrize("name", ["light", "dark"])
def test_themes_are_readable_on_a_projector(name: str) -> None:
    theme = CONFIG["theme"][name]
    for background in (
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
        theme["sidebar"]["secondaryBackgroundColor"],
    ):
        assert contrast(theme["textColor"], background) >= 12
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= 4.5
    assert contrast(theme["linkColor"], theme["backgroundColor"]) >= 4.5
    assert contrast("#ffffff", theme["primaryColor"]) >= 3  # the words on a primary button
    assert contrast(theme["borderColor"], theme["backgroundColor"]) >= 3  # outlines of widgets


def test_contrast_is_computed_as_published() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)  # (1 + 0.05) / 0.05
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
