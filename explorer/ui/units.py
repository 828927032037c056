"""Counts as short text with an SI prefix and their unit."""

from __future__ import annotations

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def si(value: float, unit: str = "", digits: int = 2) -> str:
    """A count with an SI prefix: 4089184256 → "4.09 G", with "MACs" → "4.09 GMACs".

    Args:
        value: In base units.
        unit: Written behind the prefix without a space.
        digits: Decimals, for values that take a prefix.
    """
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.{digits}f} {prefix}{unit}"
    return f"{value:g} {unit}".strip()


def memory(value: float) -> str:
    """Bytes as text in MiB (2²⁰ bytes), below a tenth of one in KiB (2¹⁰ bytes)."""
    return f"{value / 2**20:.1f} MiB" if value >= 2**20 / 10 else f"{value / 2**10:.1f} KiB"
