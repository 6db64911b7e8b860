"""Makes the parts of a check from the settings: source, reader, rules.

Each part is imported where it is made: the reading process starts before the others are imported, and a check that
finds a list imports its rules while the list is being read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.workbooks.sandbox import Reader, ReadLimits

if TYPE_CHECKING:
    from monitor.checks.decide import Rules
    from monitor.settings import Settings
    from monitor.sources.ice import IceSite
    from monitor.sources.internet_archive import Archive


def reader(settings: Callable[[], Settings], workers: int = 1) -> Reader:
    """Start `workers` reading processes; close it. `settings` is called when there is a workbook to read."""

    def limits() -> ReadLimits:
        read = settings().read
        return ReadLimits(read.timeout, read.max_memory_mb << 20)

    return Reader(limits, workers)


def rules(settings: Settings) -> Rules:
    """When to hold a publication and when to confirm a departure."""
    from monitor.checks.decide import Rules
    from monitor.checks.plausibility import Limits

    guard = settings.guard
    return Rules(
        Limits(
            gone_share=guard.gone_share,
            gone_rows=guard.gone_rows,
            operator_gone_share=guard.operator_gone_share,
            state_gone_share=guard.state_gone_share,
            state_rows=guard.state_rows,
            changed_share=guard.changed_share,
            changed_rows=guard.changed_rows,
            unreadable_share=guard.unreadable_share,
            unreadable_rows=guard.unreadable_rows,
            odd_share=guard.odd_share,
            odd_rows=guard.odd_rows,
            emptied_pending_rows=guard.emptied_pending_rows,
            release_after=timedelta(hours=guard.release_after_hours),
            release_served_again_after=timedelta(hours=guard.release_served_again_after_hours),
        ),
        settings.log.confirm_after,
    )


def ice_site(settings: Settings, reader: Reader | None = None) -> IceSite:
    """ICE's page, for one run. With a reader, links that name neither list are told apart by their columns."""
    from monitor.sources.ice import IceSite

    source = settings.source
    return IceSite(
        source.page,
        user_agent=_user_agent(settings),
        timeout=(source.connect_timeout, source.read_timeout),
        max_bytes=source.max_bytes,
        retries=source.retries,
        reader=reader,
    )


def archive(settings: Settings) -> Archive:
    """The Internet Archive, for one run."""
    from monitor.sources.internet_archive import Archive

    there = settings.archive
    return Archive(
        there.cdx,
        there.web,
        user_agent=_user_agent(settings),
        timeout=(there.timeout, there.timeout),
        max_bytes=settings.source.max_bytes,
        retries=there.retries,
        between=there.pause,
        pause=time.sleep,
    )


def _user_agent(settings: Settings) -> str:
    return f"agreement-monitor/{__version__} ({settings.source.contact})"
