"""The commands about deliveries. Addresses are masked unless --reveal is given."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from alerts.keys import open_keys
from alerts.masking import masked
from alerts.messages.slack_parts import parts_of, plain
from alerts.model import CORRECTIONS, Message
from alerts.storage.reports import DeliveryRecord
from alerts.storage.store import AlertStore, open_alerts
from cli.context import Context
from cli.output import write
from cli.parameters import format_option
from monitor.errors import MonitorError
from monitor.exports.records import Line

DELIVERY_COLUMNS = (
    *("id", "state", "purpose", "channel", "address", "changes"),
    *("created_at", "sent_at", "attempts", "last_error"),
)

_reveal = click.option("--reveal", is_flag=True, help="Print addresses and webhooks in full.")


@click.group()
def deliveries() -> None:
    """Print which messages were sent to whom; send one again, or never."""


@deliveries.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["pending", "leased", "sent", "ambiguous", "dead", "suppressed"]),
    help="Only deliveries in this state; repeatable.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many to print.")
@format_option
@_reveal
@click.pass_obj
def list_deliveries(context: Context, states: tuple[str, ...], limit: int, form: str, reveal: bool) -> None:
    """Print deliveries, newest first."""
    with open_alerts(context.settings.state) as alerts:
        found = alerts.reports.deliveries(states=states, limit=limit)
        write(form, [_delivery_line(delivery, reveal=reveal) for delivery in found], DELIVERY_COLUMNS)


@deliveries.command()
@click.argument("id")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", is_flag=True, help="Print only the HTML of an email.")
@_reveal
@click.pass_obj
def show(context: Context, id: str, form: str, html: bool, reveal: bool) -> None:
    """Print a delivery (d-…) and its message, as it is sent."""
    with open_alerts(context.settings.state) as alerts:
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
@click.option(
    "--dead", is_flag=True, help="All that failed for good, except to addresses that no longer accept messages."
)
@click.pass_obj
def retry(context: Context, id: str | None, dead: bool) -> None:
    """Send a delivery that failed for good or is waiting; it is sent with the next run.

    If its address no longer accepted messages, naming the delivery by its ID also allows messages to it again.
    """
    if (id is None) == (not dead):
        raise click.UsageError("Name a delivery's ID, or use --dead.")
    give_up_at = context.now + timedelta(hours=context.settings.delivery.give_up_after_hours)
    opened = ""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        chosen = [_delivery(alerts, id)] if id else list(alerts.reports.deliveries(states=["dead"]))
        again = 0
        for delivery in reversed(chosen):
            if obstacle := _obstacle(alerts, delivery, by_id=id is not None):
                if id:
                    raise MonitorError(f"{delivery.id}: {obstacle}")
                click.echo(f"{delivery.id}: {obstacle}", err=True)
                continue
            if delivery.disabled_at:
                hashed = open_keys(context.settings).of_address(delivery.channel, delivery.address)
                alerts.subscribers.lift_suppression(hashed, why="no such address")
                alerts.subscribers.enable(delivery.subscriber)
                opened = _masked(delivery)
            alerts.outbox.retry(delivery.id, at=context.now, give_up_at=give_up_at)
            again += 1
    if opened:
        click.echo(f"{opened} is written to again.")
    what = "1 delivery is" if again == 1 else f"{again} deliveries are"
    click.echo(f"{what} sent with the next `check`, or within a minute where `run` is running.")


def _obstacle(alerts: AlertStore, delivery: DeliveryRecord, *, by_id: bool) -> str:
    """Why a delivery must not be sent again; "" if it may."""
    if delivery.state not in ("dead", "ambiguous", "pending"):
        return f"is {delivery.state}; only what was given up or waits can be sent again"
    if any(entry.status in CORRECTIONS for entry in alerts.log.changelog.entries(ids=delivery.entries)):
        # A reader who never got the departure does not get its correction either.
        return "tells of a change that was taken back since; it stays unsent"
    if delivery.disabled_at and not by_id:
        return f"{_masked(delivery)} takes no messages any more; `deliveries retry {delivery.id}` tries it all the same"
    return ""


@deliveries.command()
@click.argument("id")
@click.option("--why", required=True, help="Your reason; it is stored and shown with the delivery.")
@click.pass_obj
def drop(context: Context, id: str, why: str) -> None:
    """Drop a delivery that is waiting or failed for good: it is never sent."""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        delivery = _delivery(alerts, id)
        if delivery.state not in ("pending", "dead"):
            raise MonitorError(f"{id}: is {delivery.state}; only what waits or was given up can be dropped")
        alerts.outbox.drop(id, f"dropped by an operator: {why}")
    click.echo(f"{id} will not be sent to {_masked(delivery)}.")


def _delivery(alerts: AlertStore, id: str) -> DeliveryRecord:
    for delivery in alerts.reports.deliveries(id=id):
        return delivery
    raise MonitorError(f"there is no delivery {id}; `deliveries list` prints them")


def _masked(delivery: DeliveryRecord) -> str:
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
    """The texts of a Slack message, one paragraph for each part."""
    return "\n\n".join(map(plain, parts_of(message)))
