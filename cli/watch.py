"""The commands about watches. Addresses are masked wherever they are not asked for by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TextIO

import click

from alerts.model import AGREEMENT_KINDS, PENDING_KINDS, ChannelName
from cli.allowing import allow
from cli.context import Context
from cli.parameters import format_option
from cli.watch_options import Fault, NewWatch, address, address_options, fault, new_watch, read_watches, watch_options
from monitor.errors import MonitorError

if TYPE_CHECKING:
    from alerts.model import Watch
    from alerts.storage.store import AlertStore
    from alerts.storage.subscribers import SubscriberRecord
    from alerts.storage.watches import WatchRecord
    from monitor.exports.records import Line

WATCH_COLUMNS = ("id", "channel", "address", "watches", "kinds", "cadence", "standing", "added_at")

_OPTION = {ChannelName.EMAIL: "--email", ChannelName.SLACK: "--slack", ChannelName.SLACK_BOT: "--slack-channel"}
_WHY_NOT = {
    "erased": "it was erased, never to be written to again",
    "unsubscribed": "whoever reads it has unsubscribed",
    "no such address": "its server says that there is no such address; `deliveries retry` of a message tries it again",
}
_NOT_SENT_SINCE_DIGEST = "What happened since its last digest is not sent; `changes --since` prints it."


@contextmanager
def _alerts(context: Context) -> Iterator[AlertStore]:
    from alerts.storage.store import open_alerts

    with open_alerts(context.settings.state) as alerts:
        yield alerts


@click.group()
def watch() -> None:
    """Say who is told of what, and how often."""


watch.add_command(allow)


# --- adding ----------------------------------------------------------------------------------------------------


@watch.command()
@watch_options
@click.pass_obj
def add(context: Context, /, **wishes: Any) -> None:
    """Tell somebody what happens, from now on. What is in the log already is not told.

    Nobody is sent mail without having asked for it: a mail address is sent a link to confirm, unless you vouch for it
    with --confirmed.
    """
    with _alerts(context) as alerts, alerts.write():
        record = _added(alerts, context, new_watch(context.settings, alerts.log, **wishes))
        asked = _ask(alerts, context, [record])
        said = _in_words(alerts, record)
    click.echo(said)
    _doubt_counties(record.watch)
    _say_who_is_asked(context, asked)


@watch.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
@click.pass_context
def import_watches(ctx: click.Context, file: TextIO) -> None:
    """Add the watches in a CSV FILE (- for standard input): all of them, or none where any line is wrong.

    Columns are named as the options of `watch add`; ";" stands between several values of one.
    """
    context: Context = ctx.obj
    faults: list[Fault] = []
    records: list[WatchRecord] = []
    with _alerts(context) as alerts, alerts.write():
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
    """Store a watch. Raises click.BadParameter where its address must not be written to."""
    from alerts.keys import open_keys

    suppression = alerts.subscribers.suppression(open_keys(context.settings).of_address(new.channel, new.address))
    if suppression:
        raise click.BadParameter(
            f"this address must not be written to: {_WHY_NOT[suppression.why]} ({suppression.at:%Y-%m-%d}); where"
            " whoever reads it asks for it again, `watch allow` lifts that",
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
    """Store a mail with a link for each address that nobody has confirmed yet; how many."""
    from alerts.keys import new_token, open_keys
    from alerts.storage.messages import NewDelivery, delivery_terms

    until = context.now + timedelta(hours=context.settings.delivery.confirm_within_hours)
    subscribers = {r.watch.subscriber.number: r.watch.subscriber for r in records if r.confirmed_at is None}
    if not subscribers:
        return 0
    from alerts.messages.render import renderer_of  # 25 ms

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
    from alerts.routing.scope import county_name, is_county

    for code, name in sorted(watch.wants.counties or ()):
        if not is_county(code, name):
            click.echo(f"{county_name(code, name)} is no county that the census knows; is it spelt right?", err=True)


@watch.command()
@click.argument("token")
@click.pass_obj
def confirm(context: Context, token: str) -> None:
    """Say that whoever got this TOKEN by mail wants the watches: from now on they are told."""
    from alerts.keys import open_keys

    with _alerts(context) as alerts, alerts.write():
        found = alerts.subscribers.by_token(open_keys(context.settings).of_token(token))
        if found is None or found.token_until is None:
            raise MonitorError("nobody waits for this token: it was used, or a newer one was asked for")
        if context.now >= found.token_until:
            raise MonitorError(f"this token was good until {found.token_until:%Y-%m-%d %H:%M} UTC; add the watch again")
        alerts.subscribers.confirm(found.subscriber, context.now)
        said = [_in_words(alerts, record) for record in alerts.watches.records(found.subscriber)]
    for line in said:
        click.echo(line)


# --- looking, pausing, ending ----------------------------------------------------------------------------------


@watch.command("list")
@format_option
@click.option("--reveal", is_flag=True, help="Print addresses and webhooks in full.")
@click.pass_obj
def list_watches(context: Context, form: str, reveal: bool) -> None:
    """Print who is told of what."""
    from cli.output import write

    with _alerts(context) as alerts:
        write(form, [_watch_line(alerts, record, reveal=reveal) for record in alerts.watches.records()], WATCH_COLUMNS)


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def remove(context: Context, id: int) -> None:
    """End a watch. Whoever has no other is sent nothing more."""
    with _alerts(context) as alerts, alerts.write():
        watch = _record(alerts, id).watch
        where = _where(alerts, watch)
        suppressed = alerts.remove_watch(id, context.now)
        stays = any(alerts.watches.records(watch.subscriber))
    click.echo(f"Watch {id} is removed: {_who(watch)} hears no more of {where}.")
    if watch.schedule and stays:
        # Whoever goes over to another cadence would not think of it.
        click.echo(_NOT_SENT_SINCE_DIGEST)
    if suppressed:
        messages = "message that was" if suppressed == 1 else "messages that were"
        click.echo(f"{suppressed} {messages} waiting will not be sent.")


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def pause(context: Context, id: int) -> None:
    """Send no news for a watch until it is resumed; corrections of what was told before still go out."""
    with _alerts(context) as alerts, alerts.write():
        record = _record(alerts, id)
        if record.paused_at is None:
            alerts.watches.pause(id, context.now)
    click.echo(f"Watch {id} is paused: no news for {_who(record.watch)} until `watch resume {id}`.")


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def resume(context: Context, id: int) -> None:
    """Send news again for a watch that is paused: from now on.

    What happened meanwhile is in the log, and is not sent; nor what a digest would have had by then.
    """
    with _alerts(context) as alerts, alerts.write():
        record = _record(alerts, id)
        if record.paused_at is None:
            raise MonitorError(f"watch {id} is not paused")
        alerts.watches.resume(id)
    click.echo(f"Watch {id} is resumed: {_who(record.watch)} hears of what happens from now on.")
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
    """Print everything that is kept about an address, as JSON."""
    from alerts.keys import open_keys

    channel, text = address(context.settings, email, slack, slack_channel)
    with _alerts(context) as alerts:
        suppression = alerts.subscribers.suppression(open_keys(context.settings).of_address(channel, text))
        known = alerts.subscribers.find(channel, text)
        kept = alerts.reports.stored(known.subscriber) if known else {}
    never = {"at": suppression.at.isoformat(), "why": suppression.why} if suppression else None
    found = {"channel": channel, "address": text, "must_not_be_written_to": never, **kept}
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@watch.command()
@address_options
@click.confirmation_option(prompt="Erase all that is kept about this address, never to write to it again?")
@click.pass_obj
def erase(context: Context, email: str | None, slack: str | None, slack_channel: str | None) -> None:
    """Forget an address, and never write to it again.

    What is left of it is a hash that only this installation can compare. How many messages were sent stays known, but
    not to whom.
    """
    from alerts.keys import open_keys
    from alerts.signup.selfservice import forget

    channel, text = address(context.settings, email, slack, slack_channel)
    with _alerts(context) as alerts:
        with alerts.write():
            subscriber = _known(alerts, channel, text).subscriber
            forget(alerts, open_keys(context.settings), subscriber, context.now)
        alerts.erase_journal()
    click.echo("Erased. Copies of state.db that you have made are yours to mend.")


def _known(alerts: AlertStore, channel: ChannelName, text: str) -> SubscriberRecord:
    found = alerts.subscribers.find(channel, text)
    if found is None:
        raise MonitorError("nothing is kept about this address; `watch list --reveal` prints those that are")
    return found


# --- in words --------------------------------------------------------------------------------------------------


def _record(alerts: AlertStore, number: int) -> WatchRecord:
    for record in alerts.watches.records(number=number):
        return record
    raise MonitorError(f"there is no watch {number}; `watch list` prints all")


def _in_words(alerts: AlertStore, record: WatchRecord) -> str:
    watch = record.watch
    line = f"Watch {watch.number}: {_who(watch)} is told of {_what(watch)} in {_where(alerts, watch)}"
    if watch.schedule:
        line += f", in a digest {watch.schedule.name} ({watch.subscriber.time_zone})"
    if record.paused_at:
        return f"{line}; it is paused, `watch resume {watch.number}` goes on with it."
    if record.disabled_at:
        why = f"its address takes no messages any more ({record.disabled_why})"
        return f"{line}; {why}, `deliveries retry` of one of them tries again."
    if record.confirmed_at is None:
        return f"{line}, once the address is confirmed."
    return f"{line}, from entry {watch.starts_after + 1} of the log on."


def _what(watch: Watch) -> str:
    wants = watch.wants
    if wants.kinds == AGREEMENT_KINDS:
        what = "agreements"
    elif wants.kinds == AGREEMENT_KINDS | PENDING_KINDS:
        what = "agreements and applications"
    else:
        what = f"what is {', '.join(sorted(wants.kinds))}"
    return what + (f" ({', '.join(sorted(wants.support_types))})" if wants.support_types else "")


def _who(watch: Watch) -> str:
    from alerts.masking import masked

    return masked(watch.subscriber.channel, watch.subscriber.address)


def _where(alerts: AlertStore, watch: Watch) -> str:
    from alerts.messages.outline import named
    from alerts.routing.instant import watched

    states, parts = named(watched([watch], alerts.watches.agencies([watch])))
    return ", ".join([*(["all states"] if states is None else states), *parts])


def _standing(record: WatchRecord) -> str:
    if record.paused_at:
        return "paused"
    if record.confirmed_at is None:
        return "not confirmed"
    return "takes no messages" if record.disabled_at else "in force"


def _watch_line(alerts: AlertStore, record: WatchRecord, *, reveal: bool) -> Line:
    watch, wants = record.watch, record.watch.wants
    return {
        "id": watch.number,
        "channel": watch.subscriber.channel,
        "address": watch.subscriber.address if reveal else _who(watch),
        "watches": _where(alerts, watch),
        "states": "all" if wants.states is None else sorted(wants.states),
        "counties": [f"{name}, {code}" for code, name in sorted(wants.counties or ())],
        "agencies": sorted(wants.agencies or ()),
        "support_types": sorted(wants.support_types or ()),
        "kinds": sorted(wants.kinds),
        "significance": wants.significance,
        "departures": wants.departures,
        "cadence": watch.schedule.name if watch.schedule else "at once",
        "empty": watch.empty,
        "time_zone": watch.subscriber.time_zone,
        "standing": _standing(record),
        "starts_after": watch.starts_after,
        "added_at": record.added_at.isoformat(),
        "paused_at": record.paused_at.isoformat() if record.paused_at else None,
        "confirmed_at": record.confirmed_at.isoformat() if record.confirmed_at else None,
        "disabled_at": record.disabled_at.isoformat() if record.disabled_at else None,
        "disabled_why": record.disabled_why,
    }
