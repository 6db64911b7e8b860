"""The commands about watches. Addresses are masked unless --reveal is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TextIO

import click

from alerts.keys import new_token, open_keys
from alerts.model import ChannelName, Watch
from alerts.signup.selfservice import forget
from alerts.storage.messages import NewDelivery, delivery_terms
from alerts.storage.store import AlertStore, open_alerts
from alerts.storage.subscribers import SubscriberRecord
from alerts.storage.watches import WatchRecord
from cli.context import Context
from cli.output import write
from cli.parameters import format_option
from cli.watch_options import Fault, NewWatch, address, address_options, fault, new_watch, read_watches, watch_options
from cli.watch_output import WATCH_COLUMNS, in_words, watch_line, where, who
from monitor.errors import MonitorError
from monitor.geography import county_name, is_county

_OPTION = {ChannelName.EMAIL: "--email", ChannelName.SLACK: "--slack", ChannelName.SLACK_BOT: "--slack-channel"}
_WHY_NOT = {
    "erased": "it was erased, never to be written to again",
    "unsubscribed": "its reader has unsubscribed",
    "no such address": "its server says that there is no such address; `deliveries retry` of a message tries it again",
}
_NOT_SENT_SINCE_DIGEST = "What happened since its last digest is not sent; `changes --since` prints it."


@click.group()
def watch() -> None:
    """Add and change watches: who gets which alerts, and how often."""


# --- adding ----------------------------------------------------------------------------------------------------


@watch.command()
@watch_options
@click.pass_obj
def add(context: Context, /, **wishes: Any) -> None:
    """Add a watch: alerts for one subscriber, from now on. Entries already in the log are not sent.

    An email address first gets a link to confirm, unless you use --confirmed.
    """
    with open_alerts(context.settings.state) as alerts, alerts.write():
        record = _added(alerts, context, new_watch(context.settings, alerts.log, **wishes))
        asked = _ask(alerts, context, [record])
        said = in_words(alerts, record)
    click.echo(said)
    _doubt_counties(record.watch)
    _say_who_is_asked(context, asked)


@watch.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
@click.pass_context
def import_watches(ctx: click.Context, file: TextIO) -> None:
    """Add the watches in a CSV file (- for standard input). If any line is wrong, none are added.

    Name the columns like the options of `watch add`. Separate several values in a cell with ";".
    """
    context: Context = ctx.obj
    faults: list[Fault] = []
    records: list[WatchRecord] = []
    with open_alerts(context.settings.state) as alerts, alerts.write():
        for line, asked_for in read_watches(file, add, ctx):
            if isinstance(asked_for, Fault):
                faults.append(asked_for)
                continue
            try:
                records.append(_added(alerts, context, new_watch(context.settings, alerts.log, **asked_for)))
            except click.UsageError as exc:
                faults.append(fault(line, exc))
        if faults:
            raise MonitorError("nothing was imported\n" + "\n".join(map(str, faults)))
        asked = _ask(alerts, context, records)
    count = len({record.watch.number for record in records})
    click.echo("1 watch is imported." if count == 1 else f"{count} watches are imported.")
    for record in records:
        _doubt_counties(record.watch)
    _say_who_is_asked(context, asked)


def _added(alerts: AlertStore, context: Context, new: NewWatch) -> WatchRecord:
    """Store a watch. Raises click.BadParameter if its address is suppressed."""
    suppression = alerts.subscribers.suppression(open_keys(context.settings).of_address(new.channel, new.address))
    if suppression:
        raise click.BadParameter(
            f"this address must not be written to: {_WHY_NOT[suppression.why]} ({suppression.at:%Y-%m-%d}); if its"
            " reader asks for it again, `watch allow` lifts that",
            param_hint=_OPTION[new.channel],
        )
    known = alerts.subscribers.find(new.channel, new.address)
    subscriber = alerts.subscribers.ensure(
        new.channel,
        new.address,
        confirmed_by="operator" if new.vouched else None,
        at=context.now,
        time_zone=new.time_zone or (None if known else context.settings.log.time_zone),
    )
    number = alerts.watches.add(subscriber, new.wants, schedule=new.schedule, empty=new.empty, at=context.now)
    return _record(alerts, number)


def _ask(alerts: AlertStore, context: Context, records: Sequence[WatchRecord]) -> int:
    """Store a mail with a link for each address that is not confirmed yet; how many."""
    until = context.now + timedelta(hours=context.settings.delivery.confirm_within_hours)
    subscribers = {r.watch.subscriber.number: r.watch.subscriber for r in records if r.confirmed_at is None}
    if not subscribers:
        return 0
    from alerts.messages.render import renderer_of  # 25 ms, and most commands here render nothing

    renderer = renderer_of(context.settings, alerts.log)
    for subscriber in subscribers.values():
        token = new_token()
        token_hash = open_keys(context.settings).of_token(token)
        alerts.set_token(subscriber, token_hash, until)
        mail = renderer.confirmation(token, until)
        names = (token_hash.hex(),)
        alerts.outbox.add(
            [NewDelivery(subscriber, "confirmation", names, mail)], delivery_terms(context.settings, context.now)
        )
    return len(subscribers)


def _say_who_is_asked(context: Context, count: int) -> None:
    if not count:
        return
    who, link, it = ("It is", "a link", "it") if count == 1 else (f"{count} addresses are", "a link each", "them")
    hours = context.settings.delivery.confirm_within_hours
    click.echo(
        f"{who} sent {link} to confirm, good for {hours:g} hours, with the next `check`, or within a minute where `run`"
        f" is running. `watch confirm TOKEN` does the same as the link; before that nothing else is sent to {it}."
    )


def _doubt_counties(watch: Watch) -> None:
    for code, name in sorted(watch.wants.counties or ()):
        if not is_county(code, name):
            click.echo(f"{county_name(code, name)} is not a county in the census; is it spelled right?", err=True)


@watch.command()
@click.argument("token")
@click.pass_obj
def confirm(context: Context, token: str) -> None:
    """Confirm an email address with the TOKEN it was sent. Its watches start now."""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        found = alerts.subscribers.by_token(open_keys(context.settings).of_token(token))
        if found is None or found.token_until is None:
            raise MonitorError("this token is not valid: it was used, or a newer one was sent")
        if context.now >= found.token_until:
            raise MonitorError(f"this token was good until {found.token_until:%Y-%m-%d %H:%M} UTC; add the watch again")
        alerts.subscribers.confirm(found.subscriber, context.now)
        said = [in_words(alerts, record) for record in alerts.watches.records(found.subscriber)]
    for line in said:
        click.echo(line)


# --- looking, pausing, ending ----------------------------------------------------------------------------------


@watch.command("list")
@format_option
@click.option("--reveal", is_flag=True, help="Print addresses and webhooks in full.")
@click.pass_obj
def list_watches(context: Context, form: str, reveal: bool) -> None:
    """Print the watches."""
    with open_alerts(context.settings.state) as alerts:
        write(form, [watch_line(alerts, record, reveal=reveal) for record in alerts.watches.records()], WATCH_COLUMNS)


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def remove(context: Context, id: int) -> None:
    """Remove a watch. A subscriber with no other watch gets nothing more."""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        watch = _record(alerts, id).watch
        watched_places = where(alerts, watch)
        suppressed = alerts.remove_watch(id, context.now)
        stays = any(alerts.watches.records(watch.subscriber))
    click.echo(f"Watch {id} is removed: {who(watch)} hears no more of {watched_places}.")
    if watch.schedule and stays:
        # Easily missed when a subscriber changes from one cadence to another.
        click.echo(_NOT_SENT_SINCE_DIGEST)
    if suppressed:
        messages = "message that was" if suppressed == 1 else "messages that were"
        click.echo(f"{suppressed} {messages} waiting will not be sent.")


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def pause(context: Context, id: int) -> None:
    """Pause a watch: no alerts until `watch resume`. Corrections of earlier messages are still sent."""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        record = _record(alerts, id)
        if record.paused_at is None:
            alerts.watches.pause(id, context.now)
    click.echo(f"Watch {id} is paused: no news for {who(record.watch)} until `watch resume {id}`.")


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def resume(context: Context, id: int) -> None:
    """Resume a paused watch: alerts from now on.

    Entries from the time of the pause are in the log, but are not sent.
    """
    with open_alerts(context.settings.state) as alerts, alerts.write():
        record = _record(alerts, id)
        if record.paused_at is None:
            raise MonitorError(f"watch {id} is not paused")
        alerts.watches.resume(id)
    click.echo(f"Watch {id} is resumed: {who(record.watch)} hears of what happens from now on.")
    if record.watch.schedule:
        click.echo(_NOT_SENT_SINCE_DIGEST)
    else:
        click.echo(
            f"What happened since {record.paused_at:%Y-%m-%d %H:%M} UTC is not sent; `changes --since` prints it."
        )


# --- what is kept about somebody -------------------------------------------------------------------------------


@watch.command()
@address_options
@click.pass_obj
def export(context: Context, email: str | None, slack: str | None, slack_channel: str | None) -> None:
    """Print everything that is stored about an address, as JSON."""
    channel, text = address(context.settings, email, slack, slack_channel)
    with open_alerts(context.settings.state) as alerts:
        suppression = alerts.subscribers.suppression(open_keys(context.settings).of_address(channel, text))
        known = alerts.subscribers.find(channel, text)
        kept = alerts.reports.stored(known.subscriber) if known else {}
    never = {"at": suppression.at.isoformat(), "why": suppression.why} if suppression else None
    found = {"channel": channel, "address": text, "must_not_be_written_to": never, **kept}
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@watch.command()
@address_options
@click.confirmation_option(prompt="Erase everything stored about this address, and never write to it again?")
@click.pass_obj
def erase(context: Context, email: str | None, slack: str | None, slack_channel: str | None) -> None:
    """Erase an address, and never write to it again.

    Only a hash of the address stays, which only this installation can compare. The number of messages sent stays in the
    records, but not to whom.
    """
    channel, text = address(context.settings, email, slack, slack_channel)
    with open_alerts(context.settings.state) as alerts:
        with alerts.write():
            subscriber = _known(alerts, channel, text).subscriber
            forget(alerts, open_keys(context.settings), subscriber, context.now)
        alerts.erase_journal()
    click.echo("Erased. Copies of state.db that you have made still hold it.")


@watch.command()
@address_options
@click.pass_obj
def allow(context: Context, email: str | None, slack: str | None, slack_channel: str | None) -> None:
    """Allow an address to be added again after it was erased, unsubscribed, or refused by its server as unknown.

    Use this only if its reader asked for it. Nothing is sent. Use `watch add` next; an email address must be confirmed
    as if it were new.
    """
    channel, text = address(context.settings, email, slack, slack_channel)
    hashed = open_keys(context.settings).of_address(channel, text)
    with open_alerts(context.settings.state) as alerts, alerts.write():
        lifted = alerts.subscribers.lift_suppression(hashed)
        known = alerts.subscribers.find(channel, text)
        if known and known.disabled_at:
            alerts.subscribers.enable(known.subscriber.number)
            lifted = lifted or known.disabled_why
    if not lifted:
        raise MonitorError("nothing keeps this address from being written to; `watch add` adds it")
    click.echo(f"This address may be added again with `watch add`; it was kept from it: {lifted}.")


def _known(alerts: AlertStore, channel: ChannelName, text: str) -> SubscriberRecord:
    found = alerts.subscribers.find(channel, text)
    if found is None:
        raise MonitorError("nothing is stored about this address; `watch list --reveal` prints all addresses")
    return found


def _record(alerts: AlertStore, number: int) -> WatchRecord:
    for record in alerts.watches.records(number=number):
        return record
    raise MonitorError(f"there is no watch {number}; `watch list` prints all")
