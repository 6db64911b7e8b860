"""The command `doctor`: checks the setup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TypeAlias

import click

from alerts.addresses import sender_domain
from alerts.channels.registry import open_channel
from alerts.channels.slack_bot import SlackBotChannel
from alerts.delivery.operator import addresses
from alerts.keys import new_token
from alerts.masking import masked
from alerts.messages.operator_events import TrialMessage
from alerts.messages.render import renderer_of
from alerts.model import ChannelName, Delivery
from alerts.sanitize import clean
from alerts.storage.store import open_alerts
from cli.context import Context, ExitStatus
from cli.wiring import ice_site, reader
from monitor.errors import ChannelError, MonitorError, SettingsError, SourceError
from monitor.model import Fetched, ListName, Validators
from monitor.settings import Settings
from monitor.storage.writer import open_store

# What was checked, whether it is fine, and what was found or what to fix.
Finding: TypeAlias = tuple[str, bool, str]


@click.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Check the setup, and send a test message to the operator on each channel.

    Prints for each part that it works, or what to fix. Exit status: 0 everything works, 1 something needs fixing, 2 the
    settings or state.db cannot be used.
    """
    worst = ExitStatus.DONE
    for what, fine, said in _findings(context):
        click.echo(f"{'fine' if fine else 'FIX '}  {what}: {said}")
        if not fine:
            unusable = what in ("settings", "state.db")
            worst = max(worst, ExitStatus.COULD_NOT if unusable else ExitStatus.NEEDS_A_PERSON)
    context.end(worst)


def _findings(context: Context) -> Iterator[Finding]:
    try:
        settings = context.settings
    except SettingsError as exc:
        yield "settings", False, str(exc)
        return
    yield "settings", True, "can be used"
    yield from _set_up(settings)
    yield from _looked_at(context, settings)
    yield _seen("ICE", partial(_ask_ice, settings))
    if settings.slack.bot_token.get_secret_value():
        yield _seen("slack.bot_token", partial(_ask_slack, settings))
    try:
        named = addresses(settings)
    except SettingsError as exc:
        yield "operator", False, str(exc)
        return
    if not named:
        yield "operator", False, "nobody is named to be told what goes wrong; set operator.email or operator.slack"
    for channel, address in named:
        yield _seen(f"operator by {channel}", partial(_try, settings, channel, address, context.now))


def _seen(what: str, look: Callable[[], str]) -> Finding:
    """What a check finds; an error that the operator can fix is a finding, too."""
    try:
        return what, True, look()
    except MonitorError as exc:
        return what, False, str(exc)


def _set_up(settings: Settings) -> Iterator[Finding]:
    """Settings whose defaults work, but should be changed."""
    defaults = type(settings).model_fields
    if settings.source.contact == defaults["source"].default.contact:
        yield "source.contact", False, "not set; ICE’s staff cannot reach you"
    if settings.web.base_url == defaults["web"].default.base_url:
        yield "web.base_url", False, "not set; links in messages lead to this machine only"


def _looked_at(context: Context, settings: Settings) -> Iterator[Finding]:
    """Whether state.db can be read and written, and how many watches there are."""

    try:
        with open_alerts(settings.state) as alerts:
            with alerts.write():
                alerts.routed.try_writing()
            channels = [record.watch.subscriber.channel for record in alerts.watches.records()]
            paused_at = alerts.reports.paused_at()
    except MonitorError as exc:
        yield "state.db", False, str(exc)
        return
    yield "state.db", True, f"{settings.state} can be written"
    if paused_at:
        yield "sending", False, f"is paused since {paused_at:%Y-%m-%d %H:%M} UTC; `resume` goes on with it"
    counts = ", ".join(f"{channels.count(name)} by {name}" for name in ChannelName if name in channels)
    yield "watches", bool(channels), counts or "nobody watches anything yet; see `watch add --help`"
    default_sender = type(settings).model_fields["mail"].default.sender
    if ChannelName.EMAIL in channels and settings.mail.sender == default_sender:
        yield "mail.sender", False, f"not set; {default_sender} is nobody’s address"


def _ask_ice(settings: Settings) -> str:
    """Fetch the lists as a check does, and record nothing."""
    said = []
    with reader(lambda: settings) as reading:
        site = ice_site(settings, reading)
        for list_ in ListName:
            found = site.fetch(list_, Validators())
            how = f"{len(found.content) // 1000} KB" if isinstance(found, Fetched) else "not linked at present"
            said.append(f"{list_} list: {how}")
    if not any("KB" in each for each in said):
        raise SourceError(settings.source.page, "the page links neither list")
    return ", ".join(said)


def _ask_slack(settings: Settings) -> str:
    """Whether the bot's token is valid. Nothing is posted, since its channels belong to readers."""

    with closing(SlackBotChannel(settings.slack)) as bot:
        return f"is good for the workspace {clean(bot.workspace())}"


def _try(settings: Settings, channel: ChannelName, address: str, now: datetime) -> str:
    """Send a test message at once, without storing a delivery."""

    with open_store(settings.state) as store:
        message = renderer_of(settings, store.log).for_operator(channel, [TrialMessage()])
    id = f"d-test-{new_token()[:12]}"
    delivery = Delivery(
        id=id,
        channel=channel,
        address=address,
        message=message,
        message_id=f"<{id}@{sender_domain(settings.mail.sender)}>" if channel is ChannelName.EMAIL else id,
        created_at=now,
        give_up_at=now,
        attempts=1,
        token="",
    )
    with closing(open_channel(channel, settings)) as opened:
        try:
            opened.send(delivery)
        except ChannelError as exc:
            raise MonitorError(f"the test message to {masked(channel, address)} did not go through: {exc}") from exc
    return f"a test message was handed over for {masked(channel, address)}; look whether it has arrived"
