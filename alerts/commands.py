"""The commands about watches and deliveries. Addresses are masked wherever they are not asked for by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from alerts.model import AGREEMENT_KINDS, CORRECTIONS, PENDING_KINDS, ChannelName
from monitor.context import Context
from monitor.errors import MonitorError
from monitor.model import Significance
from monitor.parameters import StateCode, format_option

if TYPE_CHECKING:
    from alerts.model import Message, Watch
    from alerts.store import Alerts, DeliveryRecord, WatchRecord
    from monitor.lines import Line

WATCH_COLUMNS = ("id", "channel", "address", "states", "kinds", "significance", "added_at", "paused_at")
DELIVERY_COLUMNS = (
    *("id", "state", "purpose", "channel", "address", "changes"),
    *("created_at", "sent_at", "attempts", "last_error"),
)

_reveal = click.option("--reveal", is_flag=True, help="Print addresses and webhooks in full.")


@contextmanager
def _alerts(context: Context) -> Iterator[Alerts]:
    from alerts.store import open_alerts

    with open_alerts(context.settings.state) as alerts:
        yield alerts


# --- watch -----------------------------------------------------------------------------------------------------


@click.group()
def watch() -> None:
    """Say who is told about which states."""


@watch.command()
@click.option("--state", "states", multiple=True, type=StateCode(), help="A state, by code or name; repeatable.")
@click.option("--all-states", is_flag=True, help="Every state, and rows whose state cannot be made out.")
@click.option("--email", help="Tell this mail address.")
@click.option("--confirmed", is_flag=True, help="You vouch that whoever reads that address has asked for this.")
@click.option("--slack", metavar="URL", help="Tell the Slack channel behind this incoming webhook.")
@click.option("--pending", is_flag=True, help="Also applications: new on the pending list, or no longer on it.")
@click.option(
    "--significance",
    type=click.Choice([s.value for s in Significance]),
    default=Significance.SUBSTANTIVE.value,
    show_default=True,
    help="The least that a change must have: support type, date, state, county; or also documents; or also spelling.",
)
@click.pass_obj
def add(
    context: Context,
    states: tuple[str, ...],
    all_states: bool,
    email: str | None,
    confirmed: bool,
    slack: str | None,
    pending: bool,
    significance: str,
) -> None:
    """Tell somebody about states, from now on. What is in the log already is not told."""
    if bool(states) == all_states:
        raise click.UsageError("Say which states: --state TX (repeatable), or --all-states.")
    channel, address = _address(context, email, slack)
    if channel is ChannelName.EMAIL and not confirmed:
        raise click.UsageError(
            "Nobody is sent mail without having asked for it. If they have, say so with --confirmed;"
            " confirmation by mail comes with the subscription pages."
        )
    with _alerts(context) as alerts, alerts.write():
        number = alerts.add_watch(
            alerts.subscriber(channel, address, confirmed_by="operator", at=context.now),
            states=None if all_states else set(states),
            kinds=AGREEMENT_KINDS | PENDING_KINDS if pending else AGREEMENT_KINDS,
            significance=Significance(significance),
            at=context.now,
        )
        record = _record(alerts, number)
    click.echo(_in_words(record))


def _address(context: Context, email: str | None, slack: str | None) -> tuple[ChannelName, str]:
    """The one address that was given, checked."""
    from alerts.addresses import mail_address, webhook

    if (email is None) == (slack is None):
        raise click.UsageError("Say whom to tell: --email ADDRESS, or --slack URL.")
    try:
        if email is not None:
            return ChannelName.EMAIL, mail_address(email)
        assert slack is not None
        return ChannelName.SLACK, webhook(slack, context.settings.slack.hosts)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--email" if email is not None else "--slack") from exc


@watch.command("list")
@format_option
@_reveal
@click.pass_obj
def list_watches(context: Context, form: str, reveal: bool) -> None:
    """Print who is told about what."""
    from monitor.output import write

    with _alerts(context) as alerts:
        write(form, [_watch_line(record, reveal=reveal) for record in alerts.watches()], WATCH_COLUMNS)


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def remove(context: Context, id: int) -> None:
    """End a watch. Whoever has no other is sent nothing more."""
    with _alerts(context) as alerts, alerts.write():
        record = _record(alerts, id)
        suppressed = alerts.remove_watch(id, context.now)
    click.echo(f"Watch {id} is removed: {_who(record.watch)} hears no more of {_where(record.watch)}.")
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
            alerts.pause_watch(id, context.now)
    click.echo(f"Watch {id} is paused: no news for {_who(record.watch)} until `watch resume {id}`.")


@watch.command()
@click.argument("id", type=int)
@click.pass_obj
def resume(context: Context, id: int) -> None:
    """Send news for a paused watch again, from now on. What happened meanwhile is in the log, and is not sent."""
    with _alerts(context) as alerts, alerts.write():
        record = _record(alerts, id)
        if record.paused_at is None:
            raise MonitorError(f"watch {id} is not paused")
        alerts.resume_watch(id)
    click.echo(f"Watch {id} is resumed: {_who(record.watch)} hears of what happens from now on.")
    click.echo(f"What happened since {record.paused_at:%Y-%m-%d %H:%M} UTC is not sent; `changes --since` prints it.")


def _record(alerts: Alerts, number: int) -> WatchRecord:
    for record in alerts.watches():
        if record.watch.number == number:
            return record
    raise MonitorError(f"there is no watch {number}; `watch list` prints all")


def _in_words(record: WatchRecord) -> str:
    watch = record.watch
    of = "agreements and applications" if not PENDING_KINDS.isdisjoint(watch.kinds) else "agreements"
    line = f"Watch {watch.number}: {_who(watch)} is told of {of} in {_where(watch)}"
    if record.paused_at:
        return f"{line}; it is paused, `watch resume {watch.number}` goes on with it."
    return f"{line}, from entry {watch.starts_after + 1} of the log on."


def _who(watch: Watch) -> str:
    from alerts.masking import masked

    return masked(watch.subscriber.channel, watch.subscriber.address)


def _where(watch: Watch) -> str:
    from monitor.normalize import STATES

    return "all states" if watch.states is None else ", ".join(STATES[code] for code in sorted(watch.states))


def _watch_line(record: WatchRecord, *, reveal: bool) -> Line:
    watch = record.watch
    return {
        "id": watch.number,
        "channel": watch.subscriber.channel,
        "address": watch.subscriber.address if reveal else _who(watch),
        "states": "all" if watch.states is None else sorted(watch.states),
        "kinds": sorted(watch.kinds),
        "significance": watch.significance,
        "starts_after": watch.starts_after,
        "added_at": record.added_at.isoformat(),
        "paused_at": record.paused_at.isoformat() if record.paused_at else None,
    }


# --- deliveries ------------------------------------------------------------------------------------------------


@click.group()
def deliveries() -> None:
    """Print what was sent to whom, and what waits."""


@deliveries.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["pending", "leased", "sent", "ambiguous", "dead", "suppressed"]),
    help="Only those; repeatable.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, newest first.")
@format_option
@_reveal
@click.pass_obj
def list_deliveries(context: Context, states: tuple[str, ...], limit: int, form: str, reveal: bool) -> None:
    """Print deliveries, newest first."""
    from monitor.output import write

    with _alerts(context) as alerts:
        found = alerts.deliveries(states=states, limit=limit)
        write(form, [_delivery_line(delivery, reveal=reveal) for delivery in found], DELIVERY_COLUMNS)


@deliveries.command()
@click.argument("id")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", is_flag=True, help="Print the HTML of a mail, and nothing else.")
@_reveal
@click.pass_obj
def show(context: Context, id: str, form: str, html: bool, reveal: bool) -> None:
    """Print a delivery (d-…) and its message as it is sent."""
    with _alerts(context) as alerts:
        delivery = _delivery(alerts, id)
    message = delivery.message
    if html:
        if not message.html:
            raise MonitorError(f"{id} goes to Slack and has no HTML; `deliveries show {id}` prints its text")
        click.echo(message.html)
        return
    line = _delivery_line(delivery, reveal=reveal)
    if form == "json":
        blocks = json.loads(message.blocks) if message.blocks else None  # as they are stored
        said = {"subject": message.subject, "text": message.text, "html": message.html, "blocks": blocks}
        click.echo(json.dumps(line | {"message": said}, ensure_ascii=False, indent=2))
        return
    for name, value in line.items():
        if value not in (None, ""):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            click.echo(f"{name.replace('_', ' ').ljust(15)}  {shown}")
    click.echo("")
    if message.subject:
        click.echo(f"Subject: {message.subject}\n")
    click.echo(_slack_text(message) if message.blocks else message.text)


@deliveries.command()
@click.argument("id", required=False)
@click.option("--dead", is_flag=True, help="All that were given up, but for addresses that take no messages any more.")
@click.pass_obj
def retry(context: Context, id: str | None, dead: bool) -> None:
    """Send a delivery again that was given up or waits; it goes out with the next run.

    Named by its ID, one whose address takes no messages any more opens that address again: for when it is mended.
    """
    from alerts.keys import open_keys

    if (id is None) == (not dead):
        raise click.UsageError("Say which: a delivery's ID, or --dead.")
    give_up_at = context.now + timedelta(hours=context.settings.delivery.give_up_after_hours)
    opened = ""
    with _alerts(context) as alerts, alerts.write():
        chosen = [_delivery(alerts, id)] if id else list(alerts.deliveries(states=["dead"]))
        again = 0
        for delivery in reversed(chosen):
            if obstacle := _obstacle(alerts, delivery, by_id=id is not None):
                if id:
                    raise MonitorError(f"{delivery.id}: {obstacle}")
                click.echo(f"{delivery.id}: {obstacle}", err=True)
                continue
            if delivery.disabled_at:
                hashed = open_keys(context.settings).of_address(delivery.channel, delivery.address)
                alerts.enable(delivery.id, hashed)
                opened = _masked(delivery)
            alerts.retry(delivery.id, at=context.now, give_up_at=give_up_at)
            again += 1
    if opened:
        click.echo(f"{opened} is written to again.")
    what = "1 delivery is" if again == 1 else f"{again} deliveries are"
    click.echo(f"{what} sent with the next `check`, or within a minute where `run` is running.")


def _obstacle(alerts: Alerts, delivery: DeliveryRecord, *, by_id: bool) -> str:
    """Why a delivery must not be sent again; "" where it may."""
    if delivery.state not in ("dead", "ambiguous", "pending"):
        return f"is {delivery.state}; only what was given up or waits can be sent again"
    if any(entry.status in CORRECTIONS for entry in alerts.log.entries(ids=delivery.entries)):
        # Whoever was not told of a departure is not told of its correction either.
        return "tells of a change that was taken back since; it stays unsent"
    if delivery.disabled_at and not by_id:
        return f"{_masked(delivery)} takes no messages any more; `deliveries retry {delivery.id}` tries it all the same"
    return ""


@deliveries.command()
@click.argument("id")
@click.option("--why", required=True, help="Your reason; it is kept, and shown with the delivery.")
@click.pass_obj
def drop(context: Context, id: str, why: str) -> None:
    """Send a delivery no more that waits or was given up."""
    with _alerts(context) as alerts, alerts.write():
        delivery = _delivery(alerts, id)
        if delivery.state not in ("pending", "dead"):
            raise MonitorError(f"{id}: is {delivery.state}; only what waits or was given up can be dropped")
        alerts.drop(id, f"dropped by an operator: {why}")
    click.echo(f"{id} will not be sent to {_masked(delivery)}.")


def _delivery(alerts: Alerts, id: str) -> DeliveryRecord:
    for delivery in alerts.deliveries(id=id):
        return delivery
    raise MonitorError(f"there is no delivery {id}; `deliveries list` prints them")


def _masked(delivery: DeliveryRecord) -> str:
    from alerts.masking import masked

    return masked(delivery.channel, delivery.address)


def _delivery_line(delivery: DeliveryRecord, *, reveal: bool) -> Line:
    return {
        "id": delivery.id,
        "state": delivery.state,
        "purpose": delivery.purpose,
        "channel": delivery.channel,
        "address": delivery.address if reveal else _masked(delivery),
        "changes": len(delivery.entries),
        "entries": list(delivery.entries),
        "publication": delivery.publication,
        "message_id": delivery.message_id,
        "created_at": delivery.created_at.isoformat(),
        "attempts": delivery.attempts,
        "maybe_sent": delivery.maybe_sent,
        "next_attempt_at": delivery.next_attempt_at.isoformat() if delivery.state == "pending" else None,
        "sent_at": delivery.sent_at.isoformat() if delivery.sent_at else None,
        "last_error": delivery.last_error,
    }


def _slack_text(message: Message) -> str:
    """The texts of a Slack message, one below the other, part by part."""
    from alerts.parts import parts_of, plain

    return "\n\n".join(map(plain, parts_of(message)))
