"""What all messages of one run have in common: how they are rendered, and how they are stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from alerts.addresses import sender_domain
from alerts.storage.routed import Alerts, Posting

if TYPE_CHECKING:
    from alerts.messages.render import Renderer
    from monitor.settings import Settings


def posting(settings: Settings, now: datetime) -> Posting:
    """From when on and how long the deliveries made now are tried, and under which name."""
    give_up_at = now + timedelta(hours=settings.delivery.give_up_after_hours)
    return Posting(now, give_up_at, sender_domain(settings.mail.sender))


def cached_renderer(alerts: Alerts, settings: Settings) -> Callable[[], Renderer]:
    """A renderer, made once it is wanted: after most checks there is nothing to say, and templates take time."""

    @cache
    def made() -> Renderer:
        from alerts.messages.render import renderer_of

        return renderer_of(settings, alerts.log)

    return made
