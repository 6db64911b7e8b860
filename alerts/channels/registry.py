"""Opens channels by name. Their modules are imported when needed: slack-sdk takes about 0.3 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.links import open_links
from alerts.model import Channel, ChannelName

if TYPE_CHECKING:
    from monitor.settings import Settings


def open_channel(name: ChannelName, settings: Settings) -> Channel:
    """A channel, opened for one run. The caller closes it."""
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
