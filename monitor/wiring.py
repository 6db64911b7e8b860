"""Settings → the parts that a check is made of."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version

from monitor.check import Rules
from monitor.config import Settings
from monitor.guard import Limits
from monitor.reader import Reader
from monitor.sources import IceSite


def rules(settings: Settings) -> Rules:
    """When to hold a publication and when to confirm a departure."""
    guard = settings.guard
    return Rules(
        Limits(
            gone_share=guard.gone_share,
            gone_rows=guard.gone_rows,
            odd_share=guard.odd_share,
            odd_rows=guard.odd_rows,
            agreeing_publications=guard.agreeing_publications,
            release_after=timedelta(hours=guard.release_after_hours),
            release_served_again_after=timedelta(hours=guard.release_served_again_after_hours),
        ),
        settings.log.confirm_after,
    )


def reader(settings: Settings, workers: int = 1) -> Reader:
    """A reader within the limits of the settings; close it."""
    read = settings.read
    return Reader(timeout=read.timeout, max_memory=read.max_memory_mb << 20, workers=workers)


def ice_site(settings: Settings) -> IceSite:
    """ICE's page, for one run."""
    source = settings.source
    return IceSite(
        str(source.page),
        user_agent=f"agreement-monitor/{version('agreement-monitor')} ({source.contact})",
        timeout=(source.connect_timeout, source.read_timeout),
        max_bytes=source.max_bytes,
        retries=source.retries,
    )
