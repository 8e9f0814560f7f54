"""Medians, quartiles and tables: how the bench says what it found."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median (lower quartile to upper quartile); of one value that value."""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def machine() -> str:
    """One line: processor, cores, system, Python and the frameworks' versions."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.processor()
    packages = ", ".join(f"{name} {version(name)}" for name in ("Flask", "Werkzeug", "gunicorn"))
    return (
        f"{os.cpu_count()} cores, {model}; {platform.system()} {platform.release()}; "
        f"{platform.python_implementation()} {platform.python_version()}; {packages}"
    )
