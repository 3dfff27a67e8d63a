"""Where the named parts of an observation lie."""

from __future__ import annotations

from collections.abc import Mapping


def consecutive(**widths: int) -> Mapping[str, slice]:
    """Slices of the given widths, one after another in the order of the keywords."""
    slices, start = {}, 0
    for name, width in widths.items():
        slices[name] = slice(start, start + width)
        start += width
    return slices


def total_width(layout: Mapping[str, slice]) -> int:
    """Width of an observation with this layout."""
    return max(part.stop for part in layout.values())
