"""The commands by which an operator looks after the service: pause, resume, verify, doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import click

from cli.context import Context, Exit
from monitor.errors import ChannelError, MonitorError, SettingsError, SourceError

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.model import ChannelName
    from alerts.storage.store import AlertStore
    from monitor.settings import Settings

# Every state of a delivery, in the order in which people ask for them.
STATES = ("sent", "ambiguous", "dead", "suppressed", "pending", "leased")


@click.command()
@click.pass_obj
def pause(context: Context) -> None:
    """Hold back everything that would be sent, until `resume`. Lists are checked and recorded as ever."""
    with _alerts(context) as alerts, alerts.write():
        alerts.outbox.pause(context.now)
        waiting = _waiting(alerts)
    click.echo(f"Paused: nothing is sent until `resume`. {waiting} so far. What is new waits as well.")


@click.command()
@click.pass_obj
def resume(context: Context) -> None:
    """Send what waits, and what is new, again."""
    with _alerts(context) as alerts, alerts.write():
        since = alerts.reports.paused_at()
        if since is None:
            raise MonitorError("nothing is paused; `deliveries list --state pending` prints what waits")
        alerts.outbox.resume()
        alerts.outbox.put_off_giving_up(context.now + timedelta(hours=context.settings.delivery.give_up_after_hours))
        waiting = _waiting(alerts)
    click.echo(f"Resumed after a pause since {since:%Y-%m-%d %H:%M} UTC.")
    click.echo(f"{waiting}: with the next `check`, or within a minute where `run` is running.")


def held_back(settings: Settings) -> list[str]:
    """For `status`: that everything is held back, if it is."""
    from alerts.storage.store import open_alerts

    with open_alerts(settings.state) as alerts:
        since = alerts.reports.paused_at()
        if since is None:
            return []
        return [f"sending is paused since {since:%Y-%m-%d %H:%M} UTC; {_waiting(alerts)}; `resume` goes on with it"]


def _waiting(alerts: AlertStore) -> str:
    count = sum(states.get("pending", 0) for states in alerts.reports.counts().values())
    return "1 message waits" if count == 1 else f"{count} messages wait"


@click.command()
@click.pass_obj
def verify(context: Context) -> None:
    """Check that state.db adds up: every change that was routed to somebody is in a delivery that ended or waits.

    Prints how many deliveries there are in each state. Exit status 1 where anything contradicts itself.
    """
    with _alerts(context) as alerts:
        ledger = alerts.reports.counts()
        uneven = []
        entries = routed = 0
        for entry, watches, states in alerts.reports.entries_told():
            entries, routed = entries + 1, routed + watches
            if watches != sum(states.get(state, 0) for state in STATES):
                uneven.append(f"{entry}: was routed to {watches} watches, and is in no delivery for some of them")
        faults = [*uneven, *alerts.reports.contradictions()]
    click.echo(f"{context.settings.state}: {entries} entries told to watches, {routed} times")
    click.echo("".join(["deliveries".ljust(14), *(state.rjust(12) for state in STATES)]))
    for purpose, states in ledger.items():
        click.echo("".join([purpose.ljust(14), *(str(states.get(state, 0)).rjust(12) for state in STATES)]))
    for fault in faults:
        click.echo(fault)
    click.echo("Something contradicts itself; see above." if faults else "All of it adds up.")
    context.end(Exit.NEEDS_A_PERSON if faults else Exit.DONE)


# What was looked at, whether it is fine, and what was found or what to mend.
Finding: TypeAlias = tuple[str, bool, str]


@click.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Look whether everything is in place, and send a test message to the operator on each channel.

    Says line by line what is fine and what to mend. Exit status 0 all is fine, 1 something is to be mended, 2 the
    settings or state.db cannot be used.
    """
    worst = Exit.DONE
    for what, fine, said in _findings(context):
        click.echo(f"{'fine' if fine else 'MEND'}  {what}: {said}")
        if not fine:
            unusable = what in ("settings", "state.db")
            worst = max(worst, Exit.COULD_NOT if unusable else Exit.NEEDS_A_PERSON)
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
        from alerts.delivery.operator import addresses

        named = addresses(settings)
    except SettingsError as exc:
        yield "operator", False, str(exc)
        return
    if not named:
        yield "operator", False, "nobody is named to be told what goes wrong; set operator.email or operator.slack"
    for channel, address in named:
        yield _seen(f"operator by {channel}", partial(_try, settings, channel, address, context.now))


def _seen(what: str, look: Callable[[], str]) -> Finding:
    """What a look finds; an error that can be mended is what to mend."""
    try:
        return what, True, look()
    except MonitorError as exc:
        return what, False, str(exc)


def _set_up(settings: Settings) -> Iterator[Finding]:
    """What works without having been set, and should not be left so."""
    defaults = type(settings).model_fields
    if settings.source.contact == defaults["source"].default.contact:
        yield "source.contact", False, "not set; ICE’s staff cannot reach you"
    if settings.web.base_url == defaults["web"].default.base_url:
        yield "web.base_url", False, "not set; links in messages lead to this machine only"


def _looked_at(context: Context, settings: Settings) -> Iterator[Finding]:
    """Whether state.db can be read and written, and what goes to whom."""
    from alerts.model import ChannelName
    from alerts.storage.store import open_alerts

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
    """Look at the lists as a check does, and record nothing."""
    from cli.wiring import ice_site
    from monitor.model import Fetched, ListName, Validators

    site = ice_site(settings)
    said = []
    for list_ in ListName:
        found = site.fetch(list_, Validators())
        how = f"{len(found.content) // 1000} KB" if isinstance(found, Fetched) else "not linked at present"
        said.append(f"{list_} list: {how}")
    if not any("KB" in each for each in said):
        raise SourceError(settings.source.page, "the page links neither list")
    return ", ".join(said)


def _ask_slack(settings: Settings) -> str:
    """Whether the bot's token is good. Nothing is posted: its channels are the readers'."""
    from alerts.channels.slack_bot import SlackBotChannel
    from alerts.sanitize import clean

    with closing(SlackBotChannel(settings.slack)) as bot:
        return f"is good for the workspace {clean(bot.workspace())}"


def _try(settings: Settings, channel: ChannelName, address: str, now: datetime) -> str:
    """Send a test message past the ledger: it is to be seen now, or never."""
    from alerts.addresses import sender_domain
    from alerts.channels.registry import open_channel
    from alerts.keys import new_token
    from alerts.masking import masked
    from alerts.messages.operator_events import TrialMessage
    from alerts.messages.render import renderer_of
    from alerts.model import ChannelName, Delivery
    from cli.wiring import store

    with store(settings) as log:
        message = renderer_of(settings, log).for_operator(channel, [TrialMessage()])
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


def _alerts(context: Context) -> AlertStore:
    from alerts.storage.store import open_alerts

    return open_alerts(context.settings.state)
