"""The wiring of the channels, one line each; what a channel needs is imported when there is something to send on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.links import open_links
from alerts.model import Channel, ChannelName

if TYPE_CHECKING:
    from monitor.settings import Settings


def open_channel(name: ChannelName, settings: Settings) -> Channel:
    """A channel, opened for one run; close it."""
    match name:
        case ChannelName.SLACK:
            from alerts.channels.slack_webhook import SlackChannel

            return SlackChannel(settings.slack)
        case ChannelName.SLACK_BOT:
            from alerts.channels.slack_bot import SlackBotChannel

            return SlackBotChannel(settings.slack)
        case ChannelName.EMAIL:
            from alerts.channels.email import MailChannel

            return MailChannel(settings.mail, open_links(settings))
