"""Starts the processes that read workbooks; not in `wiring`, so that they start before all else is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.workbooks.sandbox import Reader, ReadLimits

if TYPE_CHECKING:
    from monitor.settings import Settings


def reader(settings: Callable[[], Settings], workers: int = 1) -> Reader:
    """Start `workers` reading processes; close it. `settings` is called when there is a workbook to read."""

    def limits() -> ReadLimits:
        read = settings().read
        return ReadLimits(read.timeout, read.max_memory_mb << 20)

    return Reader(limits, workers)
